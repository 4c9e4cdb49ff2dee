"""What a metric is: a row of the catalog that turns answered items into one figure.

Whatever it is made of (a mean of grades, a loss per token, an F1 of the whole set, a table), the
rest of the room asks a metric the same: can this item count, what is the estimate, what is the
difference between two systems. `kinds` has the classes that most rows are made of.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, Protocol, runtime_checkable

if TYPE_CHECKING:
    from tuneval.evaluation.items import Item
    from tuneval.statistics.estimate import Estimate
    from tuneval.statistics.paired import PairedComparison
    from tuneval.statistics.sample import Clusters

Family = Literal[
    "likelihood",
    "multiple choice",
    "classification",
    "regression",
    "generation",
    "structured",
    "patterns",
    "multi-label",
    "ranking",
    "calibration",
    "extraction",
    "efficiency",
    "robustness",
    "medicine",
    "finance",
    "vision",
    "combined",
]
Need = Literal[
    "prediction",  # the answer's text
    "reference",  # the true answer's text
    "label",  # a class, read from the answer and from the reference
    "labels",  # a set of classes on either side
    "number",  # a number on either side
    "probability",  # of the positive class, or of every class
    "likelihood",  # of the true answer, by teacher forcing
    "text likelihood",  # of a whole text
    "choices",  # the likelihood of every choice
    "ranking",  # documents in order or with scores, and which are relevant
    "extraction",  # what the strict and the lenient extractor read from the answer
    "timing",  # seconds and tokens as measured
    "memory",
    "energy",
    "perturbed answers",  # answers to the same items with a perturbed input
    "returns",  # a number per period, in order
    "boxes",
    "encoder",
    "other metrics",
]


@dataclass(frozen=True, slots=True)
class Unscored:
    """In place of a value: this item cannot be graded, and why. Never counted as zero."""

    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class About:
    """What a person must know of a metric before believing it.

    `unit` is that of `Estimate`; `range` its least and largest value; `source` where the formula
    comes from; `use` and `avoid` one sentence each: when it tells something, and when it misleads.
    `higher_is_better` None: a description, neither good nor bad.
    """

    name: str
    family: Family
    unit: str
    higher_is_better: bool | None
    range: tuple[float, float]
    needs: tuple[Need, ...]
    source: str
    use: str
    avoid: str


class Metric(Protocol):
    """A figure over items. `clusters` has one key per item, or is None: items are independent.

    Intervals are at `level`.
    """

    @property
    def about(self) -> About:
        """Its row of the catalog."""

    @property
    def is_binary(self) -> bool:
        """Whether an item is simply right or wrong."""

    def missing(self, item: Item) -> str | None:
        """Why the item cannot count; None when it can."""

    def estimate(
        self, items: Sequence[Item], *, clusters: Clusters | None, seed: int, level: float = 0.95
    ) -> Estimate | None:
        """The figure with its interval; None for a table. All of `items` count; there is one."""

    def compare(
        self,
        a: Sequence[Item],
        b: Sequence[Item],
        *,
        clusters: Clusters | None,
        seed: int,
        level: float = 0.95,
    ) -> PairedComparison | None:
        """The figure of `b` less that of `a`, item by item in one order; None for a table."""

    def detail(self, items: Sequence[Item]) -> Mapping[str, Any] | None:
        """What one number cannot hold, for JSON: a confusion matrix, a curve, bins."""


@runtime_checkable
class OfNamedClass(Protocol):
    """A metric of a class that is named with it, and may be named wrongly."""

    def unknown_class(self, items: Sequence[Item]) -> str | None:
        """Why the items have no figure: the named class stands nowhere; None where it does."""
