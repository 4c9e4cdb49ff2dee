"""Calls and answers of tools belong together, and to the tools that the record offers.

That an answer follows a call at all is the matter of the rule `order`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import takewhile

from tuneval.data.draft import Draft, Turn
from tuneval.data.example import ToolCall
from tuneval.data.finding import Finding, Severity, clip
from tuneval.data.rule import Rule


class ToolCalls(Rule):
    """tool_calls.no_tools (warning), tool_calls.unknown_function, tool_calls.id_twice,
    tool_calls.id_unmatched, tool_calls.id_missing (warning), tool_calls.not_answered,
    tool_calls.answer_without_call
    """

    marks = ()

    def see(self, draft: Draft) -> Sequence[Finding]:
        """Findings for each turn that calls tools, and for the answers right after it."""
        if not any(turn.tool_calls for turn in draft.turns):
            return ()
        found = [*_functions(draft)]
        for turns in draft.conversations:
            for number, turn in enumerate(turns):
                if turn.tool_calls:
                    after = turns[number + 1 :]
                    found += _answers(draft, turn, after)
        # The prompt of a preference stands in two conversations.
        return tuple({(one.rule, one.path): one for one in found}.values())


def _functions(draft: Draft) -> Iterator[Finding]:
    known = _names(draft)
    for turn in draft.turns:
        for call in turn.tool_calls:
            if not draft.tools:
                what = f"{turn.path} calls {clip(call.name)}, and the record offers no tools."
                mend = "add 'tools', the JSON schemas of the functions"
                yield _finding(draft, "no_tools", what, mend, turn.path, "warning")
                return
            if call.name not in known:
                what = f"{turn.path} calls {clip(call.name)}, which is not among the tools."
                mend = f"tools of the record: {', '.join(sorted(known)) or 'none with a name'}"
                yield _finding(draft, "unknown_function", what, mend, turn.path)


def _names(draft: Draft) -> set[str]:
    """Names of the functions, with OpenAI's frame {"type", "function"} around them or without."""
    frames = [tool.get("function", tool) for tool in draft.tools]
    names = [frame.get("name") for frame in frames if isinstance(frame, dict)]
    return {name for name in names if isinstance(name, str)}


def _answers(draft: Draft, turn: Turn, after: Sequence[Turn]) -> Iterator[Finding]:
    answers = list(takewhile(lambda other: other.role == "tool", after))
    ids = [call.id for call in turn.tool_calls if call.id is not None]
    for repeated in sorted({name for name in ids if ids.count(name) > 1}):
        what = f"{turn.path} has two calls with the id {clip(repeated)}."
        yield _finding(draft, "id_twice", what, "give each call an id of its own", turn.path)
    for surplus in answers[_most_answers(turn.tool_calls, answers) :]:
        what = f"{surplus.path} is one answer more than there are calls before it."
        mend = "remove it, or add the call that it answers"
        yield _finding(draft, "answer_without_call", what, mend, surplus.path)
        return
    yield from _ids(draft, turn, ids, answers)
    given = {answer.tool_call_id for answer in answers}
    if answers and None not in given and (missing := [name for name in ids if name not in given]):
        what = f"{turn.path} has a call that no tool answers: {clip(missing[0])}."
        mend = "add a turn with the role tool and this tool_call_id"
        yield _finding(draft, "not_answered", what, mend, turn.path)


def _ids(
    draft: Draft, turn: Turn, ids: Sequence[str], answers: Sequence[Turn]
) -> Iterator[Finding]:
    for answer in answers:
        if answer.tool_call_id is None:
            if len(ids) > 1:
                what = f"{answer.path} does not say which of {len(ids)} calls it answers."
                mend = "add 'tool_call_id'"
                yield _finding(draft, "id_missing", what, mend, answer.path, "warning")
        elif answer.tool_call_id not in ids:
            what = (
                f"{answer.path} answers the call {clip(answer.tool_call_id)}, which is not among "
                f"those before it: {', '.join(map(clip, ids)) or 'they have no ids'}."
            )
            yield _finding(draft, "id_unmatched", what, "write the id of the call", answer.path)


def _most_answers(calls: Sequence[ToolCall], answers: Sequence[Turn]) -> int:
    """As many as calls; unlimited where ids tell which call an answer belongs to."""
    has_ids = any(answer.tool_call_id is not None for answer in answers)
    return len(answers) if has_ids else len(calls)


def _finding(
    draft: Draft, kind: str, what: str, mend: str, path: str, severity: Severity = "error"
) -> Finding:
    return draft.finding(f"tool_calls.{kind}", what, mend=mend, path=path, severity=severity)
