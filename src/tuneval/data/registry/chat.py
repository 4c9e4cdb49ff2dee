"""Records of the formattings `sharegpt` and `openai`: a list of turns, each with its role."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from tuneval.catalog import did_you_mean
from tuneval.data.finding import clip
from tuneval.data.record import kind_of
from tuneval.data.registry.entry import Entry, Tags
from tuneval.data.registry.names import Names
from tuneval.data.registry.renamed import Doubt, Renamed, ours, unused


@dataclass(frozen=True, slots=True)
class _Words:
    """The names of one of our formats; `roles` by LLaMA-Factory's tags."""

    turns: str
    role: str
    content: str
    roles: Mapping[str, str]
    more: tuple[str, ...] = ()


_SHAREGPT = _Words(
    "conversations",
    "from",
    "value",
    {
        "user_tag": "human",
        "assistant_tag": "gpt",
        "observation_tag": "observation",
        "function_tag": "function_call",
        "system_tag": "system",
    },
)
_MESSAGES = _Words(
    "messages",
    "role",
    "content",
    {
        "user_tag": "user",
        "assistant_tag": "assistant",
        "observation_tag": "tool",
        "function_tag": "assistant",
        "system_tag": "system",
    },
    more=("tool_call_id", "name"),
)


_PLAIN = ("tools", "kto_tag")


def chat(entry: Entry, value: Mapping[str, Any]) -> Renamed:
    """The record under the names of our sharegpt or messages, with two answers or a label."""
    columns, tags = entry.columns, entry.tags
    words = _MESSAGES if entry.formatting == "openai" else _SHAREGPT
    turns = _Turns(tags, words)
    copy, places = ours(value), {words.turns: columns.messages or ""}
    rows = value.get(columns.messages or "")
    if isinstance(rows, list):
        system = None if columns.system is None else value.get(columns.system)
        if system and not _begins_with_system(tags, rows):
            turns.add_system(system, columns.system or "")
        for number, row in enumerate(rows):
            turns.add(row, f"{columns.messages}[{number}]")
        copy[words.turns] = turns.rows
    elif columns.messages in value:
        copy[words.turns] = rows
    keys = {"tools": columns.tools}
    if entry.kind == "preference":
        keys |= {"chosen": columns.chosen, "rejected": columns.rejected}
    else:
        keys |= {"kto_tag": columns.kto_tag}
    for name, key in keys.items():
        if key is not None:
            places[name] = key
            if key in value:
                copy[name] = value[key] if name in _PLAIN else turns.answer(value[key], key)
    if "kto_tag" in places:
        places["label"] = places["kto_tag"]
    return Renamed(
        copy,
        Names(
            places | turns.places,
            {words.role: tags.role_tag or "", words.content: tags.content_tag or ""},
        ),
        tuple(turns.doubts),
        (
            *unused(value, [columns.messages, columns.system, *keys.values()]),
            *dict.fromkeys(turns.unused),
        ),
    )


def _begins_with_system(tags: Tags, rows: list[Any]) -> bool:
    """Whether the first turn is the system's; the column of the system is not read then."""
    first = rows[0] if rows else None
    if tags.system_tag is None or not isinstance(first, dict):
        return False
    return first.get(tags.role_tag or "") == tags.system_tag


@dataclass(slots=True)
class _Turns:
    """Turns under our names, and what the entry does not allow or not read in them."""

    tags: Tags
    words: _Words
    rows: list[Any] = field(default_factory=list)
    places: dict[str, str] = field(default_factory=dict)
    doubts: list[Doubt] = field(default_factory=list)
    unused: list[str] = field(default_factory=list)

    def add_system(self, content: Any, path: str) -> None:
        """The text of a column as a first turn."""
        place = f"{self.words.turns}[0]"
        keys = (self.words.role, self.words.content)
        self.places |= {place: path} | {f"{place}.{key}": path for key in keys}
        self.rows.append(dict(zip(keys, ("system", content), strict=True)))

    def add(self, row: Any, path: str) -> None:
        """A turn as the file has it at `path`."""
        self.places[f"{self.words.turns}[{len(self.rows)}]"] = path
        self.rows.append(self._renamed(row, path) if isinstance(row, dict) else row)

    def answer(self, row: Any, path: str) -> Any:
        """A turn that stands alone, in a column of its own."""
        if isinstance(row, dict):
            return self._renamed(row, path)
        if isinstance(row, str | list):
            what = f"{path} is {kind_of(row)}, not a turn; LLaMA-Factory leaves the record out."
            keys = f'"{self.tags.role_tag}", "{self.tags.content_tag}"'
            self.doubts.append(Doubt("shape.not_object", path, what, f"write {{{keys}}}"))
        return row

    def _renamed(self, row: dict[str, Any], path: str) -> dict[str, Any]:
        role_tag, content_tag = self.tags.role_tag or "", self.tags.content_tag or ""
        copy: dict[str, Any] = {}
        tag = None
        if role_tag in row:
            tag = self._tag_of(row[role_tag], f"{path}.{role_tag}")
            known = self.words.roles.get(tag or "", row[role_tag])
            copy[self.words.role] = known if isinstance(row[role_tag], str) else row[role_tag]
        if content_tag in row:
            copy[self.words.content] = row[content_tag]
        read = {role_tag, content_tag, *self.words.more}
        copy |= {key: row[key] for key in self.words.more if row.get(key) is not None}
        if self.words is _MESSAGES and tag in ("assistant_tag", "function_tag"):
            copy |= _calls(row, copy, is_call=tag == "function_tag")
            read.add("tool_calls")
        self.unused += (f"{_unnumbered(path)}.{key}" for key in row if key not in read)
        return copy

    def _tag_of(self, role: Any, path: str) -> str | None:
        """Which of the tags the role is. One that is none of them is a fault, and no guess."""
        words = {
            word: tag for tag in self.words.roles if (word := getattr(self.tags, tag)) is not None
        }
        if not isinstance(role, str) or role in words:
            return words.get(role) if isinstance(role, str) else None
        what = f"The role {clip(role)} is not among the tags of the entry: {', '.join(words)}."
        mend = f"{did_you_mean(role, list(words))}; or list it in the entry's tags"
        self.doubts.append(Doubt("shape.unlisted_role", path, what, mend))
        return "user_tag"


def _calls(row: dict[str, Any], copy: dict[str, Any], *, is_call: bool) -> dict[str, Any]:
    """The calls of a turn: a list of their own, or (a turn of the function_tag) JSON as content."""
    if row.get("tool_calls"):
        return {"tool_calls": row["tool_calls"]}
    content = copy.get("content")
    if not is_call or not isinstance(content, str):
        return {}
    try:
        calls = json.loads(content)
    except (ValueError, RecursionError):
        return {"tool_calls": content}  # the format says that it is no list
    return {"content": "", "tool_calls": calls if isinstance(calls, list) else [calls]}


def _unnumbered(path: str) -> str:
    """`messages[]` of `messages[2]`."""
    return path[: path.index("[")] + "[]" if path.endswith("]") else path
