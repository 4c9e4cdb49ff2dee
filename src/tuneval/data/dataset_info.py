"""LLaMA-Factory's registry, `dataset_info.json`, read as it is.

`DIR/dataset_info.json#NAME` names one of its entries, `…#NAME?seed=3` with another seed for
`num_samples` than 17. Paths in it are relative to the folder it lies in. What is read is what
LLaMA-Factory would train on, with these exceptions: a `script_url` is refused, since no code of
others is run; a local `file_name` goes before the hub if it is there; `file_sha1` is verified.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

from tuneval import files
from tuneval.catalog import near_names
from tuneval.data.finding import Finding, Severity
from tuneval.data.hub import HubSet
from tuneval.data.origin import Origin, origin
from tuneval.data.record import Record, kind_of
from tuneval.data.registry.checksum import verify
from tuneval.data.registry.entry import HUBS, Entry, entry_of
from tuneval.data.registry.portion import Records, sampled, sliced, split_of
from tuneval.data.registry.reading import reading
from tuneval.errors import UsageError

DEFAULT_SEED = 17
_MANY = 20
_SEEDED = re.compile(r"(?P<name>.*)\?seed=(?P<seed>\d+)", re.DOTALL)
_HUB_NAMES = {"ms_hub_url": "ModelScope", "om_hub_url": "Openmind"}
_SWIFT_KEYS = {"ms_dataset_id", "hf_dataset_id", "dataset_path"}


@dataclass(frozen=True, slots=True)
class Registry:
    """A registry file. `contents` are its entries as they are written, none of them checked."""

    path: str
    contents: Mapping[str, Any]

    def entry(self, name: str) -> Entry:
        """The entry of that name. UsageError, with near names, when there is none or it is bad."""
        where = f"{self.path}#{name}"
        if name not in self.contents:
            near = near_names(name, list(self.contents))
            hint = "did you mean " + " or ".join(f"{self.path}#{n}" for n in near) + "?"
            raise UsageError(
                f"The registry has no entry '{name}'." if name else "Which entry of the registry?",
                where=self.path,
                mend=hint if near else f"write {self.path}#NAME, with one of: {self.names}",
            )
        return entry_of(name, self.contents[name], where=where)

    def rows(self) -> Iterator[dict[str, Any]]:
        """What each entry is and where its set lies, or why it cannot be read; for `--json`."""
        for name, content in self.contents.items():
            row: dict[str, Any] = {"name": name, "location": f"{self.path}#{name}"}
            try:
                entry = self.entry(name)
            except UsageError as error:
                yield row | {"format": None, "source": None, "is_here": False, "fault": error.what}
                continue
            place = None if entry.file_name is None else self.place(entry.file_name)
            is_here = place is not None and files.exists(place)
            source = place if is_here else next(iter(entry.sources.values()))
            yield row | {
                "format": reading(entry).name,
                "media": list(entry.media),
                "source": source,
                "is_here": is_here,
                "entry": content,
                "fault": None,
            }

    @property
    def names(self) -> str:
        """The first entries' names, and how many more there are."""
        shown = list(self.contents)[:_MANY]
        rest = len(self.contents) - len(shown)
        more = f" and {rest} more (tuneval data sets --registry {self.path})" if rest else ""
        return (", ".join(shown) or "(none)") + more

    def place(self, file_name: str) -> str:
        """A path of the registry as seen from here."""
        if files.is_url(self.path) and not files.is_url(file_name):
            return f"{self.path.rpartition('/')[0]}/{file_name}"
        return os.path.join(os.path.dirname(self.path), file_name)


def load_registry(path: files.Location) -> Registry:
    """The registry at `path`. UsageError when it is none, or has an entry twice."""
    name = os.fspath(path)
    if not files.exists(name):
        raise UsageError(f"There is no registry {name}.", where=name, mend="check the path")
    with files.open_bytes(name) as file:
        content = file.read()
    try:
        text = content.decode("utf-8-sig")
        found = json.loads(text, object_pairs_hook=partial(_once, name, text))
    except json.JSONDecodeError as error:
        raise _no_json(f"{name}:{error.lineno}", error.msg) from error
    except (UnicodeDecodeError, RecursionError) as error:
        raise _no_json(name, str(error)) from error
    if isinstance(found, list) and any(isinstance(r, dict) and _SWIFT_KEYS & {*r} for r in found):
        raise UsageError(
            "This is a registry of ms-swift: a list. LLaMA-Factory's is an object, name: entry.",
            where=name,
            mend="name the data file itself, or write its entries as LLaMA-Factory has them",
        )
    if not isinstance(found, dict):
        raise UsageError(
            f"This is no registry: it is {kind_of(found)}, not an object of entries.",
            where=name,
            mend='write {"my_set": {"file_name": "…"}}',
        )
    return Registry(name, found)


