"""How a protocol words an exam: a question, the demonstrations before it, and the reply."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from tuneval.data.example import Message
from tuneval.evaluation.question import Prompt
from tuneval.evaluation.tasks.exam.sheet import LETTERS, Entry


@dataclass(frozen=True, slots=True, kw_only=True)
class Wording:
    """The parts of a prompt, blanks and line breaks included.

    A question is `begin`, its text, the options and `tail`; `asked_tail` takes the place of
    `tail` in the one that is asked. The reply of a demonstration is `reply`; the one that is
    asked for begins with `says`. `{title}`, `{letter}` and `{explanation}` are filled in. In
    plain text `joint` stands between a question and the reply, `between` after a demonstration.
    As a chat `head` (or `chat_head`, where it differs) is said by `head_role`; `one_turn` puts
    everything into one user turn.
    `strips` takes the blanks around a question's text away.
    """

    head: str = ""
    begin: str = ""
    tail: str = ""
    asked_tail: str | None = None
    joint: str = ""
    reply: str = "{letter}"
    says: str = ""
    between: str = "\n\n"
    head_role: Literal["system", "user"] = "user"
    chat_head: str | None = None
    one_turn: bool = False
    strips: bool = False


@dataclass(frozen=True, slots=True)
class Worded:
    """The parts of a `Question` that a wording gives."""

    head: Prompt
    shots: tuple[Prompt, ...]
    prompt: Prompt
    begins: str
    choices: tuple[str, ...]


def plain(
    wording: Wording, entry: Entry, shots: Sequence[Entry], *, title: str, chooses: bool
) -> Worded:
    """The prompt as one text; where an answer is written it ends with how the reply begins."""
    asked = _question(wording, entry, title, wording.asked_tail)
    reply = wording.joint + wording.says
    if not chooses and wording.says:
        asked += reply
    return Worded(
        head=wording.head.format(title=title),
        shots=tuple(_demonstration(wording, shot, title) for shot in shots),
        prompt=asked,
        begins="",
        choices=tuple(reply + letter for letter in _letters(entry)) if chooses else (),
    )


def chat(
    wording: Wording, entry: Entry, shots: Sequence[Entry], *, title: str, chooses: bool
) -> Worded:
    """The prompt as messages: a user's turn and the assistant's for each demonstration."""
    head = (wording.head if wording.chat_head is None else wording.chat_head).format(title=title)
    asked = _question(wording, entry, title, wording.asked_tail)
    return Worded(
        head=(Message(wording.head_role, head),) if head else (),
        shots=tuple(_turns(wording, shot, title) for shot in shots),
        prompt=(Message("user", asked),),
        begins=wording.says,
        choices=_letters(entry) if chooses else (),
    )


def core(entry: Entry) -> str:
    """The question with its options, as every protocol shows them."""
    return entry.text + _options(entry)


def _turns(wording: Wording, entry: Entry, title: str) -> tuple[Message, ...]:
    if wording.one_turn:
        return (Message("user", _demonstration(wording, entry, title)),)
    asked, reply = _question(wording, entry, title), _reply(wording, entry)
    return (Message("user", asked), Message("assistant", reply))


def _demonstration(wording: Wording, entry: Entry, title: str) -> str:
    reply = wording.joint + _reply(wording, entry)
    return _question(wording, entry, title) + reply + wording.between


def _question(wording: Wording, entry: Entry, title: str, tail: str | None = None) -> str:
    text = entry.text.strip() if wording.strips else entry.text
    begin = wording.begin.format(title=title)
    return begin + text + _options(entry) + (wording.tail if tail is None else tail)


def _reply(wording: Wording, entry: Entry) -> str:
    return wording.reply.format(letter=entry.key, explanation=entry.explanation)


def _options(entry: Entry) -> str:
    return "".join(
        f"\n{letter}. {option}"
        for letter, option in zip(_letters(entry), entry.options, strict=True)
    )


def _letters(entry: Entry) -> tuple[str, ...]:
    return tuple(LETTERS[: len(entry.options)])
