"""A quantile strip: how values lie, on one line."""

from __future__ import annotations

from dataclasses import dataclass
from html import escape

from tuneval.pages.axis import Axis
from tuneval.pages.markup import Html
from tuneval.pages.text import Text

_WIDTH, _HEIGHT, _EDGE = 240, 18, 4


@dataclass(frozen=True, slots=True)
class Quantiles:
    """Values that 5, 25, 50, 75 and 95 per cent of all do not exceed."""

    p5: float
    p25: float
    p50: float
    p75: float
    p95: float


def strip(
    quantiles: Quantiles, axis: Axis, name: Text | str, *, fixed: float | None = None
) -> Html:
    """A line from 5 to 95%, a box from 25 to 75%, a thick stroke at the median.

    `fixed` is a value to draw a dashed line at, on every strip of an axis.
    """

    def x(value: float) -> float:
        return _EDGE + (_WIDTH - 2 * _EDGE) * axis.share(value)

    q, middle = quantiles, _HEIGHT / 2
    box = max(x(q.p75) - x(q.p25), 1.5)
    label = escape(name if isinstance(name, str) else " / ".join(dict.fromkeys(name)))
    dashed = ""
    if fixed is not None and axis.low <= fixed <= axis.high:
        dashed = f'<path class="fixed" d="M{x(fixed):.1f} 0V{_HEIGHT}"/>'
    return (
        f'<svg class="strip" viewBox="0 0 {_WIDTH} {_HEIGHT}" role="img" aria-label="{label}">'
        f'{dashed}<path class="reach" d="M{x(q.p5):.1f} {middle:g}H{x(q.p95):.1f}"/>'
        f'<rect class="middle" x="{x(q.p25):.1f}" y="4" width="{box:.1f}" height="{_HEIGHT - 8}"/>'
        f'<path class="median" d="M{x(q.p50):.1f} 2V{_HEIGHT - 2}"/></svg>'
    )
