"""The perturbations, one row each, chosen by name.

`load_change("typos")`, `load_change("typos:0.1")`, `load_change("case+typos")`: an argument
follows a colon, and several joined by a plus are made one after the other.
A plugin adds rows through the entry-point group `tuneval.perturbation`.
"""

from __future__ import annotations

import re
from random import Random
from typing import TYPE_CHECKING

from tuneval.catalog import Catalog
from tuneval.errors import UsageError

if TYPE_CHECKING:
    from tuneval.evaluation.robustness.edits import Passage
    from tuneval.evaluation.robustness.perturbation import (
        Change,
        Perturbation,
        PerturbationAbout,
    )

_HERE = "tuneval.evaluation.robustness.perturbations"
PERTURBATIONS = Catalog(
    "perturbation",
    {
        "typos": f"{_HERE}.english:TYPOS",
        "case": f"{_HERE}.english:CASE",
        "contractions": f"{_HERE}.english:CONTRACTIONS",
        "spacing": f"{_HERE}.layout:SPACING",
        "punctuation": f"{_HERE}.layout:PUNCTUATION",
        "adversarial_suffix": f"{_HERE}.suffix:ADVERSARIAL_SUFFIX",
        "synonyms": f"{_HERE}.synonyms:SYNONYMS",
        "homophones": f"{_HERE}.chinese:HOMOPHONES",
        "traditional_simplified": f"{_HERE}.chinese:TRADITIONAL_SIMPLIFIED",
    },
)


def load_change(text: str) -> Change:
    """The change that `text` names. Raises UsageError for an unknown one or a wrong argument."""
    changes = [_load(part) for part in _parts(text)]

    def in_turn(passage: Passage, random: Random) -> Passage:
        for change in changes:
            passage = change(passage, random)
        return passage

    return in_turn


def catalog() -> list[PerturbationAbout]:
    """What there is to know of every row, in the table's order."""
    return [PERTURBATIONS.load(name).about for name in PERTURBATIONS]


def _parts(text: str) -> list[str]:
    """What is joined by a plus; a plus in an argument stays, if no known name follows it."""
    names = "|".join(map(re.escape, PERTURBATIONS))
    return re.split(rf"\+(?=(?:{names})(?:[:+]|$))", text)


def _load(text: str) -> Change:
    name, colon, argument = text.partition(":")
    row: Perturbation = PERTURBATIONS.load(name)
    if colon and row.about.argument is None:
        raise UsageError(
            f"The perturbation '{name}' takes nothing after a colon.", mend=f"write '{name}'"
        )
    return row.make(argument or row.about.default)
