"""Turns come in order: a system turn first if at all, then user and assistant in pairs."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

from tuneval.data.draft import Draft, Turn
from tuneval.data.finding import Finding
from tuneval.data.rule import Rule


class Order(Rule):
    """order.system_not_first, order.first_not_user, order.not_alternating, order.no_answer"""

    def see(self, draft: Draft) -> Iterator[Finding]:
        """Looks only at records whose turns all have a known role."""
        if draft.item is None:
            return
        turns = draft.turns
        yield from _system_turns(draft)
        pairs = [turn for turn in turns if turn.role != "system"]
        if pairs and pairs[0].role != "user":
            what = f"The conversation begins with an {pairs[0].role} turn."
            yield _finding(draft, "first_not_user", what, "let a user turn come first", pairs[0])
        yield from _repeated_turns(draft, pairs)
        if not pairs or pairs[-1].role != "assistant":
            what = f"The conversation ends with a {turns[-1].role} turn: there is nothing to learn."
            mend = "add the assistant's answer or remove the record"
            yield _finding(draft, "no_answer", what, mend, turns[-1])


def _system_turns(draft: Draft) -> Iterator[Finding]:
    for turn in draft.turns[1:]:
        if turn.role == "system":
            what = f"{turn.role_path} is 'system'; a system turn may only be the first."
            yield _finding(draft, "system_not_first", what, "move it to the front", turn)


def _repeated_turns(draft: Draft, pairs: list[Turn]) -> Iterator[Finding]:
    for before, turn in pairwise(pairs):
        if turn.role == before.role:
            what = f"{turn.role_path} is '{turn.role}' like the turn before it."
            mend = "join the two turns, or add the missing one between them"
            yield _finding(draft, "not_alternating", what, mend, turn)


def _finding(draft: Draft, kind: str, what: str, mend: str, turn: Turn) -> Finding:
    return draft.finding(f"order.{kind}", what, mend=mend, path=turn.role_path)
