"""A file of predictions, whoever made them: read, graded and accounted for without any model.

In any container that `tuneval data` reads (JSON lines, a JSON array, CSV, Parquet), one object
for each answer:

    prediction or predict   what was answered; null: nothing was
    reference or label      the true answer
    id                      tells items apart, and pairs two files in a comparison; else the row's
                            number, counted from 1
    group                   shared by items that hang together, such as questions on one passage
    prompt                  what was asked, for people to read
    probability, labels, …  what metrics beyond text need (`FIELDS`)

All other keys become tags. An empty cell is no id and no group, but an empty answer is one.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from tuneval import __version__, files
from tuneval.data.finding import Finding
from tuneval.data.origin import origin
from tuneval.errors import DataError
from tuneval.evaluation.account import account_for, clusters_of
from tuneval.evaluation.config import EvaluateConfig
from tuneval.evaluation.grade import grade
from tuneval.evaluation.items import Item, write_items
from tuneval.evaluation.own_file import ROOM, Evaluated
from tuneval.evaluation.record import RESULT_NAME, EvaluationResult
from tuneval.runs.events import Finished, Report, Saved, Started, Step, ignore
from tuneval.runs.find import find_by_key, runs_root
from tuneval.runs.recorder import Recorder, tee
from tuneval.runs.run import Run

FIELDS = frozenset(
    {
        "probability",
        "probabilities",
        "confidence",
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
_SETTINGS = ("metrics", "json_fields", "seed")


@dataclass(frozen=True, slots=True, kw_only=True)
class Predictions:
    """A file of predictions; `model` says who made them, else the file's name does."""

    file: str
    name: str
    model: str | None = None


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


def evaluate_predictions(
    config: EvaluateConfig,
    predictions: Predictions,
    *,
    folder: Path | None = None,
    root: files.Location | None = None,
    command: str | None = None,
    report: Report = ignore,
) -> Evaluated:
    """Grade a file of predictions in `folder`, or in a run under `root`.

    Of the config only metrics, JSON fields and seed count. The same work in the same place is
    done once.
    """
    items = read_predictions(predictions.file)
    key = files.sha256_json(
        [
            {name: config.settings()[name] for name in _SETTINGS},
            predictions.name,
            predictions.model,
            [item.as_dict() for item in items],
        ]
    )
    if folder is not None:
        result = _finished(folder, key) or _grade(config, predictions, items, folder, key, report)
        return Evaluated(folder, result)
    root = runs_root() if root is None else Path(root)
    run = find_by_key(root, key) or Run.create(
        root, predictions.name, key, command=command, data_hash=_data_hash(items)
    )
    place = run.path(ROOM, predictions.name)
    with run.at_work():
        told = tee(Recorder(run), report)
        result = _finished(place, key) or _grade(config, predictions, items, place, key, told)
        run.mark_step(predictions.name, key, result.as_dict())
    return Evaluated(place, result)


def _finished(folder: Path, key: str) -> EvaluationResult | None:
    if not (folder / RESULT_NAME).is_file():
        return None
    result = EvaluationResult.load(folder)
    return result if result.key == key else None


def _grade(
    config: EvaluateConfig,
    predictions: Predictions,
    items: Sequence[Item],
    folder: Path,
    key: str,
    report: Report,
) -> EvaluationResult:
    """Grade, account for, write; `result.json` last."""
    names = config.graded_metrics
    graded = grade(items, names)
    stage = f"{predictions.name}: statistics"
    report(Started(stage, len(names), "metrics"))
    metrics = {}
    for number, name in enumerate(names, start=1):
        metrics[name] = account_for(graded, name, seed=config.seed)
        report(Step(stage, number, len(names)))
    report(Finished(stage))
    result = EvaluationResult(
        name=predictions.name,
        model=predictions.model or Path(predictions.file).stem,
        model_hash=None,
        adapter=None,
        template="",
        template_hash=None,
        data_hash=_data_hash(items),
        n_items=len(items),
        metrics=metrics,
        counts=_counts(items),
        skipped={},
        seconds={},
        config={name: config.settings()[name] for name in _SETTINGS},
        key=key,
        created=datetime.now(UTC).isoformat(timespec="seconds"),
        version=__version__,
        notes=(f"Graded from the file {predictions.file}; no model was asked.",),
    )
    write_items(folder, graded)
    result.save(folder)
    report(Saved(f"evaluate {predictions.name}", str(folder)))
    return result


def _data_hash(items: Sequence[Item]) -> str:
    """Over what every file of predictions for the same items has alike."""
    return files.sha256_json([[item.id, item.label, item.group] for item in items])


def _counts(items: Sequence[Item]) -> dict[str, int]:
    groups = clusters_of(items) or [None] * len(items)
    shared = {group for group in groups if group is not None}
    return {
        "items": len(items),
        "independent_groups": len(shared) + sum(group is None for group in groups),
        "generated": sum(item.predict is not None for item in items),
    }


def _rows(file: str) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Each row with its place. Raises DataError at the first broken one."""
    for record in origin(file).records():
        findings = (record,) if isinstance(record, Finding) else record.findings
        for finding in findings:
            if finding.rule == "json.not_object":
                raise DataError(finding.what, where=finding.where, mend=_AS_OBJECT)
            if finding.severity == "error":
                raise finding.as_error()
        if not isinstance(record, Finding) and record.value is not None:
            yield str(record.source), record.value


def _item(row: Mapping[str, Any], source: str, number: int) -> Item:
    found = {key: _plain(row[key]) for key in FIELDS if row.get(key) is not None}
    if not _KNOWN.intersection(row):
        raise _lacks_prediction("The row has no prediction.", source)
    return Item(
        id=_text(row, ("id",)) or str(number),
        source=source,
        group=_text(row, ("group",)) or None,
        tags={key: value for key, value in row.items() if key not in _KNOWN},
        prompt=_text(row, ("prompt",)) or "",
        label=_text(row, REFERENCE),
        predict=_text(row, PREDICTION),
        fields=found,
    )


def _lacks_prediction(what: str, where: str) -> DataError:
    return DataError(
        what,
        where=where,
        mend="give it the key 'prediction' (null where nothing was answered), or one of: "
        + ", ".join(sorted(FIELDS)),
    )


def _text(row: Mapping[str, Any], keys: Sequence[str]) -> str | None:
    """The first of `keys` that has a value; what is no text is written as JSON.

    A whole number is written without a point: a column with a gap makes 3.0 of every 3.
    """
    value = next((row[key] for key in keys if row.get(key) is not None), None)
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return json.dumps(value, ensure_ascii=False)


def _plain(value: Any) -> Any:
    """A field's value; in a CSV numbers, lists and tables stand as text."""
    if not isinstance(value, str):
        return value
    try:
        return json.loads(value)
    except (ValueError, RecursionError):
        return value
