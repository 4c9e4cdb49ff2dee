"""Read a file's examples, strictly: the first record that cannot be read ends it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain
from typing import Any

from tuneval import files
from tuneval.data.containers import records
from tuneval.data.draft import Draft
from tuneval.data.example import Example, Source
from tuneval.data.finding import Finding
from tuneval.data.format import Detection, Format, all_formats, detect
from tuneval.data.formats import FORMATS
from tuneval.data.record import Record, finding_at
from tuneval.data.rules.roles import Roles
from tuneval.data.sniff import refuse_what_is_no_file
from tuneval.errors import DataError

_SAMPLE = 100


def read(path: files.Location, format: str = "auto") -> Iterator[Example]:
    """The examples of a local file or URL, in order; JSON lines are streamed.

    UsageError when there is no such file or format; DataError with file and line at the first
    record that is no example, or when there is none at all. Order of roles and empty turns are
    the validator's matter.
    """
    refuse_what_is_no_file(path)
    if format != "auto":
        FORMATS.load(format)
    return _examples(path, format)


@dataclass(frozen=True, slots=True)
class Drafts:
    """What a file holds, record by record, and in which format. Findings are about the file."""

    detection: Detection
    items: Iterator[Draft | Finding]


def drafts(path: files.Location, format: str = "auto") -> Drafts:
    """Every record of the file as a draft, broken ones included. Never raises for bad content."""
    refuse_what_is_no_file(path)
    found = records(path)
    if format != "auto":
        detection = Detection(FORMATS.load(format), "as asked")
        return Drafts(detection, _draft_all(str(path), found, detection))
    sample, values = _sample(found)
    detection = detect(values) if values else Detection(None, "no record could be read")
    items = _draft_all(str(path), chain(sample, found), detection)
    return Drafts(detection, items)


def _examples(path: files.Location, format: str) -> Iterator[Example]:
    roles = Roles()
    for item in drafts(path, format).items:
        findings = [item] if isinstance(item, Finding) else [*item.findings, *roles.see(item)]
        for finding in findings:
            if finding.severity == "error":
                raise finding.as_error()
        if isinstance(item, Draft):
            yield _whole(item)


def _whole(draft: Draft) -> Example:
    if draft.example is None:
        raise DataError(
            "The record is no conversation.",
            where=str(draft.record.source),
            mend="add turns with role and content, or remove it",
        )
    return draft.example


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
    if not format.fits(record.value):
        for other in all_formats():
            if other.name != format.name and other.fits(record.value):
                return _of_another_format(record, format, other)
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
    names = ", ".join(f"{row.name} ({' + '.join(row.marks)})" for row in all_formats())
    return finding_at(
        source,
        "format.unknown",
        f"The format cannot be told: {detection.reason}.",
        mend=f"formats that are read: {names}; --format insists on one",
    )
