"""The number that a text gives: digits or Chinese numerals, with separators, percent and powers.

The rules, in order, after full-width signs have become plain ones:

- Of several numbers in digits the last one counts, as is usual for GSM8K.
- A comma between groups of three digits (1,234,567) separates thousands; a point is decimal.
- A sign belongs to the number unless a digit or a letter stands right before it (3-5, GPT-4).
- % and ‰ divide by 100 and 1000: "45%" is 0.45. 万, 亿, thousand, million, billion and trillion
  multiply. 1.5e-3 and 1.5 × 10^-3 are powers of ten. a/b is a quotient, unless more of it
  follows as in a date.
- Units and currency signs around the number are left aside.
- Chinese numerals (三百二十五, 两万三, 二〇二四, 三点一四, 百分之五, 负三) count only where the
  text has no digits, and stand at its end but for a unit of up to two characters: in running
  text 一 and 十 are mostly no numbers.
"""

from __future__ import annotations

import math
import re
import unicodedata

_SCALES = {
    "万": 1e4,
    "亿": 1e8,
    "thousand": 1e3,
    "million": 1e6,
    "billion": 1e9,
    "trillion": 1e12,
    "%": 1e-2,
    "‰": 1e-3,
}
_DIGITS = r"(?:\d{1,3}(?:,\d{3})+(?!\d)|\d+)(?:\.\d+)?|\.\d+"
_NUMBER = re.compile(
    rf"(?<![\d.])(?P<later>(?<=/))?(?P<sign>(?<![\w.])[+-])?(?P<digits>{_DIGITS})"
    r"(?:e(?P<exponent>[+-]?\d+)|\s*[×x*]\s*10\s*(?:\^|\*\*)\s*\{?(?P<power>[+-]?\d+)\}?)?"
    rf"(?(later)|(?:/(?P<divisor>{_DIGITS})(?![\d/]))?)"
    r"\s*(?P<scale>(?:[万亿%‰]|(?:thousand|million|billion|trillion)\b)*)",
    re.IGNORECASE,
)
_MINUS = dict.fromkeys(map(ord, "−–﹣"), "-")

_CHINESE_DIGITS = {c: n for n, c in enumerate("零一二三四五六七八九")} | {"〇": 0, "两": 2}
_CHINESE_UNITS = {"十": 10, "百": 100, "千": 1000}
_CHINESE_SECTIONS = {"万": 10_000, "亿": 100_000_000}
_CHINESE_SIGNS = "".join([*_CHINESE_DIGITS, *_CHINESE_UNITS, *_CHINESE_SECTIONS])
_CHINESE = re.compile(
    rf"(?:^|[^{_CHINESE_SIGNS}点])(?P<minus>负)?(?P<part>[百千万]分之)?"
    rf"(?P<whole>[{_CHINESE_SIGNS}]+)(?:点(?P<decimals>[零〇一二三四五六七八九]+))?"
    rf"[^\W{_CHINESE_SIGNS}]{{0,2}}[\s.。!！]*$"
)


def read_number(text: str) -> float | None:
    """The number that the text gives; None where there is none. The rules are the module's."""
    plain = unicodedata.normalize("NFKC", text).translate(_MINUS)
    found = list(_NUMBER.finditer(plain))
    number = _of_digits(found[-1]) if found else _of_chinese(plain)
    return number if number is not None and math.isfinite(number) else None


def _of_digits(match: re.Match[str]) -> float | None:
    number = float(match["digits"].replace(",", ""))
    power = int(match["exponent"] or match["power"] or 0)
    if abs(power) > 300:
        return None
    number *= 10.0**power
    if match["divisor"]:
        divisor = float(match["divisor"].replace(",", ""))
        if divisor == 0:
            return None
        number /= divisor
    for word in re.findall(r"[万亿%‰]|[a-z]+", match["scale"].lower()):
        number *= _SCALES[word]
    return -number if match["sign"] == "-" else number


def _of_chinese(text: str) -> float | None:
    match = _CHINESE.search(text)
    whole = None if match is None else _whole(match["whole"])
    if match is None or whole is None:
        return None
    decimals = "".join(str(_CHINESE_DIGITS[sign]) for sign in match["decimals"] or "")
    number = float(f"{whole}.{decimals or 0}")
    if match["part"]:
        number /= {"百": 100, "千": 1000, "万": 10_000}[match["part"][0]]
    return -number if match["minus"] else number


def _whole(signs: str) -> int | None:
    """Of a numeral with units (三百二十五, 两万三) or of digits in a row (二〇二四)."""
    if not any(sign in _CHINESE_UNITS or sign in _CHINESE_SECTIONS for sign in signs):
        return int("".join(str(_CHINESE_DIGITS[sign]) for sign in signs))
    total = section = 0
    digit: int | None = None
    last_unit = largest = 1
    for sign in signs:
        if sign in _CHINESE_DIGITS:
            if digit:
                return None
            digit, last_unit = _CHINESE_DIGITS[sign], last_unit if _CHINESE_DIGITS[sign] else 1
        elif sign in _CHINESE_UNITS:
            last_unit = _CHINESE_UNITS[sign]
            section += (1 if digit is None else digit) * last_unit
            digit = None
        else:
            last_unit, section = _CHINESE_SECTIONS[sign], section + (digit or 0)
            # 万亿 multiplies what came before; 一亿二千万 adds to it.
            above = last_unit > largest
            total = (total + section) * last_unit if above else total + section * last_unit
            largest, section, digit = max(largest, last_unit), 0, None
    # 两万三 and 一百五 leave the last unit out; 一百零五 does not.
    return total + section + (digit or 0) * (last_unit // 10 if last_unit > 10 else 1)
