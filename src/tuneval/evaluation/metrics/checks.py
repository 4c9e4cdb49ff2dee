"""Answers that a rule can judge: the share that keep the rule given with their question.

An item without a rule is for a judge or a person: it is unscored with that reason, and listed.
"""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from typing import TYPE_CHECKING

from tuneval.evaluation.kinds import OfArgument, PerItem
from tuneval.evaluation.kinds.per_item import lacks_answer
from tuneval.evaluation.metric import About, Unscored

if TYPE_CHECKING:
    from tuneval.evaluation.items import Item
    from tuneval.evaluation.rules import Rule

FOR_A_JUDGE = "a judge or a person decides"
OTHER_CAPABILITY = "of another capability"


def rule_passed(item: Item) -> float | Unscored:
    """1.0 when the answer keeps the item's rule."""
    rule = item.fields.get("rule")
    if rule is None:
        return Unscored(FOR_A_JUDGE)
    reason = lacks_answer(item)
    if reason is not None:
        return Unscored(reason)
    return float(_rule(_frozen(rule)).passes(item.predict or ""))


def judge_score(item: Item) -> float | Unscored:
    """The mark that the item was given."""
    score = item.fields.get("judge_score")
    if isinstance(score, int | float) and not isinstance(score, bool):
        return float(score)
    return Unscored(FOR_A_JUDGE)


def rule_passed_of(capability: str) -> PerItem:
    """The share of answers that keep their rule, among the items of one capability."""

    def score(item: Item) -> float | Unscored:
        if item.tags.get("capability") != capability:
            return Unscored(OTHER_CAPABILITY)
        return rule_passed(item)

    about = replace(_ABOUT_CAPABILITY, name=f"{_ABOUT_CAPABILITY.name}:{capability}")
    return PerItem(about=about, score=score, is_binary=True)


def _frozen(rule: object) -> str:
    import json

    return json.dumps(rule, ensure_ascii=False, sort_keys=True)


@cache
def _rule(text: str) -> Rule:
    from tuneval.evaluation.rules import Rule

    return Rule.model_validate_json(text)


_ABOUT = About(
    name="rule_passed",
    family="structured",
    unit="share",
    higher_is_better=True,
    range=(0.0, 1.0),
    needs=("prediction",),
    source="the rule given with each item: a phrase, a number, a letter, a length, a JSON object",
    use="for questions whose right answers a rule can tell, as in the capability suite",
    avoid="as a measure of style or kindness: a rule sees words, not sense",
)
_ABOUT_CAPABILITY = replace(
    _ABOUT,
    name="capability",
    use="to compare two models in one capability of the suite",
    avoid="with the twenty items of one capability alone: the interval is wide",
)
JUDGE_SCORE = PerItem(
    about=About(
        name="judge_score",
        family="structured",
        unit="",
        higher_is_better=True,
        range=(1.0, 10.0),
        needs=("prediction",),
        source="the field `judge_score` of an item: a judge's or a person's mark from 1 to 10; "
        "Zheng et al. (2023)",
        use="for open answers, once somebody has marked them",
        avoid="without knowing the judge: marks of two judges are not on one scale",
    ),
    score=judge_score,
)
RULE_PASSED = PerItem(about=_ABOUT, score=rule_passed, is_binary=True)
CAPABILITY = OfArgument(
    about=_ABOUT_CAPABILITY, argument="capability", make=rule_passed_of, example="reasoning"
)
