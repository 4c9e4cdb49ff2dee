"""Every model's figure with its interval, one under another on one axis."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from html import escape
from typing import Literal

from tuneval.evaluation.report.loss_chart import COLOURS
from tuneval.evaluation.report.numbers import (
    change_text,
    difference_text,
    estimate_text,
    value_text,
)
from tuneval.pages.axis import Axis, linear_axis
from tuneval.pages.markup import Html
from tuneval.statistics.estimate import Estimate

WIDTH, LEFT, RIGHT = 720, 170, 24
ROW, TOP, BOTTOM = 26, 8, 30
LONGEST_LABEL = 21


Scale = Literal["whole", "close", "difference"]
"""Shares from 0 to 100%; just what there is; differences, with a line at 0."""


def dots(figures: Mapping[str, Estimate], name: str, *, scale: Scale = "whole") -> Html:
    """The chart; empty without a figure."""
    if not figures:
        return ""
    units = {estimate.unit for estimate in figures.values()}
    axis = _axis(figures, scale)
    text, said_of = value_text, estimate_text
    if scale == "difference":
        text, said_of = change_text, difference_text
    height = TOP + ROW * len(figures) + BOTTOM
    floor = height - BOTTOM
    unit = units.pop() if len(units) == 1 else ""

    def x(value: float) -> float:
        return LEFT + (WIDTH - LEFT - RIGHT) * axis.share(value)

    grid = "".join(
        f'<line class="grid" x1="{x(tick):.1f}" x2="{x(tick):.1f}" y1="{TOP}" y2="{floor}"/>'
        f'<text x="{x(tick):.1f}" y="{floor + 18}" text-anchor="middle">'
        f"{escape(text(tick, unit))}</text>"
        for tick, _ in axis.ticks
    )
    if scale == "difference":
        grid += f'<line class="zero" x1="{x(0):.1f}" x2="{x(0):.1f}" y1="{TOP}" y2="{floor}"/>'
    rows = "".join(
        _row(number, label, estimate, x) for number, (label, estimate) in enumerate(figures.items())
    )
    said = "; ".join(f"{label} {said_of(found)}" for label, found in figures.items())
    return (
        f'<svg class="dots" viewBox="0 0 {WIDTH} {height}" role="img" '
        f'aria-label="{escape(f"{name}: {said}")}">{grid}{rows}</svg>'
    )


def _row(number: int, label: str, estimate: Estimate, x: Callable[[float], float]) -> Html:
    """A label, a line for the interval, a dot for the value."""
    y = TOP + ROW * number + ROW / 2
    shown = label if len(label) <= LONGEST_LABEL else label[: LONGEST_LABEL - 1] + "…"
    line = ""
    if estimate.low is not None and estimate.high is not None:
        line = (
            f'<line class="reach" x1="{x(estimate.low):.1f}" x2="{x(estimate.high):.1f}" '
            f'y1="{y:g}" y2="{y:g}"/>'
        )
    return (
        f'<g class="c{number % COLOURS}"><text class="name" x="{LEFT - 12}" y="{y + 4:g}" '
        f'text-anchor="end">{escape(shown)}</text>{line}'
        f'<circle cx="{x(estimate.value):.1f}" cy="{y:g}" r="5"/></g>'
    )


def _axis(figures: Mapping[str, Estimate], scale: Scale) -> Axis:
    ends = [
        end
        for found in figures.values()
        for end in (found.low, found.value, found.high)
        if end is not None
    ]
    if scale == "difference":
        ends.append(0.0)
    shares = all(found.unit == "share" for found in figures.values())
    if scale == "whole" and shares and min(ends) >= 0:
        return linear_axis(0.0, 1.0)
    return linear_axis(min(ends), max(ends)).widened(0.05)
