"""Metrics that a person writes as a formula: of figures over all items, or of each item.

`expression:f1_macro * 0.5 + exact_match` is a formula of other metrics' figures, as they are
printed: shares from 0 to 1, points from 0 to 100. `item_expression:len(prediction) <= 200` is a
formula of one item, and the figure is its mean: the names of metrics that grade items, the texts
`prediction` and `reference`, and what the file says of the item, `field["seconds"]`. What is true
counts 1, what is false 0.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any, cast

from tuneval.catalog import did_you_mean
from tuneval.errors import UsageError
from tuneval.evaluation.kinds import OfArgument, OfMetrics, OfSums, PerItem
from tuneval.evaluation.kinds.of_metrics import Weighable
from tuneval.evaluation.kinds.per_item import NO_REFERENCE, lacks_answer
from tuneval.evaluation.metric import About, Unscored
from tuneval.evaluation.metrics import METRICS, load_metric
from tuneval.evaluation.metrics.formula import Formula, Name, read_formula

if TYPE_CHECKING:
    from tuneval.evaluation.items import Item
    from tuneval.evaluation.kinds.of_metrics import Figures, Part
    from tuneval.statistics.sample import Floats

TEXTS = ("prediction", "reference")
_OF_ITEMS: dict[str, Callable[..., Any]] = {
    "min": min,
    "max": max,
    "abs": abs,
    "sqrt": math.sqrt,
    "log": math.log,
    "exp": math.exp,
    "len": len,
    "lower": str.lower,
}


class _NoValueError(Exception):
    """A part of an item's formula has no value, and why."""


def part_of_figures(name: Name, formula: str) -> Part:
    """The metric that a formula of figures names. Raises UsageError when it cannot be a part."""
    metric = load_metric(metric_named(name, formula))
    if not isinstance(metric, PerItem | OfSums | Weighable):
        raise UsageError(
            f"'{metric.about.name}' cannot be a part of a formula: its figure cannot be resampled "
            "item by item.",
            where=formula,
            mend="ask for it beside the formula",
        )
    return metric


def metric_named(name: Name, formula: str) -> str:
    """The catalog's name for a name in a formula: `rouge_l` is `rouge-l`. Raises UsageError."""
    if name.kind == "metric":
        return name.text
    for spelling in (name.text, name.text.replace("_", "-")):
        if spelling in METRICS:
            return spelling
    raise UsageError(
        f"There is no metric called '{name.text}'.",
        where=formula,
        mend=did_you_mean(name.text, METRICS),
    )


def _of_figures(text: str) -> OfMetrics:
    formula = read_formula(text, "figures")
    parts = {name: part_of_figures(name, text) for name in formula.names}
    if not parts:
        raise UsageError("The formula names no metric.", where=text, mend="name one at least")

    def combine(figures: Figures) -> Floats:
        import numpy as np

        functions = {
            "min": lambda *values: np.minimum.reduce(np.broadcast_arrays(*values)),
            "max": lambda *values: np.maximum.reduce(np.broadcast_arrays(*values)),
            **{name: getattr(np, name) for name in ("abs", "sqrt", "log", "exp")},
        }
        return cast(
            "Floats", formula.value(lambda name: figures[parts[name].about.name], functions)
        )

    return OfMetrics(
        about=replace(
            EXPRESSION.about,
            name=f"expression:{text}",
            higher_is_better=_is_higher_better(formula, parts),
        ),
        parts={part.about.name: part for part in parts.values()},
        combine=combine,
    )


def _of_item(text: str) -> PerItem:
    formula = read_formula(text, "item")
    parts = {name: _part_of_item(name, text) for name in formula.names if _is_metric(name)}

    def score(item: Item) -> float | Unscored:
        try:
            value = formula.value(lambda name: _value(name, item, parts), _OF_ITEMS)
        except _NoValueError as reason:
            return Unscored(str(reason))
        except (TypeError, ArithmeticError, ValueError) as error:
            return Unscored(f"the formula has no value: {error}")
        if isinstance(value, str) or not math.isfinite(value):
            return Unscored("the formula gives no number")
        return float(value)

    return PerItem(
        about=replace(
            ITEM_EXPRESSION.about,
            name=f"item_expression:{text}",
            higher_is_better=_is_higher_better(formula, parts),
            unit="share" if formula.is_truth else "",
        ),
        score=score,
        is_binary=formula.is_truth,
        parts=tuple(part.about.name for part in parts.values()),
    )


def _is_metric(name: Name) -> bool:
    return name.kind == "metric" or (name.kind == "plain" and name.text not in TEXTS)


def _part_of_item(name: Name, formula: str) -> PerItem:
    metric = load_metric(metric_named(name, formula))
    if not isinstance(metric, PerItem):
        raise UsageError(
            f"'{metric.about.name}' is a figure of all items: it has no value for one.",
            where=formula,
            mend="write expression:… to compute with figures",
        )
    return metric


def _value(name: Name, item: Item, parts: Mapping[Name, PerItem]) -> Any:
    """What a name stands for in an item. Raises _NoValueError where it has nothing."""
    if name in parts:
        grade = parts[name].value(item)
        if isinstance(grade, Unscored):
            raise _NoValueError(f"{parts[name].about.name}: {grade.reason}")
        return grade
    if name.kind == "field":
        given = item.fields.get(name.text)
        if isinstance(given, str):
            return given
        if not isinstance(given, int | float):
            raise _NoValueError(f"no number and no text in the field '{name.text}'")
        # A whole number would repeat a text that it is multiplied with.
        return float(given)
    text = item.predict if name.text == "prediction" else item.label
    if text is None:
        reason = lacks_answer(item) if name.text == "prediction" else NO_REFERENCE
        raise _NoValueError(reason)
    return text


def _is_higher_better(formula: Formula, parts: Mapping[Name, Part]) -> bool | None:
    """Whether a higher value is better, as far as the parts tell; None where they do not."""

    def of(name: Name) -> int | None:
        up = parts[name].about.higher_is_better if name in parts else None
        return None if up is None else 1 if up else -1

    way = formula.direction(of)
    return None if way in (None, 0) else way == 1


EXPRESSION = OfArgument(
    about=About(
        name="expression",
        family="combined",
        unit="",
        higher_is_better=None,
        range=(-math.inf, math.inf),
        needs=("other metrics",),
        source="the formula as written; all its metrics are resampled together for the interval",
        use="where several figures must become one by a rule of your own",
        avoid="to add shares and points without weights: points are a hundred times as large",
    ),
    argument="formula",
    make=_of_figures,
    example="0.5 * token_f1 + 0.5 * exact_match",
)
ITEM_EXPRESSION = OfArgument(
    about=replace(
        EXPRESSION.about,
        name="item_expression",
        source="the mean over items of the formula as written, true as 1 and false as 0",
        use="for a rule of your own about each answer: short enough, right and quick",
        avoid="for what a metric of the catalog says already: its intervals are tested",
    ),
    argument="formula",
    make=_of_item,
    example="exact_match and len(prediction) <= 200",
)
