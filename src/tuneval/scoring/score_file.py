"""Score a file in a run of its own; the same command goes on where it stopped."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from tuneval import files
from tuneval.data.draft import Draft
from tuneval.data.fingerprint import data_hash
from tuneval.data.origin import is_plain_path
from tuneval.data.read import drafts, read
from tuneval.environment import describe_environment
from tuneval.errors import DataError
from tuneval.models.load import model_hash
from tuneval.runs.events import Report, ignore
from tuneval.runs.find import find_by_key, list_runs, runs_root
from tuneval.runs.recorder import Recorder, tee
from tuneval.runs.run import Run
from tuneval.scoring.config import ScoreConfig
from tuneval.scoring.measured import NAME
from tuneval.scoring.report import report_scores
from tuneval.scoring.score import STAGE, Meter, ReadFrom, score
from tuneval.scoring.scores import Scores
from tuneval.scoring.tasks import tasks_from_field


@dataclass(frozen=True, slots=True, kw_only=True)
class ToScore:
    """A set and what scores it. `limit` takes the first examples only.

    `name` becomes part of the run's id.
    """

    file: str
    by: Meter
    format: str = "auto"
    limit: int | None = None
    name: str = "score"


def score_file(
    config: ScoreConfig,
    to_score: ToScore,
    *,
    folder: Path | None = None,
    root: files.Location | None = None,
    command: str | None = None,
    report: Report = ignore,
) -> Scores:
    """Score in `folder`, or in a run under `root`, and write the report.

    A run takes what earlier runs of the same model have measured: where a set has changed, only
    what is new is computed. Errors as in `read` and `score`.
    """
    examples = list(islice(read(to_score.file, to_score.format), to_score.limit))
    if not examples:
        raise DataError("There is no example to score.", where=to_score.file)
    tasks, by = _tasks(config, to_score), to_score.by

    def work(place: Path, earlier: Iterable[Path], told: Report) -> Scores:
        scores = score(
            config,
            examples,
            by=by,
            folder=place,
            read_from=ReadFrom(_location(to_score.file), to_score.format),
            tasks=tasks,
            earlier=earlier,
            report=told,
        )
        report_scores(scores, folder=place, report=told)
        return scores

    if folder is not None:
        return work(folder, (), report)
    digest = data_hash(examples)
    about = [
        config.settings(),
        digest,
        by.model,
        by.adapter,
        to_score.file,
        tasks,
    ]
    if by.model is not None:  # weights may change where they lie
        about.append(model_hash(by.model, adapter=by.adapter, report=report))
    key = files.sha256_json(about)
    root = runs_root() if root is None else Path(root)
    run = find_by_key(root, key) or Run.create(
        root, to_score.name, key, command=command, data_hash=digest, model=by.model
    )
    with run.at_work():
        if not run.path("environment.json").exists():
            files.write_json(run.path("environment.json"), describe_environment(seed=config.seed))
        earlier = _earlier(root, run, by.model)
        scores = work(run.folder, earlier, tee(Recorder(run), report))
        run.mark_step(STAGE, key, scores.card)
    return scores


def _tasks(config: ScoreConfig, to_score: ToScore) -> dict[str, str] | None:
    """The task of each record by the field that the config names, which may be any of its keys."""
    if config.task is None:
        return None
    found = drafts(to_score.file, to_score.format).items
    return tasks_from_field((d for d in found if isinstance(d, Draft)), config.task)


def _location(file: str) -> str:
    """The location as it is found again from anywhere."""
    return str(Path(file).absolute()) if is_plain_path(file) else file


def _earlier(root: Path, run: Run, model: str | None) -> Iterator[Path]:
    """What other runs of the model have measured, the newest last."""
    for other in reversed(list_runs(root)):
        path = other.path(NAME)
        if other.folder != run.folder and other.manifest.model == model and path.is_file():
            yield path
