"""prompt_completion: `{"prompt", "completion", "tools"?, "group"?, "tags"?}`, as TRL has it.

Both are lists of messages, or both are texts; of texts, the prompt is read as one user turn and
the completion as one assistant turn. (TRL joins two texts without a chat template; here a chat
template stands around them.) TRL's loss covers the completion and nothing else: an assistant
turn inside the prompt is not trained, and a turn of anybody inside the completion is, unless the
turn itself says otherwise by `train`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any, Literal

from tuneval.data.draft import Draft, Drafting
from tuneval.data.example import Example, Item, Message
from tuneval.data.format import Format
from tuneval.data.formats.holding import cannot_hold, kind_of_item, refuse_if_any
from tuneval.data.formats.turns import add_messages, message_rows
from tuneval.data.record import Record, kind_of
from tuneval.data.tools import add_tools

_KEYS = frozenset({"prompt", "completion", "tools"})


def _draft(record: Record) -> Draft:
    drafting = Drafting(record)
    match kind_of_pair(drafting, "completion"):
        case "texts":
            drafting.add("user", drafting.text(drafting.value, "prompt", "prompt"), "prompt")
            answer = drafting.text(drafting.value, "completion", "completion")
            drafting.add("assistant", answer, "completion")
        case "lists":
            add_messages(drafting, "prompt", trained=False)
            add_messages(drafting, "completion", trained=True)
    add_tools(drafting)
    return drafting.build(_KEYS)


def kind_of_pair(drafting: Drafting, answer: str) -> Literal["texts", "lists"] | None:
    """What the prompt and the answer under that key both are; None, and a fault, if they differ."""
    kinds = {key: kind_of(drafting.value.get(key)) for key in ("prompt", answer)}
    if set(kinds.values()) == {"a text", "a list"}:
        what = f"prompt is {kinds['prompt']} and {answer} is {kinds[answer]}."
        mend = "write both as texts, or both as lists of messages"
        drafting.fault("shape.mixed", what, mend=mend, path=answer)
        return None
    return "texts" if "a text" in kinds.values() else "lists"


def _row(item: Item) -> dict[str, Any]:
    if not isinstance(item, Example):
        raise cannot_hold("prompt_completion", item, [kind_of_item(item)])
    sides = [_side(message) for message in item.messages]
    refuse_if_any("prompt_completion", item, _losses(sides))
    n_prompt = sides.index("completion")
    plain = [_without_train(message) for message in item.messages]
    row = {
        "prompt": message_rows(plain[:n_prompt]),
        "completion": message_rows(plain[n_prompt:]),
    }
    return row | {"tools": list(item.tools)} if item.tools else row


def _side(message: Message) -> Literal["prompt", "completion"] | None:
    """The side on which a turn has this `train` without saying so; None when there is none."""
    match message.role == "assistant", message.train:
        case (True, False) | (False, None):
            return "prompt"
        case (True, None) | (False, True):
            return "completion"
        case _:
            return None


def _losses(sides: Sequence[Literal["prompt", "completion"] | None]) -> Iterator[str]:
    if None in sides:
        yield "train flags that say what a turn's role says"
    known = [side for side in sides if side]
    if "prompt" not in known:
        yield "a conversation without a prompt"
    if "completion" not in known:
        yield "a conversation without an answer to learn"
    elif "prompt" in known[known.index("completion") :]:
        yield "an answer to learn before the last question"


def _without_train(message: Message) -> Message:
    return replace(message, train=None)


PROMPT_COMPLETION = Format(
    name="prompt_completion",
    kind="conversation",
    shapes=(("prompt", "completion"),),
    draft=_draft,
    row=_row,
)
