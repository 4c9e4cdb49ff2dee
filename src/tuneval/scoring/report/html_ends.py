"""The page's section of examples."""

from __future__ import annotations

from html import escape

from tuneval.pages import markup as m
from tuneval.pages.markup import Html
from tuneval.pages.text import Text, clipped
from tuneval.scoring.report import words
from tuneval.scoring.report.ends import Sight
from tuneval.scoring.report.facts import ScoreFacts
from tuneval.scoring.report.html_measures import title
from tuneval.scoring.report.measures import MeasureFacts
from tuneval.scoring.report.numbers import value_text


def ends(facts: ScoreFacts) -> Html:
    """The examples at both ends of each measure."""
    panels: list[Html] = []
    for measure in facts.measures:
        found = facts.ends.get(measure.name)
        if found is None:
            continue
        sides = _side(words.LOWEST, found.lowest, measure)
        sides += _side(words.HIGHEST, found.highest, measure)
        state = "" if panels else " open"
        panels.append(
            f"<details{state}><summary>{m.both(title(measure))}</summary>{sides}</details>"
        )
    warning = f'<div class="warning">{m.both(facts.remark)}</div>' if facts.remark else ""
    heading = Text("Examples at each end", "两端的样本")
    return m.section("ends", heading, warning if panels else "", "".join(panels))


def _side(name: Text, sights: tuple[Sight, ...], measure: MeasureFacts) -> Html:
    if not sights:
        return ""
    shown = "".join(_sight(sight, measure) for sight in sights)
    return f'<h4>{m.both(name)}</h4><div class="sights">{shown}</div>'


def _sight(sight: Sight, measure: MeasureFacts) -> Html:
    turns = "".join(
        f'<div class="turn"><small>{m.both(words.ROLES.get(role, role))}</small>'
        f"<div>{escape(text) or '∅'}</div></div>"
        for role, text in sight.turns
    )
    earlier = ""
    if sight.n_earlier:
        said = Text(f"after {sight.n_earlier} earlier turns", f"之前还有 {sight.n_earlier} 轮")
        earlier = f" · {m.both(said)}"
    return (
        f'<div class="sight"><small><b>{value_text(sight.value, measure.reading.unit)}</b> · '
        f"{escape(clipped(sight.where, 200))} · <code>{escape(sight.id)}</code>{earlier}</small>"
        f"{turns}</div>"
    )
