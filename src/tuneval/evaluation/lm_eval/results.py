"""Result and sample files of lm-evaluation-harness, as its `--log_samples` wrote them.

From 0.4.3 on they are `results_TIME.json` and `samples_TASK_TIME.jsonl`, in one folder for each
model; before that `results.json` (or a file of another name) and beside it `MODEL_ARGS_TASK.jsonl`,
which holds one JSON array.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tuneval import files
from tuneval.errors import DataError
from tuneval.evaluation.metrics.lm_eval import NO_FILTER

_TIME = r"(?P<time>\d{4}-\d\d-\d\dT\d\d-\d\d-\d\d(\.\d+)?)"
_RESULTS = re.compile(rf".+_{_TIME}\.json")
_SAMPLES = re.compile(rf"samples_(?P<task>.+)_{_TIME}\.jsonl")
_MEND = (
    "name the folder that lm_eval wrote to with --output_path FOLDER --log_samples, or one in it"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class LmEvalTask:
    """One task as lm-eval asked it of one model: its sample file, and all that it told of it.

    `told` is the whole results file; `time` when it was written, as text that sorts, and empty
    where the file's name does not tell.
    """

    name: str
    samples: Path
    results: Path
    time: str
    told: Mapping[str, Any]

    @property
    def model(self) -> str:
        """The model as lm-eval names it."""
        config = _config(self.told)
        named = self.told.get("model_name") or _pretrained(config) or config.get("model")
        return str(named or self.results.parent.name)

    @property
    def place(self) -> Path:
        """What the answers of one model have in common: their folder, or their results file."""
        return self.results.parent if self.time else self.results

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
    tasks = [*newest.values(), *_of_old_layout(folder)]
    if not tasks:
        said = "results of lm-eval, but not the answers" if told else "no results of lm-eval"
        raise DataError(f"There are {said} here.", where=str(folder), mend=_MEND)
    return tasks


def _of_old_layout(folder: Path) -> Iterator[LmEvalTask]:
    """The tasks in results files without a time that have their samples beside them."""
    for path in sorted(folder.rglob("*.json")):
        if _RESULTS.fullmatch(path.name) or not any(path.parent.glob("*.jsonl")):
            continue
        told = files.read_json(path)
        if not isinstance(told, dict) or not isinstance(told.get("results"), dict):
            continue
        model = re.sub("[/=]", "__", str(_config(told).get("model_args", "")))
        for name in told["results"]:
            samples = path.parent / f"{model}_{name}.jsonl"
            if samples.is_file():
                yield LmEvalTask(name=name, samples=samples, results=path, time="", told=told)


def read_samples(task: LmEvalTask) -> list[dict[str, Any]]:
    """A sample file's rows. Raises DataError where it has none, or one is none of lm-eval's."""
    with files.open_text(task.samples) as file:
        is_array = file.read(1) == "["
    rows = files.read_json(task.samples) if is_array else files.read_jsonl(task.samples)
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
    return _whole(rows, task.figures)


def _whole(rows: Sequence[dict[str, Any]], figures: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The rows with what earlier versions left out: metrics, the filter, the document's hash.

    A document stands there once for each filter, in the order in which the figures name them.
    """
    filters = list(dict.fromkeys(key.partition(",")[2] for key in figures if "," in key))
    seen: Counter[Any] = Counter()
    whole = []
    for row in rows:
        number = seen[row["doc_id"]]
        seen[row["doc_id"]] += 1
        told = {
            "metrics": [key for key in row if key not in _NO_METRICS],
            "filter": filters[number] if number < len(filters) else NO_FILTER,
        }
        if row.get("doc") is not None:
            told["doc_hash"] = _hash_of(row["doc"])
        whole.append({**told, **row})
    return whole


def _hash_of(document: Any) -> str:
    """As lm-eval makes it."""
    text = json.dumps(document, indent=2, ensure_ascii=False)
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


_KEYS: Sequence[str] = ("doc_id", "target", "arguments", "resps", "filtered_resps")
_NO_METRICS = {*_KEYS, "doc", "metrics", "filter", "doc_hash", "prompt_hash", "target_hash"}


def _config(told: Mapping[str, Any]) -> Mapping[str, Any]:
    config = told.get("config")
    return config if isinstance(config, dict) else {}


def _pretrained(config: Mapping[str, Any]) -> str | None:
    """The model among the arguments that lm-eval was called with; a text or a table of them."""
    given = config.get("model_args")
    if isinstance(given, str):
        given = dict(part.split("=", 1) for part in given.split(",") if "=" in part)
    if not isinstance(given, dict):
        return None
    return next((given[key] for key in ("pretrained", "model", "path") if given.get(key)), None)


def _read(path: Path) -> Mapping[str, Any]:
    content = files.read_json(path)
    if not isinstance(content, dict) or not isinstance(content.get("results"), dict):
        raise DataError("This is no results file of lm-eval.", where=str(path), mend=_MEND)
    return content
