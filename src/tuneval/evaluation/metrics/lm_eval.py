"""Grades that lm-evaluation-harness gave to answers, and its way to make one figure of them.

A metric is named as lm-eval names it: `lm_eval:acc`, or with the filter that read the answer,
`lm_eval:exact_match,strict-match`. The grades stand in `Item.fields["lm_eval"]`.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Any

from tuneval.evaluation.kinds import OfArgument, OfSums, PerItem
from tuneval.evaluation.metric import About, Metric, Unscored

if TYPE_CHECKING:
    from tuneval.evaluation.items import Item
    from tuneval.statistics.estimate import Estimate
    from tuneval.statistics.paired import PairedComparison
    from tuneval.statistics.sample import Clusters, Floats

FIELD = "lm_eval"
"""The key of `Item.fields` under which lm-eval's grades stand, by metric."""
NO_FILTER = "none"
EXP_OF_RATIO = ("word_perplexity", "byte_perplexity")
BITS_OF_RATIO = ("bits_per_byte",)
EXP_OF_MEAN = ("perplexity",)
SHARES = ("acc", "acc_norm", "acc_bytes", "acc_mutual_info", "exact_match", "em")


def metric_of(name: str, *, higher_is_better: bool) -> str:
    """How tuneval calls a metric of lm-eval's; `name` holds its filter if it has one."""
    row = ROW if higher_is_better else LOSS_ROW
    return f"{row.about.name}:{name}"


def grade_of(item: Item, name: str) -> Any:
    """What lm-eval gave the answer: a number, or what it adds up; None where it gave nothing."""
    return item.fields.get(FIELD, {}).get(name)


@dataclass(frozen=True, slots=True, kw_only=True)
class _MeanGrade(PerItem):
    """The mean of lm-eval's grades; right or wrong where no grade is anything between."""

    def estimate(
        self, items: Sequence[Item], *, clusters: Clusters | None, seed: int, level: float = 0.95
    ) -> Estimate:
        """As in `Metric`."""
        return self._as_it_is(items).estimate(items, clusters=clusters, seed=seed, level=level)

    def compare(
        self,
        a: Sequence[Item],
        b: Sequence[Item],
        *,
        clusters: Clusters | None,
        seed: int,
        level: float = 0.95,
    ) -> PairedComparison:
        """As in `Metric`."""
        return self._as_it_is([*a, *b]).compare(a, b, clusters=clusters, seed=seed, level=level)

    def _as_it_is(self, items: Sequence[Item]) -> PerItem:
        is_binary = all(value in (0.0, 1.0) for value in self.values(items))
        return PerItem(about=self.about, score=self.score, is_binary=is_binary)


def _mean_grade(about: About, name: str) -> PerItem:
    def score(item: Item) -> float | Unscored:
        value = grade_of(item, name)
        if isinstance(value, bool | int | float) and math.isfinite(value):
            return float(value)
        return Unscored("lm-eval gave no number" if value is not None else "not graded by lm-eval")

    return _MeanGrade(about=about, score=score)


def _of_log_likelihoods(about: About, name: str) -> OfSums:
    """exp of less the mean, or of less a ratio of sums; or that ratio in bits."""
    base = name.partition(",")[0]

    def reason(item: Item) -> str | None:
        return None if _pair(grade_of(item, name)) else "not graded by lm-eval"

    def columns(items: Sequence[Item]) -> Floats:
        import numpy as np

        pairs = [_pair(grade_of(item, name)) for item in items]
        return np.array([pair for pair in pairs if pair is not None], dtype=np.float64)

    def statistic(sums: Floats) -> Floats:
        import numpy as np

        nats = -sums[..., 0] / sums[..., 1]
        return np.asarray(nats / math.log(2) if base in BITS_OF_RATIO else np.exp(nats))

    return OfSums(about=about, reason=reason, columns=columns, statistic=statistic)


def _pair(value: Any) -> tuple[float, float] | None:
    """A log-likelihood and what it is divided by: a text's words or bytes, else one item."""
    match value:
        case bool():
            return None
        case int() | float():
            return float(value), 1.0
        case [int() | float() as nats, int() | float() as size]:
            return float(nats), float(size)
        case _:
            return None


def _row_of(about: About, name: str) -> Metric:
    base = name.partition(",")[0]
    about = replace(about, name=f"{about.name}:{name}")
    if base in (*EXP_OF_RATIO, *BITS_OF_RATIO, *EXP_OF_MEAN):
        return _of_log_likelihoods(replace(about, range=(0.0, math.inf)), name)
    if base in SHARES:
        about = replace(about, unit="share", range=(0.0, 1.0))
    return _mean_grade(about, name)


_ABOUT = About(
    name="lm_eval",
    family="combined",
    unit="",
    higher_is_better=True,
    range=(-math.inf, math.inf),
    needs=("other metrics",),
    source="the grades that lm-evaluation-harness gave to each answer, averaged as it does; "
    "imported only where that comes to the figure that it told",
    use="to compare runs of lm-evaluation-harness, one's own and other people's, item by item",
    avoid="across tasks: what a grade means is the task's own affair",
)
_LOSS = replace(
    _ABOUT,
    name="lm_eval_loss",
    higher_is_better=False,
    source="the same for metrics of which lm-evaluation-harness says that less is better; "
    "perplexities and bits per byte are ratios of sums",
)
ROW = OfArgument(about=_ABOUT, argument="metric", make=partial(_row_of, _ABOUT), example="acc")
LOSS_ROW = OfArgument(
    about=_LOSS, argument="metric", make=partial(_row_of, _LOSS), example="word_perplexity"
)
