"""Charts of measures: their axis, the bins of a histogram, two models against one another."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from tuneval.pages.axis import Axis, linear_axis, log_axis
from tuneval.pages.chart import Mark
from tuneval.pages.histogram import Bar, Style, histogram
from tuneval.pages.markup import Html
from tuneval.pages.scatter import scatter
from tuneval.pages.strip import Quantiles, strip
from tuneval.pages.text import Text, clipped
from tuneval.scoring.report.measures import Floats, MeasureFacts, Spread, is_logarithmic
from tuneval.scoring.report.models import PairedMeasure
from tuneval.scoring.report.numbers import value_text
from tuneval.scoring.scorer import Reading

_MOST_BINS, _LEAST_BINS = 40, 8
_MOST_SINGLE = 12
_OUTER = 0.005
"""A linear axis leaves out this share at an end that lies far away; its last bin holds it."""


def measure_histogram(measure: MeasureFacts) -> Html:
    """The histogram of a measure that has values, with its median and neutral value."""
    values, reading, spread = measure.scored, measure.reading, measure.spread
    assert spread is not None
    axis, bars = _bars(values, reading)
    median = value_text(spread.median, reading.unit)
    marks = [Mark(spread.median, Text(f"median {median}", f"中位数 {median}"))]
    if reading.neutral is not None and axis.low <= reading.neutral <= axis.high:
        marks.append(Mark(reading.neutral, f"{reading.neutral:g}", "fixed"))
    ends = spread.quantiles[1], spread.quantiles[5]
    five, ninety_five = (value_text(value, reading.unit) for value in ends)
    says = Text(
        f"Half of the {len(values):,} values are at most {median}, nine in ten between {five} "
        f"and {ninety_five}.",
        f"{len(values):,} 个值的中位数为 {median}，九成在 {five} 与 {ninety_five} 之间。",
    )
    name = Text(reading.title, reading.title_zh)
    return histogram(bars, axis, name, marks=marks, mark_rows=2, says=says)


def spread_strip(spread: Spread, axis: Axis, reading: Reading, of: str) -> Html:
    """How a measure's values lie within a part of the set, or with a model."""
    q = spread.quantiles
    texts = [value_text(value, reading.unit) for value in (q[1], q[3], q[5])]
    name = f"{clipped(of, 80)}: 5% {texts[0]}, 50% {texts[1]}, 95% {texts[2]}"
    return strip(Quantiles(q[1], q[2], q[3], q[4], q[5]), axis, name, fixed=reading.neutral)


def shared_axis(spreads: Sequence[Spread], reading: Reading) -> Axis:
    """An axis on which the middle 90% of all of them lie."""
    low = min(spread.quantiles[1] for spread in spreads)
    high = max(spread.quantiles[5] for spread in spreads)
    if reading.neutral is not None:
        low, high = min(low, reading.neutral), max(high, reading.neutral)
    if reading.unit == "perplexity" and low > 0:
        return log_axis(low, high)
    return _linear(low, high, reading)


def model_scatter(paired: PairedMeasure, a: str, b: str) -> Html:
    """Each example's value with the one model across, with the other up; the axes are the same."""
    reading = paired.reading
    values = np.concatenate([paired.a, paired.b])
    axis = _axis(values, reading).widened(0.03)
    said = paired.correlation.estimate
    words = None
    if said is not None:
        words = Text(
            f"Rank correlation {said.value:.3f} over {paired.n:,} examples.",
            f"{paired.n:,} 个样本的秩相关为 {said.value:.3f}。",
        )
    return scatter(
        list(zip(paired.a.tolist(), paired.b.tolist(), strict=True)),
        axis, axis, (a, b), Text(reading.title, reading.title_zh), says=words,
    )  # fmt: skip


def _axis(values: Floats, reading: Reading) -> Axis:
    """From the least to the greatest value, without a far end; whole, where by logarithm."""
    if is_logarithmic(values, reading.unit):
        return log_axis(float(values.min()), float(values.max()))
    return _linear(*_near_ends(values), reading)


def _linear(low: float, high: float, reading: Reading) -> Axis:
    """A linear axis whose ticks are written as the measure's values are."""
    axis = linear_axis(low, high)
    if reading.unit != "share":
        return axis
    return replace(axis, ticks=tuple((at, f"{100 * at:.4g}%") for at, _ in axis.ticks))


