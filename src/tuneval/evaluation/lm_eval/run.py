"""lm-evaluation-harness's own tasks, asked of a model of ours, and its results as ours."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field

from tuneval import files
from tuneval.errors import RunError
from tuneval.evaluation.lm_eval.bring import Imported, import_results
from tuneval.evaluation.lm_eval.loading import asking, task_manager
from tuneval.models.load import model_hash
from tuneval.models.precision import Precision
from tuneval.models.reference import parse_reference
from tuneval.runs.events import Report, ignore

THEIRS = "lm-eval"
"""The folder of lm-eval's own files."""
ASKED_NAME, FINISHED_NAME = "asked.json", "finished.json"


class LmEvalConfig(BaseModel):
    """What lm-eval is to ask. `tasks` are names of its tasks, groups or tags.

    `include` is a folder with more tasks as YAML. Without `shots` every task has its own number
    of demonstrations. `chat` asks through the model's own chat template.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    tasks: Annotated[tuple[str, ...], Field(min_length=1)]
    model: str
    adapter: str | None = None
    limit: Annotated[int, Field(ge=1)] | None = None
    shots: Annotated[int, Field(ge=0)] | None = None
    chat: bool = False
    include: Path | None = None
    precision: Precision = "float32"
    token_budget: Annotated[int, Field(ge=1)] = 4096
    seed: int = 17


def run_lm_eval(config: LmEvalConfig, *, folder: Path, report: Report = ignore) -> list[Imported]:
    """Ask the tasks; lm-eval's files in `folder/lm-eval`, evaluations of ours in `folder/MODEL`.

    A killed run goes on from what was answered; one that was finished is given back. Raises
    UsageError for a task that lm-eval has not, RunError where the folder holds other work,
    DataError where a task's data cannot be had, MissingPackageError without lm-eval.
    """
    theirs = folder / THEIRS
    with files.lock(folder / ".lock", timeout_seconds=1.0):
        _claim(config, folder, report)
        if not (theirs / FINISHED_NAME).exists():
            _ask(config, theirs, report)
            files.write_json(theirs / FINISHED_NAME, {"tasks": list(config.tasks)})
        return import_results(theirs, to=folder, report=report)


def _claim(config: LmEvalConfig, folder: Path, report: Report) -> None:
    """Take the folder for this work. Raises RunError when it holds other answers."""
    model = parse_reference(config.model).text
    wanted = config.model_dump(mode="json", exclude={"token_budget"}) | {
        "model": model,
        "model_hash": model_hash(config.model, adapter=config.adapter, report=report),
    }
    path = folder / ASKED_NAME
    there = files.read_json(path) if path.exists() else wanted
    differing = [name for name in wanted if there.get(name) != wanted[name]]
    if differing:
        name = differing[0]
        raise RunError(
            f"This folder holds other answers: their {name.replace('_', ' ')} is "
            f"{there.get(name)!r}, not {wanted[name]!r}.",
            where=str(folder),
            mend="choose another folder, or remove this one",
        )
    files.write_json(path, wanted)


def _ask(config: LmEvalConfig, theirs: Path, report: Report) -> None:
    """Have lm-eval ask, and write its files."""
    with asking(config.tasks) as lm_eval:
        from lm_eval.loggers import EvaluationTracker

        from tuneval.evaluation.lm_eval.model import TunevalLm

        manager = task_manager(config.tasks, config.include)
        arguments: dict[str, Any] = {
            "model": config.model,
            "adapter": config.adapter,
            "precision": config.precision,
            "token_budget": config.token_budget,
            "seed": config.seed,
        }
        theirs.mkdir(parents=True, exist_ok=True)
        tracker = EvaluationTracker(output_path=str(theirs))
        told = lm_eval.simple_evaluate(
            model=TunevalLm(**arguments, report=report),
            model_args=arguments,
            tasks=list(config.tasks),
            num_fewshot=config.shots,
            limit=config.limit,
            use_cache=str(theirs / "answers"),
            bootstrap_iters=0,
            evaluation_tracker=tracker,
            apply_chat_template=config.chat,
            task_manager=manager,
            random_seed=config.seed,
            fewshot_random_seed=config.seed,
        )
        _write(tracker, told)


def _write(tracker: Any, told: Mapping[str, Any]) -> None:
    """lm-eval's files. Raises RunError where it did not write them: it keeps silent of that."""
    content = dict(told)
    samples = content.pop("samples")
    tracker.save_results_aggregated(results=content, samples=samples)
    for task, rows in samples.items():
        tracker.save_results_samples(task_name=task, samples=rows)
    written = list(Path(tracker.output_path).glob("*/samples_*.jsonl"))
    if len(written) < len(samples):
        raise RunError(
            f"lm-eval wrote the answers to {len(written)} of {len(samples)} tasks only.",
            where=str(tracker.output_path),
            mend="look whether the disk is full, and run the same command again",
        )
