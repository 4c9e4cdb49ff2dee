"""Result and sample files of lm-evaluation-harness: `results_TIME.json`, `samples_TASK_TIME.jsonl`.

Written by its `--output_path FOLDER --log_samples`, one folder in FOLDER for each model.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tuneval import files
from tuneval.errors import DataError

_TIME = r"(?P<time>\d{4}-\d\d-\d\dT\d\d-\d\d-\d\d(\.\d+)?)"
_RESULTS = re.compile(rf".+_{_TIME}\.json")
_SAMPLES = re.compile(rf"samples_(?P<task>.+)_{_TIME}\.jsonl")
_MEND = (
    "name the folder that lm_eval wrote to with --output_path FOLDER --log_samples, or one in it"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class LmEvalTask:
    """One task as lm-eval asked it of one model: its sample file, and all that it told of it.

    `told` is the whole results file; `time` when it was written, as text that sorts.
    """

    name: str
    samples: Path
    results: Path
    time: str
    told: Mapping[str, Any]

    @property
    def model(self) -> str:
        """The model as lm-eval names it."""
        config = self.told.get("config", {})
        return str(self.told.get("model_name") or config.get("model") or self.results.parent.name)

    @property
    def label(self) -> str:
        """A folder's name for the model: the end of what it is called."""
        end = re.split(r"[/\\]|__", self.model.rstrip("/\\"))[-1]
        return re.sub(r"[^A-Za-z0-9._@-]+", "-", end).strip("-._@") or "model"

    @property
    def figures(self) -> Mapping[str, Any]:
        """lm-eval's own figures by "metric,filter"."""
        found: Mapping[str, Any] = self.told["results"].get(self.name, {})
        return found

    def of_task(self, key: str) -> Any:
        """What the results file has under `key` for this task, else None."""
        return self.told.get(key, {}).get(self.name)

    @property
    def higher_is_better(self) -> Mapping[str, bool]:
        """By metric."""
        return self.of_task("higher_is_better") or {}


def find_results(folder: Path) -> list[LmEvalTask]:
    """Every task in a folder and the folders in it; of one asked more than once the newest.

    Raises DataError where there is none with its samples, or a results file is none of lm-eval's.
    """
    if not folder.is_dir():
        raise DataError("There is no such folder.", where=str(folder), mend=_MEND)
    told = {
        (path.parent, found["time"]): path
        for path in sorted(folder.rglob("*.json"))
        if (found := _RESULTS.fullmatch(path.name))
    }
    newest: dict[tuple[Path, str], LmEvalTask] = {}
    for path in sorted(folder.rglob("samples_*.jsonl")):
        found = _SAMPLES.fullmatch(path.name)
        results = found and told.get((path.parent, found["time"]))
        if not found or not results:
            continue
        name, time = found["task"], found["time"]
        before = newest.get((path.parent, name))
        if before is None or before.time < time:
            newest[path.parent, name] = LmEvalTask(
                name=name, samples=path, results=results, time=time, told=_read(results)
            )
    if not newest:
        said = "results of lm-eval, but not the answers" if told else "no results of lm-eval"
        raise DataError(f"There are {said} here.", where=str(folder), mend=_MEND)
    return list(newest.values())


def read_samples(task: LmEvalTask) -> list[dict[str, Any]]:
    """A sample file's rows. Raises DataError where it has none, or one is none of lm-eval's."""
    rows = files.read_jsonl(task.samples)
    if not rows:
        raise DataError(
            "The file has no answers.", where=str(task.samples), mend="run lm_eval again"
        )
    for number, row in enumerate(rows, start=1):
        lacking = [key for key in _KEYS if key not in row]
        if lacking:
            raise DataError(
                f"The row is not one of lm-eval's: it has no {', '.join(lacking)}.",
                where=f"{task.samples}:{number}",
                mend="write it again with lm-eval 0.4 and --log_samples",
            )
    return rows


_KEYS: Sequence[str] = ("doc_id", "target", "arguments", "resps", "filtered_resps", "metrics")


def _read(path: Path) -> Mapping[str, Any]:
    content = files.read_json(path)
    if not isinstance(content, dict) or not isinstance(content.get("results"), dict):
        raise DataError("This is no results file of lm-eval.", where=str(path), mend=_MEND)
    return content
