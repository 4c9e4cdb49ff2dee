from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tuneval.errors import UsageError
from tuneval.tokenization import pack


@given(st.lists(st.integers(1, 64), max_size=200), st.integers(64, 200))
def test_every_example_stands_in_one_row_and_no_row_overflows(lengths, capacity):
    rows = pack(lengths, capacity)
    assert sorted(i for row in rows for i in row) == list(range(len(lengths)))
    assert all(sum(lengths[i] for i in row) <= capacity for row in rows)


@given(st.lists(st.integers(1, 64), min_size=1, max_size=200))
def test_it_opens_no_row_while_an_earlier_one_has_room(lengths):
    rows = pack(lengths, 64)
    assert len(rows) <= 1 + 2 * sum(lengths) / 64  # any-fit: two rows never both half empty


def test_short_examples_fill_rows_almost_whole():
    source = random.Random(7)
    lengths = [source.randint(20, 400) for _ in range(5000)]
    rows = pack(lengths, 2048)
    assert sum(lengths) / (2048 * len(rows)) > 0.99


def test_it_takes_the_tightest_row():
    assert pack([6, 5, 4, 3], 10) == [[0, 2], [1, 3]]


def test_an_example_longer_than_a_row_is_refused_by_name():
    with pytest.raises(UsageError, match="1 examples are longer"):
        pack([5, 11], 10)
