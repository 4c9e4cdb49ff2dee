"""One order of several systems from their orders by several metrics.

A figure over systems, not over items: it has no row in the catalog of metrics, and is listed
beside it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from tuneval.catalog import did_you_mean
from tuneval.errors import UsageError
from tuneval.evaluation.metric import About

if TYPE_CHECKING:
    from tuneval.evaluation.comparing.comparison import Evaluation
    from tuneval.statistics.rank_aggregation import RankAggregation

MEAN_RANK = About(
    name="mean_rank",
    family="combined",
    unit="",
    higher_is_better=False,
    range=(1.0, float("inf")),
    needs=("other metrics",),
    source="mean over metrics of a system's rank; the pairs that leaving out a third system "
    "turns round stand beside it (Arrow 1951)",
    use="to order several systems by several metrics whose scales differ",
    avoid="to say by how much: a rank knows no distance, and depends on who else takes part",
)
BORDA = About(
    name="borda",
    family="combined",
    unit="",
    higher_is_better=True,
    range=(0.0, float("inf")),
    needs=("other metrics",),
    source="Borda (1781): over metrics, a point for each system that is beaten and half a point "
    "for a tie; the same order as the mean rank",
    use="as the mean rank, where points are expected",
    avoid="between tables with different systems: each further one gives points away",
)
OVER_SYSTEMS = (MEAN_RANK, BORDA)


def aggregate(evaluations: Sequence[Evaluation], metrics: Sequence[str]) -> RankAggregation:
    """The order of the evaluations by their figures of `metrics`.

    Raises UsageError for a metric that one of them has no figure of, or that is neither good nor
    bad; StatisticsError for fewer than two evaluations.
    """
    from tuneval.statistics.rank_aggregation import aggregate_ranks

    values: dict[str, dict[str, float]] = {each.result.name: {} for each in evaluations}
    ways: dict[str, bool] = {}
    for each in evaluations:
        for metric in metrics:
            found, figure = each.result.metrics.get(metric), each.result.figure(metric)
            if found is None or figure is None or found.higher_is_better is None:
                raise UsageError(
                    f"'{each.result.name}' has no figure of '{metric}' to be ordered by.",
                    mend=did_you_mean(metric, list(each.result.metrics)),
                )
            values[each.result.name][metric] = figure.value
            ways[metric] = found.higher_is_better
    return aggregate_ranks(values, ways)
