"""Examples to score, made by hand or taken from the real sets, and a scoring in one call."""

from __future__ import annotations

import itertools
import json
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from tuneval.data.example import Example, Message, Source, ToolCall
from tuneval.scoring.config import ScoreConfig
from tuneval.scoring.score import Meter, ReadFrom, score
from tuneval.scoring.scores import Scores

_lines = itertools.count(1)


def example(
    *turns: str | Message,
    input: str | None = None,
    system: str | None = None,
    tools: Sequence[Mapping[str, Any]] = (),
    **tags: Any,
) -> Example:
    """A conversation of user and assistant in turn; `input` ends the last question."""
    messages = []
    for number, turn in enumerate(turns):
        if isinstance(turn, str):
            turn = Message("assistant" if number % 2 else "user", turn)
        messages.append(turn)
    if input is not None:
        (last,) = [i for i, m in enumerate(messages) if m.role == "user"][-1:]
        content = "\n".join(filter(None, (messages[last].content, input)))
        messages[last] = Message("user", content, input=input)
    if system is not None:
        messages.insert(0, Message("system", system))
    source = Source("hand.jsonl", next(_lines))
    return Example(tuple(messages), source, tags=tags, tools=tuple(tools))


def call(name: str, arguments: str = "{}") -> Message:
    """An assistant turn that asks for a tool."""
    return Message("assistant", "", tool_calls=(ToolCall(name, arguments),))


def real_records(language: str, *, count: int, longest: int) -> list[Example]:
    """The first short records of the real alpaca set, every third one with an input."""
    folder = os.environ.get("TUNEVAL_TEST_DATA")
    if not folder:
        pytest.skip("TUNEVAL_TEST_DATA names no folder of real data")
    path = Path(folder) / "instruct" / f"alpaca_{language}_demo.json"
    rows = json.loads(path.read_text(encoding="utf-8"))
    short = [r for r in rows if len(r["instruction"] + r["input"] + r["output"]) <= longest]
    with_input = [row for row in short if row["input"]][: -(-count // 3)]
    without = [row for row in short if not row["input"]][: count - len(with_input)]
    return [
        example(row["instruction"], row["output"], input=row["input"] or None)
        for row in [*with_input, *without]
    ]


def scored(
    folder: Path,
    model: Path | str | None,
    examples: Sequence[Example],
    *,
    one_task: bool = True,
    **settings: Any,
) -> Scores:
    """The finished scores; all examples are one task unless told otherwise."""
    more = {name: settings.pop(name) for name in ("tasks", "report", "earlier") if name in settings}
    if one_task:
        more.setdefault("tasks", {each.id: "all" for each in examples})
    where = ReadFrom(settings.pop("data", ""), settings.pop("format", "auto"))
    by = Meter(
        model=None if model is None else str(model),
        adapter=settings.pop("adapter", None),
        device="cpu",
    )
    config = ScoreConfig(**settings)
    return score(config, examples, by=by, folder=folder, read_from=where, **more)


def prompts_file(folder: Path, **texts: str) -> str:
    """A file of prompts on top of the built-in ones."""
    path = folder / "prompts.yaml"
    path.write_text(json.dumps({"extends": "instruction", **texts}), encoding="utf-8")
    return str(path)


OTHERS = [
    example("What is 2 plus 3?", "It is 5."),
    example("Where is my order?", "I do not know, please wait."),
    example("请退款。", "好的，已经退款了。"),
    example("Is it {n}?", "No, it is {m}.", input="{instruction} {history} {0} }{"),
]
"""A few that have every score."""
