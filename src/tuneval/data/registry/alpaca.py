"""Records of the formatting `alpaca`: a key for the question, one for the answer, and so on."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tuneval.data.finding import clip
from tuneval.data.record import kind_of
from tuneval.data.registry.entry import Entry
from tuneval.data.registry.names import Names
from tuneval.data.registry.renamed import Doubt, Renamed, ours, unused

_LISTED = ("prompt", "query", "response", "history", "system", "tools")
_ANSWERS = ("chosen", "rejected")


def alpaca(entry: Entry, value: Mapping[str, Any]) -> Renamed:
    """The record under the names of our alpaca, with one answer, two of them, or a label."""
    columns = entry.columns
    keys = {
        "instruction": columns.prompt or columns.query,
        "input": columns.query if columns.prompt else None,
        "system": columns.system,
        "history": columns.history,
        "tools": columns.tools,
    }
    if entry.kind == "preference":
        keys |= {"chosen": columns.chosen, "rejected": columns.rejected}
    else:
        keys |= {"output": columns.response, "kto_tag": columns.kto_tag}
    places = {name: key for name, key in keys.items() if key is not None}
    copy = ours(value) | {name: value[key] for name, key in places.items() if key in value}
    if copy.get("instruction", "") is None and copy.get("input"):
        copy["instruction"] = ""  # LLaMA-Factory leaves out an empty one of the two
    if not copy.get("history"):
        copy.pop("history", None)
    if "kto_tag" in places:
        places["label"] = places["kto_tag"]
    doubts: tuple[Doubt, ...] = ()
    if entry.kind == "preference":
        doubts = _answers(entry, value, copy, places)
    read = [*keys.values(), *(getattr(columns, name) for name in _LISTED)]
    return Renamed(copy, Names(places), doubts, unused(value, read))


def text(entry: Entry, value: Mapping[str, Any]) -> Renamed:
    """The record as a plain text: what is learnt of a question without an answer."""
    prompt, query = entry.columns.prompt, entry.columns.query
    keys = [key for key in (prompt, query) if key is not None]
    copy = ours(value)
    parts = [value[key] for key in keys if value.get(key)]
    if all(isinstance(part, str) for part in parts) and any(key in value for key in keys):
        copy["text"] = "\n".join(parts)
    elif parts:
        copy["text"] = next(part for part in parts if not isinstance(part, str))
    return Renamed(copy, Names({"text": keys[0]}), unused=unused(value, keys))


def _answers(
    entry: Entry, value: Mapping[str, Any], copy: dict[str, Any], places: dict[str, str]
) -> tuple[Doubt, ...]:
    """What is wrong with the two answers. Those of a list, as older sets have it, are taken out."""
    if entry.columns.chosen is None:
        key = entry.columns.response or ""
        pair = value.get(key)
        if not isinstance(pair, list) or len(pair) < 2:
            what = f"{key} is {kind_of(pair)}, not a list of two answers: {clip(pair)}."
            mend = f'write "{key}": ["chosen answer", "rejected answer"]'
            copy |= {"chosen": "", "rejected": ""}
            return (Doubt("shape.not_pair", key, what, mend),)
        for number, name in enumerate(_ANSWERS):
            copy[name], places[name] = pair[number], f"{key}[{number}]"
    return tuple(
        Doubt(
            "shape.not_text",
            places[name],
            f"{places[name]} is {kind_of(copy[name])}, not a text; LLaMA-Factory leaves it out.",
            'write a text, or give the entry the formatting "sharegpt"',
        )
        for name in _ANSWERS
        if isinstance(copy.get(name), list | dict)
    )
