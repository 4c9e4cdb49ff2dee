"""sharegpt: `{"conversations": [{"from", "value"}, …], "system"?, "tools"?, …}`.

Read as LLaMA-Factory reads it: human, gpt, observation (the answer of a tool) and function_call,
whose value is JSON of one call or a list of calls, after a thought in `<think>…</think>` if
there is one; a system turn first or the column `system`; `tools` may be JSON inside a text. With
`chosen` and `rejected`, or with `kto_tag`, the record is a preference: the formats `preference`
and `kto` read it by what is here.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from itertools import chain
from typing import Any

from tuneval.data.draft import Draft, Drafting, Part
from tuneval.data.example import Example, Item, Message, Preference, Text, UnpairedPreference
from tuneval.data.finding import clip
from tuneval.data.format import Format
from tuneval.data.formats.holding import (
    cannot_hold,
    kind_of_item,
    losses_beside_text,
    losses_of_empty_parts,
    refuse_if_any,
)
from tuneval.data.formats.turns import list_of_turns
from tuneval.data.record import Record, kind_of
from tuneval.data.tools import add_tools, read_calls

CONVERSATION_KEYS = frozenset({"conversations", "system", "tools"})
_ROLES = {"human": "user", "gpt": "assistant", "observation": "tool", "function_call": "assistant"}
_NAMES = {"user": "human", "assistant": "gpt", "tool": "observation", "system": "system"}
_EXAMPLE = '[{"from": "human", "value": "…"}, {"from": "gpt", "value": "…"}]'
_THOUGHT = re.compile(r"\s*<think>.*?</think>\s*", re.DOTALL)


def _draft(record: Record) -> Draft:
    drafting = Drafting(record)
    add_conversation(drafting)
    return drafting.build(CONVERSATION_KEYS)


def add_conversation(drafting: Drafting, *, last: Part = "messages") -> None:
    """All turns and the tools; `last` is the last turn's part."""
    rows = list_of_turns(drafting, "conversations", _EXAMPLE)
    _add_system(drafting, rows[:1])
    for number, row in enumerate(rows, start=1):
        own = last if number == len(rows) else "messages"
        add_turn(drafting, row, f"conversations[{number - 1}]", own)
    add_tools(drafting)


def add_turn(drafting: Drafting, row: Any, path: str, part: Part = "messages") -> None:
    """One turn, an object that stands at `path`."""
    if not isinstance(row, dict):
        what = f"{path} is {kind_of(row)}, not an object: {clip(row)}."
        drafting.fault("shape.not_object", what, mend='write {"from", "value"}', path=path)
        drafting.add(None, None, path, part=part)
        return
    name = drafting.text(row, "from", f"{path}.from")
    text = drafting.text(row, "value", f"{path}.value")
    unknown = [
        key for key, value in row.items() if key not in ("from", "value") and value is not None
    ]
    drafting.leave_unused(f"{path.partition('[')[0]}[].{key}" for key in unknown)
    more: dict[str, Any] = {"role_path": f"{path}.from", "part": part}
    if name == "function_call" and text is not None:
        thought = _THOUGHT.match(text)
        calls = text[thought.end() :] if thought else text
        text = thought[0] if thought else ""
        more["tool_calls"] = read_calls(drafting, calls, f"{path}.value")
    # A name that means nothing here stays: the rule about roles tells the right one.
    drafting.add(_ROLES.get(name or "", name), text, f"{path}.value", **more)


def _add_system(drafting: Drafting, first: Sequence[Any]) -> None:
    system = drafting.optional_text("system")
    if not system:
        return
    turn = first[0] if first else None
    if not isinstance(turn, dict) or turn.get("from") != "system":
        drafting.add("system", system, "system")
    elif turn.get("value") != system:
        what = "The key 'system' and the first turn, a system turn, do not say the same."
        drafting.fault("shape.two_systems", what, mend="keep one of them", path="system")


def _row(item: Item) -> dict[str, Any]:
    """A conversation; a preference or an unpaired one as LLaMA-Factory's `ranking`, `kto_tag`."""
    if isinstance(item, Text):
        raise cannot_hold("sharegpt", item, [kind_of_item(item)])
    conversation: tuple[Message, ...]
    answers: dict[str, tuple[Message, ...]]
    if isinstance(item, Example):
        conversation, answers = item.messages, {}
        empty = losses_of_empty_parts(conversation=item.messages)
    elif isinstance(item, Preference):
        conversation, answers = item.prompt, {"chosen": item.chosen, "rejected": item.rejected}
        empty = losses_of_empty_parts(prompt=item.prompt, **answers)
    else:
        conversation, answers = (*item.prompt, *item.completion), {"completion": item.completion}
        empty = losses_of_empty_parts(prompt=item.prompt, **answers)
    refuse_if_any("sharegpt", item, chain(empty, _losses(conversation, list(answers.values()))))
    row: dict[str, Any] = {"conversations": [_turn_row(message) for message in conversation]}
    if isinstance(item, Preference):
        row |= {"chosen": _turn_row(item.chosen[0]), "rejected": _turn_row(item.rejected[0])}
    if isinstance(item, UnpairedPreference):
        row["kto_tag"] = item.label
    return row | {"tools": json.dumps(item.tools, ensure_ascii=False)} if item.tools else row


def _turn_row(message: Message) -> dict[str, str]:
    if not message.tool_calls:
        return {"from": _NAMES[message.role], "value": message.content}
    calls = [
        {"name": call.name, "arguments": json.loads(call.arguments)} for call in message.tool_calls
    ]
    text = json.dumps(calls[0] if len(calls) == 1 else calls, ensure_ascii=False)
    return {"from": "function_call", "value": message.content + text}


def _losses(
    conversation: Sequence[Message], answers: Sequence[tuple[Message, ...]]
) -> Iterator[str]:
    messages = [*conversation, *chain.from_iterable(answers)]
    yield from losses_beside_text(messages)
    calling = [message for message in messages if message.tool_calls]
    if any(message.role != "assistant" for message in calling):
        yield "tool calls of another turn than the assistant's"
    if any(message.content and not _is_thought(message.content) for message in calling):
        yield "text beside a tool call"
    if any(len(answer) > 1 for answer in answers):
        yield "an answer of several turns"


def _is_thought(content: str) -> bool:
    """Whether reading gives it back when a call follows it."""
    found = _THOUGHT.match(content)
    return found is not None and found.end() == len(content)


SHAREGPT = Format(
    name="sharegpt",
    kind="conversation",
    shapes=(("conversations",),),
    draft=_draft,
    row=_row,
)
