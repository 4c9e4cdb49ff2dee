"""A task as it will be put to models: its questions read, drawn and perturbed, and what that is."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from functools import cached_property

from tuneval import __version__, files
from tuneval.errors import UsageError
from tuneval.evaluation.asking.draw import Drawn, draw
from tuneval.evaluation.config import EvaluateConfig
from tuneval.evaluation.metrics import load_metric
from tuneval.evaluation.question import Question
from tuneval.evaluation.robustness.perturb import perturb
from tuneval.evaluation.task import Questions, Task


@dataclass(frozen=True)
class PreparedTask:
    """A task with its questions read and drawn: all that can be known before a model is loaded.

    `perturbed` are the copies that `config.perturbations` asks for, `notes` what a reader of the
    result must know of the questions.
    """

    task: Task
    config: EvaluateConfig
    asked: Questions
    drawn: Drawn
    perturbed: tuple[Question, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def questions(self) -> tuple[Question, ...]:
        """All that are put to the model."""
        return (*self.drawn.questions, *self.perturbed)

    @property
    def main(self) -> str:
        """The metric that stands for the task."""
        return self.metrics[0]

    @property
    def metrics(self) -> tuple[str, ...]:
        """The task's own, then those that were asked for, then what perturbations cost."""
        names = [*self.asked.metrics, *self.config.asked_metrics]
        if self.perturbed:
            names += [f"{kind}:{names[0]}" for kind in ("robustness_drop", "worst_case")]
        return tuple(dict.fromkeys(names))

    @cached_property
    def hash(self) -> str:
        """16 hex digits over everything that is asked, and what would be right."""
        return files.sha256_json([asdict(question) for question in self.questions])[:16]


def prepare_task(task: Task, config: EvaluateConfig) -> PreparedTask:
    """The task's questions, drawn and perturbed as asked.

    `max_new_tokens` of the config, where it was given, takes the place of the task's own. Raises
    DataError for a task that cannot be read, UsageError for a metric or a perturbation that
    there is not, and where a task is not to be answered.
    """
    if not config.generate:
        raise UsageError(
            "A task says itself how it is answered.",
            mend="leave out generate: false, or choose another protocol of the task",
        )
    asked = _with_own_length(task.load(), config)
    for name in asked.metrics:
        load_metric(name)
    drawn = draw(asked, task)
    notes = list(asked.notes)
    if drawn.is_part:
        notes.append(_on_the_part(drawn))
        if task.per == "stratum" and drawn.tag is not None:
            notes.append(
                f"as many were drawn of each {drawn.tag}: means of items, and their differences, "
                "weigh them as the whole task does; figures of the whole set do not"
            )
    made = perturb(drawn.questions, config.perturbations, seed=task.seed)
    return PreparedTask(task, config, asked, drawn, made.questions, (*notes, *made.notes))


def _with_own_length(asked: Questions, config: EvaluateConfig) -> Questions:
    writes = any(question.way == "generate" for question in asked.questions)
    if not writes or "max_new_tokens" not in config.model_fields_set:
        return asked
    longest = config.max_new_tokens
    return replace(
        asked,
        questions=tuple(replace(one, max_new_tokens=longest) for one in asked.questions),
        notes=(*asked.notes, f"answers are at most {longest} tokens long, not as the task has it"),
    )


def _on_the_part(drawn: Drawn) -> str:
    taken, size = sum(drawn.taken.values()), sum(drawn.sizes.values())
    return (
        f"{taken} of {size} questions were drawn: intervals are about {drawn.widening:.1f} times "
        "as wide as with all of them"
    )


def evaluation_key(
    prepared: PreparedTask, *, model: str, model_hash: str | None, template: str
) -> str:
    """Hash of all that a result depends on: the same key means the same evaluation.

    The hash of the questions is over every text put to the model, the model's over its weights,
    adapter, tokenizer and own template; where it cannot be known, the model's name stands for it.
    """
    return files.sha256_json(
        {
            "questions": prepared.hash,
            "protocol": prepared.asked.protocol,
            "task": prepared.task.title,
            "metrics": prepared.metrics,
            "model": model_hash or model,
            "template": template,
            "settings": prepared.config.settings(),
            "version": __version__,
        }
    )
