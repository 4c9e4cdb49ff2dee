"""How much is chosen: of the whole set, exactly, in the unit that was asked for."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tuneval.errors import UsageError
from tuneval.scoring.selection.amount import parse_amount


@pytest.mark.parametrize(
    ("text", "unit", "total", "amount"),
    [
        ("20%", "examples", 1000, 200),
        ("20 %", "examples", 52_002, 10_400),
        ("0.5%", "examples", 1000, 5),
        ("12.5%", "examples", 4, 1),
        ("37.5%", "examples", 4, 2),
        ("0.1%", "examples", 10, 1),
        ("50%", "examples", 0, 0),
        ("100%", "examples", 7, 7),
        ("500", "examples", 1000, 500),
        ("500", "examples", 10, 500),
        ("200000 tokens", "tokens", 9, 200_000),
        ("200_000 tokens", "tokens", 9, 200_000),
        ("1 token", "tokens", 9, 1),
        ("20% tokens", "tokens", 50, 10),
        ("500.0", "examples", 1000, 500),
    ],
)
def test_an_amount_is_read_and_counted(text: str, unit: str, total: int, amount: int) -> None:
    parsed = parse_amount(text)
    assert (parsed.unit, parsed.of(total)) == (unit, amount)


@pytest.mark.parametrize(
    ("text", "mend"),
    [
        ("", "20%"),
        ("a fifth", "20%"),
        ("-5", "20%"),
        ("0", "from 1"),
        ("2.5", "from 1"),
        ("0.2", "20% for that share"),
        ("0.2 tokens", "20% for that share"),
        ("0%", "above 0%"),
        ("101%", "at most 100%"),
        ("1e3", "20%"),
        ("٣", "20%"),
        ("9" * 50, "20%"),
    ],
)
def test_what_is_no_amount_is_refused_with_a_way_out(text: str, mend: str) -> None:
    with pytest.raises(UsageError) as caught:
        parse_amount(text)
    assert mend in caught.value.mend


@given(st.integers(1, 100), st.integers(1, 10_000_000))
def test_a_share_is_exact_to_half_an_example(percent: int, total: int) -> None:
    amount = parse_amount(f"{percent}%").of(total)
    assert abs(100 * amount - percent * total) <= 50 or amount == 1
    assert 1 <= amount <= total
