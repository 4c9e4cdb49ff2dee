"""Changes between the words: blanks, and the width of Chinese punctuation."""

from __future__ import annotations

import re
from collections.abc import Iterator

from tuneval.evaluation.robustness.edits import Edit
from tuneval.evaluation.robustness.perturbation import (
    Perturbation,
    PerturbationAbout,
    everywhere,
    of_share,
)

HAN = r"\u3400-\u4dbf\u4e00-\u9fff"
_BETWEEN_WORDS = re.compile(r"(?<=\S) (?=\S)")
_BETWEEN_HAN = re.compile(rf"(?<=[{HAN}])(?=[{HAN}])")
_FULL, _HALF = "，。？！：；（）", ",.?!:;()"
_TO_HALF = dict(zip(_FULL, _HALF, strict=True))
_TO_FULL = {half: full for full, half in _TO_HALF.items()}
_FULL_MARK = re.compile(f"[{_FULL}]")
_HALF_MARK = re.compile(rf"(?<=[{HAN}])[,.?!:;]|(?<=[{HAN}])\([^()\n]*\)")


def _blanks(text: str) -> Iterator[Edit]:
    for blank in _BETWEEN_WORDS.finditer(text):
        yield Edit(*blank.span(), ("  ", "   "))
    for seam in _BETWEEN_HAN.finditer(text):
        yield Edit(*seam.span(), (" ",))


def _width(text: str) -> Iterator[Edit]:
    """Full-width marks to half width; in Chinese text that has none, the other way."""
    marks = list(_FULL_MARK.finditer(text))
    if marks:
        for mark in marks:
            yield Edit(*mark.span(), (_TO_HALF[mark.group()],))
        return
    for mark in _HALF_MARK.finditer(text):
        for at in {mark.start(), mark.end() - 1}:
            yield Edit(at, at + 1, (_TO_FULL[text[at]],))


SPACING = Perturbation(
    about=PerturbationAbout(
        name="spacing",
        summary="two or three blanks between words, a blank between Chinese characters",
        languages=("en", "zh"),
        source="HELM (Liang et al. 2022), space; here a share of the places, Chinese too",
        argument="share of the places",
        default="0.2",
    ),
    make=of_share(lambda text: list(_blanks(text))),
)
PUNCTUATION = Perturbation(
    about=PerturbationAbout(
        name="punctuation",
        summary="full-width marks in half width; where Chinese text has only those, the reverse",
        languages=("zh",),
        source="GB/T 15834-2011 has Chinese marks in full width; typed text often has not",
    ),
    make=everywhere(lambda text: list(_width(text))),
)
