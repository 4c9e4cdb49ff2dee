"""What a suite comes to: every model on every task, each with a key over all that it depends on."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from tuneval import files
from tuneval.evaluation.asking.prepare_task import PreparedTask, evaluation_key, prepare_task
from tuneval.evaluation.comparing.comparison import UNTIL_DECIDED
from tuneval.evaluation.comparing.follow import can_follow
from tuneval.evaluation.stability.acting import idle_note, why_idle
from tuneval.evaluation.stability.repeats import repeats_of, source_of
from tuneval.evaluation.suites.suite import Suite, SuiteModel
from tuneval.evaluation.suites.until_decided import note
from tuneval.models.load import model_hash
from tuneval.models.reference import parse_reference
from tuneval.runs.events import Report, Warned


@dataclass(frozen=True, slots=True)
class Planned:
    """One model on one task, and the key over everything its result depends on.

    `until_decided_against` is the label of the model that ends the questions, if any does.
    `is_known`: its weights are, so that answers from elsewhere are those of the same model.
    """

    model: SuiteModel
    task: PreparedTask
    key: str
    until_decided_against: str | None = None
    is_known: bool = True

    @property
    def name(self) -> str:
        """What the evaluation is called: also the way to its folder."""
        return f"{self.model.label}/{self.task.task.title}"


def planned_evaluations(suite: Suite, report: Report) -> list[Planned]:
    """Everything that is to be done, model by model. Faults of any task show here."""
    tasks = list(_prepared(suite))
    planned = []
    for asked in suite.models:
        reference = parse_reference(asked.model)
        text, model, digest = reference.text, asked, None
        if reference.kind != "endpoint":  # its text leaves out how patiently it is asked
            model = asked.model_copy(update={"model": text})
            digest = model_hash(text, adapter=model.adapter, report=report)
        for task in _told_idle(tasks, asked, report, is_endpoint=reference.kind == "endpoint"):
            key = evaluation_key(task, model=text, model_hash=digest, template=model.template)
            planned.append(Planned(model, task, key, is_known=digest is not None))
    return _decided_early(planned) if suite.until_decided else planned


def _told_idle(
    tasks: Sequence[PreparedTask], model: SuiteModel, report: Report, *, is_endpoint: bool
) -> Iterator[PreparedTask]:
    """The tasks, with a note where what their repeats vary cannot change an answer; warns once."""
    warned = set()
    for task in tasks:
        name, source, _ = source_of(task.task.title)
        reason = source and why_idle(source, task.questions, task.config, is_endpoint=is_endpoint)
        if source is None or reason is None:
            yield task
            continue
        if (name, source) not in warned:
            said = f"varying {source} cannot change an answer: {reason}"
            report(Warned(f"{model.label}/{name}", said))
            warned.add((name, source))
        yield replace(task, notes=(*task.notes, idle_note(source, reason)))


def _decided_early(planned: list[Planned]) -> list[Planned]:
    """The same, models after the first asked only until they are told apart from it.

    That takes a main metric that is a mean of grades; other tasks are asked whole.
    """
    first = {one.task.task.title: one for one in planned if one.model == planned[0].model}
    return [
        one
        if one is first[one.task.task.title] or not can_follow(one.task.main)
        else replace(
            one,
            task=replace(
                one.task,
                notes=(*one.task.notes, note(one.task.main, planned[0].model.label)),
            ),
            key=files.sha256_json([one.key, first[one.task.task.title].key, UNTIL_DECIDED]),
            until_decided_against=planned[0].model.label,
        )
        for one in planned
    ]


def _prepared(suite: Suite) -> Iterator[PreparedTask]:
    """Every task with the settings it is asked with; repeats of one number format in a row."""
    if suite.repeats is None:
        yield from (prepare_task(task, suite.settings) for task in suite.tasks)
        return
    repeats = repeats_of(suite.settings, vary=suite.vary, repeats=suite.repeats)
    for repeat in sorted(repeats, key=lambda repeat: repeat.config.precision):
        for task in suite.tasks:
            named = task.model_copy(update={"name": repeat.title(task.title)})
            yield prepare_task(named, repeat.config)
