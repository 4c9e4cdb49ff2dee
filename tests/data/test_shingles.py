from __future__ import annotations

import re
import unicodedata
from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tuneval.data.likeness.shingles import LONGEST_TEXT, distinct, folded, hash_shingles

IDEOGRAPH = "\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7af\uf900-\ufaff\U00020000-\U0003ffff"
RUNS = re.compile(f"([{IDEOGRAPH}]+)|[^{IDEOGRAPH}]+")

# Among them: full width, composition, decomposition, a lone surrogate, an emoji, kana, hangul.
texts = st.text(alphabet="abAB 1,.?！，（～你好在カ한é\u0301ﬁ…\ud800🙂𠀀\n\t\u3000", max_size=30)


def pieces(text: str) -> set[str]:
    """What the page of the module says, in plain Python."""
    plain = " ".join(unicodedata.normalize("NFKC", text).lower().split())
    found: set[str] = set()
    for run in RUNS.finditer(plain):
        characters, width = run[0], 2 if run[1] else 4
        last = max(1, len(characters) - width + 1)
        found.update(characters[start : start + width] for start in range(last))
    return found


@given(st.lists(texts, max_size=6))
@settings(max_examples=300)
def test_texts_share_as_many_hashes_as_pieces(several: list[str]) -> None:
    shingles = hash_shingles(several)
    assert len(shingles.starts) == len(several) + 1
    hashed = [set(shingles.distinct(number).tolist()) for number in range(len(several))]
    expected = [pieces(text) for text in several]
    for number, other in product(range(len(several)), repeat=2):
        assert len(hashed[number] & hashed[other]) == len(expected[number] & expected[other])
    assert len(distinct(shingles.hashes)) == len(set().union(*expected))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Hello  You", {"hell", "ello", "llo ", "lo y", "o yo", " you"}),
        ("你好吗", {"你好", "好吗"}),
        ("用A好", {"用", "a", "好"}),
        (" \n", set()),
        ("", set()),
        ("x", {"x"}),
    ],
)
def test_pieces_are_wide_for_letters_and_narrow_for_ideographs(
    text: str, expected: set[str]
) -> None:
    assert pieces(text) == expected
    assert len(hash_shingles([text]).distinct(0)) == len(expected)


@given(texts)
@settings(max_examples=300)
def test_folding_is_what_unicode_says(text: str) -> None:
    assert folded(text) == " ".join(unicodedata.normalize("NFKC", text).lower().split())


def test_what_follows_a_million_characters_takes_no_part() -> None:
    long = "ab你 " * (LONGEST_TEXT // 4)
    assert len(folded(long + "something else")) <= LONGEST_TEXT
    shingles = hash_shingles([long, long + "something else"])
    assert np.array_equal(shingles.distinct(0), shingles.distinct(1))


def test_distinct_values_are_sorted_and_stand_once() -> None:
    values = np.array([5, 3, 5, 3, 9], dtype=np.uint64)
    assert distinct(values).tolist() == [3, 5, 9]
    assert distinct(values[:0]).tolist() == []
