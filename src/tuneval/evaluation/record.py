"""What an evaluation came to, as `result.json` holds it: written last, the completion mark."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from tuneval import files
from tuneval.errors import RunError
from tuneval.evaluation.asking.task_record import TaskRecord
from tuneval.evaluation.result import MetricResult
from tuneval.statistics.estimate import Estimate

RESULT_NAME = "result.json"


@dataclass(frozen=True, slots=True)
class EvaluationResult:
    """Every metric of one model on one set of items, and the account of what was left out.

    `model_hash` is that of the weights as evaluated. `counts` holds numbers by name; `skipped`
    the items that a way of answering had to leave out, by way and reason; `seconds` by stage.
    Hashes are None where they cannot be known. `task` is there where a task was asked.
    """

    name: str
    model: str
    model_hash: str | None
    adapter: str | None
    template: str
    template_hash: str | None
    data_hash: str
    n_items: int
    metrics: Mapping[str, MetricResult]
    counts: Mapping[str, int]
    skipped: Mapping[str, Mapping[str, int]]
    seconds: Mapping[str, float]
    config: Mapping[str, Any]
    key: str
    created: str
    version: str
    notes: tuple[str, ...] = field(default=())
    task: TaskRecord | None = None

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        return {
            "name": self.name,
            "model": self.model,
            "model_hash": self.model_hash,
            "adapter": self.adapter,
            "template": self.template,
            "template_hash": self.template_hash,
            "data_hash": self.data_hash,
            "n_items": self.n_items,
            "metrics": {name: result.as_dict() for name, result in self.metrics.items()},
            "counts": dict(self.counts),
            "skipped": {way: dict(reasons) for way, reasons in self.skipped.items()},
            "seconds": dict(self.seconds),
            "config": dict(self.config),
            "key": self.key,
            "created": self.created,
            "version": self.version,
            "notes": list(self.notes),
            "task": None if self.task is None else asdict(self.task),
        }

    @classmethod
    def from_dict(cls, row: Mapping[str, Any]) -> EvaluationResult:
        """The result that `as_dict` wrote."""
        metrics = {name: MetricResult.from_dict(m) for name, m in row["metrics"].items()}
        task = None if row.get("task") is None else TaskRecord.from_dict(row["task"])
        return cls(**{**row, "metrics": metrics, "notes": tuple(row["notes"]), "task": task})

    def figure(self, metric: str) -> Estimate | None:
        """The metric's figure as the task averages it, else over the items; None without one."""
        averaged = None if self.task is None else self.task.figure(metric)
        if averaged is not None:
            return averaged.estimate
        found = self.metrics.get(metric)
        return None if found is None else found.estimate

    def save(self, folder: Path) -> None:
        """Write `result.json`. Call it when every other file of the folder is written."""
        files.write_json(folder / RESULT_NAME, self.as_dict())

    @classmethod
    def load(cls, folder: Path) -> EvaluationResult:
        """The result in `folder`. Raises RunError when it is unfinished or damaged."""
        path = folder / RESULT_NAME
        if not path.is_file():
            raise RunError(
                "There is no finished evaluation here.",
                where=str(folder),
                mend="run `tuneval evaluate` again; it continues where it stopped"
                if folder.is_dir()
                else "check the name; `tuneval runs list` shows the runs",
            )
        try:
            return cls.from_dict(files.read_json(path))
        except (TypeError, KeyError, AttributeError) as error:
            raise RunError(
                f"The evaluation's result is damaged: {error}.",
                where=str(path),
                mend="remove the file and run the evaluation again",
            ) from error
