"""How sure a system is of an answer, and which of two classes is the positive one.

An item's field `probability` is that of the positive class; `probabilities` holds one for each
class; where neither is given, the likelihoods of a multiple choice, made to sum to 1, are taken.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

from tuneval.catalog import did_you_mean
from tuneval.evaluation.values.read import as_number, classes_of, plain_label, reference_label

if TYPE_CHECKING:
    from tuneval.evaluation.items import Chosen, Item

ROUNDED = 0.02
"""By how much probabilities that were rounded to two decimals may sum to more than 1."""
CLASSES_SHOWN = 20
NO_PROBABILITY = "no probability"
_POSITIVE_OF = {
    "0": "1",
    "-1": "1",
    "false": "true",
    "no": "yes",
    "n": "y",
    "negative": "positive",
    "neg": "pos",
    "wrong": "right",
    "incorrect": "correct",
    "ham": "spam",
    "benign": "malignant",
    "否": "是",
    "不是": "是",
    "假": "真",
    "错": "对",
    "错误": "正确",
    "阴性": "阳性",
    "负面": "正面",
    "消极": "积极",
    "无": "有",
}


def positive_class(labels: Iterable[str], named: str = "") -> str | None:
    """The positive one of the true classes of all items; None where there are more than two.

    The one that is named; else the one whose word says so (1, yes, true, positive, 是, 阳性); else
    the rarer one; of equally common ones the last in the alphabet.
    """
    if named:
        return plain_label(named)
    counts = Counter(labels)
    if not 1 <= len(counts) <= 2:
        return None
    said = sorted(set(counts) & set(_POSITIVE_OF.values()))
    if len(said) == 1:
        return said[0]
    negative = [label for label in counts if label in _POSITIVE_OF]
    if len(negative) == 1:
        other = set(counts) - set(negative)
        return other.pop() if other else _POSITIVE_OF[negative[0]]
    return max(counts, key=lambda label: (-counts[label], label))


def positive_of(items: Sequence[Item], named: str = "") -> str | None:
    """`positive_class` of the items' true classes."""
    return positive_class(filter(None, map(reference_label, items)), named)


def why_unknown(named: str, items: Sequence[Item]) -> str | None:
    """Why no item can be of a named class: it stands nowhere; None where it does, or for no name.

    Looked for in references, answers, the field `classes`, and what probabilities are given to.
    The opposite of a class that is there (no, of yes) may have no item.
    """
    wanted = plain_label(named)
    if not named or any(wanted in _classes_in(item) for item in items):
        return None
    there = sorted({label for item in items if (label := reference_label(item)) is not None})
    opposites = {_POSITIVE_OF.get(label) for label in there}
    if not there or wanted in opposites or _POSITIVE_OF.get(wanted) in there:
        return None
    return f"no item has the class '{named}'; {did_you_mean(wanted, there[:CLASSES_SHOWN])}"


def _classes_in(item: Item) -> set[str | None]:
    """The classes that an item has to do with, in their plain spelling."""
    said = None if item.said is None else plain_label(item.said)
    shown = map(plain_label, classes_of(item))
    return {reference_label(item), said, *shown, *(class_probabilities(item) or ())}


def positive_score(item: Item, positive: str) -> float | None:
    """What the item gives to the positive class: a probability, or any other score."""
    score = as_number(item.fields.get("probability"))
    if score is not None:
        return score
    probabilities = class_probabilities(item)
    return None if probabilities is None else probabilities.get(positive, 0.0)


def class_probabilities(item: Item) -> dict[str, float] | None:
    """What the item gives to each class, by its plain spelling; None where it does not say."""
    given = item.fields.get("probabilities")
    if isinstance(given, Mapping):
        numbers: dict[str, float] = {}
        for name, value in given.items():
            number = as_number(value)
            if number is None:
                return None
            numbers[plain_label(name)] = numbers.get(plain_label(name), 0.0) + number
        return numbers or None
    if item.chosen is None:
        return None
    found: dict[str, float] = {}
    for choice, share in zip(item.chosen.choices, choice_probabilities(item.chosen), strict=True):
        label = plain_label(choice)
        found[label] = found.get(label, 0.0) + share
    return found


def choice_probabilities(chosen: Chosen) -> tuple[float, ...]:
    """The likelihoods of the choices made to sum to 1, in their order."""
    largest = max(chosen.logprobs)
    weights = [math.exp(logprob - largest) for logprob in chosen.logprobs]
    total = math.fsum(weights)
    return tuple(weight / total for weight in weights)


def why_no_score(item: Item) -> str | None:
    """Why an item says nothing on how likely its classes are; None where it does."""
    if as_number(item.fields.get("probability")) is not None:
        return None
    return NO_PROBABILITY if class_probabilities(item) is None else None


def why_no_probability(item: Item) -> str | None:
    """The same where only numbers from 0 to 1 will do."""
    reason = why_no_score(item)
    if reason is not None:
        return reason
    number = as_number(item.fields.get("probability"))
    given = [number] if number is not None else (class_probabilities(item) or {}).values()
    if not all(0 <= p <= 1 for p in given):
        return "a probability is not between 0 and 1"
    return None if math.fsum(given) <= 1 + ROUNDED else "the probabilities sum to more than 1"
