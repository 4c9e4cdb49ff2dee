"""Read a file's examples, strictly: the first record that cannot be read ends it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from tuneval import files
from tuneval.data.detection import Beginning, Unknown, begin
from tuneval.data.draft import Draft
from tuneval.data.example import Example, Item, Message, Source
from tuneval.data.finding import Finding
from tuneval.data.format import Detection, Format, best_formats
from tuneval.data.formats import FORMATS
from tuneval.data.formats.messages import MESSAGES
from tuneval.data.origin import Origin, origin
from tuneval.data.plain import plain
from tuneval.data.plain_draft import plain_draft
from tuneval.data.record import Record, finding_at
from tuneval.data.rules.roles import Roles
from tuneval.errors import DataError


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
    beginning = begin(found, format)
    return Drafts(beginning.detection, all_drafts(found.name, beginning))


def all_drafts(file: str, beginning: Beginning) -> Iterator[Draft | Finding]:
    """The drafts of a whole set, and what is to be said when it has none."""
    n_records = 0
    refused = False
    format, unknown = beginning.detection.format, beginning.unknown
    for item in drafts_of(beginning.records, format, unknown):
        if isinstance(item, Finding):
            refused = refused or item.severity == "error"
        else:
            n_records += 1
        yield item
    if n_records == 0 and not refused:
        yield no_records(file)


def drafts_of(
    records: Iterable[Record | Finding], format: Format | None, unknown: Unknown | None
) -> Iterator[Draft | Finding]:
    """The drafts of a set or of a part of it; `unknown` is told at the record it is about."""
    for item in records:
        if isinstance(item, Finding):
            yield item
            continue
        if unknown is not None and item.source == unknown.first:
            yield unknown.finding
        yield _draft(item, format)


def no_records(file: str) -> Finding:
    """The finding for a set without a record."""
    return finding_at(
        Source(file, 1), "file.no_records", "The file holds no record.", mend="give it records"
    )


def _items(found: Origin, format: str) -> Iterator[Item]:
    beginning = begin(found, format)
    known, unknown = beginning.detection.format, beginning.unknown
    is_chat = known is MESSAGES  # and no entry of a registry that reads as such
    roles = Roles()
    is_empty = True
    for record in beginning.records:
        if isinstance(record, Record):
            is_empty = False
            if is_chat and not record.findings and (turns := plain(record.value)) is not None:
                yield Example(tuple(map(Message, turns.roles, turns.contents)), record.source)
                continue
        for item in drafts_of((record,), known, unknown):
            yield from _whole(item, roles)
    if is_empty:
        raise no_records(found.name).as_error()


def _conversations(items: Iterator[Item]) -> Iterator[Example]:
    for item in items:
        if not isinstance(item, Example):
            raise DataError(
                f"Conversations are wanted here, and this is a {type(item).__name__}.",
                where=str(item.source),
                mend="give a set of conversations, or turn it into one: tuneval data convert",
            )
        yield item


def _whole(item: Draft | Finding, roles: Roles) -> Iterator[Item]:
    findings = [item] if isinstance(item, Finding) else [*item.findings, *roles.see(item)]
    for finding in findings:
        if finding.severity == "error":
            raise finding.as_error()
    if isinstance(item, Finding):
        return
    if item.item is None:
        raise DataError(
            "The record is no conversation.",
            where=str(item.record.source),
            mend="add turns with role and content, or remove it",
        )
    yield item.item


def _draft(record: Record, format: Format | None) -> Draft:
    if record.value is None or format is None:
        return Draft(record, findings=record.findings)
    is_chat = format is MESSAGES and not record.findings
    if is_chat and (found := plain(record.value)) is not None:
        return plain_draft(record, found)
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
