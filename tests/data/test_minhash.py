from __future__ import annotations

import json
import os
import re
from itertools import combinations
from pathlib import Path

import numpy as np
import pytest

from tuneval.data.duplicates import near_duplicates
from tuneval.data.example import Source, Text
from tuneval.data.likeness.minhash import sketch
from tuneval.data.likeness.near_pairs import BINS, bands
from tuneval.data.likeness.shingles import distinct, hash_shingles

TEST_DATA = os.environ.get("TUNEVAL_TEST_DATA")
needs_test_data = pytest.mark.skipif(
    not TEST_DATA, reason="TUNEVAL_TEST_DATA does not name a folder of real data files"
)
N_PAIRS = 600


def rows(*sets: list[int], seed: int = 1) -> np.ndarray:
    """The sketches of sets of numbers."""
    hashes = np.array([value for values in sets for value in values], dtype=np.uint64)
    starts = np.cumsum([0, *map(len, sets)])
    return sketch(hashes, starts, BINS, seed=seed)


@pytest.mark.parametrize("size", [2, 7, 30, 200, 1500])
@pytest.mark.parametrize("similarity", [0.3, 0.8, 0.95])
def test_the_estimate_is_unbiased(size: int, similarity: float) -> None:
    """Within four standard errors of the mean of 600 pairs; 1/256 is chance agreement."""
    draw = np.random.default_rng(size)
    shared = round(2 * size * similarity / (1 + similarity))
    true = shared / (2 * size - shared)
    sets = []
    for _ in range(N_PAIRS):
        values = draw.integers(0, 2**63, 2 * size - shared).tolist()
        sets += [values[:size], values[:shared] + values[size:]]
    found = rows(*sets)
    estimates = ((found[::2] == found[1::2]).mean(axis=1) - 1 / 256) / (1 - 1 / 256)
    error = max(estimates.std(), 1e-9) / N_PAIRS**0.5
    assert abs(estimates.mean() - true) <= 4 * error
    # No more scattered than with a hash function for each bin.
    assert estimates.std() <= 1.15 * (true * (1 - true) / BINS) ** 0.5 + 1e-9


def test_repetitions_and_order_do_not_matter() -> None:
    found = rows([1, 2, 3, 4], [4, 3, 3, 2, 1, 1, 4])
    assert np.array_equal(found[0], found[1])


def test_a_set_has_the_same_sketch_in_any_company() -> None:
    together = rows([1, 2], [], list(range(500)), [7])
    assert np.array_equal(together[2], rows(list(range(500)))[0])
    assert np.array_equal(together[0], rows([1, 2], [9])[0])


def test_the_sketch_of_an_empty_set_is_all_zeros() -> None:
    assert rows([], [1])[0].any() == np.False_
    assert rows([], [1])[1].any()
    assert rows().shape == (0, BINS)


def test_another_seed_gives_another_sketch() -> None:
    values = list(range(300))
    assert (rows(values, seed=1) == rows(values, seed=2)).mean() < 0.1


@pytest.mark.parametrize("threshold", [0.05, 0.3, 0.5, 0.8, 0.9, 0.99, 1.0])
def test_a_pair_at_the_threshold_is_missed_once_in_a_thousand_times(threshold: float) -> None:
    cut = bands(threshold)
    assert cut.rows * cut.number <= 2 * BINS
    assert (1 - threshold**cut.rows) ** cut.number == pytest.approx(cut.missed)
    assert cut.missed <= 1e-3


def test_the_usual_cut_is_steep() -> None:
    """The figures that the guide names."""
    cut = bands(0.8)
    assert (cut.rows, cut.number) == (6, 24)
    assert cut.missed == pytest.approx(6.8e-4, rel=0.01)
    assert 1 - (1 - 0.3**6) ** 24 < 0.018


def test_pairs_at_the_threshold_are_found_nearly_always() -> None:
    """2,000 planted pairs of similarity 0.80 to 0.83 among texts of random words."""
    draw = np.random.default_rng(3)
    words = ["".join(map(chr, draw.integers(97, 123, 7))) for _ in range(4000)]
    texts = []
    for _ in range(2000):
        chosen = [words[n] for n in draw.integers(0, len(words), 80)]
        changed = [*chosen[:-8], *(words[n] for n in draw.integers(0, len(words), 8))]
        texts += [" ".join(chosen), " ".join(changed)]
    true = [true_similarity(a, b) for a, b in zip(texts[::2], texts[1::2], strict=True)]
    assert min(true) > 0.78
    assert max(true) < 0.86
    items = [Text(text, Source("f", line)) for line, text in enumerate(texts)]
    found = {(p.first.source.line, p.second.source.line) for p in near_duplicates(items)}
    expected = {(2 * n, 2 * n + 1) for n, value in enumerate(true) if value >= 0.8}
    assert len(expected) > 600
    assert found <= expected
    assert len(expected - found) <= 5


@needs_test_data
@pytest.mark.parametrize("threshold", [0.3, 0.8])
@pytest.mark.parametrize("name", ["alpaca_en_demo.json", "alpaca_zh_demo.json"])
def test_real_pairs_are_those_of_comparing_all_with_all(name: str, threshold: float) -> None:
    """Real records, and each again with every 45th character changed."""
    records = json.loads(Path(TEST_DATA or "", "instruct", name).read_bytes())[:100]
    real = list(dict.fromkeys(f"{row['instruction']}\n{row['output']}" for row in records))
    texts = real + [re.sub(r"(?s)(.{44}).", r"\1~", text) for text in real]
    shingles = hash_shingles(texts)
    sets = [set(shingles.distinct(number).tolist()) for number in range(len(texts))]
    expected = {
        (a, b): len(sets[a] & sets[b]) / len(sets[a] | sets[b])
        for a, b in combinations(range(len(texts)), 2)
        if texts[a] != texts[b]
        and len(sets[a] & sets[b]) >= threshold * len(sets[a] | sets[b]) - 1e-9
    }
    items = [Text(text, Source("f", number)) for number, text in enumerate(texts)]
    found = {
        (p.first.source.line, p.second.source.line): p.similarity
        for p in near_duplicates(items, threshold)
    }
    assert len(expected) > 60
    assert found == {pair: pytest.approx(expected[pair]) for pair in found}
    assert len(expected.keys() - found.keys()) <= 1


def true_similarity(some: str, other: str) -> float:
    shingles = hash_shingles([some, other])
    a, b = (set(shingles.distinct(number).tolist()) for number in (0, 1))
    assert len(distinct(shingles.hashes)) == len(a | b)
    return len(a & b) / len(a | b)
