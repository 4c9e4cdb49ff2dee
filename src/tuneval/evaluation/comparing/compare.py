"""Two evaluations on the same items: what changed, how sure that is, and which items flipped."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tuneval.catalog import did_you_mean
from tuneval.errors import DataError, UsageError
from tuneval.evaluation.account import clusters_of
from tuneval.evaluation.asking.overall import ITEMS
from tuneval.evaluation.comparing.averaging import averaging_of
from tuneval.evaluation.comparing.caveats import not_counted, warnings_of
from tuneval.evaluation.comparing.comparison import (
    Comparison,
    ComparisonRow,
    Evaluation,
    Flip,
    Verdict,
)
from tuneval.evaluation.items import Item
from tuneval.evaluation.kinds.per_item import PerItem
from tuneval.evaluation.metric import Metric
from tuneval.evaluation.metrics import load_metric
from tuneval.evaluation.metrics.likelihood import WHOLE_SEQUENCE
from tuneval.evaluation.record import EvaluationResult
from tuneval.evaluation.robustness.families import is_copy, items_for
from tuneval.statistics.estimate import Estimate
from tuneval.statistics.multiple import holm
from tuneval.statistics.paired import PairedComparison

__all__ = [
    "Comparison",
    "ComparisonRow",
    "Evaluation",
    "Flip",
    "Verdict",
    "compare",
    "compare_folders",
    "counted_pairs",
    "model_text",
    "paired_items",
]

SEED = 17
LEVEL = 0.95
ALPHA = 0.05
"""The p-value below which a test agrees that there is a difference."""


def compare_folders(
    a: Path, b: Path, *, metrics: Sequence[str] | None = None, seed: int = SEED
) -> Comparison:
    """Compare the finished evaluations in two folders."""
    return compare(Evaluation.load(a), Evaluation.load(b), metrics=metrics, seed=seed)


def compare(
    a: Evaluation,
    b: Evaluation,
    *,
    metrics: Sequence[str] | None = None,
    flips_on: str | None = None,
    seed: int = SEED,
    level: float = LEVEL,
) -> Comparison:
    """Compare b with a, item by item, on the metrics that both have.

    Where their task has a way of averaging (over its subjects alike, or with drawn items standing
    for the others), so have the difference, its interval and its test.
    Raises DataError when neither's items contain the other's: an unpaired comparison would look
    alike and mean something else.
    """
    first, second = paired_items(a, b)
    names = _metrics(a, b, metrics)
    found = [
        compared
        for name in names
        if (compared := _compare_metric(name, (a, b), first, second, seed, level)) is not None
    ]
    adjusted = holm([each.paired.p_value for each in found])
    rows = tuple(_row(each, p_holm) for each, p_holm in zip(found, adjusted, strict=True))
    on = flips_on or next((row.metric for row in rows if row.is_binary), None)
    pairs = [(x, y) for x, y in zip(first, second, strict=True) if not is_copy(x)]
    improved, worsened = _flips(on, pairs) if on else ((), ())
    clusters = clusters_of([x for x, _ in pairs])
    return Comparison(
        a=a.result.name,
        b=b.result.name,
        a_model=model_text(a.result),
        b_model=model_text(b.result),
        n_items=len(pairs),
        n_groups=None if clusters is None else len(set(clusters)),
        rows=rows,
        flips_metric=on,
        improved=improved,
        worsened=worsened,
        warnings=(
            *warnings_of(a, b, pairs),
            *(each.averaged_otherwise for each in found if each.averaged_otherwise),
            *not_counted(rows, len(pairs)),
        ),
        seed=seed,
    )


def paired_items(a: Evaluation, b: Evaluation) -> tuple[list[Item], list[Item]]:
    """The items that both have, in the order of a. Raises DataError where each has others too."""
    left = {item.id: item for item in a.items}
    right = {item.id: item for item in b.items}
    common = [item_id for item_id in left if item_id in right]
    if not common or len(common) < min(len(left), len(right)):
        raise DataError(
            f"These evaluations are not of the same items: {len(common)} are common, "
            f"{len(left) - len(common)} only in '{a.result.name}', "
            f"{len(right) - len(common)} only in '{b.result.name}'.",
            mend="evaluate both models on the same file with the same split",
        )
    return [left[i] for i in common], [right[i] for i in common]


def _metrics(a: Evaluation, b: Evaluation, asked: Sequence[str] | None) -> list[str]:
    common = [name for name in a.result.metrics if name in b.result.metrics]
    for name in asked or ():
        if name not in common:
            raise UsageError(
                f"Not both evaluations have the metric '{name}'.", mend=did_you_mean(name, common)
            )
    return list(asked) if asked else [name for name in common if name != WHOLE_SEQUENCE]


@dataclass(frozen=True, slots=True)
class _Compared:
    """One metric on both sides. `averaged_otherwise`: why not as the task averages it."""

    metric: str
    over: str
    a: Estimate
    b: Estimate
    paired: PairedComparison
    averaged_otherwise: str | None


def _compare_metric(
    name: str,
    evaluations: tuple[Evaluation, Evaluation],
    a: Sequence[Item],
    b: Sequence[Item],
    seed: int,
    level: float,
) -> _Compared | None:
    """Both sides and their difference over the items that count on both.

    None where there is none, and for what is no single figure.
    """
    measure = load_metric(name)
    left, right = counted_pairs(measure, a, b)
    if not left:
        return None
    averaging, why_not = averaging_of(measure, evaluations, left)
    if averaging is not None and isinstance(measure, PerItem):
        return _Compared(
            name,
            averaging.over,
            averaging.estimate(measure, left, level=level),
            averaging.estimate(measure, right, level=level),
            averaging.compare(measure, left, right, seed=seed, level=level),
            None,
        )
    clusters = clusters_of(left)
    first = measure.estimate(left, clusters=clusters, seed=seed, level=level)
    second = measure.estimate(right, clusters=clusters, seed=seed, level=level)
    paired = measure.compare(left, right, clusters=clusters, seed=seed, level=level)
    if first is None or second is None or paired is None:
        return None
    return _Compared(name, ITEMS, first, second, paired, why_not)


def counted_pairs(
    measure: Metric, a: Sequence[Item], b: Sequence[Item]
) -> tuple[list[Item], list[Item]]:
    """Of paired items those that the metric is about and that count on both sides."""
    first, second = counted_in_all(measure, [a, b])
    return first, second


def counted_in_all(measure: Metric, sides: Sequence[Sequence[Item]]) -> list[list[Item]]:
    """The same for any number of sides."""
    rows = zip(*(items_for(measure, items) for items in sides), strict=True)
    counted = [row for row in rows if all(measure.missing(item) is None for item in row)]
    return [[row[place] for row in counted] for place in range(len(sides))]


def _row(found: _Compared, p_holm: float) -> ComparisonRow:
    measure, paired = load_metric(found.metric), found.paired
    up = measure.about.higher_is_better
    verdict: Verdict = "unclear"
    if up is not None and paired.difference.excludes(0.0) and paired.p_value < ALPHA:
        verdict = "better" if (paired.difference.value > 0) == up else "worse"
    return ComparisonRow(
        metric=found.metric,
        unit=measure.about.unit,
        higher_is_better=up,
        is_binary=measure.is_binary,
        a=found.a,
        b=found.b,
        difference=paired.difference,
        test=paired.test,
        p_value=paired.p_value,
        p_holm=p_holm,
        n_improved=paired.n_lower if up is False else paired.n_higher,
        n_worsened=paired.n_higher if up is False else paired.n_lower,
        n_equal=paired.n_equal,
        detectable=paired.detectable,
        verdict=verdict,
        over=found.over,
    )


def _flips(
    metric: str, pairs: Sequence[tuple[Item, Item]]
) -> tuple[tuple[Flip, ...], tuple[Flip, ...]]:
    up = load_metric(metric).about.higher_is_better
    improved: list[Flip] = []
    worsened: list[Flip] = []
    if up is None:
        return (), ()
    for x, y in pairs:
        before, after = x.grades.get(metric), y.grades.get(metric)
        if before is None or after is None or before == after:
            continue
        flip = Flip(
            x.id, x.source, x.group, x.prompt, x.label or "", x.predict or "", y.predict or ""
        )
        (improved if (after > before) == up else worsened).append(flip)
    return tuple(improved), tuple(worsened)


def model_text(result: EvaluationResult) -> str:
    """The model as a person named it; a run's adapter is part of the run."""
    if result.adapter is None or result.model.startswith("run:"):
        return result.model
    return f"{result.model} + {result.adapter}"
