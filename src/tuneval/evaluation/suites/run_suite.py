"""Carry out a suite: every model loaded once, every task asked of it, one run, one report."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import Any

from tuneval import files
from tuneval.environment import describe_environment
from tuneval.errors import TunevalError, UsageError
from tuneval.evaluation.answering.opening import open_respondent
from tuneval.evaluation.answering.respondent import Respondent
from tuneval.evaluation.asking.evaluate_task import evaluate_task
from tuneval.evaluation.comparing.comparison import Evaluation
from tuneval.evaluation.items import read_items
from tuneval.evaluation.record import EvaluationResult
from tuneval.evaluation.report import ReportFacts, write_report
from tuneval.evaluation.report.tasks.facts import TasksFacts
from tuneval.evaluation.stability.found import RepeatedRuns, repeats_among
from tuneval.evaluation.stability.repeats import source_of
from tuneval.evaluation.stability.stability import Stability, stability
from tuneval.evaluation.suites.against_first import Comparisons, against_first
from tuneval.evaluation.suites.matrix import Matrix, scenario_matrix
from tuneval.evaluation.suites.planned import Planned, planned_evaluations
from tuneval.evaluation.suites.reuse import find_same, finished, take_over
from tuneval.evaluation.suites.suite import Suite
from tuneval.evaluation.suites.until_decided import UntilDecided
from tuneval.runs.events import Failed, Report, ignore
from tuneval.runs.find import find_by_key, runs_root
from tuneval.runs.recorder import Recorder, tee
from tuneval.runs.run import Run

ROOM = "evaluation"
Open = Callable[..., Respondent]


@dataclass(frozen=True, slots=True)
class SuiteOutcome:
    """A carried-out suite: its folder, results by model and task, each model against the first.

    `matrix` says which aspects were measured. Repeats of an evaluation are neither in it nor
    compared: how far they differ is what `stability` tells, None where nothing was repeated.
    """

    folder: Path
    results: Mapping[str, Mapping[str, EvaluationResult]]
    comparisons: Comparisons
    matrix: Matrix
    stability: Stability | None = None

    @property
    def facts(self) -> TasksFacts:
        """The same for a report."""
        return TasksFacts(results=self.results, comparisons=self.comparisons, matrix=self.matrix)

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        return {
            "folder": str(self.folder),
            "evaluations": {
                label: {title: result.as_dict() for title, result in tasks.items()}
                for label, tasks in self.results.items()
            },
            "comparisons": {
                title: {label: pair.as_dict() for label, pair in pairs.items()}
                for title, pairs in self.comparisons.items()
            },
            "matrix": self.matrix.as_dict(),
            "stability": None if self.stability is None else self.stability.as_dict(),
        }


def run_suite(
    suite: Suite,
    *,
    folder: Path | None = None,
    root: files.Location | None = None,
    command: str | None = None,
    reuse: bool = True,
    open_model: Open = open_respondent,
    report: Report = ignore,
) -> SuiteOutcome:
    """Evaluate in `folder`, or in a run under `root`; the same suite goes on in the same run.

    Every task is read before a model is loaded, and a model that has nothing left to answer is
    not loaded. With `reuse`, an evaluation of just this work in another run is copied. A failure
    keeps all that is finished.
    """
    place = runs_root() if root is None else Path(root)
    cache = place if reuse else None
    planned = planned_evaluations(suite, report)
    if folder is not None:
        done = _Work(planned, folder / ROOM, cache, open_model, report).carry_out()
        outcome = _outcome(folder, done)
        _write_report(outcome, suite, name=folder.name, command=command)
        return outcome
    key = files.sha256_json([suite.name, [[one.name, one.key] for one in planned]])
    run = find_by_key(place, key) or Run.create(
        place, suite.name, key, command=command, model=planned[0].model.model
    )
    with run.at_work():
        _describe(run, suite)
        told = tee(Recorder(run), report)
        done = _Work(planned, run.path(ROOM), cache, open_model, told).carry_out()
        try:
            outcome = _outcome(run.folder, _marked(run, done))
        except TunevalError as error:
            told(Failed(suite.name, error.what, error.where, error.mend))
            raise
        _write_report(outcome, suite, name=run.id, command=run.manifest.command)
    return outcome


def _outcome(folder: Path, done: Iterable[tuple[Planned, EvaluationResult]]) -> SuiteOutcome:
    """The results by model and task, each model against the first, and the matrix of aspects."""
    results: dict[str, dict[str, EvaluationResult]] = {}
    for planned, result in done:
        results.setdefault(planned.model.label, {})[planned.task.task.title] = result
    everything = {
        label: {
            title: Evaluation(result, read_items(folder / ROOM / label / title))
            for title, result in tasks.items()
        }
        for label, tasks in results.items()
    }
    once = {
        label: {title: one for title, one in tasks.items() if source_of(title)[1] is None}
        for label, tasks in everything.items()
    }
    return SuiteOutcome(
        folder,
        results,
        against_first(once),
        scenario_matrix(once),
        _stability(repeats_among(everything)),
    )


def _stability(repeated: list[RepeatedRuns]) -> Stability | None:
    """None where nothing was repeated, or no metric could be measured in every run."""
    try:
        return stability(repeated) if repeated else None
    except UsageError:
        return None


def _write_report(outcome: SuiteOutcome, suite: Suite, *, name: str, command: str | None) -> None:
    """`report.md` and `report.html` beside the evaluations."""
    environment = outcome.folder / "environment.json"
    created = max(r.created for tasks in outcome.results.values() for r in tasks.values())
    write_report(
        outcome.folder,
        ReportFacts(
            title=suite.name,
            run_id=name,
            created=created,
            model=", ".join(model.model for model in suite.models),
            evaluations={},
            command=command,
            environment=files.read_json(environment) if environment.exists() else {},
            tasks=outcome.facts,
            stability=outcome.stability,
        ),
    )


def _marked(
    run: Run, done: Iterable[tuple[Planned, EvaluationResult]]
) -> Iterator[tuple[Planned, EvaluationResult]]:
    """The same, each marked as a finished step of the run, with its main figure."""
    for planned, result in done:
        main = result.metrics[planned.task.main]
        estimate = None if main.estimate is None else main.estimate.as_dict()
        summary = {"n_items": result.n_items, planned.task.main: estimate}
        run.mark_step(planned.name.replace("/", "--"), planned.key, summary)
        yield planned, result


def _describe(run: Run, suite: Suite) -> None:
    """What was asked and what it runs on, unless an earlier start has written it."""
    if run.path("environment.json").exists():
        return
    files.write_json(run.path("suite.json"), suite.model_dump(mode="json"))
    environment = describe_environment(seed=suite.settings.seed)
    files.write_json(run.path("environment.json"), environment)


def _loaded_as(planned: Planned) -> tuple[object, ...]:
    """What makes one loaded model another; elsewhere, the size of its passes too."""
    config = planned.task.config
    is_here = config.engine == "torch" and config.workers == "none"
    size = None if is_here else (config.token_budget, config.batch_size)
    return planned.model.label, config.precision, size


@dataclass(frozen=True, slots=True)
class _Work:
    """The evaluations of a suite in one folder. `cache` is the folder of runs to reuse from."""

    planned: list[Planned]
    folder: Path
    cache: Path | None
    open_model: Open
    report: Report

    def carry_out(self) -> Iterator[tuple[Planned, EvaluationResult]]:
        """Every evaluation with its result, model by model."""
        for _, of_model in groupby(self.planned, key=_loaded_as):
            with ExitStack() as stack:
                respondent: Respondent | None = None
                for planned in of_model:
                    result = self._done_before(planned)
                    if result is None:
                        respondent = respondent or stack.enter_context(self._opened(planned))
                        result = self._evaluate(planned, respondent)
                    yield planned, result

    def _done_before(self, planned: Planned) -> EvaluationResult | None:
        """The result where the evaluation is done: here, or in a run that it is copied from."""
        place = self.folder / planned.name
        if self.cache is not None and planned.is_known and not place.exists():
            same = find_same(self.cache, planned.key)
            if same is not None:
                take_over(*same, place, name=planned.name)
        return finished(place, planned.key)

    def _opened(self, planned: Planned) -> Respondent:
        model, config = planned.model, planned.task.config
        return self.open_model(
            model.model, config, adapter=model.adapter, template=model.template, report=self.report
        )

    def _evaluate(self, planned: Planned, respondent: Respondent) -> EvaluationResult:
        against = planned.until_decided_against
        if against is not None:
            earlier = Evaluation.load(self.folder / against / planned.task.task.title)
            respondent = UntilDecided(respondent, earlier, planned.task.main)
        return evaluate_task(
            planned.task,
            respondent,
            folder=self.folder / planned.name,
            name=planned.name,
            key=planned.key,
            report=self.report,
        )
