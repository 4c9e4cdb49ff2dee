"""Texts as words, and as single signs where a script puts no spaces between words; n-grams of them.

Unicode NFKC and lower case; only letters, digits and marks count, so that punctuation, spacing,
case and full width make no difference. All in a few numpy operations on a text, none of them
for each word.
"""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from functools import cache
from itertools import accumulate
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from tuneval.data.likeness.shingles import Hashes, Positions, mix, unified

_NOTHING, _LETTER, _SIGN = 0, 1, 2
_BASE = 0x9E3779B97F4A7C15  # odd: it has an inverse modulo 2**64
_INVERSE = pow(_BASE, -1, 2**64)
# Scripts written without spaces, Hangul with few of them: each sign is a unit.
_SIGNS = (
    (0x0E00, 0x0EFF),  # Thai, Lao
    (0x1000, 0x109F),  # Burmese
    (0x1780, 0x17FF),  # Khmer
    (0x3040, 0x30FF),  # kana
    (0x3400, 0x4DBF),
    (0x4E00, 0x9FFF),
    (0xAC00, 0xD7AF),  # Hangul
    (0xF900, 0xFAFF),
    (0x20000, 0x3FFFF),
)


@dataclass(frozen=True, slots=True)
class Units:
    """The units of some texts in order: their hashes, where they stand, and which are signs.

    `text` is what their starts and ends refer to. Those of text `i` are the units from
    `bounds[i]` to `bounds[i + 1]`.
    """

    text: str
    bounds: Positions
    hashes: Hashes
    starts: Positions
    ends: Positions
    is_sign: NDArray[np.bool_]
    _sums: Hashes

    def __len__(self) -> int:
        return len(self.hashes)

    def between(self, start: int, end: int) -> str:
        """The text of the units from `start` on and before `end`."""
        return self.text[self.starts[start] : self.ends[end - 1]]

    def ngrams(self, n: int) -> Hashes:
        """The hashes of each n units in a row; none when there are fewer.

        They are the same wherever these units stand, and other ones for another n.
        """
        n_found = max(0, len(self) + 1 - n)
        inverses = _powers_for(len(self)).inverses[:n_found]
        return (self._sums[n:] - self._sums[:-n]) * inverses + np.uint64(n)

    def codes(self) -> list[int]:
        """A hash of all units of each text."""
        starts, ends = self.bounds[:-1], self.bounds[1:]
        inverses = _powers_for(len(self)).inverses[starts]
        codes: list[int] = ((self._sums[ends] - self._sums[starts]) * inverses).tolist()
        return codes

    def code(self, n_texts: int) -> int:
        """A hash of all units of the first so many texts."""
        return int(self._sums[self.bounds[n_texts]])


def units(*texts: str) -> Units:
    """The units of all texts, one after the other."""
    several = [unified(text) for text in texts]
    text = "\n".join(several)
    codes = np.frombuffer(text.encode("utf-32-le", "surrogatepass"), np.uint32)
    kinds = _kinds().take(codes)
    is_letter = kinds == _LETTER
    goes_on = is_letter[1:] & is_letter[:-1]  # from the sign before
    is_start = kinds != _NOTHING
    is_end = is_start.copy()
    is_start[1:] &= ~goes_on
    is_end[:-1] &= ~goes_on
    (starts,) = is_start.nonzero()
    ends = is_end.nonzero()[0] + 1
    sums = _sums(codes)
    hashes = mix((sums[ends] - sums[starts]) * _powers_for(len(codes)).inverses[starts])
    begins = [0, *accumulate(len(text) + 1 for text in several)]
    is_sign = kinds[starts] == _SIGN
    bounds = starts.searchsorted(begins)
    return Units(text, bounds, hashes, starts, ends, is_sign, _sums(hashes))


def windows(values: NDArray[np.unsignedinteger[Any]], width: int) -> Hashes:
    """The hashes of each `width` values in a row; none when there are fewer."""
    if len(values) < width:
        return np.zeros(0, dtype=np.uint64)
    sums = _sums(values)
    inverses = _powers_for(len(values)).inverses[: len(values) + 1 - width]
    return (sums[width:] - sums[:-width]) * inverses


def are_signs(codes: NDArray[np.uint32]) -> NDArray[np.bool_]:
    """Which code points are signs of a script without spaces between words."""
    found: NDArray[np.bool_] = _kinds().take(codes) == _SIGN
    return found


class _Powers(NamedTuple):
    powers: Hashes
    inverses: Hashes


def _sums(values: NDArray[np.unsignedinteger[Any]]) -> Hashes:
    """Sums of the values before each place, from which the hash of any stretch comes."""
    sums = np.zeros(len(values) + 1, dtype=np.uint64)
    np.add.accumulate(values * _powers_for(len(values)).powers[: len(values)], out=sums[1:])
    return sums


def _powers_for(n: int) -> _Powers:
    """The powers of the base and of its inverse, from the 0th to the nth or further."""
    return _powers(max(12, n.bit_length()))


@cache
def _powers(bits: int) -> _Powers:
    rows = []
    for base in (_BASE, _INVERSE):
        row = np.full((1 << bits) + 1, base, dtype=np.uint64)
        row[0] = 1
        rows.append(np.multiply.accumulate(row))
    return _Powers(*rows)


@cache
def _kinds() -> NDArray[np.uint8]:
    kinds = np.full(0x110000, _NOTHING, dtype=np.uint8)
    categories = (unicodedata.category(chr(code))[0] for code in range(0x10000))
    kinds[:0x10000] = np.isin(np.fromiter(categories, "U1"), ["L", "N", "M"])
    for first, last in _SIGNS:
        kinds[first : last + 1] *= _SIGN
    kinds[0x20000:0x40000] = _SIGN
    return kinds
