"""Loss curves as an SVG that follows the page's colours."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape
from itertools import accumulate
from typing import Any

from tuneval.pages.axis import round_steps

Log = Sequence[Mapping[str, Any]]

WIDTH, HEIGHT = 720, 300
LEFT, RIGHT, TOP, BOTTOM = 56, 16, 18, 44
WINDOWS = 30
COLOURS = 6
"""Curves in one chart that can be told apart; the page's style has `c0` to `c5`."""


def loss_chart(log: Log) -> str:
    """Loss at each logged step, its running mean, and the learning rate; empty below two steps."""
    rows = _finite(log)
    if len(rows) < 2:
        return ""
    steps, losses = _steps(rows), _losses(rows)
    plane = _Plane.spanning(steps, losses)
    across = [plane.x(step) for step in steps]
    rates = [float(row["lr"]) for row in rows if row.get("lr") is not None]
    rate_line = ""
    if len(rates) == len(rows) and max(rates) > 0:
        top = plane.high - plane.low
        heights = [plane.y(plane.low + top * rate / max(rates)) for rate in rates]
        rate_line = _line("rate", across, heights)
    return plane.svg(
        f"Training loss from {losses[0]:.3f} to {losses[-1]:.3f} over {steps[-1]:g} steps",
        rate_line
        + _line("raw", across, [plane.y(loss) for loss in losses])
        + _line("smooth", across, [plane.y(loss) for loss in _smoothed(losses)]),
    )


def loss_curves(logs: Mapping[str, Log]) -> str:
    """The running means of several trainings on the same axes; those below two steps are left out.

    The curve of the n-th training has the colour `c<n>`, whichever are left out.
    """
    curves = {name: _finite(log) for name, log in logs.items()}
    drawn = [rows for rows in curves.values() if len(rows) > 1]
    if not drawn:
        return ""
    means = {name: _smoothed(_losses(rows)) for name, rows in curves.items() if len(rows) > 1}
    plane = _Plane.spanning(
        [step for rows in drawn for step in _steps(rows)],
        [loss for losses in means.values() for loss in losses],
    )
    lines, said = "", []
    for number, (name, rows) in enumerate(curves.items()):
        if name in means:
            across = [plane.x(step) for step in _steps(rows)]
            heights = [plane.y(loss) for loss in means[name]]
            lines += _line(f"curve c{number % COLOURS}", across, heights)
            said.append(f"{name} from {means[name][0]:.3f} to {means[name][-1]:.3f}")
    return plane.svg("Training loss, running mean: " + "; ".join(said), lines)


@dataclass(frozen=True, slots=True)
class _Plane:
    """Where a step and a loss lie in the chart."""

    first: float
    last: float
    low: float
    high: float
    tick: float

    @classmethod
    def spanning(cls, steps: Sequence[float], losses: Sequence[float]) -> _Plane:
        """The axes that hold all of them; the losses' begins at 0 unless that wastes room."""
        least, most = min(losses), max(losses)
        low, high, tick = round_steps(0.0 if least < most / 2 else least, most)
        return cls(min(steps), max(steps), low, high, tick)

    def x(self, step: float) -> float:
        """Pixels from the left."""
        width = WIDTH - LEFT - RIGHT
        return LEFT + width * (step - self.first) / (self.last - self.first or 1)

    def y(self, loss: float) -> float:
        """Pixels from the top."""
        return TOP + (HEIGHT - TOP - BOTTOM) * (1 - (loss - self.low) / (self.high - self.low))

    def svg(self, label: str, lines: str) -> str:
        """The chart: the grid with its numbers, and the lines."""
        return (
            f'<svg class="loss" viewBox="0 0 {WIDTH} {HEIGHT}" role="img" '
            f'aria-label="{escape(label)}">{self._grid()}{lines}'
            f'<text x="{(LEFT + WIDTH - RIGHT) / 2}" y="{HEIGHT - 4}" text-anchor="middle">'
            "step</text></svg>"
        )

    def _grid(self) -> str:
        grid = ""
        for number in range(round((self.high - self.low) / self.tick) + 1):
            value = self.low + number * self.tick
            grid += (
                f'<line class="grid" x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{self.y(value):.1f}" '
                f'y2="{self.y(value):.1f}"/><text x="{LEFT - 8}" y="{self.y(value) + 5:.1f}" '
                f'text-anchor="end">{value:g}</text>'
            )
        for value in _whole_ticks(self.first, self.last):
            grid += (
                f'<text x="{self.x(value):.1f}" y="{HEIGHT - BOTTOM + 20}" '
                f'text-anchor="middle">{value:g}</text>'
            )
        return grid


def _finite(log: Log) -> list[Mapping[str, Any]]:
    return [row for row in log if "loss" in row and math.isfinite(row["loss"])]


def _steps(rows: Log) -> list[float]:
    return [float(row["current_steps"]) for row in rows]


def _losses(rows: Log) -> list[float]:
    return [float(row["loss"]) for row in rows]


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


def _whole_ticks(first: float, last: float) -> list[float]:
    """About five round whole numbers within the steps."""
    step = max(1.0, round_steps(first, last)[2])
    ticks = [math.ceil(first / step) * step + n * step for n in range(8)]
    return [tick for tick in ticks if first <= tick <= last]