def registry_origin(path: str, entry: str) -> Origin:
    """An entry of the registry at `path`, perhaps followed by `?seed=N`.

    UsageError when it cannot be read; DataError when its file is not the one that was promised.
    """
    registry = load_registry(path)
    name, seed = _name_and_seed(registry, entry)
    row, where = registry.entry(name), f"{path}#{name}"
    split = split_of(row.split, where=where)
    place = _file_of(registry, row, where)
    if place is None:
        assert row.hf_hub_url is not None
        copy = "write its path as file_name into the entry"
        wanted = HubSet(row.hf_hub_url, row.subset, split, row.folder, copy=copy)
        return Origin(where, _portion(row, where, seed, wanted.records), reading(row))
    if split.name != "train":
        raise UsageError(
            f"The entry asks for the split '{row.split}', and a file has 'train' alone.",
            where=where,
            mend="remove split from the entry, or give each split an entry and a file",
        )
    found = origin(place).records
    if row.file_sha1 is not None:
        verify(place, row.file_sha1, where=where)
    records = partial(sliced, found, split)
    unused = tuple(key for key in ("subset", "folder") if getattr(row, key) is not None)
    return Origin(where, _portion(row, where, seed, records, unused), reading(row))


def _name_and_seed(registry: Registry, entry: str) -> tuple[str, int]:
    found = _SEEDED.fullmatch(entry)
    if entry in registry.contents or found is None:
        return entry, DEFAULT_SEED
    return found["name"], int(found["seed"])


def _file_of(registry: Registry, entry: Entry, where: str) -> str | None:
    """The file or folder to read, or None where it is a set of the hub.

    LLaMA-Factory's order of precedence, but for a local file that is there. UsageError when the
    set cannot be got from where the entry says.
    """
    place = registry.place(entry.file_name) if entry.file_name else None
    if place is not None and files.exists(place):
        return place
    source, name = next(iter(entry.sources.items()))
    mend = "get the set as a file, and write its name as file_name into the entry"
    if source in HUBS:
        if entry.hf_hub_url is None:
            what = f"'{name}' is to be had from {_HUB_NAMES[source]} alone, which is not read."
            raise UsageError(what, where=where, mend=mend)
        return None
    if source == "file_name":
        what = f"The file of the entry is not there: {place}."
        raise UsageError(what, where=where, mend="put it there, or correct file_name")
    if source == "script_url":
        what = f"The entry wants to run the script '{name}'. No code of others is run."
        raise UsageError(what, where=where, mend=mend)
    return name


def _portion(
    entry: Entry, where: str, seed: int, records: Records, unused: tuple[str, ...] = ()
) -> Records:
    """The records that the entry takes of all, after a word on what of it is not used."""
    return partial(_told, entry, where, seed, records, unused)


def _told(
    entry: Entry, where: str, seed: int, records: Records, unused: tuple[str, ...]
) -> Iterator[Record | Finding]:
    for column in entry.media:
        what = f"The column '{column}' is not read: tuneval reads text, in which its marks stay."
        yield _said("registry.media", "warning", what, where, "leave the set out, or the marks")
    for key in unused:
        what = f"'{key}' is not used: it chooses a part of a set of the hub, and this is a file."
        yield _said("registry.unused", "info", what, where, f"remove '{key}' from the entry")
    if entry.num_samples is None:
        yield from records()
        return
    what = f"{entry.num_samples} records are drawn at random (num_samples) with the seed {seed}."
    yield _said("registry.sampled", "info", what, where, f"write {where}?seed=N to draw others")
    yield from sampled(records, entry.num_samples, seed=seed)


def _said(rule: str, severity: Severity, what: str, where: str, mend: str) -> Finding:
    return Finding(rule=rule, severity=severity, where=where, what=what, mend=mend)


def _once(path: str, text: str, pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """An object of a registry, in which no key stands twice."""
    found = dict(pairs)
    if len(found) < len(pairs):
        key = next(key for n, (key, _) in enumerate(pairs) if key in dict(pairs[:n]))
        mark = re.compile(rf"{re.escape(json.dumps(key))}\s*:")
        lines = [text.count("\n", 0, place.start()) + 1 for place in mark.finditer(text)]
        raise UsageError(
            f"'{key}' stands twice in one object; the first is lost to other readers.",
            where=f"{path}, lines {', '.join(map(str, lines))}" if lines else path,
            mend="keep one of them",
        )
    return found


def _no_json(where: str, reason: str) -> UsageError:
    return UsageError(f"The registry is not valid JSON: {reason}.", where=where, mend="mend it")
