"""Where a set of records lies, from what a person writes.

`mine.jsonl`, `folder/`, `s3://bucket/mine.parquet`: a file, a folder of files, an address.
`data/dataset_info.json#alpaca_zh_demo`: an entry of a LLaMA-Factory registry.
`hub:belle_1m`, `hub:organisation/name`: a well-known set by its name, or any set on the hub.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial

from tuneval import files
from tuneval.data.containers import records
from tuneval.data.finding import Finding
from tuneval.data.format import Format
from tuneval.data.record import Record
from tuneval.data.sniff import refuse_what_is_no_file

HUB = "hub:"
REGISTRY = "dataset_info.json"


@dataclass(frozen=True, slots=True)
class Origin:
    """A set of records. `records` gives them anew each time it is called.

    `format` is the one that the origin insists on (its name, or itself), or `auto`; `file` is the
    plain local file behind it, if the origin is just that and nothing between its bytes and its
    records.
    """

    name: str
    records: Callable[[], Iterator[Record | Finding]]
    format: str | Format = "auto"
    file: str | None = None


def is_plain_path(location: files.Location) -> bool:
    """Whether it names a local file or folder, and nothing that has to be looked up."""
    name = str(location)
    in_registry = "#" in name and name.rpartition("#")[0].endswith(".json")
    return not (name.startswith(HUB) or files.is_url(name) or in_registry)


def origin(location: files.Location) -> Origin:
    """The set that `location` names. UsageError when there is no such thing."""
    name = str(location)
    if name.startswith(HUB):
        from tuneval.data.hub import hub_origin

        return hub_origin(name.removeprefix(HUB))
    path, mark, entry = name.rpartition("#")
    if not mark and os.path.basename(name) == REGISTRY:
        path, mark, entry = name, "#", ""
    if mark and path.endswith(".json"):
        from tuneval.data.dataset_info import registry_origin

        return registry_origin(path, entry)
    refuse_what_is_no_file(location)
    return Origin(name, partial(records, location), file=name)
