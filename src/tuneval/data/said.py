"""What an item says, turn by turn, whatever its kind."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from tuneval.data.example import Example, Item, Message, Preference, Text

Side = Literal["prompt", "response", "text"]


@dataclass(frozen=True, slots=True)
class Saying:
    """A turn's text. The response is what the assistant says, in a preference what follows.

    `calls` is what a turn asks of tools, one call a line.
    """

    side: Side
    role: str
    text: str
    n_calls: int = 0
    calls: str = ""

    @property
    def whole(self) -> str:
        """The text and the calls."""
        return "\n".join(filter(None, (self.text, self.calls)))


def sayings(item: Item) -> Iterator[Saying]:
    """Every turn of the item, in order."""
    match item:
        case Text():
            yield Saying("text", "text", item.text)
        case Example():
            for message in item.messages:
                side: Side = "response" if message.role == "assistant" else "prompt"
                yield _saying(side, message)
        case Preference():
            yield from _turns("prompt", item.prompt)
            yield from _turns("response", item.chosen)
            yield from _turns("response", item.rejected)
        case _:
            yield from _turns("prompt", item.prompt)
            yield from _turns("response", item.completion)


def without_system(item: Item) -> str:
    """All turns but the system's, one after the other."""
    return "\n".join(saying.whole for saying in sayings(item) if saying.role != "system")


def one_line(item: Item, length: int) -> str:
    """The turns but the system's on one line, each with its role, cut to about `length`."""
    said = [saying for saying in sayings(item) if saying.role != "system"]
    text = " | ".join(f"{s.role}: {' '.join(s.whole[:length].split())}" for s in said)
    text = text.removeprefix("text: ")
    return text if len(text) <= length else text[: length - 1] + "…"


def _turns(side: Side, messages: Sequence[Message]) -> Iterator[Saying]:
    for message in messages:
        yield _saying(side, message)


def _saying(side: Side, message: Message) -> Saying:
    calls = [f"{call.name}({call.arguments})" for call in message.tool_calls]
    return Saying(side, message.role, message.content, len(calls), "\n".join(calls))
