"""A condition on evaluations that decides whether a change may pass: `accuracy < base - 1pt @95%`.

    METRIC  < <= > >=  EVALUATION or NUMBER  [+ or - NUMBER[pt]]  [@LEVEL%]

`1pt` is a hundredth of a share, and a point of a score from 0 to 100; `60%` is a share. With
`@95%` the condition holds only where the whole 95% interval lies on its side: of the paired
difference to the evaluation, or of the figure itself where it is compared with a number; so too
with `@90%` or `@99%`. Without, the values alone decide. Figures are averaged as their task does it.
"""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

from tuneval.catalog import did_you_mean
from tuneval.errors import UsageError
from tuneval.evaluation.comparing.averaging import figure_over
from tuneval.evaluation.comparing.compare import LEVEL, SEED, compare, counted_in_all
from tuneval.evaluation.comparing.comparison import Evaluation
from tuneval.evaluation.metrics import load_metric
from tuneval.evaluation.report.numbers import change_text, value_text
from tuneval.statistics.estimate import Estimate

Fails = Literal["if", "unless"]
FIRST = "base"
"""Stands for the first evaluation where none has that name."""

_CONDITION = re.compile(
    r"""\s*(?P<metric>\S+?)\s*(?P<operator><=|>=|<|>)
        \s*(?P<reference>[^\s@]+)
        (?:\s*(?P<sign>[+-])\s*(?P<margin>\d+(?:\.\d+)?|\.\d+)\s*(?P<unit>pts?|points?|%)?)?
        (?:\s*@\s*(?P<level>\d+(?:\.\d+)?)\s*%)?\s*""",
    re.VERBOSE,
)
_NUMBER = re.compile(r"[+-]?(?:\d+(?:\.\d+)?|\.\d+)(?P<percent>%?)")
_EXAMPLE = 'write it like "accuracy < base - 1pt @95%" or "accuracy < 60%"'


@dataclass(frozen=True, slots=True)
class Condition:
    """What must hold: the metric's figure beside `reference` (a name or a number) plus `margin`.

    `margin` is signed and in points where `in_points`, else in the metric's own unit. `number` is
    the reference where it is one, a share where `is_share`. `level` None: the values alone decide.
    """

    text: str
    metric: str
    operator: Literal["<", "<=", ">", ">="]
    reference: str
    number: float | None
    is_share: bool
    margin: float
    in_points: bool
    level: float | None


@dataclass(frozen=True, slots=True)
class GateResult:
    """Whether a condition failed the comparison, and why, evaluation by evaluation."""

    condition: str
    fails: Fails
    failed: bool
    reasons: tuple[str, ...]

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        return asdict(self)


def parse_condition(text: str) -> Condition:
    """The condition that a person wrote. Raises UsageError with an example."""
    found = _CONDITION.fullmatch(text)
    if found is None:
        raise UsageError(f"'{text}' is no condition.", mend=_EXAMPLE)
    if found["unit"] == "%":
        raise UsageError(
            f"In '{text}' the margin could be a share of the figure or points of it.",
            mend="write 1pt for a percentage point",
        )
    number = _NUMBER.fullmatch(found["reference"])
    level = None if found["level"] is None else float(found["level"]) / 100
    if level is not None and not 0.5 <= level < 1:
        raise UsageError(
            f"An interval at {found['level']}% proves nothing, or cannot be.",
            where=text,
            mend="write @90%, @95% or @99%, or leave it out to let the values alone decide",
        )
    percent = number is not None and bool(number["percent"])
    value = None if number is None else float(found["reference"].rstrip("%"))
    return Condition(
        text=text.strip(),
        metric=found["metric"],
        operator=found["operator"],  # type: ignore[arg-type]  # the pattern allows no other
        reference=found["reference"],
        number=value / 100 if value is not None and percent else value,
        is_share=percent,
        margin=float(found["margin"] or 0) * (-1 if found["sign"] == "-" else 1),
        in_points=found["unit"] is not None,
        level=level,
    )


def judge(
    condition: Condition, evaluations: Mapping[str, Evaluation], *, fails: Fails, seed: int = SEED
) -> GateResult:
    """Whether the condition fails the evaluations, which stand by name in their order.

    It is asked of every evaluation but the one that it names; where it names a number, of every
    one but the first, or of the only one. `if`: it holds for one of them. `unless`: it does not
    hold for all of them. Raises UsageError for a name, a metric or a unit that does not fit.
    """
    unit = _unit(condition, evaluations)
    names = list(evaluations)
    reference = None if condition.number is not None else _reference(condition, names)
    asked = [name for name in names if name != (reference or names[0])] or names
    findings = []
    for name in asked:
        if reference is None:
            figure = _figure(condition, evaluations[name], seed)
            bound = _number(condition, unit) + _margin(condition, unit)
        else:
            figure = _difference(condition, evaluations[reference], evaluations[name], seed)
            bound = _margin(condition, unit)
        findings.append(_decide(condition, name, figure, bound, beside=reference, unit=unit))
    holds = [each for each, _ in findings]
    failed = any(holds) if fails == "if" else not all(holds)
    return GateResult(condition.text, fails, failed, tuple(reason for _, reason in findings))


