"""What gates said, as plain text and as a section of a page."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from html import escape
from typing import TYPE_CHECKING

from tuneval.pages import markup as m
from tuneval.pages.markup import Html
from tuneval.pages.text import Text

if TYPE_CHECKING:
    from tuneval.evaluation.comparing.gate import GateResult

TITLE = Text("Gates", "门槛")
FAILS, PASSES = Text("fails", "不通过"), Text("passes", "通过")


def gate_lines(gates: Sequence[GateResult]) -> Iterator[str]:
    """Each verdict with its reasons; nothing without gates."""
    if not gates:
        return
    yield f"\n## {TITLE.en}\n"
    for gate in gates:
        said = FAILS if gate.failed else PASSES
        yield f"- **{said.en}**: --fail-{gate.fails} `{gate.condition}`"
        yield from (f"  - {reason}" for reason in gate.reasons)


def gates_section(gates: Sequence[GateResult]) -> Html:
    """The same for a page."""
    return m.section("gates", TITLE, "".join(map(_gate, gates)))


def _gate(gate: GateResult) -> Html:
    said, css = (FAILS, "worse") if gate.failed else (PASSES, "worked")
    reasons = "".join(f"<li>{escape(reason)}</li>" for reason in gate.reasons)
    return (
        f'<div class="verdict {css}"><strong>{m.both(said)}</strong>'
        f'<p class="main"><code>--fail-{gate.fails} "{escape(gate.condition)}"</code></p>'
        f"<ul>{reasons}</ul></div>"
    )
