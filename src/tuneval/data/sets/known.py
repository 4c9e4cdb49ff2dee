"""What a known set is, and the table of them: the YAML files here, a row a set."""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from typing import Annotated, Any, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field

from tuneval.catalog import near_names
from tuneval.data.format import Format
from tuneval.data.origin import HUB
from tuneval.data.registry.entry import Entry
from tuneval.data.registry.reading import reading
from tuneval.data.sets.shapes import SHAPES
from tuneval.errors import UsageError

TABLES = ("chinese", "english", "german", "preferences", "pretraining", "multimodal", "samples")
_Text = Annotated[str, Field(min_length=1)]


class KnownSet(BaseModel):
    """A row. `rows` counts the records of the entry's split, as the hub shows them (rounded).

    `entry` is as in LLaMA-Factory's registry; `files` are those of the repository to read, if not
    all of them, or addresses elsewhere; `shape` names a row of SHAPES.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: _Text
    about: _Text
    language: _Text
    licence: _Text
    rows: Annotated[int, Field(ge=1)] | Literal["unknown"]
    entry: Entry
    files: tuple[_Text, ...] = ()
    shape: str | None = None
    note: str = ""

    @property
    def is_text(self) -> bool:
        """Whether its records are text alone. Pictures, films and sounds are not read."""
        return not self.entry.media

    @property
    def format(self) -> Format:
        """How its records are understood."""
        return reading(self.entry, SHAPES[self.shape] if self.shape else None)

    @property
    def source(self) -> str:
        """Where it is to be had."""
        entry = self.entry
        if entry.hf_hub_url is not None:
            return entry.hf_hub_url
        if entry.ms_hub_url is not None:
            return f"{entry.ms_hub_url} (ModelScope)"
        if self.files:
            return self.files[0].rpartition("/")[0]
        return f"data/{entry.file_name} (in LLaMA-Factory's repository)"

    def as_dict(self) -> dict[str, Any]:
        """For `--json`; `entry` as it would stand in a registry."""
        entry = self.entry.model_dump(exclude_unset=True)
        return {
            "name": self.name,
            "location": f"{HUB}{self.name}",
            "about": self.about,
            "source": self.source,
            "language": self.language,
            "licence": self.licence,
            "rows": self.rows,
            "format": self.format.name,
            "media": list(self.entry.media),
            "entry": entry,
            "files": list(self.files),
            "note": self.note,
        }


@cache
def known_sets() -> dict[str, KnownSet]:
    """All of them by name, in the order of the tables."""
    found: dict[str, KnownSet] = {}
    for table in TABLES:
        text = files(__package__).joinpath(f"{table}.yaml").read_text(encoding="utf-8")
        for name, row in yaml.load(text, Loader=_loader()).items():
            found[name] = KnownSet(name=name, **row)
    return found


def known_set(name: str) -> KnownSet:
    """The set of that name. UsageError, with near names, when there is none."""
    table = known_sets()
    if name not in table:
        near = " or ".join(f"'{n}'" for n in near_names(name, list(table)))
        hint = f"did you mean {near}? " if near else ""
        raise UsageError(
            f"There is no known set '{name}'.",
            mend=f"{hint}`tuneval data sets` lists them; "
            "any other set of the hub is hub:organisation/name",
        )
    return table[name]


def format_of_repository(repository: str) -> Format | None:
    """How the sets of that hub id are read, if all known ones are read in one way."""
    entries = [row for row in known_sets().values() if row.entry.hf_hub_url == repository]
    ways = {(row.entry.formatting, row.entry.columns, row.entry.tags) for row in entries}
    is_plain = all(row.is_text and not row.shape and not row.files for row in entries)
    return entries[0].format if len(ways) == 1 and is_plain else None


def _loader() -> type[yaml.SafeLoader]:
    """The one in C where there is one: the tables are long."""
    loader: type[yaml.SafeLoader] = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    return loader
