"""A figure: one number over all items, with its interval, and its paired comparison.

Whatever a metric is made of (a loss per token, a mean of grades, an F1 of the whole set), the
rest of the room asks a figure the same three things: can this item count, what is the estimate,
what is the difference.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from tuneval.errors import StatisticsError
from tuneval.evaluation.items import Item, TeacherForced
from tuneval.evaluation.metric import LabelMetric, LabelPair, Metric, Unit, Unscored
from tuneval.evaluation.metrics import load_metric
from tuneval.evaluation.result import Grade, MetricResult
from tuneval.evaluation.summarise import summarise, summarise_labels
from tuneval.statistics.bootstrap import bootstrap
from tuneval.statistics.classes import macro_f1_comparison
from tuneval.statistics.estimate import Estimate
from tuneval.statistics.paired import PairedComparison, paired_comparison
from tuneval.statistics.paired_sums import paired_sums_comparison
from tuneval.statistics.proportion import clustered_wilson
from tuneval.statistics.sample import Clusters, Floats

PERPLEXITY = "response_perplexity"
TOKEN_ACCURACY = "token_accuracy"
SAMPLE_MEAN = "token_accuracy_sample_mean"
WHOLE_SEQUENCE = "token_accuracy_whole_sequence"
TEACHER_FORCED = (PERPLEXITY, TOKEN_ACCURACY, SAMPLE_MEAN, WHOLE_SEQUENCE)
"""Figures from the likelihood of the true response. The last is shown as a mistake to know."""


class Figure(Protocol):
    """What a metric comes to over items. `clusters` has one key per item, or is None."""

    @property
    def name(self) -> str:
        """The metric's name."""

    @property
    def unit(self) -> Unit:
        """That of `Estimate`."""

    @property
    def higher_is_better(self) -> bool:
        """Which way is good."""

    @property
    def is_binary(self) -> bool:
        """Whether an item is simply right or wrong."""

    def missing(self, item: Item) -> str | None:
        """Why the item cannot count; None when it can."""

    def estimate(self, items: Sequence[Item], *, clusters: Clusters | None, seed: int) -> Estimate:
        """The figure with its interval. Every item can count, and there is one."""

    def compare(
        self, a: Sequence[Item], b: Sequence[Item], *, clusters: Clusters | None, seed: int
    ) -> PairedComparison:
        """The figure of `b` less that of `a`, item by item in one order."""


def figure(name: str) -> Figure:
    """The figure of a metric. Raises UsageError with near names when there is none."""
    if name == PERPLEXITY:
        return Perplexity()
    if name == TOKEN_ACCURACY:
        return TokenAccuracy(name, lambda t: (t.n_correct, t.n_tokens))
    if name == WHOLE_SEQUENCE:
        return TokenAccuracy(name, lambda t: (t.n_correct_whole, t.n_whole))
    if name == SAMPLE_MEAN:
        return Mean(Metric(name, "share", True, "continuous", _not_of_texts), _share_of_tokens)
    metric = load_metric(name)
    if isinstance(metric, LabelMetric):
        return MacroF1(metric)
    return Mean(metric, _GradeOf(name))


@dataclass(frozen=True, slots=True)
class Perplexity:
    """Exponential of the loss per response token, all tokens of all items together."""

    name: str = PERPLEXITY
    unit: Unit = ""
    higher_is_better: bool = False
    is_binary: bool = False

    def missing(self, item: Item) -> str | None:
        """As in `Figure`."""
        return _unmeasured(item)

    def estimate(self, items: Sequence[Item], *, clusters: Clusters | None, seed: int) -> Estimate:
        """As in `Figure`."""
        return bootstrap(self._columns(items), _perplexity, seed=seed, clusters=clusters, unit="")

    def compare(
        self, a: Sequence[Item], b: Sequence[Item], *, clusters: Clusters | None, seed: int
    ) -> PairedComparison:
        """As in `Figure`."""
        return paired_sums_comparison(
            self._columns(a), self._columns(b), _perplexity, seed=seed, clusters=clusters, unit=""
        )

    def _columns(self, items: Sequence[Item]) -> Floats:
        return np.array([(t.nll, t.n_tokens) for t in map(_measured, items)], dtype=np.float64)


@dataclass(frozen=True, slots=True)
class TokenAccuracy:
    """Share of tokens that are the model's first choice; `counts` gives (right, all) of an item."""

    name: str
    counts: Callable[[TeacherForced], tuple[int, int]]
    unit: Unit = "share"
    higher_is_better: bool = True
    is_binary: bool = False

    def missing(self, item: Item) -> str | None:
        """As in `Figure`."""
        return _unmeasured(item)

    def estimate(self, items: Sequence[Item], *, clusters: Clusters | None, seed: int) -> Estimate:
        """As in `Figure`."""
        right, total = self._columns(items).T
        return clustered_wilson(right, total, clusters=clusters)

    def compare(
        self, a: Sequence[Item], b: Sequence[Item], *, clusters: Clusters | None, seed: int
    ) -> PairedComparison:
        """As in `Figure`."""
        return paired_sums_comparison(
            self._columns(a), self._columns(b), _ratio, seed=seed, clusters=clusters, unit="share"
        )

    def _columns(self, items: Sequence[Item]) -> Floats:
        return np.array([self.counts(_measured(item)) for item in items], dtype=np.float64)


