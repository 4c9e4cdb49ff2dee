"""Texts as sets of short overlapping pieces (shingles), hashed in bulk.

A piece is four characters where words are spelled with letters, and two in Chinese, Japanese and
Korean, after Unicode NFKC, lower case and with white space run together. Three letters would be
too few: unrelated English texts of 3,000 characters share 33% of their three-letter pieces and
15% of those of four, which is near the 9% of two Chinese characters (measured on alpaca_gpt4).
"""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeVar, cast

import numpy as np
from numpy.typing import NDArray

LETTERS_PER_SHINGLE = 4
IDEOGRAPHS_PER_SHINGLE = 2
LONGEST_TEXT = 1_000_000  # characters; what follows them takes no part

Hashes = NDArray[np.uint64]
Positions = NDArray[np.int64]
_Number = TypeVar("_Number", np.int64, np.uint64)

_IDEOGRAPHS = (
    (0x3040, 0x30FF),  # kana
    (0x3400, 0x4DBF),
    (0x4E00, 0x9FFF),
    (0xAC00, 0xD7AF),  # hangul
    (0xF900, 0xFAFF),
    (0x20000, 0x3FFFF),
)
# What NFKC makes of the signs that Chinese texts are full of. Texts with nothing else to
# normalise are then spared the full procedure, which takes 0.1 ms for a thousand characters.
_FULL_WIDTH = {"，": ",", "：": ":", "？": "?", "！": "!", "（": "(", "）": ")", "；": ";"}
_SEPARATOR = "\n"  # a folded text has none
_LETTER, _IDEOGRAPH, _NOTHING = 0, 1, 2


@dataclass(frozen=True, slots=True)
class Shingles:
    """The pieces of several texts as 64-bit hashes, with repetitions, one text after the other.

    Those of text `i` are `hashes[starts[i] : starts[i + 1]]`.
    """

    hashes: Hashes
    starts: Positions

    def distinct(self, number: int) -> Hashes:
        """The set of one text's pieces, sorted."""
        return distinct(self.hashes[self.starts[number] : self.starts[number + 1]])


def folded(text: str) -> str:
    """The text as it is compared."""
    return " ".join(unified(text[:LONGEST_TEXT]).split())


def unified(text: str) -> str:
    """NFKC and lower case."""
    if not text.isascii():
        for sign, narrow in _FULL_WIDTH.items():
            text = text.replace(sign, narrow)
        if not unicodedata.is_normalized("NFKC", text):
            text = unicodedata.normalize("NFKC", text)
    return text.lower()


def hash_shingles(texts: Sequence[str]) -> Shingles:
    """The pieces of all texts; a run that is too short for a piece is one of its own."""
    alike = [folded(text) for text in texts]
    joined = _SEPARATOR.join([*alike, ""])
    codes = np.frombuffer(joined.encode("utf-32-le", "surrogatepass"), np.uint32)
    kinds = _KINDS[codes]
    hashes, is_piece = _hash_every_position(codes, kinds)
    ends = np.cumsum([len(text) + 1 for text in alike])
    counts = np.concatenate([[0], np.cumsum(is_piece, dtype=np.int64)])
    return Shingles(mix(hashes[is_piece]), counts[np.concatenate([[0], ends]).astype(np.int64)])


def distinct(values: NDArray[_Number]) -> NDArray[_Number]:
    """Each value once, sorted. On numbers of 64 bits several times faster than `np.unique`."""
    ordered: NDArray[_Number] = np.sort(values)
    is_new = np.concatenate([[True], ordered[1:] != ordered[:-1]])[: len(ordered)]
    return cast("NDArray[_Number]", ordered[is_new])


def mix(values: Hashes) -> Hashes:
    """Each value scattered over all 64 bits, distinct ones distinct (Steele et al. 2014)."""
    values = (values ^ (values >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    values = (values ^ (values >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return values ^ (values >> np.uint64(31))


def _hash_every_position(
    codes: NDArray[np.uint32], kinds: NDArray[np.uint8]
) -> tuple[Hashes, NDArray[np.bool_]]:
    """A multilinear hash of the piece that begins at each position, and where one does."""
    n = len(codes)
    following = np.zeros((LETTERS_PER_SHINGLE, n), dtype=np.uint64)
    for step in range(LETTERS_PER_SHINGLE):
        following[step, : max(0, n - step)] = codes[step:]
        following[step] *= _FACTORS[step]
    pairs = following[0] + following[1]
    longer = following[2:].sum(axis=0, dtype=np.uint64)
    hashes = pairs + longer * (kinds == _LETTER)
    starts = np.flatnonzero(np.diff(kinds, prepend=np.uint8(255)))
    lengths = np.diff(starts, append=n)
    run_kinds = kinds[starts]
    is_piece = np.ones(n, dtype=bool)
    for kind, width in ((_LETTER, LETTERS_PER_SHINGLE), (_IDEOGRAPH, IDEOGRAPHS_PER_SHINGLE)):
        of_kind = run_kinds == kind
        ends = starts[of_kind] + lengths[of_kind]
        for step in range(1, width):  # the last positions of a run begin no whole piece …
            is_piece[np.maximum(ends - step, starts[of_kind])] = False
        short = starts[of_kind & (lengths < width)]
        is_piece[short] = True  # … and a short run is a piece as it is
        hashes[short] = _hash_short(following[:, short], lengths[of_kind & (lengths < width)])
    is_piece[kinds == _NOTHING] = False
    return hashes, is_piece


def _hash_short(following: Hashes, lengths: Positions) -> Hashes:
    within = np.arange(len(following))[:, None] < lengths
    hashes: Hashes = (following * within).sum(axis=0, dtype=np.uint64)
    return hashes


def _kinds() -> NDArray[np.uint8]:
    kinds = np.full(0x110000, _LETTER, dtype=np.uint8)
    for first, last in _IDEOGRAPHS:
        kinds[first : last + 1] = _IDEOGRAPH
    kinds[ord(_SEPARATOR)] = _NOTHING
    return kinds


_KINDS = _kinds()
# Odd and random: no two pieces of one length are likely to have the same hash.
_FACTORS = np.array(
    [0x9E3779B97F4A7C15, 0xC2B2AE3D27D4EB4F, 0xD6E8FEB86659FD93, 0xA0761D6478BD642F],
    dtype=np.uint64,
)
