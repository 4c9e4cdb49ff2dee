"""kto: one way to go on from a prompt, and whether it is a desired one. Read in four shapes.

TRL              {"prompt", "completion", "label"}: two lists of messages, or two texts
LLaMA-Factory    {"conversations", "kto_tag"}, {"messages", "kto_tag"}: the last turn is the
                 completion, all before it the prompt
                 {"instruction", "input"?, "output", "kto_tag"}: as alpaca

The label may stand under `label` or `kto_tag` (but with `instruction` only under the latter:
`label` is anything there); it is true or false, or those words as a text, as CSV has them.
Written as TRL has it. The formats alpaca and sharegpt write LLaMA-Factory's shapes.
"""

from __future__ import annotations

from typing import Any

from tuneval.data.draft import Draft, Drafting
from tuneval.data.example import Item, UnpairedPreference
from tuneval.data.finding import clip
from tuneval.data.format import Format
from tuneval.data.formats.alpaca import PROMPT_KEYS, add_answer, add_question
from tuneval.data.formats.holding import (
    cannot_hold,
    kind_of_item,
    losses_of_empty_parts,
    refuse_if_any,
)
from tuneval.data.formats.prompt_completion import kind_of_pair
from tuneval.data.formats.sharegpt import CONVERSATION_KEYS, add_conversation
from tuneval.data.formats.turns import add_messages, message_rows
from tuneval.data.record import Record
from tuneval.data.tools import add_tools

_LABELS = ("label", "kto_tag")
_WORDS = {"true": True, "false": False}


def _draft(record: Record) -> Draft:
    drafting = Drafting(record, "unpaired_preference")
    drafting.label = _label(drafting)
    if "completion" in drafting.value:
        uses = _add_pair(drafting)
    elif "conversations" in drafting.value:
        uses = CONVERSATION_KEYS
        add_conversation(drafting, last="completion")
        _refuse_a_single_turn(drafting, "conversations")
    elif "messages" in drafting.value:
        uses = frozenset({"messages", "tools"})
        add_messages(drafting, "messages", last="completion")
        add_tools(drafting)
        _refuse_a_single_turn(drafting, "messages")
    elif "instruction" in drafting.value:
        uses = PROMPT_KEYS | {"output"}
        add_question(drafting)
        add_answer(drafting, "completion")
    else:
        uses = _add_pair(drafting)
    return drafting.build(uses | frozenset(_LABELS))


def _refuse_a_single_turn(drafting: Drafting, key: str) -> None:
    turns = drafting.value[key]
    if isinstance(turns, list) and len(turns) == 1:
        what = f"{key} has one turn: there is no prompt before it."
        drafting.fault("shape.no_prompt", what, mend="add the question before it", path=key)


def _label(drafting: Drafting) -> bool | None:
    given = {key: drafting.value[key] for key in _LABELS if drafting.value.get(key) is not None}
    if not given:
        mend = "add true for a desired answer, false for an undesired one"
        drafting.fault("shape.no_label", "label is missing.", mend=mend, path="label")
        return None
    labels = set()
    for key, value in given.items():
        label = _WORDS.get(value.lower()) if isinstance(value, str) else value
        if not isinstance(label, bool):
            what = f"{key} is {clip(value)}, not true or false."
            mend = f"write true or false; if {key} is something else, insist on another format"
            drafting.fault("shape.label", what, mend=mend, path=key)
            return None
        labels.add(label)
    if len(labels) == 2:
        what = "label and kto_tag say the opposite."
        drafting.fault("shape.label", what, mend="keep one of them", path="label")
        return None
    return labels.pop()


def _add_pair(drafting: Drafting) -> frozenset[str]:
    match kind_of_pair(drafting, "completion"):
        case "texts":
            drafting.add("user", drafting.text(drafting.value, "prompt", "prompt"), "prompt")
            answer = drafting.text(drafting.value, "completion", "completion")
            drafting.add("assistant", answer, "completion", part="completion")
        case "lists":
            add_messages(drafting, "prompt")
            add_messages(drafting, "completion", "completion")
    add_tools(drafting)
    return frozenset({"prompt", "completion", "tools"})


def _row(item: Item) -> dict[str, Any]:
    if not isinstance(item, UnpairedPreference):
        raise cannot_hold("kto", item, [kind_of_item(item)])
    parts = {"prompt": item.prompt, "completion": item.completion}
    refuse_if_any("kto", item, losses_of_empty_parts(**parts))
    row: dict[str, Any] = {name: message_rows(messages) for name, messages in parts.items()}
    row["label"] = item.label
    return row | {"tools": list(item.tools)} if item.tools else row


KTO = Format(
    name="kto",
    kind="unpaired_preference",
    shapes=(
        *(("prompt", "completion", label) for label in _LABELS),
        *(("conversations", label) for label in _LABELS),
        *(("messages", label) for label in _LABELS),
        ("instruction", "output", "kto_tag"),
    ),
    draft=_draft,
    row=_row,
)
