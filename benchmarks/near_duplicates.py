"""Near duplicates of 200,000 generated chat records: tuneval against datasketch used plainly.

    python benchmarks/near_duplicates.py [--records 200000] [--peer-minutes 10]

The records are English and Chinese, made word by word after the texts in
`TUNEVAL_TEST_DATA/instruct`; every tenth is a copy of another with 1 to 16% of its words or
characters changed. The peer cuts each record into the same shingles as tuneval, updates a
`MinHash(num_perm=128)` with each, inserts it into a `MinHashLSH(threshold=0.8)` and queries it.
tuneval's `near_duplicates` gets the same records, uses one process, and measures what it finds:
its pairs are true. Cutting into shingles is inside both times; measuring what the peer finds is
outside of the peer's.

Where the whole would take the peer longer than `--peer-minutes` it gets a part, and its time is
extrapolated: it is linear in the records. Both run in a fresh process, so the peaks of memory
can be compared. The ratio stands on the last line.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import re
import resource
import sys
import time
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from itertools import pairwise
from multiprocessing import get_context
from pathlib import Path

THRESHOLD = 0.8
COPIED = 10
CHANGED = (0.01, 0.02, 0.04, 0.08, 0.16)
IDEOGRAPH = "\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7af\uf900-\ufaff\U00020000-\U0003ffff"
RUNS = re.compile(f"([{IDEOGRAPH}]+)|[^{IDEOGRAPH}]+")

Record = tuple[str, str]
Pairs = dict[tuple[int, int], float]
Found = tuple[float, float, list[tuple[int, int]]]


def main() -> int:
    """Run both; exit status 1 when tuneval gives a wrong pair or misses more than LSH may."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--records", type=int, default=200_000)
    parser.add_argument("--peer-minutes", type=float, default=10)
    options = parser.parse_args()
    if "TUNEVAL_TEST_DATA" not in os.environ:
        print("skipped: TUNEVAL_TEST_DATA is not set")
        return 0
    n = options.records
    records, planted = make_records(n)
    characters = sum(len(q) + len(a) for q, a in records) / n
    print(f"{n} records of {characters:.0f} characters on average, {len(planted)} planted copies")

    trial, _, _ = apart(datasketch, n, min(n, 1000))
    n_peer = min(n, int(options.peer_minutes * 60 / trial * min(n, 1000)))
    our_seconds, our_memory, ours = apart(tuneval, n, n)
    print(f"tuneval, one process: {our_seconds:.1f} s, {our_memory:.0f} MB for it at the peak")
    peer_seconds, peer_memory, theirs = apart(datasketch, n, n_peer)
    whole = peer_seconds * n / n_peer
    extrapolated = "" if n_peer == n else f" for {n_peer} of them, so {whole:.0f} s for all"
    print(f"datasketch: {peer_seconds:.1f} s{extrapolated}, {peer_memory:.0f} MB at the peak")

    is_well = compare(records, planted, ours, theirs, n_peer)
    print(f"ratio {whole / our_seconds:.1f}")
    return 0 if is_well else 1


def compare(
    records: list[Record],
    planted: list[tuple[int, int, float]],
    ours: list[tuple[int, int]],
    theirs: list[tuple[int, int]],
    n_peer: int,
) -> bool:
    """Print who found what; whether all of ours are true, and hardly one is missing."""
    similarity = Similarity(records)
    is_near = {pair: similarity(*pair) for pair in {*ours, *theirs, *(p[:2] for p in planted)}}
    wrong = [pair for pair in ours if min(is_near[pair]) < THRESHOLD - 1e-9]
    true = {pair for pair, both in is_near.items() if min(both) >= THRESHOLD - 1e-9}
    print(f"tuneval: {len(ours)} pairs, {len(wrong)} of them wrong")

    part = {pair for pair in ours if pair[1] < n_peer}
    peer_true, true_of_part = true & set(theirs), {pair for pair in true if pair[1] < n_peer}
    print(
        f"datasketch: {len(theirs)} pairs, {len(peer_true)} of them near as tuneval defines it; "
        f"{sum(is_near[pair][1] < THRESHOLD for pair in theirs)} are below the threshold as a "
        "whole, the others in their questions"
    )
    print(f"among its {n_peer} records: both {len(part & peer_true)}")
    for name, only in (("tuneval", part - peer_true), ("datasketch", peer_true - part)):
        print(f"  only {name}: {len(only)}{by_similarity(only, is_near)}")
    for name, found, known in (
        ("tuneval", set(ours), true),
        ("datasketch", peer_true, true_of_part),
    ):
        print(f"{name} found {len(found & known) / len(known):.4%} of the {len(known)} known pairs")
        rows = defaultdict(list)
        for first, second, share in planted:
            if (first, second) in known:
                rows[share].append((first, second) in found)
        shares = (f"{s:.0%}: {sum(r)} of {len(r)}" for s, r in sorted(rows.items()))
        print(f"  planted near copies by the share changed: {', '.join(shares)}")
    return not wrong and len(set(ours) & true) >= 0.999 * len(true)


