"""The number that a text gives: digits or Chinese numerals, with separators, percent and powers.

The rules, in order, after full-width signs have become plain ones:

- Of several numbers in digits the last one counts, as is usual for GSM8K.
- A comma or a no-break or thin space between groups of three digits (1,234,567) separates
  thousands; a point is decimal.
- A sign belongs to the number unless a digit or a letter stands right before it (3-5, GPT-4); a
  currency sign may stand between (-$5). 负 and 零下 are signs too.
- %, percent and 百分之 divide by 100, ‰ and 千分之 by 1000. 百, 千, 万, 亿, thousand, million,
  billion and trillion multiply, and 1万2千 is one number. 1.5e-3, 1.5 × 10^-3 and 10³ are powers.
  a/b and \\frac{a}{b} are quotients, unless more follows as in a date; so are 1 1/2 and 1½.
- Units and currency signs around the number are left aside, powers (m², cm^2) and indices (CO₂)
  of theirs too.
- Chinese numerals (三百二十五, 两万三, 二〇二四, 三点一四, 百分之五, 三分之二, 负三) count only
  where the text has no digits, and stand at its end but for a unit of up to two characters: in
  running text 一 and 十 are mostly no numbers. Words such as 一样, 不一定, 一半 and 几万 are none.
"""

from __future__ import annotations

import math
import re
import unicodedata

_SCALES = {
    "百": 1e2,
    "千": 1e3,
    "万": 1e4,
    "亿": 1e8,
    "thousand": 1e3,
    "million": 1e6,
    "billion": 1e9,
    "trillion": 1e12,
    "percent": 1e-2,
    "per cent": 1e-2,
    "%": 1e-2,
    "‰": 1e-3,
}
_PARTS = {"百": 1e2, "千": 1e3, "万": 1e4}
_DIGITS = r"(?:\d{1,3}(?:,\d{3})+(?!\d)|\d+)(?:\.\d+)?|\.\d+"
# 千 also begins units: 5千克 is no five thousand.
_CHINESE_SCALE = r"(?:[百千]?[万亿]+|百(?!帕)|千(?![克米瓦卡焦帕赫伏安兆字]))"
_NUMBER = re.compile(
    r"(?<![\d.^])(?<!\^[-+{])(?<!\^\{[-+])(?P<later>(?<=/))?"
    r"(?P<sign>(?<![\w.])[+-](?:[$€£¥]\s?)?|负|零下)?(?:(?P<part>[百千万])分之)?"
    rf"(?:(?P<whole>\d+)\s(?=\d+/\d+(?![\d/])))?(?P<digits>{_DIGITS})"
    r"(?:e(?P<exponent>[+-]?\d+)|\s*[×x*]\s*10\s*(?:\^|\*\*)\s*\{?(?P<power>[+-]?\d+)\}?"
    r"|\^\{?(?P<raised>[+-]?\d+)\}?)?"
    rf"(?(later)|(?:/(?P<divisor>{_DIGITS})(?![\d/]))?)"
    rf"\s*(?P<scale>(?:{_CHINESE_SCALE}|[%‰]|(?:thousand|million|billion|trillion|per\s?cent)\b)*)",
    re.IGNORECASE,
)
_SCALE = re.compile("|".join(_SCALES))
_MINUS = dict.fromkeys(map(ord, "−–﹣"), "-")

_RAISED = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻", "0123456789+-")
_POWER_OF_TEN = re.compile(r"(?<=10)[⁺⁻]?[⁰¹²³⁴⁵⁶⁷⁸⁹]+")
_OF_UNITS = re.compile(r"[⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻₀-₉\u3371-\u33DF]")
_THOUSANDS = re.compile(r"(?<=\d)[\u00A0\u2009\u202F](?=\d{3}(?!\d))")
_VULGAR = re.compile(r"(?<=\d)(?=[¼-¾⅐-⅞])")
_LATEX = re.compile(r"\\[dt]?frac\{(\d+)\}\{(\d+)\}")

