"""Read a file's examples, strictly: the first record that cannot be read ends it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain
from typing import Any

from tuneval import files
from tuneval.data.draft import Draft
from tuneval.data.example import Example, Item, Source
from tuneval.data.finding import Finding
from tuneval.data.format import Detection, Format, all_formats, best_formats, detect
from tuneval.data.formats import FORMATS
from tuneval.data.origin import Origin, origin
from tuneval.data.record import Record, finding_at
from tuneval.data.rules.roles import Roles
from tuneval.errors import DataError

_SAMPLE = 100


def read(path: files.Location, format: str = "auto") -> Iterator[Example]:
    """The examples of a set (see `origin`), in order, streamed.

    UsageError when there is no such set or format; DataError with file and line at the first
    record that is no example, or when there is none at all. Order of roles and empty turns are
    the validator's matter.
    """
    return _conversations(read_items(path, format))


def read_items(path: files.Location, format: str = "auto") -> Iterator[Item]:
    """The same for items of any kind: conversations, texts and preferences."""
    found = origin(path)
    if format != "auto":
        FORMATS.load(format)
    return _items(found, format)


@dataclass(frozen=True, slots=True)
class Drafts:
    """What a file holds, record by record, and in which format. Findings are about the file."""

    detection: Detection
    items: Iterator[Draft | Finding]


def drafts(path: files.Location | Origin, format: str = "auto") -> Drafts:
    """Every record of the set as a draft, broken ones included. Never raises for bad content."""
    found = path if isinstance(path, Origin) else origin(path)
    if format == "auto":
        format = found.format
    records = found.records()
    if format != "auto":
        detection = Detection(FORMATS.load(format), "as asked")
        return Drafts(detection, _draft_all(found.name, records, detection))
    sample, values = _sample(records)
    detection = detect(values) if values else Detection(None, "no record could be read")
    return Drafts(detection, _draft_all(found.name, chain(sample, records), detection))


def _items(found: Origin, format: str) -> Iterator[Item]:
    roles = Roles()
    for item in drafts(found, format).items:
        findings = [item] if isinstance(item, Finding) else [*item.findings, *roles.see(item)]
        for finding in findings:
            if finding.severity == "error":
                raise finding.as_error()
        if isinstance(item, Draft):
            yield _whole(item)


def _conversations(items: Iterator[Item]) -> Iterator[Example]:
    for item in items:
        if not isinstance(item, Example):
            raise DataError(
                f"Conversations are wanted here, and this is a {type(item).__name__}.",
                where=str(item.source),
                mend="give a set of conversations, or turn it into one: tuneval data convert",
            )
        yield item


def _whole(draft: Draft) -> Item:
    if draft.item is None:
        raise DataError(
            "The record is no conversation.",
            where=str(draft.record.source),
            mend="add turns with role and content, or remove it",
        )
    return draft.item


def _sample(
    found: Iterator[Record | Finding],
) -> tuple[list[Record | Finding], list[dict[str, Any]]]:
    """The first items, up to a hundred readable records, and those records' values."""
    items: list[Record | Finding] = []
    values = []
    for item in found:
        items.append(item)
        if isinstance(item, Record) and item.value is not None:
            values.append(item.value)
            if len(values) == _SAMPLE:
                break
    return items, values


def _draft_all(
    file: str, found: Iterator[Record | Finding], detection: Detection
) -> Iterator[Draft | Finding]:
    n_records = n_readable = 0
    refused = False
    for item in found:
        if isinstance(item, Finding):
            refused = refused or item.severity == "error"
            yield item
            continue
        n_records += 1
        if item.value is not None and n_readable == 0 and detection.format is None:
            yield _no_format(item.source, detection)
        n_readable += item.value is not None
        yield _draft(item, detection.format)
    if n_records == 0 and not refused:
        yield finding_at(
            Source(file, 1), "file.no_records", "The file holds no record.", mend="give it records"
        )


def _draft(record: Record, format: Format | None) -> Draft:
    if record.value is None or format is None:
        return Draft(record, findings=record.findings)
    if not format.fit(record.value) and (others := best_formats(record.value)):
        return _of_another_format(record, format, others[0])
    return format.draft(record)


def _of_another_format(record: Record, format: Format, other: Format) -> Draft:
    finding = finding_at(
        record.source,
        "format.mixed",
        f"The record is in the format {other.name}, the file is read as {format.name}.",
        mend="keep records of different formats in different files",
    )
    return Draft(record, findings=(*record.findings, finding))


def _no_format(source: Source, detection: Detection) -> Finding:
    names = ", ".join(f"{row.name} ({row.keys})" for row in all_formats())
    return finding_at(
        source,
        "format.unknown",
        f"The format cannot be told: {detection.reason}.",
        mend=f"formats that are read: {names}; --format insists on one",
    )
