"""Shapes that no entry of a registry can describe: what makes of them one that it can.

Each gives a record with the columns of its set's entry, and where these stand in the file.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from tuneval.data.finding import clip
from tuneval.data.registry.names import Names
from tuneval.data.registry.reading import Shape
from tuneval.data.registry.renamed import Doubt, Renamed, ours, unused

_SPEAKER = re.compile(r"(?:^|\n)[ \t]*(Human|Assistant)[ \t]*[:：]")
_TAGS = {"Human": "human", "Assistant": "gpt"}


def coig_exam(value: Mapping[str, Any]) -> Renamed:
    """COIG's exam questions: an instruction, a context, the question; the answer or its analysis.

    Read as COIG's own loading script reads them: the analysis, if there is one, is the answer.
    """
    answer = "textbox_answer_analysis" if value.get("textbox_answer_analysis") else "textbox_answer"
    places = {
        "instruction": "textbox_q_instruction",
        "input": "textbox_question",
        "output": answer,
    }
    copy = ours(value) | {name: value[key] for name, key in places.items() if key in value}
    context = value.get("textbox_q_context")
    if context and isinstance(context, str) and isinstance(copy.get("input"), str):
        copy["input"] = f"{context}\n{copy['input']}"
    read = [*places.values(), "textbox_q_context"]
    return Renamed(copy, Names(places), unused=unused(value, read))


def coig_rounds(value: Mapping[str, Any]) -> Renamed:
    """COIG's counterfactual chats: `{"round_0": {"response": "{\\"Q\\": …, \\"A\\": …}"}, …}`."""
    turns: list[dict[str, Any]] = []
    places: dict[str, str] = {}
    doubts: list[Doubt] = []
    rounds = sorted((key for key in value if re.fullmatch(r"round_\d+", key)), key=_number)
    for key in rounds:
        path = f"{key}.response"
        holder = value[key]
        spoken = _question_and_answer(holder.get("response") if isinstance(holder, dict) else None)
        if spoken is None:
            what = f"{path} is no JSON of a question and an answer: {clip(holder)}."
            mend = 'write "{\\"Q\\": \\"…\\", \\"A\\": \\"…\\"}"'
            doubts.append(Doubt("shape.no_round", path, what, mend))
            continue
        for tag, text in zip(("human", "gpt"), spoken, strict=True):
            place = f"conversations[{len(turns)}]"
            places |= {place: path, f"{place}.from": path, f"{place}.value": path}
            turns.append({"from": tag, "value": text})
    places["conversations"] = rounds[0] if rounds else "round_0"
    return Renamed(
        ours(value) | {"conversations": turns}, Names(places), tuple(doubts), unused(value, rounds)
    )


def belle_rounds(value: Mapping[str, Any]) -> Renamed:
    """BELLE's chats: `Human:` and `Assistant:` inside one text, the last answer in `output`."""
    text = value.get("instruction")
    turns: list[dict[str, Any]] = []
    places = {"conversations": "instruction"}
    if isinstance(text, str):
        _, *parts = _SPEAKER.split(text)
        spoken = list(zip(parts[::2], parts[1::2], strict=True))
        if spoken and spoken[-1][0] == "Assistant" and not spoken[-1][1].strip():
            spoken.pop()  # the mark after which `output` goes on
        if not parts and text.strip():
            spoken = [("Human", text)]
        turns = [{"from": _TAGS[speaker], "value": said.strip()} for speaker, said in spoken]
    for number in range(len(turns)):
        place = f"conversations[{number}]"
        places |= dict.fromkeys((place, f"{place}.from", f"{place}.value"), "instruction")
    if "output" in value:
        place = f"conversations[{len(turns)}]"
        places |= dict.fromkeys((place, f"{place}.from", f"{place}.value"), "output")
        turns.append({"from": "gpt", "value": value["output"]})
    read = ["instruction", "output"] + ([] if value.get("input") else ["input"])
    return Renamed(
        ours(value) | {"conversations": turns}, Names(places), unused=unused(value, read)
    )


SHAPES: dict[str, Shape] = {
    "coig_exam": Shape(("textbox_question",), coig_exam),
    "coig_rounds": Shape(("round_0",), coig_rounds),
    "belle_rounds": Shape(("instruction", "output"), belle_rounds),
}


def _number(key: str) -> int:
    return int(key.removeprefix("round_"))


def _question_and_answer(text: Any) -> tuple[Any, Any] | None:
    if not isinstance(text, str):
        return None
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        return None
    if not isinstance(found, dict) or not {"Q", "A"} <= found.keys():
        return None
    return found["Q"], found["A"]
