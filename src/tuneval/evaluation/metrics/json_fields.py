"""Answers that should be one JSON object: whether they are, and which fields are right.

A prediction that is not one JSON object, with nothing around it, is wrong in every field: that
is how the program behind it would fare. A reference that is not one, or lacks the field, leaves
the item unscored with that reason.
"""

from __future__ import annotations

import json
from functools import partial
from typing import Any, NoReturn

from tuneval.evaluation.metric import LabelMetric, LabelPair, Metric, Unscored

REFERENCE_NOT_OBJECT = "reference is not a JSON object"


def json_field(field: str) -> Metric:
    """Share of answers whose `field` has the reference's value."""
    return Metric(
        name=f"json_field:{field}",
        unit="share",
        higher_is_better=True,
        scale="binary",
        score=partial(_is_field_right, field),
    )


def json_field_f1(field: str) -> LabelMetric:
    """Macro-F1 of the values of `field` as classes; a list is a set of labels."""
    return LabelMetric(name=f"json_field_f1:{field}", labels=partial(_field_labels, field))


def is_valid(prediction: str, reference: str) -> float:
    """1.0 when the prediction is one JSON object and nothing else; the reference plays no part."""
    return float(read_object(prediction) is not None)


def read_object(text: str) -> dict[str, Any] | None:
    """The JSON object that `text` is, or None. Strict: no NaN, no fence, no words around it."""
    try:
        value = json.loads(text, parse_constant=_refuse_constant)
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None


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


def _field_labels(field: str, prediction: str, reference: str) -> LabelPair | Unscored:
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


JSON_VALID = Metric(
    name="json_valid", unit="share", higher_is_better=True, scale="binary", score=is_valid
)
