"""A histogram: how many values lie in each bin."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from typing import Literal

from tuneval.pages.axis import Axis
from tuneval.pages.chart import MARK_ROW, Mark, Plot
from tuneval.pages.markup import Html
from tuneval.pages.numbers import short_count
from tuneval.pages.text import Text

WIDTH, HEIGHT = 720, 280
LEFT, RIGHT, TOP, BOTTOM = 62, 16, 34, 44

Style = Literal["bin", "past", "beyond"]


@dataclass(frozen=True, slots=True)
class Bar:
    """A bin from `low` to `high` on the axis, and what it `says` when pointed at.

    `css`: `bin`; `past`, drawn as an outline, for what lies beyond a neutral value; `beyond`,
    pale, for a last bin that holds everything larger.
    """

    low: float
    high: float
    count: int
    says: str
    css: Style = "bin"


def histogram(
    bars: Sequence[Bar],
    axis: Axis,
    name: Text | str,
    *,
    marks: Sequence[Mark] = (),
    mark_rows: int = 1,
    says: Text | None = None,
) -> Html:
    """The chart of at least one bar. `marks` are lines at values of the axis."""
    top = _axis_end(max(bar.count for bar in bars))
    up = Axis(0, top, tuple((count, short_count(count)) for count in (0, top // 2, top)))
    extra = MARK_ROW * (mark_rows - 1)
    plot = Plot(
        width=WIDTH, height=HEIGHT + extra, left=LEFT, right=RIGHT, top=TOP + extra, bottom=BOTTOM,
        across=axis, up=up,
    )  # fmt: skip
    content = plot.grid() + "".join(_bar(bar, plot) for bar in bars) + plot.ticks(32)
    return plot.svg(name, content + plot.marks(marks, rows=mark_rows), says=says)


def _bar(bar: Bar, plot: Plot) -> Html:
    if not bar.count:
        return ""
    left, right = plot.x(bar.low), plot.x(bar.high)
    height = max(plot.y(0) - plot.y(bar.count), 1.5)  # one record among a million is still seen
    return (
        f'<rect class="{bar.css}" x="{left + 0.75:.1f}" y="{plot.y(0) - height:.1f}" '
        f'width="{max(right - left - 1.5, 1):.1f}" height="{height:.1f}" rx="1.5">'
        f"<title>{escape(bar.says)}: {bar.count:,}</title></rect>"
    )


def _axis_end(most: int) -> int:
    """An even number, not smaller, that is round."""
    power = 10 ** max(0, len(str(most)) - 1)
    return int(next(n * power for n in (1, 2, 4, 6, 8, 10) if n * power >= most and n * power > 1))