def _decide(
    condition: Condition,
    name: str,
    figure: Estimate,
    bound: float,
    *,
    beside: str | None,
    unit: str,
) -> tuple[bool, str]:
    """Whether the condition holds for one evaluation, and why in a sentence."""
    low, high, level = figure.low, figure.high, condition.level
    if level is None:
        low = high = figure.value
    farthest = high if condition.operator in ("<", "<=") else low
    holds = farthest is not None and _COMPARE[condition.operator](farthest, bound)
    text = change_text if beside is not None else value_text
    seen = text(figure.value, unit)
    if level is not None and low is not None and high is not None:
        seen += f", {level * 100:g}% interval {text(low, unit)} to {text(high, unit)}"
    elif level is not None:
        seen += ", without an interval"
    what = condition.metric if beside is None else f"{condition.metric} less that of {beside}"
    limit = f"{condition.operator} {text(bound, unit)}"
    return holds, f"{name}: {what} is {seen}: {'' if holds else 'not '}{limit}"


_COMPARE: Mapping[str, Callable[[float, float], bool]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}


def _reference(condition: Condition, names: Sequence[str]) -> str:
    if condition.reference in names:
        return condition.reference
    if condition.reference == FIRST:
        return names[0]
    raise UsageError(
        f"There is no evaluation '{condition.reference}'.",
        where=condition.text,
        mend=did_you_mean(condition.reference, list(names)),
    )


def _unit(condition: Condition, evaluations: Mapping[str, Evaluation]) -> str:
    """The metric's unit. Raises UsageError where an evaluation lacks the metric."""
    for name, evaluation in evaluations.items():
        if condition.metric not in evaluation.result.metrics:
            raise UsageError(
                f"'{name}' has no metric '{condition.metric}'.",
                where=condition.text,
                mend=did_you_mean(condition.metric, list(evaluation.result.metrics)),
            )
    return next(iter(evaluations.values())).result.metrics[condition.metric].unit


def _number(condition: Condition, unit: str) -> float:
    """The number that the figure is compared with, in the metric's own unit."""
    number = condition.number or 0.0
    if number and condition.is_share != (unit == "share"):
        raise UsageError(
            f"{condition.metric} is {'' if unit == 'share' else 'not '}a share.",
            where=condition.text,
            mend="write a share in per cent: 60%"
            if unit == "share"
            else f"write a plain number: {condition.reference.rstrip('%')}",
        )
    return number


def _margin(condition: Condition, unit: str) -> float:
    if not condition.margin:
        return 0.0
    if condition.in_points and unit == "":
        raise UsageError(
            f"{condition.metric} has no points.",
            where=condition.text,
            mend="give the margin as a plain number",
        )
    if not condition.in_points and unit == "share" and abs(condition.margin) >= 1:
        raise UsageError(
            f"A margin of {abs(condition.margin):g} is more than a share can differ by.",
            where=condition.text,
            mend=f"write {abs(condition.margin):g}pt for percentage points",
        )
    return condition.margin / 100 if condition.in_points and unit == "share" else condition.margin


def _figure(condition: Condition, evaluation: Evaluation, seed: int) -> Estimate:
    found = evaluation.result.figure(condition.metric)
    level = condition.level
    if found is not None and level is not None and level != found.level:
        measure = load_metric(condition.metric)
        (items,) = counted_in_all(measure, [evaluation.items])
        found = figure_over(measure, [evaluation], items, seed=seed, level=level)
    if found is None:
        raise UsageError(
            f"'{evaluation.result.name}' has no figure of {condition.metric}: no item counted.",
            where=condition.text,
        )
    return found


def _difference(condition: Condition, a: Evaluation, b: Evaluation, seed: int) -> Estimate:
    level = LEVEL if condition.level is None else condition.level
    compared = compare(a, b, metrics=[condition.metric], seed=seed, level=level)
    row = compared.row(condition.metric)
    if row is None:
        raise UsageError(
            f"{condition.metric} of '{a.result.name}' and '{b.result.name}' cannot be compared.",
            where=condition.text,
            mend="choose a metric that is one figure, and that items of both have",
        )
    return row.difference
