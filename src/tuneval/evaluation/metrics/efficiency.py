"""What answers cost: seconds, memory and energy, as they were measured.

They are read from the items' fields `seconds` (of one answer), `seconds_to_first`, `n_tokens`,
`train_seconds`, `peak_memory_bytes` and `energy_joules`. What was not measured is unscored: a
missing driver is no saving. Figures of two machines, or of one that had other work, do not
compare.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tuneval.evaluation.kinds import OfSums, PerItem
from tuneval.evaluation.metric import About, Need, Unscored

if TYPE_CHECKING:
    from tuneval.evaluation.items import Item
    from tuneval.statistics.estimate import Estimate
    from tuneval.statistics.paired import PairedComparison
    from tuneval.statistics.sample import Clusters, Floats


def _measured(item: Item, key: str) -> float | Unscored:
    """The item's field as a number that can be a measurement, or why there is none."""
    value = item.fields.get(key)
    if key == "n_tokens" and value is None:
        value = item.n_tokens
    if value is None:
        return Unscored(f"{key} was not measured")
    if isinstance(value, bool) or not isinstance(value, int | float):
        return Unscored(f"{key} is no number")
    if not math.isfinite(value) or value < 0:
        return Unscored(f"{key} is no measurement: {value}")
    return float(value)


def _of_field(key: str) -> Callable[[Item], float | Unscored]:
    return lambda item: _measured(item, key)


def _lacks_speed(item: Item) -> str | None:
    seconds, tokens = _measured(item, "seconds"), _measured(item, "n_tokens")
    for found in (seconds, tokens):
        if isinstance(found, Unscored):
            return found.reason
    return None if seconds else "the answer took no measurable time"


def _tokens_and_seconds(items: Sequence[Item]) -> Floats:
    import numpy as np

    rows = [[_measured(item, key) for key in ("n_tokens", "seconds")] for item in items]
    return np.array(rows, dtype=np.float64)


def _ratio(sums: Floats) -> Floats:
    ratio: Floats = sums[..., 0] / sums[..., 1]
    return ratio


@dataclass(frozen=True, slots=True, kw_only=True)
class Peak:
    """The highest value of any item. It has no interval: a maximum of a sample has none."""

    about: About
    value: Callable[[Item], float | Unscored]
    is_binary: bool = False

    def missing(self, item: Item) -> str | None:
        """As in `Metric`."""
        value = self.value(item)
        return value.reason if isinstance(value, Unscored) else None

    def estimate(
        self, items: Sequence[Item], *, clusters: Clusters | None, seed: int, level: float = 0.95
    ) -> Estimate:
        """As in `Metric`."""
        from tuneval.statistics.estimate import Estimate

        values = [self.value(item) for item in items]
        highest = max(value for value in values if not isinstance(value, Unscored))
        unit = self.about.unit
        return Estimate(highest, None, None, level, "none: a maximum", len(items), unit=unit)

    def compare(
        self,
        a: Sequence[Item],
        b: Sequence[Item],
        *,
        clusters: Clusters | None,
        seed: int,
        level: float = 0.95,
    ) -> PairedComparison | None:
        """As in `Metric`: none, as two maxima are no pairs."""
        return None

    def detail(self, items: Sequence[Item]) -> Mapping[str, Any] | None:
        """As in `Metric`: nothing."""
        return None


def _about(
    name: str, *, unit: str, need: Need, source: str, use: str, avoid: str, higher: bool = False
) -> About:
    return About(
        name=name,
        family="efficiency",
        unit=unit,
        higher_is_better=higher,
        range=(0.0, float("inf")),
        needs=(need,),
        source=source,
        use=use,
        avoid=avoid,
    )


TRAIN_SECONDS = PerItem(
    about=_about(
        "train_seconds",
        unit="s",
        need="timing",
        source="seconds of training, over all starts of the run (train_runtime)",
        use="to weigh a gain against what it took",
        avoid="as a property of the method alone: it is as much one of the machine",
    ),
    score=_of_field("train_seconds"),
)
SECONDS_TO_FIRST_TOKEN = PerItem(
    about=_about(
        "seconds_to_first_token",
        unit="s",
        need="timing",
        source="seconds from the question to the first token of its answer, mean over items",
        use="where somebody waits for the answer",
        avoid="from answers made in batches: a question then waits for the others too",
    ),
    score=_of_field("seconds_to_first"),
)
TOKENS_PER_SECOND = OfSums(
    about=_about(
        "tokens_per_second",
        unit="tokens/s",
        need="timing",
        source="tokens of all answers by the seconds of all answers, each from its question on",
        use="as the speed at which one reader sees an answer grow",
        avoid="as the throughput of a machine: answers in one batch run at the same time",
        higher=True,
    ),
    reason=_lacks_speed,
    columns=_tokens_and_seconds,
    statistic=_ratio,
)
PEAK_MEMORY = Peak(
    about=_about(
        "peak_memory",
        unit="bytes",
        need="memory",
        source="highest peak_memory_bytes: what torch held on a GPU, else how far the process rose",
        use="to know on which machine a model can run",
        avoid="between different batch sizes or token budgets: they set most of it",
    ),
    value=_of_field("peak_memory_bytes"),
)
ENERGY = PerItem(
    about=_about(
        "energy",
        unit="J",
        need="energy",
        source="joules for an answer, mean over items, as the processor's driver counts them "
        "(NVML, RAPL)",
        use="to compare methods on one machine that does nothing else",
        avoid="where other programs run: the driver knows no processes",
    ),
    score=_of_field("energy_joules"),
)
