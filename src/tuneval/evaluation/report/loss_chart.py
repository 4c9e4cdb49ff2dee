"""The loss curve as an SVG that follows the page's colours."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from itertools import accumulate
from typing import Any

WIDTH, HEIGHT = 720, 300
LEFT, RIGHT, TOP, BOTTOM = 56, 16, 18, 44
WINDOWS = 30


def loss_chart(log: Sequence[Mapping[str, Any]]) -> str:
    """Loss at each logged step, its running mean, and the learning rate; empty below two steps."""
    rows = [row for row in log if "loss" in row and math.isfinite(row["loss"])]
    if len(rows) < 2:
        return ""
    steps = [float(row["current_steps"]) for row in rows]
    losses = [float(row["loss"]) for row in rows]
    low, high, step = _axis(0.0 if min(losses) < max(losses) / 2 else min(losses), max(losses))

    def x(value: float) -> float:
        return LEFT + (WIDTH - LEFT - RIGHT) * (value - steps[0]) / (steps[-1] - steps[0] or 1)

    def y(value: float) -> float:
        return TOP + (HEIGHT - TOP - BOTTOM) * (1 - (value - low) / (high - low))

    grid = ""
    for number in range(round((high - low) / step) + 1):
        value = low + number * step
        grid += (
            f'<line class="grid" x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y(value):.1f}" '
            f'y2="{y(value):.1f}"/><text x="{LEFT - 8}" y="{y(value) + 5:.1f}" '
            f'text-anchor="end">{value:g}</text>'
        )
    for value in _whole_ticks(steps[0], steps[-1]):
        grid += (
            f'<text x="{x(value):.1f}" y="{HEIGHT - BOTTOM + 20}" text-anchor="middle">'
            f"{value:g}</text>"
        )
    rates = [float(row["lr"]) for row in rows if row.get("lr") is not None]
    rate_line = ""
    if len(rates) == len(rows) and max(rates) > 0:
        heights = [y(low + (high - low) * rate / max(rates)) for rate in rates]
        rate_line = _line("rate", [x(step) for step in steps], heights)
    across = [x(step) for step in steps]
    return (
        f'<svg class="loss" viewBox="0 0 {WIDTH} {HEIGHT}" role="img" '
        f'aria-label="Training loss from {losses[0]:.3f} to {losses[-1]:.3f} '
        f'over {steps[-1]:g} steps">{grid}{rate_line}'
        f"{_line('raw', across, [y(loss) for loss in losses])}"
        f"{_line('smooth', across, [y(loss) for loss in _smoothed(losses)])}"
        f'<text x="{(LEFT + WIDTH - RIGHT) / 2}" y="{HEIGHT - 4}" text-anchor="middle">'
        "step</text></svg>"
    )


def _line(css: str, across: Sequence[float], heights: Sequence[float]) -> str:
    points = " ".join(f"{x:.1f},{y:.1f}" for x, y in zip(across, heights, strict=True))
    return f'<polyline class="{css}" points="{points}"/>'


def _smoothed(values: Sequence[float]) -> list[float]:
    """Mean over the neighbours on both sides, so that the curve does not lag behind."""
    reach = max(1, len(values) // WINDOWS)
    sums = [0.0, *accumulate(values)]
    result = []
    for position in range(len(values)):
        side = min(reach, position, len(values) - 1 - position)
        total = sums[position + side + 1] - sums[position - side]
        result.append(total / (2 * side + 1))
    return result


def _axis(low: float, high: float) -> tuple[float, float, float]:
    """Ends and distance of about five round ticks that span both values."""
    span = high - low or abs(high) or 1.0
    rough = span / 4
    power = 10 ** math.floor(math.log10(rough))
    step = next(power * m for m in (1, 2, 2.5, 5, 10) if power * m >= rough)
    start = math.floor(low / step) * step
    return start, max(math.ceil(high / step) * step, start + step), step


def _whole_ticks(first: float, last: float) -> list[float]:
    """About five round whole numbers within the steps."""
    step = max(1.0, _axis(first, last)[2])
    ticks = [math.ceil(first / step) * step + n * step for n in range(8)]
    return [tick for tick in ticks if first <= tick <= last]
