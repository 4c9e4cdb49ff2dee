from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tuneval.evaluation.values.numerals import read_number

DIGITS = "零一二三四五六七八九"


def in_chinese(number: int) -> str:
    """The usual numeral, written from the rules of the language: units, sections, one 零 a gap."""
    if number == 0:
        return "零"
    text, gap = "", False
    for section, name in ((10**8, "亿"), (10**4, "万"), (1, "")):
        rest = number // section % 10**4
        if not rest:
            gap = bool(text)
            continue
        part, inner_gap = "", gap or (bool(text) and rest < 1000)
        for unit, sign in ((1000, "千"), (100, "百"), (10, "十"), (1, "")):
            digit = rest // unit % 10
            if digit:
                part += ("零" if inner_gap else "") + DIGITS[digit] + sign
                inner_gap = False
            else:
                inner_gap = inner_gap or bool(part)
        text, gap = text + part + name, False
    return text


@given(st.integers(0, 10**12 - 1))
def test_a_chinese_numeral_is_read_as_it_is_written(number: int) -> None:
    assert read_number(in_chinese(number)) == number
    assert read_number(f"答案是{in_chinese(number)}元。") == number


@given(st.integers(-(10**12), 10**12), st.integers(0, 3))
def test_thousands_separators_and_decimals_are_read(number: int, decimals: int) -> None:
    text = f"{number / 8:,.{decimals}f}"
    assert read_number(f"It costs ${text} in all.") == float(text.replace(",", ""))


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("42", 42.0),
        ("First 3, then 5. So the answer is 8.", 8.0),
        ("1,234,567.5", 1_234_567.5),
        (".5", 0.5),
        ("−7", -7.0),  # a minus sign, not a hyphen
        ("x = -3", -3.0),
        ("3-5", 5.0),
        ("GPT-4", 4.0),
        ("１２３", 123.0),
        ("45%", 0.45),
        ("３．５％", 0.035),
        ("2‰", 0.002),
        ("1.2万", 12_000.0),
        ("3 亿", 3e8),
        ("1万亿", 1e12),
        ("5 million dollars", 5e6),
        ("5 millions", 5.0),
        ("1.5e-3", 0.0015),
        ("1.5 × 10^-3", 0.0015),
        ("2*10**{4}", 20_000.0),
        ("3/4", 0.75),
        ("3/4/2024", 2024.0),
        ("10:30", 30.0),
        ("十", 10.0),
        ("十二", 12.0),
        ("两万三", 23_000.0),
        ("一百五", 150.0),
        ("一百零五", 105.0),
        ("二〇二四", 2024.0),
        ("一万亿", 1e12),
        ("一亿二千万", 1.2e8),
        ("三点一四", 3.14),
        ("百分之五", 0.05),
        ("负三", -3.0),
        ("约三百公斤", 300.0),
        ("-$5", -5.0),
        ("−￥5.50", -5.5),
        ("负5", -5.0),
        ("零下5℃", -5.0),
        ("零下五度", -5.0),
        ("½", 0.5),
        ("1½ cups", 1.5),
        ("1 1/2", 1.5),
        (r"\boxed{\frac{3}{4}}", 0.75),
        ("25 m²", 25.0),
        ("25 cm^2", 25.0),
        ("面积是25㎡", 25.0),
        ("5 kg of CO₂", 5.0),
        ("1.5×10⁸", 1.5e8),
        ("10⁻³", 1e-3),
        ("10^3", 1000.0),
        ("1\u202f234\u202f567", 1_234_567.0),
        ("45 percent", 0.45),
        ("45 per cent", 0.45),
        ("百分之45", 0.45),
        ("负百分之5", -0.05),
        ("5千元", 5000.0),
        ("5千克", 5.0),
        ("5千米", 5.0),
        ("3千万", 3e7),
        ("1.2千亿", 1.2e11),
        ("1万2千", 12_000.0),
        ("2亿3千万", 2.3e8),
        ("3万5", 35_000.0),
        ("1万2345", 12_345.0),
        ("三分之一", 1 / 3),
        ("四分之三", 0.75),
        ("万分之五", 0.0005),
    ],
)
def test_numbers_are_read_by_the_rules(text: str, number: float) -> None:
    assert read_number(text) == pytest.approx(number, rel=1e-12)


@pytest.mark.parametrize(
    "text",
    [
        *("", "none", "two", "1/0", "1e999", "9" * 400, "x^-3"),
        *("一般来说不行", "十分感谢你的帮助", "一二三百", "一半", "两个半", "一样", "这不一定"),
        *("万一", "好几万人", "唯一"),
    ],
)
def test_what_is_no_number_is_not_read(text: str) -> None:
    assert read_number(text) is None


def test_an_endless_numeral_is_no_number_and_takes_no_time() -> None:
    for text in (
        "一" * 100_000,
        "百" * 100_000,
        "9" * 100_000,
        "1e" + "9" * 10_000,
        "1,2" * 50_000,
    ):
        read_number(text)
    assert read_number("一" * 5_000) is None
    assert read_number("1e" + "9" * 5_000) is None
    assert read_number("9^" + "9" * 5_000) is None
