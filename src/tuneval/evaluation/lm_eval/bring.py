"""lm-eval's results as evaluations of ours: items, figures with intervals, ready to be compared."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from tuneval import __version__, files
from tuneval.errors import RunError
from tuneval.evaluation.account import account_for
from tuneval.evaluation.grade import grade
from tuneval.evaluation.items import Item, write_items
from tuneval.evaluation.lm_eval.results import LmEvalTask, find_results, read_samples
from tuneval.evaluation.lm_eval.samples import grade_name, items_of, metrics_in
from tuneval.evaluation.metrics.lm_eval import metric_of
from tuneval.evaluation.record import RESULT_NAME, EvaluationResult
from tuneval.evaluation.result import MetricResult
from tuneval.runs.events import Report, Saved, ignore

CHOICES = ("choice_accuracy", "choice_accuracy_by_characters", "choice_accuracy_by_bytes")
SAME = 1e-6
"""How far our figure may be from lm-eval's, in parts of it or of 1: both add up in float64."""
SEED = 17


@dataclass(frozen=True, slots=True)
class Imported:
    """An evaluation that was brought over, and its folder."""

    folder: Path
    result: EvaluationResult


def import_results(source: Path, *, to: Path, report: Report = ignore) -> list[Imported]:
    """Every task in lm-eval's output folder `source`, as evaluations `to/MODEL/TASK`.

    Raises DataError where there is nothing to import, RunError where a folder holds something
    else. What was imported before is left as it is.
    """
    found = find_results(source)
    labels = _labels(found)
    return [
        _bring(task, to / labels[task.place] / task.name, report)
        for task in sorted(found, key=lambda task: (task.place, task.name))
    ]


def _labels(tasks: Sequence[LmEvalTask]) -> dict[Path, str]:
    """A label for each model's place; what two are called is numbered."""
    labels: dict[Path, str] = {}
    taken: Counter[str] = Counter()
    for task in tasks:
        if task.place not in labels:
            taken[task.label] += 1
            number = "" if taken[task.label] == 1 else f"-{taken[task.label]}"
            labels[task.place] = task.label + number
    return labels


def _bring(task: LmEvalTask, folder: Path, report: Report) -> Imported:
    key = files.sha256_json(
        [files.sha256_file(task.samples), files.sha256_file(task.results), __version__]
    )
    if (folder / RESULT_NAME).is_file():
        there = EvaluationResult.load(folder)
        if there.key != key:
            raise RunError(
                "This folder holds another evaluation.",
                where=str(folder),
                mend="import into another folder, or remove this one",
            )
        return Imported(folder, there)
    rows = read_samples(task)
    items = items_of(rows, source=str(task.samples), task=task.name)
    metrics, notes = _metrics(task, items, metrics_in(rows))
    items = grade(items, list(metrics))
    result = _result(task, items, metrics, notes, name="/".join(folder.parts[-2:]), key=key)
    write_items(folder, items)
    result.save(folder)
    report(Saved(f"import {task.name}", str(folder)))
    return Imported(folder, result)


def _metrics(
    task: LmEvalTask, items: Sequence[Item], told: Sequence[tuple[str, str]]
) -> tuple[dict[str, MetricResult], list[str]]:
    """Each metric that comes to what lm-eval told, and a note for each that does not."""
    found: dict[str, MetricResult] = {}
    notes = []
    for metric, filter_name in told:
        name = metric_of(
            grade_name(metric, filter_name),
            higher_is_better=task.higher_is_better.get(metric, True),
        )
        result = account_for(items, name, seed=SEED)
        theirs = task.figures.get(f"{metric},{filter_name}")
        ours = None if result.estimate is None else result.estimate.value
        if _are_equal(ours, theirs):
            found[name] = result
        else:
            notes.append(
                f"{metric} ({filter_name}) is {theirs} in lm-eval; its grades of single answers "
                f"come to {'nothing' if ours is None else format(ours, '.6g')} here, so it is "
                "left out"
            )
    if any(item.chosen is not None and item.chosen.gold for item in items):
        found |= {name: account_for(items, name, seed=SEED) for name in CHOICES}
    return found, notes


def _are_equal(ours: float | None, theirs: Any) -> bool:
    if ours is None or not isinstance(theirs, int | float):
        return False
    return math.isclose(ours, theirs, rel_tol=SAME, abs_tol=SAME)


def _result(
    task: LmEvalTask,
    items: Sequence[Item],
    metrics: dict[str, MetricResult],
    notes: Sequence[str],
    *,
    name: str,
    key: str,
) -> EvaluationResult:
    told, config = task.told, task.told.get("config", {})
    version = told.get("lm_eval_version", "of unknown version")
    seconds = told.get("total_evaluation_time_seconds")
    return EvaluationResult(
        name=name,
        model=task.model,
        model_hash=config.get("model_hash"),
        adapter=config.get("adapter"),
        template="its own" if told.get("chat_template_sha") else "none",
        template_hash=told.get("chat_template_sha"),
        data_hash=files.sha256_json([[item.id, item.label] for item in items]),
        n_items=len(items),
        metrics=metrics,
        counts={
            "items": len(items),
            "chosen": sum(item.chosen is not None for item in items),
            "generated": sum(item.predict is not None for item in items),
        },
        skipped={},
        seconds={} if seconds is None else {"all tasks of the run": float(seconds)},
        config={
            "task": task.name,
            "task_version": task.of_task("versions"),
            "shots": task.of_task("n-shot"),
            "lm_eval_version": told.get("lm_eval_version"),
            **config,
        },
        key=key,
        created=datetime.now(UTC).isoformat(timespec="seconds"),
        version=__version__,
        notes=(f"Asked by lm-eval {version}; imported from {task.results.name}.", *notes),
    )
