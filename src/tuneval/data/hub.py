"""Sets by name, from the Hugging Face hub.

    hub:belle_1m                     a known set, with its field mapping (see `data.sets`)
    hub:organisation/name            any set of the hub; its format is found out
    hub:organisation/name:subset     one of its subsets
    hub:belle_1m@validation          another split than `train`, or a part of one: @train[:1000]
    hub:belle_1m=folder/copy.json    a copy of a known set: a file, a folder or an address

What is read is streamed and not kept. A set that `datasets` has in its cache is read from there
when the hub is out of reach.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from copy import deepcopy
from dataclasses import dataclass
from functools import partial
from typing import Any

from tuneval.data.example import Source
from tuneval.data.finding import Finding
from tuneval.data.origin import HUB, Origin, origin
from tuneval.data.record import Record
from tuneval.data.registry.portion import Split, sliced, split_of
from tuneval.data.sets.known import KnownSet, format_of_repository, known_set
from tuneval.errors import DataError, StorageError, TunevalError, UsageError
from tuneval.extras import require

_AT_THE_HUB = "hf://datasets/"
_REPOSITORY = re.compile(r"[\w.-]+/[\w.-]+")
_MEDIA = ("Image", "Audio", "Video", "Pdf", "Mesh", "Nifti")


@dataclass(frozen=True, slots=True)
class HubSet:
    """A set of the hub, or a part of it. `files` are those to read, if not all of them; an
    address among them is read as it is. `copy` is how a copy of the set would be named.
    """

    repository: str
    subset: str | None
    split: Split
    folder: str | None = None
    files: tuple[str, ...] = ()
    copy: str = ""

    @property
    def name(self) -> str:
        """As it stands in the source of its records."""
        if len(self.files) == 1:
            return f"{HUB}{self.repository}/{self.files[0]}"
        subset = f":{self.subset}" if self.subset else ""
        return f"{HUB}{self.repository}{subset}@{self.split.name}"

    def records(self) -> Iterator[Record | Finding]:
        """Every row of the split or of the part that is wanted.

        StorageError when the hub is out of reach, UsageError when it has no such set.
        """
        return sliced(self._rows, self.split)

    def _rows(self) -> Iterator[Record]:
        datasets = require("datasets", extra="data", why=f"to read {self.name}")
        try:
            datasets.disable_progress_bars()
            for number, row in enumerate(_without_media(self._stream(datasets)), start=1):
                yield Record(Source(self.name, number, "row"), row)
        except Exception as error:  # of any kind: whatever lies between here and the hub
            raise self._failure(error) from error

    def _stream(self, datasets: Any) -> Any:
        if self.files:
            found = [
                file if "://" in file else f"{_AT_THE_HUB}{self.repository}/{file}"
                for file in self.files
            ]
            return datasets.load_dataset("json", data_files=found, split="train", streaming=True)
        return datasets.load_dataset(
            _AT_THE_HUB + self.repository,
            name=self.subset,
            data_dir=self.folder,
            split=self.split.name,
            streaming=True,
        )

    def _failure(self, error: Exception) -> TunevalError:
        """The error as a person can mend it, by what `datasets` says."""
        said = f"{type(error).__name__}: {error}".strip().partition("\n")[0]
        own_copy = self.copy or f"{HUB}{self.repository}=FILE"
        or_copy = f"or get the set elsewhere and read the copy: {own_copy}"
        if "OfflineMode" in said or "offline mode is enabled" in said:
            return StorageError(
                f"{self.name} is on the hub, and HF_HUB_OFFLINE forbids to ask it.",
                where=self.name,
                mend=f"unset HF_HUB_OFFLINE where there is a network; {or_copy}",
            )
        if "gated dataset" in said:
            return StorageError(
                f"{self.name} is given only to those who have accepted its terms.",
                where=f"https://huggingface.co/datasets/{self.repository}",
                mend=f"accept them there, then log in (hf auth login); {or_copy}",
            )
        if "doesn't exist on the Hub" in said:
            return UsageError(
                f"The hub has no set '{self.repository}', or it is private.",
                where=self.name,
                mend="check the name; a private one needs a login (hf auth login)",
            )
        if "scripts are no longer supported" in said:
            return StorageError(
                f"{self.name} is made by a script, and no code of others is run.",
                where=f"https://huggingface.co/datasets/{self.repository}",
                mend=f"get its data files there and read them: {own_copy}",
            )
        if isinstance(error, ValueError) and _chooses_badly(said):
            return UsageError(
                f"The set has another split or subset: {error}",
                where=self.name,
                mend=f"write {HUB}{self.repository}:SUBSET@SPLIT with one of them",
            )
        if isinstance(error, OSError):
            what = f"{self.name} cannot be reached: {said}"
            return StorageError(what, where=self.name, mend=f"check the network; {or_copy}")
        return DataError(
            f"{self.name} cannot be read as a table: {said}",
            where=self.name,
            mend=or_copy.removeprefix("or "),
        )


def hub_origin(name: str) -> Origin:
    """The set that `name`, what follows `hub:`, stands for. UsageError when there is none."""
    head, is_copy, file = name.partition("=")
    head, _, split = head.partition("@")
    place, _, subset = head.partition(":")
    known = None if _REPOSITORY.fullmatch(place) else known_set(place)
    format = format_of_repository(place) if known is None else known.format
    where = HUB + name
    if is_copy:
        if split or subset or not file:
            raise UsageError(
                "A copy is named by itself, without split and subset.",
                where=where,
                mend=f"write {HUB}{place}=FILE",
            )
        records = partial(_copied, origin(file).records, known)
        return Origin(where, records, format or "auto")
    if known is None:
        wanted = HubSet(place, subset or None, split_of(split or "train", where=where))
        return Origin(where, wanted.records, format or "auto")
    return Origin(where, _of_a_known(known, subset, split, where).records, known.format)


def _of_a_known(known: KnownSet, subset: str, split: str, where: str) -> HubSet:
    entry, own_copy = known.entry, f"{HUB}{known.name}=FILE"
    if not known.is_text:
        raise UsageError(
            f"{known.name} is a set of {' and '.join(entry.media)}; tuneval reads text.",
            where=where,
            mend=f"the text of a copy can be read alone: {own_copy}",
        )
    if entry.hf_hub_url is None and not known.files:
        raise UsageError(
            f"{known.name} is not on the Hugging Face hub.",
            where=known.source,
            mend=f"get it there and read the copy: {own_copy}",
        )
    if packed := [file for file in known.files if not file.endswith((".json", ".jsonl"))]:
        raise UsageError(
            f"{known.name} comes as an archive: {packed[0]}.",
            where=f"https://huggingface.co/datasets/{entry.hf_hub_url}",
            mend=f"get it there, unpack it and read the folder: {HUB}{known.name}=FOLDER",
        )
    part = split_of(split or entry.split, where=where)
    if known.files and (subset or part.name != "train"):
        raise UsageError(
            f"{known.name} is read from files, without subsets and with the split 'train' alone.",
            where=where,
            mend=f"write {HUB}{known.name}, or {HUB}{known.name}@train[:1000] for a part",
        )
    return HubSet(
        entry.hf_hub_url or known.name,
        subset or entry.subset,
        part,
        entry.folder,
        known.files,
        own_copy,
    )


def _copied(
    records: Callable[[], Iterator[Record | Finding]], known: KnownSet | None
) -> Iterator[Record | Finding]:
    if known is not None and not known.is_text:
        media = " and ".join(known.entry.media)
        yield Finding(
            rule="registry.media",
            severity="warning",
            where=HUB + known.name,
            what=f"The {media} of the set are not read: tuneval reads text, in which marks stay.",
            mend="leave the set out, or the marks",
        )
    yield from records()


def _without_media(stream: Any) -> Any:
    """The rows without columns of pictures, sounds and films, which nothing here could read."""
    features = deepcopy(stream.features or {})
    media = [name for name, feature in features.items() if _stop_decoding(feature)]
    return stream.cast(features).remove_columns(media) if media else stream


def _stop_decoding(feature: Any) -> bool:
    """Whether the feature is one of media or holds some; these are left as bytes then."""
    if type(feature).__name__ in _MEDIA:
        feature.decode = False
        return True
    inner = feature.values() if isinstance(feature, dict) else [getattr(feature, "feature", None)]
    found = [_stop_decoding(one) for one in inner if one is not None]  # all of them, no short cut
    return any(found)


def _chooses_badly(said: str) -> bool:
    """Whether `datasets` says that there is no such split or subset."""
    marks = ("Bad split", "Unknown split", "BuilderConfig", "Config name is missing")
    return any(mark in said for mark in marks)
