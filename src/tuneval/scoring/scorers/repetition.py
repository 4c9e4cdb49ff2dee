"""How much of an answer it has said before.

The idea is one of the repetition rules behind Gopher: the share of a text's characters that stand
in duplicate 5-grams of words, each counted once (Rae et al. 2021, table A1: documents with more
than 0.15 are dropped). It is taken here to any script, and to loops that have no words:
what counts is a stretch of STRETCH characters that stood before in the same answer, where a
Chinese or Japanese character, or a Korean syllable, weighs as much as SIGN letters. That is the
average length of five words: 29 characters with their spaces in English and 9.0 characters in
Chinese (LLaMA-Factory's two alpaca sets, the Chinese one cut into words by jieba).

As in Welleck et al. (2020) only what comes again counts, not what is said first: a text that is
said twice has 0.5, one that is said ten times 0.9.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import ClassVar, NamedTuple

import numpy as np

from tuneval.data.likeness.shingles import distinct, unified
from tuneval.data.likeness.units import are_signs, windows
from tuneval.scoring.item import ScoringItem
from tuneval.scoring.reasons import Unscored
from tuneval.scoring.scorer import Measured, Reading, Scorer
from tuneval.scoring.setting import Setting

STRETCH = 27  # letters
SIGN = 3  # letters
_LONGEST_LINE = 400
# Rules of tables and boxes are drawn, not said; a line that never ends is said.
_DRAWN = r"[-=_~*#+|:.\u2500-\u259f]"
_drawn_line = re.compile(f"(?<!{_DRAWN}){_DRAWN}{{2,{_LONGEST_LINE}}}(?!{_DRAWN})")


class Repeated(NamedTuple):
    """How much of a text stood before in it, and how much there is, in letters."""

    again: int
    total: int


class Repetition(Scorer):
    """The share over all answers: each is compared with itself alone, and weighs by its length."""

    name: ClassVar[str] = "repetition"

    @property
    def reading(self) -> Reading:
        """Loops and stock phrases."""
        return Reading(
            "Repetition",
            "重复度",
            "share",
            "Share of the answer that says again what stood in it before, in stretches of five "
            "words or more. 0: nothing. Most good answers stay below 0.1; songs, tables, code and "
            "proofs repeat themselves for a reason, loops approach 1.",
            "回答中与其自身前文重复的部分所占比例（片段至少相当于五个词）。0 表示无重复；"
            "多数好回答低于 0.1，歌词、表格、代码与推导会合理地重复，死循环则接近 1。",
            "duplicate 5-gram character fraction, Rae et al. 2021 (arXiv:2112.11446), table A1, "
            "taken to characters of any script",
        )

    def combine(
        self, item: ScoringItem, measured: Sequence[Measured], setting: Setting
    ) -> float | Unscored:
        """A share from 0 to 1."""
        if not item.exercises:
            return Unscored("no_response")
        found = [repeated(exercise.response) for exercise in item.exercises]
        total = sum(one.total for one in found)
        if total == 0:
            return Unscored("empty_response")
        return sum(one.again for one in found) / total


def repeated(text: str) -> Repeated:
    """What of a text stood before in it. Case, full width and the amount of white space are alike.

    Takes time that grows like sorting the text's characters.
    """
    plain = " ".join(_drawn_line.sub("-", unified(text)).split())
    letters = np.frombuffer(plain.encode("utf-32-le", "surrogatepass"), np.uint32)
    if not plain.isascii():
        letters = letters.repeat(np.where(are_signs(letters), SIGN, 1))
    stretches = windows(letters, STRETCH)
    # Most answers repeat nothing, which plain sorting tells five times as fast.
    if len(distinct(stretches)) == len(stretches):
        return Repeated(0, len(letters))
    order = stretches.argsort(kind="stable")
    in_order = stretches[order]
    steps = np.zeros(len(letters) + 1, dtype=np.int64)
    starts = order[1:][in_order[1:] == in_order[:-1]]
    steps[starts] += 1
    steps[starts + STRETCH] -= 1
    return Repeated(int(np.count_nonzero(steps.cumsum())), len(letters))
