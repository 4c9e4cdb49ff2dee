"""What a format has no place for, said of an item in words that are the same for equal losses."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from tuneval.data.example import Example, Item, Message, Preference, Text, UnpairedPreference
from tuneval.data.format import CannotHoldError


def cannot_hold(format: str, item: Item, losses: Iterable[str]) -> CannotHoldError:
    """The error that names every loss."""
    *most, last = losses
    named = f"{', '.join(most)} and {last}" if most else last
    return CannotHoldError(
        f"The format {format} has no place for {named}.",
        where=str(item.source),
        mend=_mend(item, of_its_kind=kind_of_item(item) not in (*most, last)),
    )


def refuse_if_any(format: str, item: Item, losses: Iterable[str]) -> None:
    """Raise CannotHoldError if there is a loss."""
    found = list(dict.fromkeys(losses))
    if found:
        raise cannot_hold(format, item, found)


def kind_of_item(item: Item) -> str:
    """What an item is, in words."""
    match item:
        case Example():
            return "a conversation"
        case Text():
            return "a plain text"
        case Preference():
            return "a preference"
        case _:
            return "an unpaired preference"


def losses_beside_text(messages: Sequence[Message]) -> Iterator[str]:
    """Fields of messages for which there is no place beside a role and a text."""
    if any(message.train is not None for message in messages):
        yield "train flags"
    if any(message.name is not None for message in messages):
        yield "names of speakers"
    calls = [call for message in messages for call in message.tool_calls]
    ids = [call.id for call in calls] + [message.tool_call_id for message in messages]
    if any(one is not None for one in ids):
        yield "ids of tool calls"


def losses_of_empty_parts(**parts: Sequence[Message]) -> Iterator[str]:
    """Parts without a turn, by their names: no format can tell an empty list from a mistake."""
    for name, messages in parts.items():
        if not messages:
            yield f"a {name} without turns"


def _mend(item: Item, *, of_its_kind: bool) -> str:
    if isinstance(item, Preference | UnpairedPreference) and not of_its_kind:
        return f"choose {_widest(item)}, or keep one answer: `tuneval data convert --keep chosen`"
    return f"choose another format, such as {_widest(item)}, or leave these records out"


def _widest(item: Item) -> str:
    """The format that has a place for everything in items of this kind."""
    match item:
        case Example():
            return "messages"
        case Text():
            return "text"
        case Preference():
            return "preference"
        case _:
            return "kto"
