"""A scatter: pairs of values as points, or as cells where there are too many points."""

from __future__ import annotations

from collections.abc import Sequence

from tuneval.pages.axis import Axis
from tuneval.pages.chart import Plot
from tuneval.pages.markup import Html, both_in_svg
from tuneval.pages.text import Text

SIZE = 460
LEFT, RIGHT, TOP, BOTTOM = 82, 14, 12, 58
MOST_POINTS = 1500
_CELLS = 30


def scatter(
    pairs: Sequence[tuple[float, float]],
    across: Axis,
    up: Axis,
    names: tuple[Text | str, Text | str],
    name: Text | str,
    *,
    says: Text | None = None,
) -> Html:
    """The chart, with a line where both are equal. `names` are those of the two axes.

    Beyond `MOST_POINTS` pairs, or where most are equal, squares whose area is as large as the
    number of pairs there: a page stays small, and a crowd can be told from a few.
    """
    plot = Plot(
        width=SIZE, height=SIZE, left=LEFT, right=RIGHT, top=TOP, bottom=BOTTOM,
        across=across, up=up,
    )  # fmt: skip
    low, high = max(across.low, up.low), min(across.high, up.high)
    same = ""
    if low < high:
        same = (
            f'<line class="same" x1="{plot.x(low):.1f}" y1="{plot.y(low):.1f}" '
            f'x2="{plot.x(high):.1f}" y2="{plot.y(high):.1f}"/>'
        )
    is_crowded = len(pairs) > MOST_POINTS or len(set(pairs)) < len(pairs) / 4
    drawn = _cells(pairs, plot) if is_crowded else _points(pairs, plot)
    middle = TOP + (SIZE - TOP - BOTTOM) / 2
    titles = (
        f'<text class="name" x="{(LEFT + SIZE - RIGHT) / 2:g}" y="{SIZE - 10}" '
        f'text-anchor="middle">{both_in_svg(names[0])}</text>'
        f'<text class="name" transform="translate(14 {middle:g}) rotate(-90)" '
        f'text-anchor="middle">{both_in_svg(names[1])}</text>'
    )
    return plot.svg(name, plot.grid() + plot.ticks(20) + same + drawn + titles, says=says)


def _points(pairs: Sequence[tuple[float, float]], plot: Plot) -> Html:
    """One path of dots: a tenth of what an element for each would take."""
    dots = "".join(f"M{plot.x(x):.0f} {plot.y(y):.0f}h0" for x, y in pairs)
    return f'<path class="points" d="{dots}"/>' if dots else ""


def _cells(pairs: Sequence[tuple[float, float]], plot: Plot) -> Html:
    """A square for each cell of a grid, in the middle of the pairs that lie there."""
    step = (SIZE - LEFT - RIGHT) / _CELLS
    cells: dict[tuple[int, int], list[float]] = {}
    for pair in pairs:
        x, y = plot.x(pair[0]), plot.y(pair[1])
        cell = cells.setdefault((int((x - LEFT) / step), int((y - TOP) / step)), [0, 0, 0])
        cell[0] += 1
        cell[1] += x
        cell[2] += y
    most = max(cell[0] for cell in cells.values())
    drawn = ""
    for _, (count, across, up) in sorted(cells.items()):
        side = max(2.4, step * (count / most) ** 0.5)
        x, y = across / count - side / 2, up / count - side / 2
        drawn += (
            f'<path class="cell" d="M{x:.1f} {y:.1f}h{side:.1f}v{side:.1f}h-{side:.1f}z">'
            f"<title>{count:,}</title></path>"
        )
    return drawn
