"""preference: two ways to go on from a prompt, `chosen` and `rejected`. Read in five shapes.

TRL      {"prompt", "chosen", "rejected"}: three lists of messages, or three texts
         {"chosen", "rejected"}: two whole conversations, whose common beginning is the prompt
LLaMA-Factory's `ranking`
         {"instruction", "input"?, "chosen", "rejected"}: texts, the rest as in alpaca
         {"conversations", "chosen", "rejected"}: two objects {"from", "value"}, as in sharegpt
         {"messages", "chosen", "rejected"}: the same with {"role", "content"}

Written as three lists of messages. The formats alpaca and sharegpt write LLaMA-Factory's shapes.
"""

from __future__ import annotations

from typing import Any, Literal

from tuneval.data.draft import Draft, Drafting
from tuneval.data.example import Item, Preference
from tuneval.data.format import Format
from tuneval.data.formats.alpaca import PROMPT_KEYS, add_question
from tuneval.data.formats.holding import (
    cannot_hold,
    kind_of_item,
    losses_of_empty_parts,
    refuse_if_any,
)
from tuneval.data.formats.sharegpt import CONVERSATION_KEYS, add_conversation, add_turn
from tuneval.data.formats.turns import add_message, add_messages, list_of_turns, message_rows
from tuneval.data.record import Record, kind_of
from tuneval.data.tools import add_tools

_ANSWERS: tuple[Literal["chosen", "rejected"], ...] = ("chosen", "rejected")
_TURNS = '[{"role": "assistant", "content": "…"}]'


def _draft(record: Record) -> Draft:
    drafting = Drafting(record, "preference")
    match _kind_of_answers(drafting):
        case "a text":
            uses = _add_texts(drafting)
        case "a list":
            uses = _add_lists(drafting)
        case "an object":
            uses = _add_objects(drafting)
        case _:
            uses = frozenset()
    return drafting.build(uses | {*_ANSWERS, "tools"})


def _kind_of_answers(drafting: Drafting) -> str | None:
    """What both answers are, in words; None, and a fault, if they are nothing to read."""
    missing = [key for key in _ANSWERS if key not in drafting.value]
    for key in missing:
        drafting.fault(f"shape.no_{key}", f"{key} is missing.", mend=f"add '{key}'", path=key)
    if missing:
        return None
    chosen, rejected = (kind_of(drafting.value[key]) for key in _ANSWERS)
    if chosen == rejected and chosen in ("a text", "a list", "an object"):
        return chosen
    what = f"chosen is {chosen} and rejected is {rejected}."
    mend = "write both as texts, as lists of messages, or as one turn each"
    drafting.fault("shape.mixed", what, mend=mend, path="chosen")
    return None


def _add_texts(drafting: Drafting) -> frozenset[str]:
    """A prompt that is a text, or alpaca's instruction and input."""
    if "prompt" in drafting.value:
        uses = frozenset({"prompt"})
        drafting.add("user", drafting.text(drafting.value, "prompt", "prompt"), "prompt")
        add_tools(drafting)
    elif "instruction" in drafting.value:
        uses = PROMPT_KEYS
        add_question(drafting)
    else:
        what = "chosen and rejected are texts, and there is no prompt that is one too."
        mend = "add it under 'prompt', or write the answers as turns like those of the conversation"
        drafting.fault("shape.no_prompt", what, mend=mend, path="chosen")
        return frozenset()
    for key in _ANSWERS:
        drafting.add("assistant", drafting.value[key], key, part=key)
    return uses


def _add_lists(drafting: Drafting) -> frozenset[str]:
    """Three lists of messages, or two whose common beginning is the prompt.

    A prompt that is a text beside them is a copy of what the lists hold; TRL passes over it too.
    """
    add_tools(drafting)
    prompt = drafting.value.get("prompt")
    if prompt is not None and not isinstance(prompt, str):
        add_messages(drafting, "prompt")
        for key in _ANSWERS:
            add_messages(drafting, key, key)
        return frozenset({"prompt"})
    chosen, rejected = (list_of_turns(drafting, key, _TURNS) for key in _ANSWERS)
    n_prompt = _common(chosen, rejected)
    for number, row in enumerate(chosen):
        part: Any = "messages" if number < n_prompt else "chosen"
        add_message(drafting, row, f"chosen[{number}]", part)
    for number, row in enumerate(rejected[n_prompt:], start=n_prompt):
        add_message(drafting, row, f"rejected[{number}]", "rejected")
    if chosen and rejected and n_prompt == 0:
        what = "chosen and rejected do not begin alike, so there is no prompt."
        mend = "add the prompt's messages under 'prompt', or at the beginning of both"
        drafting.fault("shape.no_prompt", what, mend=mend, path="chosen[0]")
    is_copy = any(
        isinstance(row, dict) and row.get("content") == prompt for row in chosen[:n_prompt]
    )
    return frozenset({"prompt"} if prompt is not None and is_copy else ())


def _common(chosen: list[Any], rejected: list[Any]) -> int:
    """How many turns both begin with; the last of the shorter one is always an answer."""
    longest = min(len(chosen), len(rejected)) - 1
    return next((n for n in range(longest) if chosen[n] != rejected[n]), max(0, longest))


def _add_objects(drafting: Drafting) -> frozenset[str]:
    """A conversation up to the last question, and one turn for each answer."""
    if "conversations" in drafting.value:
        uses = CONVERSATION_KEYS
        add_conversation(drafting)
        for key in _ANSWERS:
            add_turn(drafting, drafting.value[key], key, key)
    else:
        uses = frozenset({"messages"})
        add_messages(drafting, "messages")
        add_tools(drafting)
        for key in _ANSWERS:
            add_message(drafting, drafting.value[key], key, key)
    return uses


def _row(item: Item) -> dict[str, Any]:
    if not isinstance(item, Preference):
        raise cannot_hold("preference", item, [kind_of_item(item)])
    parts = {"prompt": item.prompt, "chosen": item.chosen, "rejected": item.rejected}
    refuse_if_any("preference", item, losses_of_empty_parts(**parts))
    row: dict[str, Any] = {name: message_rows(messages) for name, messages in parts.items()}
    return row | {"tools": list(item.tools)} if item.tools else row


PREFERENCE = Format(
    name="preference",
    kind="preference",
    shapes=(
        ("chosen", "rejected"),
        ("prompt", "chosen", "rejected"),
        ("instruction", "chosen", "rejected"),
        ("instruction", "output", "chosen", "rejected"),
        ("conversations", "chosen", "rejected"),
        ("messages", "chosen", "rejected"),
    ),
    draft=_draft,
    row=_row,
)
