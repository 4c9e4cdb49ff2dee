"""Turns come in order: a system turn first if at all, then user and assistant in pairs.

An assistant turn that calls tools is followed by their answers, and these by an assistant turn;
the call may also be the last turn.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import pairwise

from tuneval.data.draft import Draft, Turn
from tuneval.data.finding import Finding
from tuneval.data.rule import Rule

_LETTERS = {"system": "S", "user": "U", "assistant": "A", "tool": "T", None: "?"}
_in_order = re.compile("S?(?:U(?:CT+)*A)*U(?:CT+)*[AC]").fullmatch  # C: an assistant that calls
_JOIN = "join the two turns, or add the missing one between them"
_ANSWER = "add the tool's answer as a turn with the role tool, or remove the call"


class Order(Rule):
    """order.system_not_first, order.first_not_user, order.not_alternating, order.no_answer,
    order.tool_without_call, order.call_without_answer, order.tool_not_taken_up
    """

    marks = ()

    def see(self, draft: Draft) -> Sequence[Finding]:
        """Looks only at records whose turns all have a known role.

        A fault in the prompt of a preference, which has two conversations, is told once.
        """
        if draft.item is None:
            return ()
        found = {
            (finding.rule, finding.path): finding
            for turns in draft.conversations
            if not _in_order("".join(map(_letter, turns)))
            for finding in _faults(draft, turns)
        }
        return tuple(found.values())


def _letter(turn: Turn) -> str:
    return "C" if turn.tool_calls else _LETTERS.get(turn.role, "?")


def _faults(draft: Draft, turns: Sequence[Turn]) -> Iterator[Finding]:
    for turn in turns[1:]:
        if turn.role == "system":
            what = f"{turn.role_path} is 'system'; a system turn may only be the first."
            yield _finding(draft, "system_not_first", what, "move it to the front", turn)
    talk = [turn for turn in turns if turn.role != "system"]
    if talk and talk[0].role != "user":
        article = "an" if talk[0].role == "assistant" else "a"
        what = f"The conversation begins with {article} {talk[0].role} turn."
        yield _finding(draft, "first_not_user", what, "let a user turn come first", talk[0])
    for before, turn in pairwise(talk):
        yield from _neighbours(draft, before, turn)
    if turns and (not talk or talk[-1].role != "assistant"):
        what = f"The conversation ends with a {turns[-1].role} turn: there is nothing to learn."
        mend = "add the assistant's answer or remove the record"
        yield _finding(draft, "no_answer", what, mend, turns[-1])


def _neighbours(draft: Draft, before: Turn, turn: Turn) -> Iterator[Finding]:
    match before.role, turn.role:
        case ("user", "assistant") | ("tool", "tool") | ("tool", "assistant"):
            return
        case ("assistant", "tool") if before.tool_calls:
            return
        case (_, "tool"):
            what = f"{turn.role_path} is 'tool', and the turn before it calls no tool."
            mend = "add the assistant's call before it, or remove the turn"
            yield _finding(draft, "tool_without_call", what, mend, turn)
        case ("assistant", _) if before.tool_calls:
            what = f"{turn.role_path} is '{turn.role}' after a call that no tool has answered."
            yield _finding(draft, "call_without_answer", what, _ANSWER, turn)
        case ("tool", _):
            what = f"{turn.role_path} is '{turn.role}' right after the answer of a tool."
            mend = "add the assistant turn that makes use of it"
            yield _finding(draft, "tool_not_taken_up", what, mend, turn)
        case (first, second) if first == second:
            what = f"{turn.role_path} is '{turn.role}' like the turn before it."
            yield _finding(draft, "not_alternating", what, _JOIN, turn)


def _finding(draft: Draft, kind: str, what: str, mend: str, turn: Turn) -> Finding:
    return draft.finding(f"order.{kind}", what, mend=mend, path=turn.role_path)
