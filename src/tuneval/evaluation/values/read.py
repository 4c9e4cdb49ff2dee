"""What an answer and its reference say beyond text: a number, a class, a set of classes.

A field of the item goes before its text: `number`, `reference_number`, `labels` and
`reference_labels`. Texts are read by these rules:

- A number by those of `numerals`.
- A class is the whole text without regard to case, width of characters, blanks, and punctuation
  or quotes around it. Where the item has a field `classes`, and the text is none of them, the one
  class that stands in it as a word is taken; of none or several, nothing is read.
- A set of classes is a JSON list, or what stands between commas, semicolons, bars and lines; with
  the field `classes` all that stand in the text. "none", "[]" and 无 are the empty set. A field may
  also be one class, or a table {class: whether it holds}.

An answer from which nothing can be read is a wrong class, and has no number: metrics of numbers
count it as unscored. An item without any answer is unscored everywhere.
"""

from __future__ import annotations

import json
import math
import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from tuneval.evaluation.kinds.per_item import NO_REFERENCE, NOT_ANSWERED
from tuneval.evaluation.metric import Unscored
from tuneval.evaluation.values.numerals import read_number

if TYPE_CHECKING:
    from tuneval.evaluation.items import Item

NO_NUMBER, NO_REFERENCE_NUMBER = "no number in the answer", "no number in the reference"
_AROUND = " \t\r\n.,;:!?\"'`*_()[]{}<>。、，；：！？“”‘’「」『』【】《》"
_BETWEEN = re.compile(r"[,;|\n、]")
BULLET = re.compile(r"^\s*(?:[-*•]|\d+[.)、])\s+")
"""What begins a line of a list."""
_EMPTY = frozenset({"", "none", "no label", "no labels", "无", "没有"})


class NumberPair(NamedTuple):
    """The number that was answered, and the true one."""

    said: float
    true: float


class LabelPair(NamedTuple):
    """The class that was answered, None where nothing could be read, and the true one."""

    said: str | None
    true: str


class LabelSets(NamedTuple):
    """The classes that were answered, and the true ones."""

    said: frozenset[str]
    true: frozenset[str]


def why_unanswered(item: Item) -> str | None:
    """Why the item has no answer; None when it has one, readable or not."""
    if item.chosen is not None or item.predict is not None or item.extracted:
        return None
    return next(iter(item.skipped.values()), NOT_ANSWERED)


def numbers_of(item: Item) -> NumberPair | Unscored:
    """The answered and the true number of an item."""
    true = as_number(item.fields.get("reference_number"))
    if true is None and item.label is not None:
        true = read_number(item.label)
    said = as_number(item.fields.get("number"))
    if said is None:
        reason = why_unanswered(item)
        if reason is not None:
            return Unscored(reason)
        said = None if item.said is None else read_number(item.said)
    if true is None:
        return Unscored(NO_REFERENCE_NUMBER)
    return Unscored(NO_NUMBER) if said is None else NumberPair(said, true)


def labels_of(item: Item) -> LabelPair | Unscored:
    """The answered and the true class of an item."""
    true = reference_label(item)
    if true is None:
        return Unscored(NO_REFERENCE)
    reason = why_unanswered(item)
    if reason is not None:
        return Unscored(reason)
    if item.said is None:
        return LabelPair(None, true)
    said = read_label(item.said, classes_of(item))
    if said is None and _is_of_signs(true) and plain_label(item.said):
        said = plain_label(item.said)
    return LabelPair(said, true)


def label_sets_of(item: Item, *, split: bool = True) -> LabelSets | Unscored:
    """The answered and the true classes of an item.

    `split` False: a text is one class unless the item has the field `reference_labels`.
    """
    if not split and "reference_labels" not in item.fields:
        pair = labels_of(item)
        if isinstance(pair, Unscored):
            return pair
        said = frozenset[str]() if pair.said is None else frozenset([pair.said])
        return LabelSets(said, frozenset([pair.true]))
    true = _set_of(item, "reference_labels", item.label)
    if true is None:
        return Unscored(NO_REFERENCE)
    if "labels" not in item.fields:
        reason = why_unanswered(item)
        if reason is not None:
            return Unscored(reason)
    return LabelSets(_set_of(item, "labels", item.said) or frozenset(), true)


