"""A task, group or tag of lm-evaluation-harness, asked and accounted for like every other."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, ClassVar, Literal

from pydantic import Field

from tuneval.errors import UsageError
from tuneval.evaluation.items import Item
from tuneval.evaluation.task import Questions, Task, TaskAbout

if TYPE_CHECKING:
    from tuneval.evaluation.lm_eval.posed import PosedTask


class LmEval(Task):
    """`path` is lm-eval's name of a task, group or tag; `include` a folder with more, as its YAML.

    Needs the extra `lm-eval`. Without `shots` every task has its own number of demonstrations,
    and one that fixes it at 0 keeps that. Prompts, choices, stop texts, filters and grades are
    lm-eval's; how the model is asked is ours: what is too long is asked without demonstrations, or
    left out, and told; it is not cut.
    """

    about: ClassVar[TaskAbout] = TaskAbout(
        name="lm_eval",
        title="Tasks of lm-evaluation-harness",
        summary="Any of its tasks that asks for likeliest choices, written answers or the "
        "likelihood of texts",
        kind="generation",
        languages=("any",),
        capabilities=(),
        metrics=("choice_accuracy", "lm_eval:acc"),
        protocols={
            "lm-eval": "the prompt as lm-eval writes it, and its own code's grades; what it wants "
            "beside these ways of asking is refused, with the command that can"
        },
        layout="none: lm-eval loads its data itself, from the hub or as the task's YAML says",
        source="EleutherAI/lm-evaluation-harness",
        licence="MIT; each task's data have their own",
    )

    kind: Literal["lm_eval"] = "lm_eval"
    path: Annotated[str, Field(min_length=1)]
    protocol: Literal["lm-eval"] = "lm-eval"
    include: str | None = None
    shots: Annotated[int, Field(ge=0)] | None = None

    @property
    def title(self) -> str:
        """As in `Task`."""
        return self.name or self.path

    def load(self) -> Questions:
        """As in `Task`."""
        from tuneval.evaluation.lm_eval.loading import asking
        from tuneval.evaluation.lm_eval.posed import MEND

        with asking([self.path]):
            posed = self._posed()
            questions = tuple(question for one in posed for question in one.questions())
            metrics = [metric for one in posed for metric in one.metrics().values()]
            if not metrics:
                raise UsageError(
                    f"{self.path} has no metric that is a mean over answers.", mend=MEND
                )
            notes = [
                f"{one.name}: {metric} is a figure of lm-eval's over the whole set, and left out"
                for one in posed
                for metric in one.left_out()
            ]
            return Questions(
                questions=questions,
                protocol="lm_eval/" + "+".join(one.protocol for one in posed),
                metrics=tuple(dict.fromkeys([*_ours(posed), *metrics])),
                strata="task" if len(posed) > 1 else None,
                notes=tuple(notes),
            )

    def judged(self, items: Sequence[Item]) -> list[Item]:
        """As in `Task`: with the grades of lm-eval's own code."""
        from tuneval.evaluation.lm_eval.loading import asking

        with asking([self.path]):
            judged = {
                item.id: item
                for one in self._posed()
                for item in one.judged(item for item in items if item.tags["task"] == one.name)
            }
        return [judged[item.id] for item in items]

    def _posed(self) -> list[PosedTask]:
        return _loaded(self.path, self.include, self.shots, self.seed)


@lru_cache(maxsize=8)
def _loaded(name: str, include: str | None, shots: int | None, seed: int) -> list[PosedTask]:
    """Loaded once: for the questions, and for the grades of every model."""
    from tuneval.evaluation.lm_eval.loading import load_tasks
    from tuneval.evaluation.lm_eval.posed import PosedTask

    folder = None if include is None else Path(include)
    tasks = load_tasks(name, include=folder, shots=shots, seed=seed)
    is_one = len(tasks) == 1
    return [PosedTask(title, t, "" if is_one else f"{title}/") for title, t in tasks.items()]


def _ours(posed: Sequence[PosedTask]) -> list[str]:
    """Our metrics of choices, where all tasks have choices."""
    from tuneval.evaluation.lm_eval.posed import OURS

    graded = {grade for one in posed for grade in one.metrics()}
    is_choice = all(one.task.OUTPUT_TYPE == "multiple_choice" for one in posed)
    return [ours for theirs, ours in OURS.items() if is_choice and theirs in graded]
