"""Several evaluations on the same items: every pair, and who can be told apart from whom."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import combinations
from typing import Any

from tuneval.errors import UsageError
from tuneval.evaluation.comparing.averaging import figure_over
from tuneval.evaluation.comparing.compare import ALPHA, SEED, compare, counted_in_all
from tuneval.evaluation.comparing.comparison import Comparison, Evaluation
from tuneval.evaluation.comparing.family import holm_over
from tuneval.evaluation.metrics import load_metric
from tuneval.evaluation.metrics.likelihood import WHOLE_SEQUENCE
from tuneval.statistics.ranking import Standing, standings


@dataclass(frozen=True, slots=True)
class SeveralComparisons:
    """Every pair compared, `p_holm` over all metrics of all pairs, and the standings by metric.

    The key of a pair is "A → B"; its differences are B less A. Standings show figures over the
    items that count in all. Descriptions, which are neither good nor bad, have none.
    """

    names: tuple[str, ...]
    pairs: Mapping[str, Comparison]
    standings: Mapping[str, tuple[Standing, ...]]
    seed: int

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        return {
            "names": list(self.names),
            "pairs": {name: pair.as_dict() for name, pair in self.pairs.items()},
            "standings": {
                metric: [standing.as_dict() for standing in found]
                for metric, found in self.standings.items()
            },
            "seed": self.seed,
        }

    def best(self, metric: str) -> tuple[str, ...]:
        """All that may be the best by a metric: nobody is shown to be better than they are."""
        return tuple(each.name for each in self.standings[metric] if each.best_rank == 1)


def compare_several(
    evaluations: Sequence[Evaluation], *, metrics: Sequence[str] | None = None, seed: int = SEED
) -> SeveralComparisons:
    """Compare every pair of evaluations, item by item, on the metrics that all have.

    Two are told apart where their interval excludes 0 and p stays below 0.05 when adjusted for
    all metrics and all pairs (Holm). Raises UsageError for fewer than two or for equal names,
    DataError where a pair is not of the same items.
    """
    named = {each.result.name: each for each in evaluations}
    if len(evaluations) < 2 or len(named) < len(evaluations):
        raise UsageError(
            "A comparison needs at least two evaluations, each with a name of its own.",
            where=", ".join(each.result.name for each in evaluations),
            mend="name them: LABEL=EVALUATION",
        )
    asked = list(metrics) if metrics else _in_all(evaluations)
    pairs = holm_over(
        {
            f"{a} → {b}": compare(named[a], named[b], metrics=asked, seed=seed)
            for a, b in combinations(named, 2)
        }
    )
    compared = dict.fromkeys(row.metric for pair in pairs.values() for row in pair.rows)
    found = {metric: _standings(metric, pairs, evaluations, seed) for metric in compared}
    return SeveralComparisons(
        names=tuple(named),
        pairs=pairs,
        standings={metric: each for metric, each in found.items() if each},
        seed=seed,
    )


def renamed(evaluation: Evaluation, name: str) -> Evaluation:
    """The evaluation under another name."""
    return replace(evaluation, result=replace(evaluation.result, name=name))


def _in_all(evaluations: Sequence[Evaluation]) -> list[str] | None:
    """The metrics that every one has; None for two, which `compare` chooses itself."""
    if len(evaluations) == 2:
        return None
    first, *others = evaluations
    return [
        name
        for name in first.result.metrics
        if name != WHOLE_SEQUENCE and all(name in other.result.metrics for other in others)
    ]


def _standings(
    metric: str, pairs: Mapping[str, Comparison], evaluations: Sequence[Evaluation], seed: int
) -> tuple[Standing, ...]:
    """Nothing where a metric is a description, or could not be compared in every pair or in all."""
    different: list[tuple[str, str]] = []
    up = True
    for pair in pairs.values():
        row = pair.row(metric)
        if row is None or row.higher_is_better is None:
            return ()
        up = row.higher_is_better
        if row.verdict != "unclear" and row.p_holm < ALPHA:
            is_b_better = row.verdict == "better"
            different.append((pair.b, pair.a) if is_b_better else (pair.a, pair.b))
    values = _values(metric, evaluations, seed)
    return standings(values, different, higher_is_better=up) if values else ()


def _values(metric: str, evaluations: Sequence[Evaluation], seed: int) -> dict[str, float]:
    """The figures over the items that count in all, which two alone may have more of."""
    measure = load_metric(metric)
    by_id = [{item.id: item for item in each.items} for each in evaluations]
    common = [name for name in by_id[0] if all(name in items for items in by_id)]
    counted = counted_in_all(measure, [[items[name] for name in common] for items in by_id])
    if not counted[0]:
        return {}
    figures = [figure_over(measure, evaluations, items, seed=seed) for items in counted]
    values = {
        each.result.name: figure.value
        for each, figure in zip(evaluations, figures, strict=True)
        if figure is not None
    }
    return values if len(values) == len(evaluations) else {}
