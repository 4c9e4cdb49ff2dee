"""The chart of lengths."""

from __future__ import annotations

import math
from collections.abc import Sequence

from tuneval.data.description.lengths import Bin, Spread
from tuneval.pages import histogram as chart
from tuneval.pages.axis import Axis
from tuneval.pages.chart import Mark
from tuneval.pages.markup import Html
from tuneval.pages.numbers import short_count

_N_TICKS = 6


def histogram(spread: Spread, label: str) -> Html:
    """How many values each bin has, with lines at the median and the 95th percentile.

    The last bar, when it is pale, holds all that is longer than the 99th percentile.
    """
    bins = spread.histogram
    start, width = bins[0].low, _bin_width(bins)
    axis = Axis(start, start + len(bins) * width, _ticks(bins, start, width))
    bars = [_bar(each, start + number * width, width) for number, each in enumerate(bins)]
    marks = [
        Mark(value + 0.5, f"{name} ≤ {value:,}")
        for name, value in (("50%", spread.median), ("95%", spread.p95))
    ]
    return chart.histogram(bars, axis, label, marks=marks)


def _bar(each: Bin, low: int, width: int) -> chart.Bar:
    if each.high is None:
        return chart.Bar(low, low + width, each.count, f"≥ {each.low:,}", "beyond")
    return chart.Bar(low, low + width, each.count, f"{each.low:,}–{each.high - 1:,}")


def _ticks(bins: Sequence[Bin], start: int, width: int) -> tuple[tuple[float, str], ...]:
    every = max(1, math.ceil(len(bins) / _N_TICKS))
    values = [start + number * width for number in range(0, len(bins) + 1, every)]
    return tuple((value, short_count(value)) for value in values)


def _bin_width(bins: Sequence[Bin]) -> int:
    first = bins[0]
    return first.high - first.low if first.high is not None else 1