def _near_ends(values: Floats) -> tuple[float, float]:
    """The ends of the values, drawn in to a quantile where they lie far beyond it."""
    low, high = float(values.min()), float(values.max())
    inner_low, inner_high = (float(q) for q in np.quantile(values, (_OUTER, 1 - _OUTER)))
    reach = inner_high - inner_low
    if high - inner_high > reach:
        high = inner_high
    if inner_low - low > reach:
        low = inner_low
    return low, high


def _bars(values: Floats, reading: Reading) -> tuple[Axis, list[Bar]]:
    single = np.unique(values)
    if len(single) <= _MOST_SINGLE:
        return _single_bars(values, single, reading)
    n_bins = min(_MOST_BINS, max(_LEAST_BINS, round(3 * len(values) ** (1 / 3))))
    if is_logarithmic(values, reading.unit):
        ends = float(values.min()), float(values.max())
        return log_axis(*ends), _binned(values, np.geomspace(*ends, n_bins + 1), reading)
    edges = _edges(*_with_neutral(*_near_ends(values), reading), reading, n_bins)
    return _linear(float(edges[0]), float(edges[-1]), reading), _binned(values, edges, reading)


def _single_bars(values: Floats, single: Floats, reading: Reading) -> tuple[Axis, list[Bar]]:
    """A bar for each of a few different values."""
    gaps = np.diff(single)
    width = float(gaps.min()) if len(gaps) else (abs(float(single[0])) or 1.0) / 10
    span = float(single[-1] - single[0])
    half = max(min(0.4 * width, span / 10), span / 200) if span else width / 2
    room = max(half, span / 20) if span else 4 * width
    axis = _linear(float(single[0]) - room, float(single[-1]) + room, reading)
    ticks = axis.ticks if len(single) > 7 else tuple(_single_ticks(single, span, reading))
    counts = [int((values == value).sum()) for value in single]
    bars = [
        Bar(
            float(value) - half,
            float(value) + half,
            count,
            value_text(float(value), reading.unit),
            _css(float(value), reading),
        )
        for value, count in zip(single, counts, strict=True)
    ]
    return Axis(axis.low, axis.high, ticks), bars


def _single_ticks(single: Floats, span: float, reading: Reading) -> list[tuple[float, str]]:
    """The values themselves, those left out that would stand on one another."""
    ticks: list[tuple[float, str]] = []
    for value in map(float, single):
        if not ticks or value - ticks[-1][0] >= span / 9:
            ticks.append((value, value_text(value, reading.unit)))
    return ticks


def _with_neutral(low: float, high: float, reading: Reading) -> tuple[float, float]:
    """Ends that take in a neutral value which lies not far beyond them."""
    if reading.neutral is None:
        return low, high
    room = (high - low) / 2
    if high < reading.neutral <= high + room:
        return low, reading.neutral
    if low - room <= reading.neutral < low:
        return reading.neutral, high
    return low, high


def _edges(low: float, high: float, reading: Reading, n_bins: int) -> Floats:
    """The borders of about `n_bins` bins of one width, one of them at the neutral value.

    Tokens are whole numbers, and so is the width of their bins.
    """
    width = (high - low) / n_bins
    fixed = reading.neutral
    if reading.unit == "tokens":
        width, fixed = float(math.ceil(width)), math.floor(low)
    if fixed is None or not low <= fixed <= high:
        return np.linspace(low, high, n_bins + 1)
    first = math.floor((low - fixed) / width + 1e-9)
    last = math.ceil((high - fixed) / width - 1e-9)
    return np.asarray(fixed + width * np.arange(first, last + 1), dtype=np.float64)


def _binned(values: Floats, edges: Floats, reading: Reading) -> list[Bar]:
    """How many values are in each bin; the outer ones hold what lies beyond them as well."""
    places = np.clip(np.searchsorted(edges, values, side="right") - 1, 0, len(edges) - 2)
    counts = np.bincount(places, minlength=len(edges) - 1)
    slack = 1e-9 * (edges[-1] - edges[0])
    below = bool((values < edges[0] - slack).any())
    above = bool((values > edges[-1] + slack).any())
    bars = []
    for place, count in enumerate(counts.tolist()):
        low, high = float(edges[place]), float(edges[place + 1])
        says = f"{value_text(low, reading.unit)}–{value_text(high, reading.unit)}"
        css = _css((low + high) / 2, reading)
        if below and place == 0:
            says, css = f"< {value_text(high, reading.unit)}", "beyond"
        if above and place == len(counts) - 1:
            says, css = f"≥ {value_text(low, reading.unit)}", "beyond"
        bars.append(Bar(low, high, count, says, css))
    return bars


def _css(value: float, reading: Reading) -> Style:
    return "past" if reading.neutral is not None and value > reading.neutral else "bin"
