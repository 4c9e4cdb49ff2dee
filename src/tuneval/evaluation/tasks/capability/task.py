"""The capability suite as a task."""

from __future__ import annotations

from typing import ClassVar, Literal, get_args

from tuneval.data.example import Message
from tuneval.evaluation.question import Question
from tuneval.evaluation.task import Questions, Task, TaskAbout
from tuneval.evaluation.tasks.capability.items import (
    CapabilityItem,
    CapabilityName,
    Language,
    table,
)

CAPABILITIES: tuple[CapabilityName, ...] = get_args(CapabilityName)

OF_TWO_PARTS = {
    "long_text_understanding": "long_text",
    "long_text_generation": "long_text",
    "sentiment_analysis": "sentiment",
    "sentiment_expression": "sentiment",
}
"""What the coverage of all tasks calls what the suite asks in two parts."""


class CapabilitySuite(Task):
    """Thirteen capabilities in two languages; `capabilities` and `languages` take a part.

    Its overall figure is the mean over capabilities. `only: rules` leaves out what a judge or a
    person must mark.
    """

    about: ClassVar[TaskAbout] = TaskAbout(
        name="capability",
        title="Capability suite",
        summary="Thirteen capabilities in English and Chinese; nearly every answer is marked by a "
        "rule, the others are listed for a judge",
        kind="generation",
        languages=("en", "zh"),
        capabilities=tuple(dict.fromkeys(OF_TWO_PARTS.get(c, c) for c in CAPABILITIES)),
        metrics=("rule_passed", "judge_score"),
        protocols={"chat": "through the model's chat template, with nothing before the question"},
        layout="none: the items come with tuneval",
        source="written for tuneval",
        licence="Apache-2.0",
    )

    kind: Literal["capability"] = "capability"
    capabilities: tuple[CapabilityName, ...] = CAPABILITIES
    languages: tuple[Language, ...] = ("en", "zh")
    only: Literal["all", "rules"] = "all"

    def load(self) -> Questions:
        """As in `Task`."""
        questions = tuple(
            _question(capability, language, item)
            for capability in CAPABILITIES
            if capability in self.capabilities
            for language, item in table(capability).items
            if language in self.languages and not (item.judge and self.only == "rules")
        )
        n_judged = sum("rule" not in question.fields for question in questions)
        return Questions(
            questions=questions,
            protocol="capability/chat/0-shot",
            metrics=self.about.metrics if n_judged else ("rule_passed",),
            strata="capability",
            average="capability",
            notes=(f"{n_judged} answers have no rule: a judge or a person decides",)
            if n_judged
            else (),
        )


def _question(capability: CapabilityName, language: Language, item: CapabilityItem) -> Question:
    items = table(capability)
    before = (Message(turn.role, turn.content) for turn in item.before)
    return Question(
        id=f"{capability}/{language}/{item.id}",
        source=f"{capability}.yaml#{language}/{item.id}",
        way="generate",
        prompt=(*before, Message("user", items.text(item))),
        head=(),
        reference=item.right or None,
        max_new_tokens=items.max_new_tokens,
        group=None if item.about is None else f"{capability}/{item.about}",
        tags={"capability": capability, "language": language},
        fields={} if item.rule is None else {"rule": item.rule.model_dump(exclude_unset=True)},
    )
