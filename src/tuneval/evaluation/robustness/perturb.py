"""The verb: perturbed copies of a task's questions, the same ones whenever they are made."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from random import Random

from tuneval.evaluation.question import Prompt, Question
from tuneval.evaluation.robustness.families import ORIGINAL, PERTURBATION
from tuneval.evaluation.robustness.perturbation import Change
from tuneval.evaluation.robustness.perturbations import load_change
from tuneval.evaluation.robustness.protect import asked


@dataclass(frozen=True, slots=True)
class Perturbed:
    """Copies of questions, without the originals; `unchanged` counts by perturbation the others.

    A question stays unchanged where there is nothing in it that the perturbation may change
    (typos need Latin letters), or where the likelihood of the text itself is what is measured.
    """

    questions: tuple[Question, ...]
    unchanged: Mapping[str, int]

    @property
    def notes(self) -> tuple[str, ...]:
        """What a reader of the result must know, a line for each perturbation."""
        n_copies = dict.fromkeys(self.unchanged, 0)
        for question in self.questions:
            n_copies[question.fields[PERTURBATION]] += 1
        return tuple(
            f"{name}: {n_copies[name]} questions changed, {unchanged} left as they were"
            for name, unchanged in self.unchanged.items()
        )


def perturb(questions: Sequence[Question], names: Sequence[str], *, seed: int) -> Perturbed:
    """A copy of each question under each of the perturbations that changes it.

    A copy has the id `<id>~<name>`, and says in its fields which perturbation it has and of
    which question it is. Only what is asked changes, neither head nor demonstrations. Each copy
    is drawn by seed, name and id alone: leaving out a question changes no other. Raises
    UsageError for a perturbation that there is not.
    """
    copies: list[Question] = []
    unchanged = {}
    for name in dict.fromkeys(names):
        made = _copies(questions, name, load_change(name), seed)
        unchanged[name] = len(questions) - len(made)
        copies += made
    return Perturbed(tuple(copies), unchanged)


def _copies(questions: Sequence[Question], name: str, change: Change, seed: int) -> list[Question]:
    made: dict[str, Question] = {}
    for question in questions:
        if question.way == "read":
            continue
        prompt = _changed(question, change, Random(f"{seed}/{name}/{question.id}"))
        before = made.get(question.after or "")
        if prompt == question.prompt and before is None:
            continue
        made[question.id] = replace(
            question,
            id=f"{question.id}~{name}",
            prompt=prompt,
            after=question.after if before is None else before.id,
            fields={**question.fields, PERTURBATION: name, ORIGINAL: question.id},
        )
    return list(made.values())


def _changed(question: Question, change: Change, random: Random) -> Prompt:
    """The prompt with its text changed; of a conversation, the last user turn."""
    if isinstance(question.prompt, str):
        return _changed_text(question.prompt, question, change, random, is_turn=False)
    places = [n for n, message in enumerate(question.prompt) if message.role == "user"]
    if not places:
        return question.prompt
    turn = question.prompt[places[-1]]
    content = _changed_text(turn.content, question, change, random, is_turn=True)
    changed = turn if content == turn.content else replace(turn, content=content, input=None)
    return (*question.prompt[: places[-1]], changed, *question.prompt[places[-1] + 1 :])


def _changed_text(
    text: str, question: Question, change: Change, random: Random, *, is_turn: bool
) -> str:
    passage, after = asked(text, question, is_turn=is_turn)
    return change(passage, random).text + after
