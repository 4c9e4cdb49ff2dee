"""Which container a file is: its first bytes decide, and its name where they leave it open."""

from __future__ import annotations

import re
from dataclasses import dataclass

from tuneval.data.data_files import ENDINGS, Kind, ending_of, packing_of_name
from tuneval.data.example import Source
from tuneval.data.finding import Finding
from tuneval.data.record import finding_at
from tuneval.data.sniff import BOM
from tuneval.data.strict_json import UNDECIDED, quick

# What no text begins with.
_BINARY_STARTS: dict[bytes, Kind] = {
    b"PAR1": "parquet",
    b"ARROW1": "arrow",
    b"\xff\xff\xff\xff": "arrow",  # a stream; what `datasets` keeps on disk
}
_FREE_TEXT = frozenset({"csv", "text"})  # they may begin with any character, a bracket too
_ARRAY_OF_OBJECTS = re.compile(rb"\[\s*(\{|\]\s*$)")
_WHITE = b" \t\r\n"


@dataclass(frozen=True, slots=True)
class Choice:
    """A container, and why it is that one."""

    kind: Kind
    reason: str


def choose(name: str, head: bytes) -> Choice:
    """The container of a file's (unpacked) content, of which `head` is the beginning."""
    for start, kind in _BINARY_STARTS.items():
        if head.startswith(start):
            return Choice(kind, f"it begins with the bytes {start[:4].hex(' ')}")
    ending = ending_of(name)
    named = ENDINGS[ending][0] if ending else "json lines"
    content = head.removeprefix(BOM).lstrip(_WHITE)
    if content.startswith(b"["):
        if named in _FREE_TEXT and not _ARRAY_OF_OBJECTS.match(content):
            return Choice(named, f"its name ends in {ending}")
        if named == "json lines" and ending and _is_lines_after_a_list(content):
            return Choice(named, f"its name ends in {ending}, and an object stands on each line")
        return Choice("json array", "it begins with a square bracket")
    if content.startswith(b"{") and not (named in _FREE_TEXT and not _first_line_is_json(content)):
        return Choice("json lines", "it begins with a brace")
    if named == "json array":
        return Choice("json lines", f"its name ends in {ending}, and no bracket opens an array")
    why = f"its name ends in {ending}" if ending else "nothing else can be told"
    return Choice(named, why)


def misnamed(file: str, choice: Choice, packing: str | None) -> Finding | None:
    """The warning for a file whose name promises something else than it holds."""
    ending, said_packing = ending_of(file), packing_of_name(file)
    is_packed_as_said = packing == said_packing
    if is_packed_as_said and (not ending or choice.kind in ENDINGS[ending]):
        return None
    if not ending and said_packing is None:
        return None
    if choice.kind == "json array" and ENDINGS.get(ending) == ("json lines",) and is_packed_as_said:
        return finding_at(
            Source(file, 1),
            "file.array_not_jsonl",
            "The file holds one JSON array, not JSON lines as its name says.",
            mend="name it .json, or write each record on a line of its own",
            severity="warning",
        )
    return finding_at(
        Source(file, 1),
        "file.misnamed",
        f"The file is {described(choice, packing)}, and its name says something else; other "
        "readers go by the name.",
        mend="rename it",
        severity="warning",
    )


def described(choice: Choice, packing: str | None) -> str:
    """What a person calls it: `JSON lines, gzip`."""
    kind = choice.kind.replace("json", "JSON")
    return f"{kind}, packed with {packing}" if packing else kind


def _first_line_is_json(content: bytes) -> bool:
    return isinstance(quick(content.partition(b"\n")[0]), dict)


def _is_lines_after_a_list(content: bytes) -> bool:
    """Whether the first line is a whole list, and an object begins on the next."""
    first, _, rest = content.partition(b"\n")
    return rest.lstrip(_WHITE).startswith(b"{") and quick(first) is not UNDECIDED
