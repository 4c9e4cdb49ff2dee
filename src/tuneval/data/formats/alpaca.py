"""alpaca: `{"instruction", "input"?, "output", "system"?, "history"?, "tools"?, …}`.

Read as LLaMA-Factory reads it: instruction and input are joined by a line break, an empty one
is left out; `history` is a list of earlier [question, answer] pairs, whose answers are trained
too; `tools` may be JSON inside a text. With `chosen` and `rejected`, or with `kto_tag`, the
record is a preference: the formats `preference` and `kto` read it by what is here.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from itertools import chain
from typing import Any

from tuneval.data.draft import Draft, Drafting, Part
from tuneval.data.example import (
    Example,
    Item,
    Message,
    Preference,
    Text,
    UnpairedPreference,
)
from tuneval.data.finding import clip
from tuneval.data.format import Format
from tuneval.data.formats.holding import (
    cannot_hold,
    kind_of_item,
    losses_beside_text,
    refuse_if_any,
)
from tuneval.data.record import Record
from tuneval.data.tools import add_tools

PROMPT_KEYS = frozenset({"instruction", "input", "system", "history", "tools"})


def _draft(record: Record) -> Draft:
    drafting = Drafting(record)
    add_question(drafting)
    add_answer(drafting)
    return drafting.build(PROMPT_KEYS | {"output"})


def add_question(drafting: Drafting) -> None:
    """All but the answer: system, history, instruction with input, and the tools."""
    if system := drafting.optional_text("system"):
        drafting.add("system", system, "system")
    _add_history(drafting, drafting.value.get("history"))
    instruction = drafting.text(drafting.value, "instruction", "instruction")
    more = drafting.optional_text("input")
    whole = None if instruction is None else "\n".join(filter(None, (instruction, more)))
    drafting.add("user", whole, "instruction", input=more or None)
    add_tools(drafting)


def add_answer(drafting: Drafting, part: Part = "messages") -> None:
    """The answer under `output`."""
    if isinstance(drafting.value.get("output"), list):
        what = "output is a list, in old sets for LLaMA-Factory a preference: [chosen, rejected]."
        mend = "write its texts under 'chosen' and 'rejected', without 'output'"
        drafting.fault("shape.answers_in_list", what, mend=mend, path="output")
        drafting.add("assistant", None, "output", part=part)
        return
    answer = drafting.text(drafting.value, "output", "output")
    drafting.add("assistant", answer, "output", part=part)


def _add_history(drafting: Drafting, history: Any) -> None:
    if history is None:
        return
    if not isinstance(history, list) or not all(_is_pair(pair) for pair in history):
        what = f"history is not a list of [question, answer] pairs: {clip(history)}."
        mend = 'write [["question", "answer"], …] or remove the key'
        drafting.fault("shape.history", what, mend=mend, path="history")
        return
    for number, (question, answer) in enumerate(history):
        drafting.add("user", question, f"history[{number}][0]")
        drafting.add("assistant", answer, f"history[{number}][1]")


def _is_pair(pair: Any) -> bool:
    return isinstance(pair, list) and len(pair) == 2 and all(isinstance(p, str) for p in pair)


def _row(item: Item) -> dict[str, Any]:
    """A conversation; a preference or an unpaired one as LLaMA-Factory's `ranking`, `kto_tag`."""
    if isinstance(item, Text):
        raise cannot_hold("alpaca", item, [kind_of_item(item)])
    answers: dict[str, tuple[Message, ...]]
    if isinstance(item, Example):
        question, answers = item.messages[:-1], {"output": item.messages[-1:]}
    elif isinstance(item, Preference):
        question, answers = item.prompt, {"chosen": item.chosen, "rejected": item.rejected}
    else:
        question, answers = item.prompt, {"output": item.completion}
    refuse_if_any("alpaca", item, _losses(question, list(answers.values())))
    row = _question_row(question)
    row |= {key: answer[0].content for key, answer in answers.items()}
    if isinstance(item, UnpairedPreference):
        row["kto_tag"] = item.label
    return row | {"tools": json.dumps(item.tools, ensure_ascii=False)} if item.tools else row


def _question_row(question: Sequence[Message]) -> dict[str, Any]:
    texts = [message.content for message in question if message.role != "system"]
    row: dict[str, Any] = _instruction_and_input(texts[-1], question[-1].input)
    if question[0].role == "system":
        row["system"] = question[0].content
    if len(texts) > 1:
        row["history"] = [list(pair) for pair in zip(texts[0:-1:2], texts[1:-1:2], strict=True)]
    return row


def _instruction_and_input(text: str, input: str | None) -> dict[str, Any]:
    if input and text.endswith(f"\n{input}"):
        return {"instruction": text.removesuffix(f"\n{input}"), "input": input}
    return {"instruction": text, "input": ""}


def _losses(question: Sequence[Message], answers: Sequence[tuple[Message, ...]]) -> Iterator[str]:
    messages = [*question, *chain.from_iterable(answers)]
    yield from losses_beside_text(messages)
    systems = [number for number, message in enumerate(question) if message.role == "system"]
    if len(systems) > 1:
        yield "several system turns"
    elif systems and systems[0] > 0:
        yield "a system turn that is not the first"
    elif systems and not question[0].content:
        yield "an empty system turn"
    with_calls = any(message.tool_calls for message in messages)
    with_answers = any(message.role == "tool" for message in messages)
    if with_calls:
        yield "tool calls"
    if with_answers:
        yield "answers of tools"
    if not (with_calls or with_answers) and not _is_pairs(question, answers):
        yield "another order than question and answer in turn"


def _is_pairs(question: Sequence[Message], answers: Sequence[tuple[Message, ...]]) -> bool:
    """Whether user and assistant alternate, with one assistant turn in each answer."""
    roles = [message.role for message in question if message.role != "system"]
    expected = ["assistant" if number % 2 else "user" for number in range(len(roles))]
    answered = all([message.role for message in answer] == ["assistant"] for answer in answers)
    return answered and len(roles) % 2 == 1 and roles == expected


ALPACA = Format(
    name="alpaca",
    kind="conversation",
    shapes=(("instruction", "output"),),
    draft=_draft,
    row=_row,
)
