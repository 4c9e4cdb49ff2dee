"""alpaca: `{"instruction", "input"?, "output", "system"?, "history"?, "group"?, "tags"?}`.

Read as LLaMA-Factory reads it: instruction and input are joined by a line break, an empty one
is left out; `history` is a list of earlier [question, answer] pairs.
"""

from __future__ import annotations

from typing import Any

from tuneval.data.draft import Draft, Drafting
from tuneval.data.example import Example, Item
from tuneval.data.finding import clip
from tuneval.data.format import CannotHoldError, Format
from tuneval.data.record import Record

_KEYS = frozenset({"instruction", "input", "output", "system", "history"})


def _draft(record: Record) -> Draft:
    drafting = Drafting(record)
    if system := drafting.optional_text("system"):
        drafting.add("system", system, "system")
    _add_history(drafting, drafting.value.get("history"))
    _add_question(drafting)
    drafting.add("assistant", drafting.text(drafting.value, "output", "output"), "output")
    return drafting.build(_KEYS)


def _add_question(drafting: Drafting) -> None:
    instruction = drafting.text(drafting.value, "instruction", "instruction")
    more = drafting.optional_text("input")
    whole = None if instruction is None else "\n".join(filter(None, (instruction, more)))
    drafting.add("user", whole, "instruction")


def _add_history(drafting: Drafting, history: Any) -> None:
    if history is None:
        return
    if not isinstance(history, list) or not all(_is_pair(pair) for pair in history):
        what = f"history is not a list of [question, answer] pairs: {clip(history)}."
        mend = 'write [["question", "answer"], …] or remove the key'
        drafting.fault("shape.history", what, mend=mend, path="history")
        return
    for number, (question, answer) in enumerate(history):
        drafting.add("user", question, f"history[{number}][0]")
        drafting.add("assistant", answer, f"history[{number}][1]")


def _is_pair(pair: Any) -> bool:
    return isinstance(pair, list) and len(pair) == 2 and all(isinstance(p, str) for p in pair)


def _row(item: Item) -> dict[str, Any]:
    if not isinstance(item, Example):
        raise CannotHoldError("The format alpaca holds conversations only.", where=str(item.source))
    raise NotImplementedError  # formats owner


ALPACA = Format(
    name="alpaca",
    kind="conversation",
    shapes=(("instruction", "output"),),
    draft=_draft,
    row=_row,
)
