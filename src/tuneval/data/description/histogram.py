"""A histogram as an SVG that follows the page's colours."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

from tuneval.data.description.lengths import Bin, Spread
from tuneval.data.description.markup import Html

WIDTH, HEIGHT = 720, 280
LEFT, RIGHT, TOP, BOTTOM = 62, 16, 34, 44
_N_TICKS = 6
_Scale = Callable[[float], float]


def histogram(spread: Spread, label: str) -> Html:
    """How many values each bin has, with lines at the median and the 95th percentile.

    The last bar, when it is hatched, holds all that is longer than the 99th percentile.
    """
    bins = spread.histogram
    top = _axis_end(max(each.count for each in bins))
    start, width = bins[0].low, _bin_width(bins)
    step = (WIDTH - LEFT - RIGHT) / len(bins)

    def x(value: float) -> float:
        return LEFT + step * (value - start) / width

    def y(count: float) -> float:
        return TOP + (HEIGHT - TOP - BOTTOM) * (1 - count / top)

    return (
        f'<svg class="chart" viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{label}">'
        + _grid(top, y)
        + "".join(_bar(each, number, step, y) for number, each in enumerate(bins))
        + _ticks(bins, start, width, x)
        + _marks(spread, x)
        + "</svg>"
    )


def _bar(each: Bin, number: int, step: float, y: _Scale) -> Html:
    if not each.count:
        return ""
    css = "beyond" if each.high is None else "bin"
    height = max(y(0) - y(each.count), 1.5)  # one record among a million is still seen
    reach = f"≥ {each.low:,}" if each.high is None else f"{each.low:,}–{each.high - 1:,}"
    return (
        f'<rect class="{css}" x="{LEFT + number * step + 0.75:.1f}" y="{y(0) - height:.1f}" '
        f'width="{max(step - 1.5, 1):.1f}" height="{height:.1f}" rx="1.5">'
        f"<title>{reach}: {each.count:,}</title></rect>"
    )


def _grid(top: int, y: _Scale) -> Html:
    return "".join(
        f'<line class="grid" x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y(count):.1f}" '
        f'y2="{y(count):.1f}"/><text x="{LEFT - 8}" y="{y(count) + 4:.1f}" '
        f'text-anchor="end">{_short(count)}</text>'
        for count in (0, top // 2, top)
    )


def _ticks(bins: Sequence[Bin], start: int, width: int, x: _Scale) -> Html:
    every = max(1, math.ceil(len(bins) / _N_TICKS))
    values = [start + number * width for number in range(0, len(bins) + 1, every)]
    return "".join(
        f'<text x="{x(value):.1f}" y="{HEIGHT - 12}" text-anchor="middle">{_short(value)}</text>'
        for value in values
    )


def _marks(spread: Spread, x: _Scale) -> Html:
    """Lines with their values above; the second is left out where it would cover the first."""
    marks = ""
    taken = -math.inf
    for name, value in (("50%", spread.median), ("95%", spread.p95)):
        place = x(value + 0.5)
        if place - taken < 90:
            continue
        taken = place
        marks += (
            f'<line class="mark" x1="{place:.1f}" x2="{place:.1f}" y1="{TOP - 8}" '
            f'y2="{HEIGHT - BOTTOM}"/><text class="mark" x="{place:.1f}" y="{TOP - 13}" '
            f'text-anchor="{"end" if place > WIDTH - 70 else "middle"}">{name} ≤ {value:,}</text>'
        )
    return marks


def _bin_width(bins: Sequence[Bin]) -> int:
    first = bins[0]
    return first.high - first.low if first.high is not None else 1


def _axis_end(most: int) -> int:
    """An even number, not smaller, that is round."""
    power = 10 ** max(0, len(str(most)) - 1)
    return int(next(n * power for n in (1, 2, 4, 6, 8, 10) if n * power >= most and n * power > 1))


def _short(number: float) -> str:
    if number >= 1_000_000:
        return f"{number / 1_000_000:g}M"
    return f"{number / 1000:g}k" if number >= 10_000 else f"{number:,.0f}"
