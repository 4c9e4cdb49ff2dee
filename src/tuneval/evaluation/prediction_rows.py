"""The rows of a file of predictions, and the items that they become.

In any container that `tuneval data` reads (JSON lines, a JSON array, CSV, Parquet), one object
for each answer:

    prediction or predict   what was answered; null: nothing was
    reference or label      the true answer, or a list of texts: each of them would be right
    id                      tells items apart, and pairs two files in a comparison; else the row's
                            number, counted from 1
    group                   shared by items that hang together, such as questions on one passage
    prompt                  what was asked, for people to read
    probability, labels, …  what metrics beyond text need (`FIELDS`)

All other keys become tags. NaN, null and an empty cell of a CSV are no value; but an empty cell
for the prediction is an answer that says nothing, since the other reading would flatter whoever
is silent. An empty text elsewhere is a value, but no id and no group.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from tuneval.data.data_files import ending_of
from tuneval.data.finding import Finding
from tuneval.data.origin import origin
from tuneval.errors import DataError
from tuneval.evaluation.items import Item

FIELDS = frozenset(
    {
        "probability",
        "probabilities",
        "confidence",
        "references",
        "number",
        "reference_number",
        "labels",
        "reference_labels",
        "classes",
        "ranking",
        "document_scores",
        "documents",
        "relevance",
        "return",
        "boxes",
        "reference_boxes",
        "seconds",
        "seconds_to_first",
        "n_tokens",
        "peak_memory_bytes",
        "energy_joules",
        "perturbation",
        "original",
    }
)
"""Keys that metrics read beside the two texts."""
PREDICTION, REFERENCE = ("prediction", "predict"), ("reference", "label")
_KNOWN = frozenset({"id", "group", "prompt", *PREDICTION, *REFERENCE, *FIELDS})
_AS_OBJECT = 'write it as {"prediction": …, "reference": …} or remove it'
_OF_TEXTS = frozenset({".csv", ".tsv"})
"""Files in which a missing value and an empty text look alike."""


def read_predictions(file: str) -> list[Item]:
    """The items of a file, in its order.

    Raises DataError for a row that is broken, has none of the keys, or has the id of another one;
    and for a file without rows, or without any prediction or field.
    """
    items: dict[str, Item] = {}
    has_answers = False
    for number, (source, row) in enumerate(_rows(file), start=1):
        item = _item(row, source, number)
        # A null is no cell of a table: its rows tell only together that nothing is answered.
        has_answers |= bool(item.fields) or any(key in row for key in PREDICTION)
        there = items.setdefault(item.id, item)
        if there is not item:
            raise DataError(
                f"Two predictions have the id '{item.id}'.",
                where=f"{there.source} and {source}",
                mend="give each its own id, or leave `id` away",
            )
    if not items:
        raise DataError("The file holds no prediction.", where=file, mend="give it rows")
    if not has_answers:
        raise _lacks_prediction("No row has a prediction.", file)
    return list(items.values())


def _rows(file: str) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Each row with its place. Raises DataError at the first broken one."""
    for record in origin(file).records():
        findings = (record,) if isinstance(record, Finding) else record.findings
        for finding in findings:
            if finding.rule == "json.not_object":
                raise DataError(finding.what, where=finding.where, mend=_AS_OBJECT)
            if finding.severity == "error" and finding.rule != "json.nan":  # it is read as null
                raise finding.as_error()
        if not isinstance(record, Finding) and record.value is not None:
            row = record.value
            if ending_of(record.source.file) in _OF_TEXTS:
                row = {
                    key: None if value == "" and key not in PREDICTION else value
                    for key, value in row.items()
                }
            yield str(record.source), row


def _item(row: Mapping[str, Any], source: str, number: int) -> Item:
    if not _KNOWN.intersection(row):
        raise _lacks_prediction("The row has no prediction.", source)
    found = {key: value for key in FIELDS if (value := _plain(row.get(key))) is not None}
    label, several = _true_answers(row, found.get("references"))
    if several:
        # As classes they are a set; as texts each of them is right.
        found = {"reference_labels": several, **found, "references": several}
    return Item(
        id=_text(row, ("id",)) or str(number),
        source=source,
        group=_text(row, ("group",)) or None,
        tags={key: v for key, v in row.items() if key not in _KNOWN and v is not None},
        prompt=_text(row, ("prompt",)) or "",
        label=label,
        predict=_text(row, PREDICTION),
        fields=found,
    )


def _true_answers(row: Mapping[str, Any], given: Any) -> tuple[str | None, list[str]]:
    """The true answer, and all of them where there are several: `given`, or a list for one.

    Where the prediction is a list too, both are one answer each, written as JSON.
    """
    told = _first(row, REFERENCE)
    if given is None and _is_of_texts(told) and not isinstance(_first(row, PREDICTION), list):
        given = told
    several = [_written(part) for part in given] if isinstance(given, list) else []
    if several and (told is None or isinstance(told, list)):
        return several[0], several
    return _text(row, REFERENCE), several


def _is_of_texts(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(part, str) for part in value)


def _first(row: Mapping[str, Any], keys: Sequence[str]) -> Any:
    return next((row[key] for key in keys if row.get(key) is not None), None)


def _lacks_prediction(what: str, where: str) -> DataError:
    return DataError(
        what,
        where=where,
        mend="give it the key 'prediction' (null where nothing was answered), or one of: "
        + ", ".join(sorted(FIELDS)),
    )


def _text(row: Mapping[str, Any], keys: Sequence[str]) -> str | None:
    """The first of `keys` that has a value, as text."""
    value = _first(row, keys)
    return None if value is None else _written(value)


def _written(value: Any) -> str:
    """A text as it is, anything else as JSON.

    A whole number is written without a point: a column with a gap makes 3.0 of every 3.
    """
    if isinstance(value, str):
        return value
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return json.dumps(value, ensure_ascii=False)


def _plain(value: Any) -> Any:
    """A field's value; in a CSV numbers, lists and tables stand as text. None where there is none.

    Numbers that are none are written as nan by many programs.
    """
    if not isinstance(value, str):
        return value
    if value.strip().lower() == "nan":
        return None
    try:
        return json.loads(value)
    except (ValueError, RecursionError):
        return value
