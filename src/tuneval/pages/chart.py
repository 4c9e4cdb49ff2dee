"""The plot area of a chart in SVG, which follows the page's colours."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

from tuneval.pages.axis import Axis
from tuneval.pages.markup import Html, both_in_svg
from tuneval.pages.text import Text

_LABEL_WIDTH = 90
MARK_ROW = 24
"""Height of a row of marks' texts, which are larger on a phone."""


@dataclass(frozen=True, slots=True)
class Mark:
    """A line across the chart at a value, with a text above it. `css`: `mark` or `fixed`."""

    value: float
    says: Text | str
    css: str = "mark"


@dataclass(frozen=True, slots=True, kw_only=True)
class Plot:
    """Size and margins of a chart, in units of its own; it is as wide as the page gives it."""

    width: int
    height: int
    left: int
    right: int
    top: int
    bottom: int
    across: Axis
    up: Axis

    def x(self, value: float) -> float:
        """Where a value lies from the left."""
        return self.left + (self.width - self.left - self.right) * self.across.share(value)

    def y(self, value: float) -> float:
        """Where a value lies from above."""
        return self.top + (self.height - self.top - self.bottom) * (1 - self.up.share(value))

    @property
    def floor(self) -> float:
        """The lower edge of the area."""
        return self.height - self.bottom

    def grid(self) -> Html:
        """Lines at the ticks of the axis that goes up, with their texts."""
        return "".join(
            f'<line class="grid" x1="{self.left}" x2="{self.width - self.right}" '
            f'y1="{self.y(value):.1f}" y2="{self.y(value):.1f}"/>'
            f'<text x="{self.left - 8}" y="{self.y(value) + 4:.1f}" '
            f'text-anchor="end">{escape(text)}</text>'
            for value, text in self.up.ticks
        )

    def ticks(self, below: int) -> Html:
        """The texts of the axis that goes across, `below` its line."""
        return "".join(
            f'<text x="{self.x(value):.1f}" y="{self.floor + below:g}" text-anchor="middle">'
            f"{escape(text)}</text>"
            for value, text in self.across.ticks
        )

    def marks(self, marks: Sequence[Mark], *, rows: int = 1) -> Html:
        """Lines with their texts above, in `rows` rows; what finds no room there is left out."""
        drawn = ""
        taken = [-math.inf] * rows
        for mark in marks:
            place = self.x(mark.value)
            row = next((n for n in range(rows) if abs(place - taken[n]) >= _LABEL_WIDTH), None)
            if row is None:
                continue
            taken[row] = place
            ceiling = self.top - 8 - MARK_ROW * (rows - 1 - row)
            drawn += (
                f'<line class="{mark.css}" x1="{place:.1f}" x2="{place:.1f}" y1="{ceiling}" '
                f'y2="{self.floor:g}"/><text class="{mark.css}" x="{place:.1f}" '
                f'y="{ceiling - 5}" text-anchor="{self._anchor(place)}">'
                f"{both_in_svg(mark.says)}</text>"
            )
        return drawn

    def svg(self, name: Text | str, content: Html, *, says: Text | None = None) -> Html:
        """The chart. `name` and what it `says` in words are for those who do not see it."""
        label = escape(name if isinstance(name, str) else " / ".join(dict.fromkeys(name)))
        words = "" if says is None else f"<desc>{escape(says.en)} {escape(says.zh)}</desc>"
        return (
            f'<svg class="chart" viewBox="0 0 {self.width} {self.height}" role="img" '
            f'aria-label="{label}">{words}{content}</svg>'
        )

    def _anchor(self, place: float) -> str:
        if place > self.width - 70:
            return "end"
        return "middle"
