"""What a perturbation is: a change of a question's words that leaves its answer as it was."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from random import Random

from tuneval.errors import UsageError
from tuneval.evaluation.robustness.edits import Edit, Passage, rewrite

Change = Callable[[Passage, Random], Passage]
Edits = Callable[[str], Sequence[Edit]]


@dataclass(frozen=True, slots=True, kw_only=True)
class PerturbationAbout:
    """What there is to know of a perturbation.

    `languages` are those whose text it changes; other text stays, and is counted as unchanged.
    `argument` says what may follow a colon after the name, `default` what holds without it.
    """

    name: str
    summary: str
    languages: tuple[str, ...]
    source: str
    argument: str | None = None
    default: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Perturbation:
    """A row of the catalog; `make` gives the change for what stands after the colon."""

    about: PerturbationAbout
    make: Callable[[str], Change]


def of_share(edits: Edits) -> Callable[[str], Change]:
    """A change of a share of the places that `edits` finds, the share as a person writes it."""

    def make(argument: str) -> Change:
        share = _share(argument)
        return lambda passage, random: rewrite(passage, edits(passage.text), random, share=share)

    return make


def everywhere(edits: Edits) -> Callable[[str], Change]:
    """A change of every place that `edits` finds."""
    change = of_share(edits)("1")
    return lambda _: change


def _share(text: str) -> float:
    try:
        share = float(text)
    except ValueError:
        share = 0.0
    if not 0 < share <= 1:
        raise UsageError(
            f"'{text}' is no share of the places to change.",
            mend="write a number above 0 and up to 1, such as 0.1",
        )
    return share
