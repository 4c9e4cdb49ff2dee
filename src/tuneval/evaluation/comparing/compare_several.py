"""Several evaluations on the same items: every pair, and who can be told apart from whom."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import combinations
from typing import Any

from tuneval.errors import UsageError
from tuneval.evaluation.comparing.compare import ALPHA, SEED, compare
from tuneval.evaluation.comparing.comparison import Comparison, Evaluation
from tuneval.evaluation.comparing.family import holm_over
from tuneval.evaluation.metrics.likelihood import WHOLE_SEQUENCE
from tuneval.statistics.ranking import Standing, standings


@dataclass(frozen=True, slots=True)
class SeveralComparisons:
    """Every pair compared, `p_holm` over all metrics of all pairs, and the standings by metric.

    The key of a pair is "A → B"; its differences are B less A. Descriptions, which are neither
    good nor bad, have no standings.
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
    found = {metric: _standings(metric, pairs) for metric in compared}
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


def _standings(metric: str, pairs: Mapping[str, Comparison]) -> tuple[Standing, ...]:
    """Nothing where a metric is a description or could not be compared in every pair."""
    values: dict[str, float] = {}
    different: list[tuple[str, str]] = []
    up = True
    for pair in pairs.values():
        row = pair.row(metric)
        if row is None or row.higher_is_better is None:
            return ()
        up = row.higher_is_better
        values |= {pair.a: row.a.value, pair.b: row.b.value}
        if row.verdict != "unclear" and row.p_holm < ALPHA:
            is_b_better = row.verdict == "better"
            different.append((pair.b, pair.a) if is_b_better else (pair.a, pair.b))
    return standings(values, different, higher_is_better=up)