def reference_label(item: Item) -> str | None:
    """The true class, None where nobody says it: the reference, or else the right choice."""
    if item.label is not None:
        return plain_label(item.label)
    if item.chosen is not None and item.chosen.gold:
        return plain_label(item.chosen.choices[item.chosen.gold[0]])
    return None


def plain_label(text: object) -> str:
    """One spelling of a class: without case, width, blanks, and punctuation or quotes around.

    What is nothing but punctuation stays as it is, since "!" and "***" may be classes.
    """
    plain = unicodedata.normalize("NFKC", str(text)).casefold()
    return " ".join((plain.strip(_AROUND) or plain).split())


def read_label(text: str, classes: Sequence[str] = ()) -> str | None:
    """The class that a text gives, in its plain spelling; None where nothing can be read."""
    label = plain_label(text)
    if label in map(plain_label, classes):
        return label or None
    if not classes:
        return None if _is_of_signs(label) else label
    found = _standing_in(label, classes)
    return found.pop() if len(found) == 1 else None


def read_labels(text: str, classes: Sequence[str] = ()) -> frozenset[str]:
    """The set of classes that a text gives, in their plain spelling."""
    listed = _json_list(text)
    if listed is not None:
        return _labels_in(listed)
    if plain_label(text).strip(_AROUND) in _EMPTY:
        return frozenset()
    if classes:
        return frozenset(_standing_in(plain_label(text), classes))
    plain = unicodedata.normalize("NFKC", text)
    parts = (plain_label(BULLET.sub("", part)) for part in _BETWEEN.split(plain))
    return frozenset(part for part in parts if not _is_of_signs(part))


def as_number(value: Any) -> float | None:
    """A field's value as a finite number; a text is read, True and False are none."""
    if isinstance(value, str):
        return read_number(value)
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        number = float(value)
    except OverflowError:
        return None
    return number if math.isfinite(number) else None


def list_of(value: Any) -> list[str]:
    """A field's value as a list of texts; what is one text is split as a set of classes is."""
    if isinstance(value, list | tuple):
        return [str(part) for part in value if part is not None]
    if isinstance(value, str):
        parts = _BETWEEN.split(unicodedata.normalize("NFKC", value))
        return [part.strip() for part in parts if part.strip()]
    return [] if value is None else [str(value)]


def classes_of(item: Item) -> Sequence[str]:
    """The classes that the item's field `classes` names, as they are written."""
    return list_of(item.fields.get("classes"))


def _set_of(item: Item, field: str, text: str | None) -> frozenset[str] | None:
    given = item.fields.get(field)
    if isinstance(given, Mapping):
        given = [name for name, has in given.items() if as_number(has) or has is True]
    if isinstance(given, list | tuple | set | frozenset):
        return _labels_in(given)
    if given is not None:
        text = str(given)
    return None if text is None else read_labels(text, classes_of(item))


def _is_of_signs(label: str) -> bool:
    """Whether it holds nothing but punctuation, or nothing at all."""
    return not label.strip(_AROUND)


def _labels_in(given: Iterable[object]) -> frozenset[str]:
    return frozenset(plain_label(label) for label in given if label is not None) - {""}


def _standing_in(text: str, classes: Sequence[str]) -> set[str]:
    """The classes that stand in the text as words, those within a longer one left out."""
    found: set[str] = set()
    taken = bytearray(len(text))
    for name in sorted({plain_label(name) for name in classes} - {""}, key=len, reverse=True):
        # Chinese has no blanks between words, so that only Latin letters and digits bound them.
        pattern = rf"(?<![a-z0-9]){re.escape(name)}(?![a-z0-9])"
        for match in re.finditer(pattern, text):
            start, end = match.span()
            if not any(taken[start:end]):
                taken[start:end] = b"\1" * (end - start)
                found.add(name)
    return found


def _json_list(text: str) -> list[Any] | None:
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, list) else None
