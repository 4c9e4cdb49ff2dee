"""The axes of a chart: where a value lies, and which round values to write beside it."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

from tuneval.errors import StatisticsError
from tuneval.pages.numbers import significant


@dataclass(frozen=True, slots=True)
class Axis:
    """From `low` to `high`, by logarithm or not; `ticks` are values and what to write there."""

    low: float
    high: float
    ticks: tuple[tuple[float, str], ...] = ()
    logarithmic: bool = False

    def share(self, value: float) -> float:
        """How far along the axis the value lies: 0 at `low`, 1 at `high`, never beyond."""
        low, high, at = self.low, self.high, value
        if self.logarithmic:
            low, high, at = math.log(low), math.log(high), math.log(max(value, 1e-300))
        return max(0.0, min(1.0, (at - low) / (high - low)))

    def widened(self, by: float) -> Axis:
        """The same with room for a share `by` of its length at both ends."""
        low, high = self.low, self.high
        if self.logarithmic:
            factor = (high / low) ** by
            return replace(self, low=low / factor, high=high * factor)
        room = by * (high - low)
        return replace(self, low=low - room, high=high + room)


def round_steps(low: float, high: float) -> tuple[float, float, float]:
    """Ends and distance of about five round ticks that span both values."""
    span = high - low or abs(high) or 1.0
    rough = span / 4
    power = 10 ** math.floor(math.log10(rough))
    step = next(power * m for m in (1, 2, 2.5, 5, 10) if power * m >= rough)
    start = math.floor(low / step) * step
    return start, max(math.ceil(high / step) * step, start + step), step


def linear_axis(low: float, high: float) -> Axis:
    """An axis from `low` to `high` just so, with round ticks within it."""
    _check(low, high)
    if low == high:
        room = abs(low) / 2 or 0.5
        low, high = low - room, high + room
    start, _, step = round_steps(low, high)
    ticks = (start + number * step for number in range(10))
    slack = 1e-9 * (high - low)
    return Axis(low, high, tuple((t, _tick(t)) for t in ticks if low - slack <= t <= high + slack))


def log_axis(low: float, high: float) -> Axis:
    """An axis by logarithm from `low` to `high`, both above 0, with ticks at 1, 2 and 5.

    Over many powers of ten only some of these have ticks; over less than one, those of a
    linear axis.
    """
    _check(low, high)
    if low <= 0:
        raise StatisticsError(f"An axis by logarithm cannot begin at {low}.")
    if low == high:
        low, high = low / 1.5, high * 1.5
    first, last = math.floor(math.log10(low)), math.ceil(math.log10(high))
    mantissas = (1, 2, 5) if last - first <= 3 else (1, 3) if last - first <= 5 else (1,)
    every = max(1, (last - first) // 8)
    values = [m * 10.0**power for power in range(first, last + 1, every) for m in mantissas]
    ticks = [value for value in values if low <= value <= high]
    if len(ticks) < 3:
        ticks = [value for value, _ in linear_axis(low, high).ticks if low <= value <= high]
    return Axis(low, high, tuple((tick, _tick(tick)) for tick in ticks), logarithmic=True)


def _check(low: float, high: float) -> None:
    if not (math.isfinite(low) and math.isfinite(high) and low <= high):
        raise StatisticsError(f"No axis goes from {low} to {high}.")


def _tick(value: float) -> str:
    """`0.25`, `1,500`, `20k`, `2M`."""
    value = 0.0 if abs(value) < 1e-12 else value
    if abs(value) < 10_000:
        return f"{value:,.6g}".replace("-", "−")
    for power, letter in ((9, "G"), (6, "M"), (3, "k")):
        if abs(value) >= 10**power and abs(value) < 10 ** (power + 3):
            return f"{value / 10**power:.4g}{letter}".replace("-", "−")
    return significant(value, 2)
