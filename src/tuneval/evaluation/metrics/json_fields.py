"""Answers that should be one JSON object: whether they are, and which fields are right.

A prediction that is not one JSON object, with nothing around it, is wrong in every field: that
is how the program behind it would fare. A reference that is not one, or lacks the field, leaves
the item unscored with that reason.
"""

from __future__ import annotations

import json
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple, NoReturn

from tuneval.evaluation.kinds import OfArgument, OfSums, PerItem, of_texts
from tuneval.evaluation.kinds.per_item import NO_REFERENCE, NOT_ANSWERED
from tuneval.evaluation.metric import About, Unscored

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tuneval.evaluation.items import Item
    from tuneval.statistics.sample import Floats

DEEPEST = 200
"""Lists and objects within one another."""
REFERENCE_NOT_OBJECT = "reference is not a JSON object"


class LabelPair(NamedTuple):
    """The labels that one answer gives, and those that its reference has."""

    predicted: frozenset[str]
    expected: frozenset[str]


def json_field(field: str) -> PerItem:
    """Share of answers whose `field` has the reference's value."""
    return of_texts(
        replace(_FIELD, name=f"json_field:{field}"),
        partial(_is_field_right, field),
        is_binary=True,
    )


def json_field_f1(field: str) -> OfSums:
    """Macro-F1 of the values of `field` as classes; a list is a set of labels."""

    def reason(item: Item) -> str | None:
        found = labels_of_item(field, item)
        return found.reason if isinstance(found, Unscored) else None

    def columns(items: Sequence[Item]) -> Floats:
        from tuneval.statistics.classes import label_counts

        found = [labels_of_item(field, item) for item in items]
        pairs = [pair for pair in found if isinstance(pair, LabelPair)]
        return label_counts([p.predicted for p in pairs], [p.expected for p in pairs])

    return OfSums(
        about=replace(_FIELD_F1, name=f"json_field_f1:{field}"),
        reason=reason,
        columns=columns,
        statistic=_macro_f1,
    )


def labels_of_item(field: str, item: Item) -> LabelPair | Unscored:
    """The values of `field` in an item's answer and in its reference."""
    if item.predict is None:
        return Unscored(item.skipped.get("generated", NOT_ANSWERED))
    if item.label is None:
        return Unscored(NO_REFERENCE)
    return field_labels(field, item.predict, item.label)


def is_valid(prediction: str, reference: str) -> float:
    """1.0 when the prediction is one JSON object and nothing else; the reference plays no part."""
    return float(read_object(prediction) is not None)


def read_object(text: str) -> dict[str, Any] | None:
    """The JSON object that `text` is, or None. Strict: no NaN, no fence, no words around it.

    One nested deeper than `DEEPEST` is none either, as RFC 8259 allows: a model in a loop writes
    what no program could walk through.
    """
    try:
        value = json.loads(text, parse_constant=_refuse_constant)
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) and not _is_deeper(value, DEEPEST) else None


def canonical(value: Any) -> str:
    """One text per JSON value: 1 is 1.0 but neither is true; the order of keys says nothing."""
    return json.dumps(_plain_numbers(value), sort_keys=True, ensure_ascii=False)


def _is_field_right(field: str, prediction: str, reference: str) -> float | Unscored:
    expected = _read_reference(field, reference)
    if isinstance(expected, Unscored):
        return expected
    said = read_object(prediction)
    if said is None or field not in said:
        return 0.0
    return float(canonical(said[field]) == canonical(expected[field]))


def field_labels(field: str, prediction: str, reference: str) -> LabelPair | Unscored:
    """The values of `field` in two texts; none in a prediction that is not one JSON object."""
    expected = _read_reference(field, reference)
    if isinstance(expected, Unscored):
        return expected
    said = read_object(prediction)
    given = frozenset[str]() if said is None or field not in said else _labels_of(said[field])
    return LabelPair(given, _labels_of(expected[field]))


def _read_reference(field: str, reference: str) -> dict[str, Any] | Unscored:
    expected = read_object(reference)
    if expected is None:
        return Unscored(REFERENCE_NOT_OBJECT)
    if field not in expected:
        return Unscored(f"reference has no field '{field}'")
    return expected


def _labels_of(value: Any) -> frozenset[str]:
    return frozenset(canonical(part) for part in (value if isinstance(value, list) else [value]))


def _is_deeper(value: Any, levels: int) -> bool:
    if not isinstance(value, list | dict):
        return False
    parts = value.values() if isinstance(value, dict) else value
    return levels == 0 or any(_is_deeper(part, levels - 1) for part in parts)


def _plain_numbers(value: Any) -> Any:
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, list):
        return [_plain_numbers(part) for part in value]
    if isinstance(value, dict):
        return {key: _plain_numbers(part) for key, part in value.items()}
    return value


def _refuse_constant(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is not JSON")


def _macro_f1(sums: Floats) -> Floats:
    from tuneval.statistics.classes import macro_f1_of_sums

    return macro_f1_of_sums(sums)


_FIELD = About(
    name="json_field",
    family="structured",
    unit="share",
    higher_is_better=True,
    range=(0.0, 1.0),
    needs=("prediction", "reference"),
    source="equality of the JSON values; an answer that is not one JSON object is wrong",
    use="where a program reads the answer: each field that it needs",
    avoid="for a rare field: the commonest value alone may be right nearly always; see its F1",
)
_FIELD_F1 = replace(
    _FIELD,
    name="json_field_f1",
    source="mean over the expected values of each value's F1; van Rijsbergen (1979)",
    use="where rare values matter as much as common ones",
    avoid="with values that stand once or twice: their F1 is 0 or 1 by chance",
)
JSON_FIELD = OfArgument(about=_FIELD, argument="field", make=json_field)
JSON_FIELD_F1 = OfArgument(about=_FIELD_F1, argument="field", make=json_field_f1)
JSON_VALID = of_texts(
    About(
        name="json_valid",
        family="structured",
        unit="share",
        higher_is_better=True,
        range=(0.0, 1.0),
        needs=("prediction",),
        source="RFC 8259; one object and nothing around it",
        use="first of all where answers should be JSON",
        avoid="alone: an empty object is valid",
    ),
    is_valid,
    is_binary=True,
)
