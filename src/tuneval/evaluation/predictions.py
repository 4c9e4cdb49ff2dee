"""A file of predictions, whoever made them: read, graded and accounted for without any model."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from tuneval import __version__, files
from tuneval.evaluation.account import account_for, clusters_of
from tuneval.evaluation.config import EvaluateConfig
from tuneval.evaluation.grade import grade
from tuneval.evaluation.items import Item, write_items
from tuneval.evaluation.own_file import ROOM, Evaluated
from tuneval.evaluation.prediction_rows import read_predictions
from tuneval.evaluation.record import RESULT_NAME, EvaluationResult
from tuneval.runs.events import Finished, Report, Saved, Started, Step, ignore
from tuneval.runs.find import find_by_key, runs_root
from tuneval.runs.recorder import Recorder, tee
from tuneval.runs.run import Run

_SETTINGS = ("metrics", "json_fields", "seed")


@dataclass(frozen=True, slots=True, kw_only=True)
class Predictions:
    """A file of predictions; `model` says who made them, else the file's name does."""

    file: str
    name: str
    model: str | None = None


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
