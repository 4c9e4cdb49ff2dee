"""The verb for a task: its questions asked of a model, graded, and accounted for; resumable."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import Any

from tuneval import __version__, files
from tuneval.errors import RunError, UsageError
from tuneval.evaluation.account import account_for, clusters_of
from tuneval.evaluation.answering.respondent import Invariance, Ready, Respondent
from tuneval.evaluation.asking.answered import items_from
from tuneval.evaluation.asking.answers import Answers
from tuneval.evaluation.asking.overall import by_stratum, lacking, overall
from tuneval.evaluation.asking.prepare_task import PreparedTask, evaluation_key
from tuneval.evaluation.asking.task_record import TaskRecord
from tuneval.evaluation.asking.trained import train_seconds
from tuneval.evaluation.asking.turns import rounds, staged
from tuneval.evaluation.grade import grade
from tuneval.evaluation.items import Item, write_items
from tuneval.evaluation.question import Question
from tuneval.evaluation.record import RESULT_NAME, EvaluationResult
from tuneval.evaluation.result import MetricResult
from tuneval.evaluation.robustness.families import is_copy
from tuneval.runs.events import Finished, Report, Saved, Started, Step, Warned, ignore

ANSWERS_NAME = "answers.jsonl"
SETTINGS_NAME = "settings.json"
INVARIANCE_NAME = "invariance.json"


def evaluate_task(
    prepared: PreparedTask,
    respondent: Respondent,
    *,
    folder: Path,
    name: str,
    key: str | None = None,
    report: Report = ignore,
) -> EvaluationResult:
    """Put the questions to `respondent` in `folder`; every figure, and how it came about.

    Goes on where a kill stopped it; a finished evaluation of the same work is given back, and one
    that only asks for other metrics grades the answers that are there. `key` is what
    `evaluation_key` gave before the model was loaded. Raises RunError when the folder holds
    other answers, UsageError when the respondent cannot answer so.
    """
    with files.lock(folder / ".lock", timeout_seconds=1.0):
        work = _Work(prepared, respondent, folder, name, report, key)
        return work.finished() or work.carry_out()


@dataclass(frozen=True)
class _Work:
    """One evaluation in its folder."""

    prepared: PreparedTask
    respondent: Respondent
    folder: Path
    name: str
    report: Report
    given_key: str | None

    @cached_property
    def key(self) -> str:
        facts = self.respondent.facts
        return self.given_key or evaluation_key(
            self.prepared, model=facts.model, model_hash=facts.model_hash, template=facts.template
        )

    def finished(self) -> EvaluationResult | None:
        """The result when just this work is done already."""
        if not (self.folder / RESULT_NAME).is_file():
            return None
        result = EvaluationResult.load(self.folder)
        return result if result.key == self.key else None

    def carry_out(self) -> EvaluationResult:
        """Obtain what is missing, grade everything, write everything; the result."""
        self._refuse_other_ways()
        first, *later = rounds(staged(self.prepared.questions))
        ready = self.respondent.prepare(first, self.prepared.config)
        self._claim(ready, later)
        answers = Answers(self.folder / ANSWERS_NAME, self.respondent, self.name, self.report)
        answers.obtain(first, ready)
        for questions in later:
            answers.go_on(questions, self.prepared.config)
        invariance = self._check_invariance(ready, answers)
        items = items_from(
            self.prepared.questions, answers.rows, answers.skipped, of_model=self._of_model()
        )
        items = grade(self.prepared.task.judged(items), self.prepared.metrics)
        result = self._result(items, answers, ready, invariance)
        write_items(self.folder, items)
        self.prepared.task.leave(self.folder, items, model=result.model)
        result.save(self.folder)
        self.report(Saved(f"evaluate {self.name}", str(self.folder)))
        return result

    def _of_model(self) -> dict[str, float]:
        """What is known of the model itself, for every item."""
        facts = self.respondent.facts
        seconds = train_seconds(facts.model, facts.adapter)
        return {} if seconds is None else {"train_seconds": seconds}

    def _refuse_other_ways(self) -> None:
        lacking = {
            question.way for question in self.prepared.questions
        } - self.respondent.facts.ways
        if lacking:
            raise UsageError(
                f"The task {self.prepared.task.title} wants the model to {min(lacking)}, which "
                f"{self.respondent.facts.model} cannot do where it is.",
                mend="choose another protocol of the task, or load the model here",
            )

    def _claim(self, ready: Ready, later: Sequence[Sequence[Question]]) -> None:
        """Take the folder for this work. Raises RunError when it holds other answers."""
        facts, config = self.respondent.facts, self.prepared.config
        wanted: dict[str, Any] = {
            "model": facts.model_hash or facts.model,
            "template_hash": facts.template_hash,
            "precision": facts.precision,
            "engine": config.engine,
            "prompt_hash": ready.prompt_hash,
        }
        if later:
            wanted["later_questions"] = files.sha256_json(
                [[q.id, q.after, str(q.prompt)] for questions in later for q in questions]
            )
        temperatures = sorted(
            {
                config.temperature if q.temperature is None else q.temperature
                for q in self.prepared.questions
            }
        )
        if temperatures[-1] > 0:
            wanted |= {"temperatures": temperatures, "top_p": config.top_p, "seed": config.seed}
        path = self.folder / SETTINGS_NAME
        there = files.read_json(path) if path.exists() else wanted
        differing = [name for name in {**wanted, **there} if there.get(name) != wanted.get(name)]
        if differing:
            raise RunError(
                f"This folder holds other answers: their {differing[0].replace('_', ' ')} is "
                f"{there.get(differing[0])!r}, not {wanted.get(differing[0])!r}.",
                where=str(self.folder),
                mend="choose another name or folder, or remove this one",
            )
        files.write_json(path, wanted)

    def _check_invariance(self, ready: Ready, answers: Answers) -> Invariance | None:
        """Whether answers depend on what else is in the batch; asked once for a folder."""
        path = self.folder / INVARIANCE_NAME
        if path.exists():
            found = files.read_json(path)
            return None if found is None else Invariance(**found)
        checked = self.respondent.check_invariance(ready, answers.rows)
        files.write_json(path, None if checked is None else asdict(checked))
        if checked is not None and checked.n_changed:
            said = f"{checked.n_changed} of {checked.n_items} answers change with the batch"
            self.report(Warned(f"evaluate {self.name}", said))
        return checked

    def _result(
        self, items: Sequence[Item], answers: Answers, ready: Ready, invariance: Invariance | None
    ) -> EvaluationResult:
        facts, prepared = self.respondent.facts, self.prepared
        record = self._record(items, ready, invariance)
        missing = lacking(record.overall, record.main, prepared.asked, prepared.drawn)
        return EvaluationResult(
            name=self.name,
            model=facts.model,
            model_hash=facts.model_hash,
            adapter=facts.adapter,
            template=facts.template,
            template_hash=facts.template_hash,
            data_hash=prepared.hash,
            n_items=len(prepared.drawn.questions),
            metrics=self._metrics(items),
            counts=_counts(items) | {"shots_dropped": ready.shots_dropped},
            skipped=_skipped(items),
            seconds={"answers": answers.seconds},
            config=prepared.config.settings(),
            key=self.key,
            created=datetime.now(UTC).isoformat(timespec="seconds"),
            version=__version__,
            notes=(*prepared.notes, *missing),
            task=record,
        )

    def _metrics(self, items: Sequence[Item]) -> dict[str, MetricResult]:
        stage = f"{self.name}: statistics"
        names = self.prepared.metrics
        self.report(Started(stage, len(names), "metrics"))
        found = {}
        for number, metric in enumerate(names, start=1):
            found[metric] = account_for(items, metric, seed=self.prepared.config.seed)
            self.report(Step(stage, number, len(names)))
        self.report(Finished(stage))
        return found

    def _record(
        self, items: Sequence[Item], ready: Ready, invariance: Invariance | None
    ) -> TaskRecord:
        prepared, facts = self.prepared, self.respondent.facts
        drawn, seed = prepared.drawn, prepared.config.seed
        figures = [
            figure for m in prepared.metrics for figure in overall(items, m, prepared.asked, drawn)
        ]
        tag = drawn.tag
        strata = (
            {}
            if tag is None
            else {m: by_stratum(items, m, tag, seed=seed) for m in prepared.metrics}
        )
        return TaskRecord(
            kind=prepared.task.kind,
            title=prepared.task.title,
            protocol=prepared.asked.protocol,
            options=prepared.task.settings(),
            main=prepared.main,
            questions_hash=prepared.hash,
            prompt_hash=ready.prompt_hash,
            tokenizer_hash=facts.tokenizer_hash,
            precision=facts.precision,
            shots_dropped=ready.shots_dropped,
            strata=tag,
            sizes=drawn.sizes,
            taken=drawn.taken,
            perturbations=prepared.config.perturbations,
            invariance=invariance,
            overall=tuple(figures),
            by_stratum={metric: found for metric, found in strata.items() if found},
        )


def _counts(items: Sequence[Item]) -> dict[str, int]:
    originals = [item for item in items if not is_copy(item)]
    clusters = clusters_of(originals) or [None] * len(originals)
    groups = {group for group in clusters if group is not None}
    return {
        "items": len(originals),
        "perturbed": len(items) - len(originals),
        "independent_groups": len(groups) + sum(group is None for group in clusters),
        "chosen": sum(item.chosen is not None for item in items),
        "generated": sum(item.predict is not None for item in items),
        "read": sum(item.read is not None for item in items),
        "cut_by_length": sum(item.finish_reason == "length" for item in items),
    }


def _skipped(items: Sequence[Item]) -> dict[str, dict[str, int]]:
    found: dict[str, Counter[str]] = {}
    for item in items:
        for way, reason in item.skipped.items():
            found.setdefault(way, Counter())[reason] += 1
    return {way: dict(reasons) for way, reasons in found.items()}