_CHINESE_DIGITS = {c: n for n, c in enumerate("零一二三四五六七八九")} | {"〇": 0, "两": 2}
_CHINESE_UNITS = {"十": 10, "百": 100, "千": 1000}
_CHINESE_SECTIONS = {"万": 10_000, "亿": 100_000_000}
_CHINESE_SIGNS = "".join([*_CHINESE_DIGITS, *_CHINESE_UNITS, *_CHINESE_SECTIONS])
_CHINESE = re.compile(
    rf"(?:^|[^{_CHINESE_SIGNS}点几数之唯统逐单专同不])(?P<minus>负|零下)?"
    rf"(?:(?P<below>[{_CHINESE_SIGNS}]+)分之)?(?!万?一[些样起般定直切致旦下]|万一)"
    rf"(?P<whole>[{_CHINESE_SIGNS}]+)(?:点(?P<decimals>[零〇一二三四五六七八九]+))?"
    rf"[^\W{_CHINESE_SIGNS}半]{{0,2}}[\s.。!！]*$"
)
_LONGEST_NUMERAL = 300
"""Signs; a longer one is no number that a float can hold."""


def read_number(text: str) -> float | None:
    """The number that the text gives; None where there is none. The rules are the module's."""
    plain = _plain(text)
    found = list(_NUMBER.finditer(plain))
    number = _of_several(found) if found else _of_chinese(plain)
    return number if number is not None and math.isfinite(number) else None


def _plain(text: str) -> str:
    """The text in plain signs, without what NFKC would turn from a raised sign into a digit."""
    text = _POWER_OF_TEN.sub(lambda power: "^" + power[0].translate(_RAISED), text)
    text = _VULGAR.sub(" ", _OF_UNITS.sub("", _THOUSANDS.sub(",", text)))
    text = unicodedata.normalize("NFKC", text).replace("\N{FRACTION SLASH}", "/").translate(_MINUS)
    return _LATEX.sub(r" \1/\2", text)


def _of_several(found: list[re.Match[str]]) -> float | None:
    """The last number, with those right before it that are of one numeral with it (1万2千)."""
    number = _of_digits(found[-1])
    for before, after in zip(found[-2::-1], found[:0:-1], strict=True):
        larger = _of_digits(before)
        is_one = before.end() == after.start() and re.search("[百千万亿]$", before[0])
        if not is_one or number is None or larger is None or not 0 <= number < abs(larger):
            break
        if re.fullmatch("[1-9]", after[0]):  # 3万5 leaves the last unit out
            number *= _SCALES[before[0][-1]] / 10
        number = math.copysign(abs(larger) + number, larger)
    return number


def _of_digits(match: re.Match[str]) -> float | None:
    power = match["exponent"] or match["power"] or 0
    number = float(f"{match['digits'].replace(',', '')}e{power}")
    try:
        number = math.pow(number, float(match["raised"] or 1))
    except (ArithmeticError, ValueError):  # too large; 0 to a power below 0
        return None
    if match["divisor"]:
        divisor = float(match["divisor"].replace(",", ""))
        if divisor == 0:
            return None
        number = number / divisor + float(match["whole"] or 0)
    for scale in _SCALE.findall(re.sub(r"\s+", " ", match["scale"].lower())):
        number *= _SCALES[scale]
    if match["part"]:
        number /= _PARTS[match["part"]]
    return -number if match["sign"] and match["sign"][0] in "-负零" else number


def _of_chinese(text: str) -> float | None:
    match = _CHINESE.search(text)
    if match is None or len(match[0]) > _LONGEST_NUMERAL:
        return None
    whole, below = _whole(match["whole"]), _whole(match["below"] or "一")
    if whole is None or not below:
        return None
    decimals = "".join(str(_CHINESE_DIGITS[sign]) for sign in match["decimals"] or "")
    number = float(f"{whole}.{decimals or 0}") / below
    return -number if match["minus"] else number


def _whole(signs: str) -> int | None:
    """Of a numeral with units (三百二十五, 两万三) or of digits in a row (二〇二四)."""
    if not any(sign in _CHINESE_UNITS or sign in _CHINESE_SECTIONS for sign in signs):
        return int("".join(str(_CHINESE_DIGITS[sign]) for sign in signs))
    total = 0
    section = int(signs[0] in _CHINESE_SECTIONS)
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