class _OfMetric:
    """What a figure takes over from the metric it is of."""

    __slots__ = ()
    metric: Metric | LabelMetric

    @property
    def name(self) -> str:
        """As in `Figure`."""
        return self.metric.name

    @property
    def unit(self) -> Unit:
        """As in `Figure`."""
        return self.metric.unit

    @property
    def higher_is_better(self) -> bool:
        """As in `Figure`."""
        return self.metric.higher_is_better


@dataclass(frozen=True, slots=True)
class Mean(_OfMetric):
    """Mean over items of a value, or share of items that are right; None is no value."""

    metric: Metric
    value: Callable[[Item], float | None]

    @property
    def is_binary(self) -> bool:
        """As in `Figure`."""
        return self.metric.scale == "binary"

    def missing(self, item: Item) -> str | None:
        """As in `Figure`."""
        if self.value(item) is not None:
            return None
        return item.unscored.get(self.name) or _unmeasured(item) or "not graded"

    def estimate(self, items: Sequence[Item], *, clusters: Clusters | None, seed: int) -> Estimate:
        """As in `Figure`."""
        grades = [Grade(item.id, self.value(item)) for item in items]
        return _of(summarise(self.metric, grades, seed=seed, clusters=clusters))

    def compare(
        self, a: Sequence[Item], b: Sequence[Item], *, clusters: Clusters | None, seed: int
    ) -> PairedComparison:
        """As in `Figure`."""
        return paired_comparison(
            self._values(a),
            self._values(b),
            binary=self.is_binary,
            seed=seed,
            clusters=clusters,
            unit=self.unit,
        )

    def _values(self, items: Sequence[Item]) -> Floats:
        return np.array([self.value(item) for item in items], dtype=np.float64)


@dataclass(frozen=True, slots=True)
class MacroF1(_OfMetric):
    """Mean F1 over the classes of the whole set."""

    metric: LabelMetric
    is_binary: bool = False

    def missing(self, item: Item) -> str | None:
        """As in `Figure`."""
        if item.predict is None or item.label is None:
            return item.unscored.get(self.name, "not answered")
        found = self.metric.labels(item.predict, item.label)
        return None if isinstance(found, LabelPair) else found.reason

    def estimate(self, items: Sequence[Item], *, clusters: Clusters | None, seed: int) -> Estimate:
        """As in `Figure`."""
        return _of(summarise_labels(self.metric, self._pairs(items), seed=seed, clusters=clusters))

    def compare(
        self, a: Sequence[Item], b: Sequence[Item], *, clusters: Clusters | None, seed: int
    ) -> PairedComparison:
        """As in `Figure`."""
        first, second = self._pairs(a), self._pairs(b)
        return macro_f1_comparison(
            [p.predicted for p in first],
            [p.predicted for p in second],
            [p.expected for p in first],
            seed=seed,
            clusters=clusters,
        )

    def _pairs(self, items: Sequence[Item]) -> list[LabelPair]:
        found = [self.metric.labels(item.predict or "", item.label or "") for item in items]
        return [pair for pair in found if isinstance(pair, LabelPair)]


@dataclass(frozen=True, slots=True)
class _GradeOf:
    """Reads one grade of an item."""

    name: str

    def __call__(self, item: Item) -> float | None:
        return item.grades.get(self.name)


def _of(result: MetricResult) -> Estimate:
    if result.estimate is None:
        raise StatisticsError(f"No item can count for {result.metric}.")
    return result.estimate


def _not_of_texts(prediction: str, reference: str) -> Unscored:
    return Unscored("comes from the likelihood, not from an answer's text")


def _share_of_tokens(item: Item) -> float | None:
    forced = item.teacher_forced
    return None if forced is None else forced.n_correct / forced.n_tokens


def _unmeasured(item: Item) -> str | None:
    if item.teacher_forced is not None:
        return None
    return item.skipped.get("teacher_forced", "not measured")


def _measured(item: Item) -> TeacherForced:
    if item.teacher_forced is None:
        raise ValueError(f"item {item.id} was not measured; ask `missing` first")
    return item.teacher_forced


def _perplexity(sums: Floats) -> Floats:
    return np.exp(sums[..., 0] / sums[..., 1])


def _ratio(sums: Floats) -> Floats:
    return np.asarray(sums[..., 0] / sums[..., 1])
