"""A task from one's own file: evaluate it in a run of its own, and find evaluations again."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from tuneval import files
from tuneval.catalog import did_you_mean
from tuneval.data.fingerprint import data_hash
from tuneval.data.read import read
from tuneval.environment import describe_environment
from tuneval.errors import RunError
from tuneval.evaluation.config import EvaluateConfig
from tuneval.evaluation.evaluate import evaluate
from tuneval.evaluation.record import RESULT_NAME, EvaluationResult
from tuneval.models.load import model_hash
from tuneval.models.reference import parse_reference
from tuneval.runs.events import Report, ignore
from tuneval.runs.find import find_by_key, find_run, runs_root
from tuneval.runs.recorder import Recorder, tee
from tuneval.runs.run import Run

ROOM = "evaluation"


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnFile:
    """A file of examples and the model to evaluate on it. `limit` takes the first examples only."""

    file: str
    model: str
    name: str
    adapter: str | None = None
    template: str = "auto"
    limit: int | None = None


@dataclass(frozen=True, slots=True)
class Evaluated:
    """A finished evaluation and its folder."""

    folder: Path
    result: EvaluationResult


def evaluate_file(
    config: EvaluateConfig,
    task: OwnFile,
    *,
    folder: Path | None = None,
    root: files.Location | None = None,
    command: str | None = None,
    report: Report = ignore,
) -> Evaluated:
    """Evaluate in `folder`, or in a run under `root`; the same work continues in the same run.

    Other weights are other work, whatever they are called: `run:latest` after another training.
    """
    examples = list(islice(read(task.file), task.limit))
    model = parse_reference(task.model).text
    words = {
        "model": model,
        "adapter": task.adapter,
        "examples": examples,
        "name": task.name,
        "template": task.template,
    }
    if folder is not None:
        return Evaluated(folder, evaluate(config, folder=folder, report=report, **words))  # type: ignore[arg-type]
    digest = data_hash(examples)
    weights = model_hash(model, adapter=task.adapter, report=report)
    key = files.sha256_json(
        [config.settings(), digest, weights, task.adapter, task.template, task.name]
    )
    root = runs_root() if root is None else Path(root)
    run = find_by_key(root, key) or Run.create(
        root, task.name, key, command=command, data_hash=digest, model=model
    )
    place = run.path(ROOM, task.name)
    with run.at_work():
        if not run.path("environment.json").exists():
            files.write_json(run.path("environment.json"), describe_environment(seed=config.seed))
        told = tee(Recorder(run), report)
        result = evaluate(config, folder=place, report=told, **words)  # type: ignore[arg-type]
        run.mark_step(task.name, result.key, result.as_dict())
        run.update(template_hash=result.template_hash)
    return Evaluated(place, result)


def find_evaluation(text: str, root: files.Location | None = None) -> Path:
    """The folder that `text` means: a folder, `RUN:NAME`, or a RUN with one evaluation.

    One of several models on several tasks is `RUN:MODEL/TASK`; its task or model alone will do
    where that names one. Raises RunError with the near names.
    """
    if (Path(text) / RESULT_NAME).is_file():
        return Path(text)
    run_text, colon, name = text.rpartition(":")
    if not colon:
        run_text, name = text, ""
    run = find_run(run_text, root)
    finished = evaluations_of(run)
    if not finished:
        raise RunError(
            "This run has no finished evaluation.",
            where=str(run.folder),
            mend="run it again; it continues where it stopped",
        )
    if name in finished:
        return finished[name]
    meant = [other for other in finished if not name or name in other.split("/")]
    if len(meant) == 1:
        return finished[meant[0]]
    if name and not meant:
        said, mend = f"has no evaluation '{name}'", did_you_mean(name, list(finished))
    else:
        said = f"has several evaluations of '{name}'" if name else "has several evaluations"
        mend = "name one: " + ", ".join(f"{run.id}:{other}" for other in sorted(meant))
    raise RunError(f"The run {said}.", where=str(run.folder), mend=mend)


def evaluations_of(run: Run) -> dict[str, Path]:
    """The folders of a run's finished evaluations by name: `NAME`, or `MODEL/TASK`."""
    room = run.path(ROOM)
    found = [path.parent for depth in ("*", "*/*") for path in room.glob(f"{depth}/{RESULT_NAME}")]
    return {folder.relative_to(room).as_posix(): folder for folder in sorted(found)}
