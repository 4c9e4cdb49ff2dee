"""Small pieces of HTML: escaped text, both languages, tables, interval bars."""

from __future__ import annotations

import difflib
import math
import re
from collections.abc import Sequence
from html import escape

from tuneval.pages.markup import Html
from tuneval.statistics.estimate import Estimate

_WORDS = re.compile(r"\w+|\s+|[^\w\s]")
MOST_COMPARED = 2000
LEAST_ALIKE = 0.4


def interval_bars(sides: Sequence[tuple[str, Estimate]]) -> Html:
    """Each side's value as a dot on its interval, all on one scale; the first side is the base."""
    end = _scale_end([estimate for _, estimate in sides])
    marks = ""
    for css, estimate in sides:
        low = estimate.value if estimate.low is None else estimate.low
        high = estimate.value if estimate.high is None else estimate.high
        left, right = _place(low, estimate.unit, end), _place(high, estimate.unit, end)
        dot = _place(estimate.value, estimate.unit, end)
        marks += (
            f'<span class="lane {css}"><i style="left:{left:.2f}%;width:{right - left:.2f}%"></i>'
            f'<b style="left:{dot:.2f}%"></b></span>'
        )
    return f'<div class="bars" aria-hidden="true">{marks}</div>'


def difference_bar(estimate: Estimate, *, reach: float, good: bool | None) -> Html:
    """The difference's interval around zero, on a scale from -reach to +reach."""

    def place(value: float) -> float:
        return 50 + 50 * max(-1.0, min(1.0, value / reach if reach else 0.0))

    low = estimate.value if estimate.low is None else estimate.low
    high = estimate.value if estimate.high is None else estimate.high
    css = "none" if good is None else "good" if good else "bad"
    left, right = place(low), place(high)
    return (
        f'<div class="bars diff" aria-hidden="true"><s></s><span class="lane {css}">'
        f'<i style="left:{left:.2f}%;width:{right - left:.2f}%"></i>'
        f'<b style="left:{place(estimate.value):.2f}%"></b></span></div>'
    )


def share_bar(counts: Sequence[int], total: int) -> Html:
    """Counts side by side as one bar whose full length is `total`."""
    parts = "".join(
        f'<i class="part{n}" style="width:{100 * count / total if total else 0:.2f}%"></i>'
        for n, count in enumerate(counts)
    )
    return f'<span class="share" aria-hidden="true">{parts}</span>'


def marked_answer(answer: str, label: str, *, most: int = 400) -> Html:
    """The answer with what is not in the label marked, shortened to `most` characters."""
    shown = answer if len(answer) <= most else answer[:most]
    tail = "" if len(answer) <= most else "…"
    if not shown:
        return '<em class="empty">∅</em>'
    if not label or len(shown) * len(label) > MOST_COMPARED**2:
        return escape(shown) + tail
    ours, theirs = _WORDS.findall(shown), _WORDS.findall(label)
    matcher = difflib.SequenceMatcher(None, theirs, ours, autojunk=False)
    if matcher.ratio() < LEAST_ALIKE:
        return escape(shown) + tail
    pieces = []
    for kind, _, _, start, stop in matcher.get_opcodes():
        text = escape("".join(ours[start:stop]))
        if kind == "delete":
            pieces.append('<del aria-hidden="true">‸</del>')
        elif text:
            pieces.append(text if kind == "equal" else f"<mark>{text}</mark>")
    return "".join(pieces) + tail


def _scale_end(estimates: Sequence[Estimate]) -> float:
    ends = [estimate.value if estimate.high is None else estimate.high for estimate in estimates]
    return max([*ends, 1.5]) * 1.1


def _place(value: float, unit: str, end: float) -> float:
    """Per cent of the width: 0 to 1, 0 to 100, or from 1 to `end` by logarithm (perplexity)."""
    if unit == "share":
        place = value
    elif unit == "points":
        place = value / 100
    else:
        place = math.log(max(value, 1.0)) / math.log(end)
    return 100 * max(0.0, min(1.0, place))