def by_similarity(pairs: set[tuple[int, int]], both: dict[tuple[int, int], tuple]) -> str:
    """How many of the pairs have which true similarity, that of the less similar of the two."""
    if not pairs:
        return ""
    counts = Counter(int(min(both[pair]) * 50) / 50 for pair in pairs)
    return ", true similarity from " + ", ".join(f"{s:.2f}: {n}" for s, n in sorted(counts.items()))


def apart(side: Callable[[list[Record]], list[tuple[int, int]]], n: int, n_used: int) -> Found:
    """Seconds, megabytes beyond the records, and the pairs, in a process of its own."""
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        return pool.submit(timed, side, n, n_used).result()


def timed(side: Callable[[list[Record]], list[tuple[int, int]]], n: int, n_used: int) -> Found:
    records = make_records(n)[0][:n_used]
    side(records[:10])  # imports
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    started = time.perf_counter()
    pairs = side(records)
    seconds = time.perf_counter() - started
    after = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return seconds, (after - before) / 1024, pairs


def tuneval(records: list[Record]) -> list[tuple[int, int]]:
    """Our way: from examples to measured pairs."""
    from tuneval.data.duplicates import near_duplicates
    from tuneval.data.example import Example, Message, Source

    examples = [
        Example((Message("user", asked), Message("assistant", answered)), Source("made", number))
        for number, (asked, answered) in enumerate(records)
    ]
    pairs = near_duplicates(examples, THRESHOLD)
    return [(pair.first.source.line, pair.second.source.line) for pair in pairs]


def datasketch(records: list[Record]) -> list[tuple[int, int]]:
    """The peer's way, as its documentation shows it."""
    from datasketch import MinHash, MinHashLSH

    lsh = MinHashLSH(threshold=THRESHOLD, num_perm=128)
    minhashes = []
    for number, record in enumerate(records):
        minhash = MinHash(num_perm=128)
        for piece in whole(record):
            minhash.update(piece.encode("utf-8"))
        lsh.insert(number, minhash)
        minhashes.append(minhash)
    return [
        (other, number)
        for number, minhash in enumerate(minhashes)
        for other in lsh.query(minhash)
        if other < number
    ]


class Similarity:
    """The true similarity of two records' questions, and of the whole records."""

    def __init__(self, records: list[Record]) -> None:
        self._records = records

    def __call__(self, first: int, second: int) -> tuple[float, float]:
        some, other = self._records[first], self._records[second]
        return jaccard(shingles(some[0]), shingles(other[0])), jaccard(whole(some), whole(other))


def jaccard(some: set[str], other: set[str]) -> float:
    return len(some & other) / len(some | other)


def whole(record: Record) -> set[str]:
    """The pieces of question and answer; one of an answer differs from one of a question."""
    asked, answered = record
    return shingles(asked) | {f"answer {piece}" for piece in shingles(answered)}


def shingles(text: str) -> set[str]:
    """What tuneval.data.likeness.shingles says, in plain Python."""
    plain = " ".join(unicodedata.normalize("NFKC", text).lower().split())
    pieces: set[str] = set()
    for run in RUNS.finditer(plain):
        characters, width = run[0], 2 if run[1] else 4
        last = max(1, len(characters) - width + 1)
        pieces.update(characters[start : start + width] for start in range(last))
    return pieces


def make_records(n: int) -> tuple[list[Record], list[tuple[int, int, float]]]:
    """The records; and of each planted copy both numbers and the share that was changed."""
    draw = random.Random(17)
    folder = Path(os.environ["TUNEVAL_TEST_DATA"], "instruct")
    makers = [Maker(folder / "alpaca_en_demo.json", " "), Maker(folder / "alpaca_zh_demo.json", "")]
    records: list[Record] = []
    planted = []
    languages: list[Maker] = []
    for number in range(n):
        if number % COPIED == COPIED - 1:
            original = draw.randrange(number)
            share = draw.choice(CHANGED)
            maker = languages[original]
            asked, answered = (maker.change(text, share, draw) for text in records[original])
            planted.append((original, number, share))
        else:
            maker = draw.choice(makers)
            asked = maker.make(draw.randint(12, 40), draw)
            answered = maker.make(draw.randint(5, 100), draw)
        records.append((asked, answered))
        languages.append(maker)
    return records, planted


class Maker:
    """Makes texts word by word, or sign by sign, as these follow one another in real texts."""

    def __init__(self, file: Path, space: str) -> None:
        self._space = space
        self._next = defaultdict(list)
        for row in json.loads(file.read_text(encoding="utf-8")):
            words = self._words(f"{row['instruction']} {row['output']}")
            for before, word in pairwise(words):
                self._next[before].append(word)
        self._all = list(self._next)

    def make(self, n_words: int, draw: random.Random) -> str:
        word = draw.choice(self._all)
        words = [word]
        for _ in range(n_words - 1 if self._space else 2 * n_words):
            word = draw.choice(self._next.get(word) or self._all)
            words.append(word)
        return self._space.join(words)

    def change(self, text: str, share: float, draw: random.Random) -> str:
        words = self._words(text)
        for place in draw.sample(range(len(words)), max(1, round(share * len(words)))):
            words[place] = draw.choice(self._all)
        return self._space.join(words)

    def _words(self, text: str) -> list[str]:
        return text.split() if self._space else list(text)


if __name__ == "__main__":
    sys.exit(main())
