"""What an extractor is: readings of one answer, and the form in which keys are compared."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass

Reading = Callable[[str], str | None]

_THOUGHT_BEGINS, _THOUGHT_ENDS = "<think>", "</think>"


def as_it_stands(text: str) -> str:
    """The text itself: for answers that have only one form."""
    return text


def spoken(answer: str) -> str:
    """What is said after thinking; nothing where the thinking was cut off."""
    said = answer.rpartition(_THOUGHT_ENDS)[2]
    return "" if said.lstrip().startswith(_THOUGHT_BEGINS) else said


@dataclass(frozen=True, slots=True, kw_only=True)
class Extractor:
    """Readings of an answer; each gives it in the one form in which answers are compared.

    `form` brings a key to the form of the strict and the lenient reading; `official_key` to that
    of the official one. `drawn_from`: where the official reading finds nothing, a letter of these
    is drawn, by the item's id. `faults` are what the official reading is known to get wrong.
    """

    name: str
    summary: str
    source: str
    strict: Reading
    lenient: Reading
    official: Reading | None = None
    form: Callable[[str], str] = as_it_stands
    official_key: Callable[[str], str] | None = None
    drawn_from: str = ""
    faults: tuple[str, ...] = ()

    def read(self, answer: str, *, item_id: str) -> Mapping[str, str | None]:
        """What each reading finds. What a model thinks before it speaks is not its answer.

        The official reading is given the whole text, as its script is.
        """
        said = spoken(answer)
        found = {"strict": self.strict(said), "lenient": self.lenient(said)}
        if self.official is not None:
            found["official"] = self.official(answer)
            if found["official"] is None and self.drawn_from:
                found["official"] = _drawn(self.drawn_from, item_id)
        return found


def _drawn(letters: str, item_id: str) -> str:
    """A letter by a hash of the id: the same in every run, and for every model."""
    digest = hashlib.sha256(item_id.encode()).digest()
    return letters[int.from_bytes(digest[:8], "big") % len(letters)]
