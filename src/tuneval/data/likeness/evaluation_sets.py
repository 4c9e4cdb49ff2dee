"""Evaluation sets as texts to be looked for in training data."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from tuneval import files
from tuneval.data.draft import Draft
from tuneval.data.example import Source
from tuneval.data.finding import Finding
from tuneval.data.origin import origin
from tuneval.data.read import drafts
from tuneval.errors import DataError


@dataclass(frozen=True, slots=True)
class Sought:
    """A text of an evaluation item, and its place in the record.

    `is_answer`: it may well be said elsewhere by chance. `is_whole`: all the item's texts, which
    only count when they all stand together.
    """

    text: str
    path: str
    is_answer: bool = False
    is_whole: bool = False


@dataclass(frozen=True, slots=True)
class EvaluationItem:
    """What is looked for of one record. Empty where the record could not be read."""

    source: Source
    texts: tuple[Sought, ...]


def evaluation_items(location: files.Location) -> Iterator[EvaluationItem]:
    """Every record of a set that we read, or of a benchmark's file of any keys.

    Of a conversation each turn but the system's is looked for; of a record whose format is none
    of ours, all its texts. DataError when the set holds no record.
    """
    found = origin(location)
    is_empty = True
    for draft in drafts(found).items:
        if isinstance(draft, Finding):
            if draft.severity == "error" and not draft.rule.startswith("format."):
                raise draft.as_error()
            continue
        is_empty = False
        yield EvaluationItem(draft.record.source, tuple(_sought(draft)))
    if is_empty:
        raise DataError(
            "The evaluation set holds no record.", where=str(location), mend="name another set"
        )


def _sought(draft: Draft) -> list[Sought]:
    if draft.item is not None:
        texts = [
            Sought(turn.content, turn.path, is_answer=turn.role == "assistant")
            for turn in draft.turns
            if turn.content and turn.role != "system"
        ]
        whole = "\n".join(sought.text for sought in texts)
    else:
        texts = [Sought(text, path) for path, text in _texts(draft.record.value or {}, "")]
        whole = "\n".join(_labelled(sought) for sought in texts if _says_something(sought.text))
    return [*texts, Sought(whole, "the whole record", is_whole=True)]


def _says_something(text: str) -> bool:
    """Whether a text is more than a number or the letter of an option."""
    return len(text) > 1 and not text.isnumeric()


def _texts(value: Any, path: str) -> Iterator[tuple[str, str]]:
    """Every text in a JSON value, with its path."""
    if isinstance(value, str):
        yield path, value
    elif isinstance(value, Mapping):
        for key, inner in value.items():
            yield from _texts(inner, f"{path}.{key}" if path else str(key))
    elif isinstance(value, list):
        for number, inner in enumerate(value):
            yield from _texts(inner, f"{path}[{number}]")


def _labelled(sought: Sought) -> str:
    """The options A to Z of a question as prompts show them, `A. …`."""
    key = sought.path
    return f"{key}. {sought.text}" if len(key) == 1 and key.isupper() else sought.text
