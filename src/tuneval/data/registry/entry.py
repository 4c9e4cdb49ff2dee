"""An entry of the registry, as it is written there.

Two traps of LLaMA-Factory's reading are kept: once an entry has `columns`, a column that it does
not list is None, whatever the default would be; and the same for `tags`. `history`, `system` and
`tools` have no default, they are read only where listed.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from tuneval.catalog import near_names
from tuneval.data.example import Kind
from tuneval.data.finding import clip
from tuneval.data.record import kind_of
from tuneval.errors import UsageError

_Sha1 = Annotated[str, Field(pattern=r"^[0-9a-fA-F]{40}$")]
_Name = Annotated[str, Field(min_length=1)]
HUBS = ("hf_hub_url", "ms_hub_url", "om_hub_url")
_SOURCES = (*HUBS, "script_url", "cloud_file_name", "file_name")
_MEDIA = ("images", "videos", "audios")


class _Strict(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class Columns(_Strict):
    """Which key of the record holds what. None is not read."""

    prompt: _Name | None = None
    query: _Name | None = None
    response: _Name | None = None
    history: _Name | None = None
    messages: _Name | None = None
    system: _Name | None = None
    tools: _Name | None = None
    images: _Name | None = None
    videos: _Name | None = None
    audios: _Name | None = None
    chosen: _Name | None = None
    rejected: _Name | None = None
    kto_tag: _Name | None = None


class Tags(_Strict):
    """How a turn is written: its keys, and the words for its roles. None is not known."""

    role_tag: _Name | None = None
    content_tag: _Name | None = None
    user_tag: _Name | None = None
    assistant_tag: _Name | None = None
    observation_tag: _Name | None = None
    function_tag: _Name | None = None
    system_tag: _Name | None = None


DEFAULT_COLUMNS = Columns(
    prompt="instruction", query="input", response="output", messages="conversations"
)
DEFAULT_TAGS = Tags(
    role_tag="from",
    content_tag="value",
    user_tag="human",
    assistant_tag="gpt",
    observation_tag="observation",
    function_tag="function_call",
    system_tag="system",
)


class Entry(_Strict):
    """Where a set lies, and what its keys mean."""

    hf_hub_url: _Name | None = None
    ms_hub_url: _Name | None = None
    om_hub_url: _Name | None = None
    script_url: _Name | None = None
    cloud_file_name: _Name | None = None
    file_name: _Name | None = None
    file_sha1: _Sha1 | list[_Sha1] | None = None
    formatting: Literal["alpaca", "sharegpt", "openai"] = "alpaca"
    ranking: bool = False
    subset: _Name | None = None
    split: _Name = "train"
    folder: _Name | None = None
    num_samples: Annotated[int, Field(ge=1)] | None = None
    columns: Columns = DEFAULT_COLUMNS
    tags: Tags = DEFAULT_TAGS

    @property
    def kind(self) -> Kind:
        """What its records are. A `kto_tag` goes before `ranking`, as in LLaMA-Factory."""
        if self.columns.kto_tag:
            return "unpaired_preference"
        if self.ranking:
            return "preference"
        is_text = self.formatting == "alpaca" and self.columns.response is None
        return "text" if is_text else "conversation"

    @property
    def media(self) -> tuple[str, ...]:
        """The columns of pictures, films and sounds that it lists; none is read here."""
        return tuple(name for name in _MEDIA if getattr(self.columns, name) is not None)

    @property
    def sources(self) -> dict[str, str]:
        """The keys that say where the set lies, in LLaMA-Factory's order of precedence."""
        named = {name: getattr(self, name) for name in _SOURCES}
        return {name: value for name, value in named.items() if value is not None}


def entry_of(name: str, content: Any, *, where: str) -> Entry:
    """The entry called `name` with that content. UsageError that names all its faults."""
    if not isinstance(content, dict):
        what = f"The entry '{name}' is {kind_of(content)}, not an object."
        raise UsageError(what, where=where, mend='write {"file_name": "…"}')
    try:
        entry = Entry.model_validate(content)
        faults = list(_what_cannot_be_read(entry))
    except ValidationError as error:
        faults = [_fault(dict(one)) for one in error.errors()]
    if faults:
        raise UsageError(
            f"The entry '{name}' cannot be read: {'; '.join(faults)}.",
            where=where,
            mend="mend the entry; its keys are described in LLaMA-Factory's data/README.md",
        )
    return entry


def _what_cannot_be_read(entry: Entry) -> Iterator[str]:
    """What LLaMA-Factory stops at, or would drop every record for."""
    columns, tags = entry.columns, entry.tags
    if not entry.sources:
        yield "it says nowhere where the set lies (file_name, hf_hub_url, …)"
    if entry.formatting == "alpaca":
        if columns.prompt is None and columns.query is None:
            yield f"columns lists neither prompt nor query{_UNLISTED}"
        if columns.kto_tag and columns.response is None:
            yield f"columns lists kto_tag and no response{_UNLISTED}"
    else:
        if columns.messages is None:
            yield f"columns lists no messages{_UNLISTED}"
        for tag in ("role_tag", "content_tag", "user_tag", "assistant_tag"):
            if getattr(tags, tag) is None:
                yield f"tags lists no {tag}{_UNLISTED}"
    if entry.ranking and columns.kto_tag:
        yield "ranking is true and columns lists kto_tag, of which only one can be"
    if entry.kind == "preference":
        yield from _missing_answers(entry)


_UNLISTED = ", and what is not listed there is not read"


def _missing_answers(entry: Entry) -> Iterator[str]:
    """The two answers stand in columns of their own, or (older alpaca sets) in a list."""
    listed = [entry.columns.chosen is not None, entry.columns.rejected is not None]
    in_a_list = entry.formatting == "alpaca" and entry.columns.response is not None
    if not all(listed) and not (in_a_list and not any(listed)):
        yield "ranking is true, and columns does not list both chosen and rejected"


def _fault(error: Mapping[str, Any]) -> str:
    """What pydantic found, in the words of the registry."""
    place = [str(part) for part in error["loc"] if not str(part).startswith(("function-", "list["))]
    path = ".".join(place)
    if error["type"] == "extra_forbidden":
        inner: dict[str, type[_Strict]] = {"columns": Columns, "tags": Tags}
        fields = inner.get(place[0] if len(place) > 1 else "", Entry)
        near = near_names(place[-1], list(fields.model_fields))
        hint = f" (did you mean {' or '.join(map(repr, near))}?)" if near else ""
        return f"{path} is not known to LLaMA-Factory{hint}"
    if path.startswith("file_sha1"):
        return "file_sha1 is not a SHA-1 (40 hex digits) or a list of them"
    said = str(error["msg"])
    return f"{path} is {clip(error['input'])}: {said[:1].lower()}{said[1:]}"
