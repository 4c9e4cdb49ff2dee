"""Containers: how records lie in a file, whatever the records mean.

`records(path)` finds out by the first bytes and the name, and gives every record, broken ones
included, with the place where it begins; what is wrong with the file as a whole comes as a
Finding in between. JSON lines, a JSON array, CSV, text, Parquet, Arrow; the texts also packed
with gzip, Zstandard, bzip2 or xz; a folder of all these; an address of any. `open_writer` (in
`writing`) writes them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from importlib import import_module
from typing import BinaryIO

from tuneval import files
from tuneval.data.containers.choose import Choice, choose, misnamed
from tuneval.data.containers.packed import Packing, Unpacked, packing_of
from tuneval.data.data_files import Kind, look_into, packing_of_name
from tuneval.data.example import Source
from tuneval.data.finding import Finding, has_error
from tuneval.data.record import Record, finding_at
from tuneval.data.sniff import BOM, refusal

_HEAD_BYTES = 65536
_MAX_NAMES = 20
FOLDER = "folder"
# Texts are read from a stream, tables need the file itself.
TEXTS: dict[Kind, str] = {
    "json lines": "json_lines:line_records",
    "json array": "json_array:array_records",
    "csv": "delimited:csv_records",
    "text": "plain_text:text_records",
}
TABLES: dict[Kind, str] = {
    "parquet": "parquet:parquet_records",
    "arrow": "arrow:arrow_records",
}

Found = Iterator[Record | Finding]


def records(path: files.Location) -> Found:
    """Every record of a file, a folder or an address, in order.

    Raises StorageError when it cannot be read, MissingPackageError when a package is missing.
    """
    try:
        if files.is_folder(path):
            yield from _of_folder(path)
        else:
            yield from _of_file(path)
    except OSError as error:
        raise files.storage_error("read", path, error) from error


def kind_of_container(path: files.Location) -> str:
    """How the records lie: `json lines`, `gzip json array`, `parquet`, `folder`."""
    return look(path).kind


def look(path: files.Location) -> Choice:
    """The same with the reason."""
    if files.is_folder(path):
        return Choice(FOLDER, "it is a folder, or stands for several files")
    with files.open_bytes(path) as stream:
        head = stream.read(_HEAD_BYTES)
        packing = packing_of(head)
        if packing is None:
            return choose(str(path), head)
        with Unpacked(str(path), stream, packing).buffered() as text:
            inside = choose(str(path), text.read(_HEAD_BYTES))
    return Choice(
        f"{packing.name} {inside.kind}",
        f"it begins with the bytes {packing.starts[0].hex(' ')}; inside, {inside.reason}",
    )


def _of_folder(folder: files.Location) -> Found:
    found = look_into(folder)
    if found.left_out:
        shown = ", ".join(found.left_out[:_MAX_NAMES])
        more = f" and {len(found.left_out) - _MAX_NAMES} more"
        yield finding_at(
            Source(str(folder), 1),
            "file.left_out",
            f"By their names these hold no records, and are left out: {shown}"
            f"{more if len(found.left_out) > _MAX_NAMES else ''}.",
            mend="give them an ending of a data file if they do hold records",
            severity="info",
        )
    for path in found.data:
        yield from _of_file(path)


def _of_file(path: files.Location) -> Found:
    file = str(path)
    with files.open_bytes(path) as stream:
        head = stream.read(_HEAD_BYTES)
        packing = packing_of(head)
        if packing is None:
            yield from _of_content(path, head, stream)
            return
        unpacked = Unpacked(file, stream, packing)
        with unpacked.buffered() as text:
            head = text.read(_HEAD_BYTES)
            if not head and unpacked.fault is not None:
                yield unpacked.fault
                return
            found = _of_content(path, head, text, packing)
            yield from _and_the_fault(found, unpacked)


def _and_the_fault(found: Found, unpacked: Unpacked) -> Found:
    """The fault of the packing comes before the first record that is broken because of it."""
    told = False
    for item in found:
        fault = unpacked.fault
        if fault is not None and not told and isinstance(item, Record) and has_error(item.findings):
            yield fault
            told = True
        yield item
    if unpacked.fault is not None and not told:
        yield unpacked.fault


def _of_content(
    path: files.Location, head: bytes, stream: BinaryIO, packing: Packing | None = None
) -> Found:
    """The records of a file's content, unpacked if it was packed."""
    file = str(path)
    choice = choose(file, head)
    refused = refusal(file, head) or _badly_packed(file, head, packing, choice)
    if refused is not None:
        yield refused
        return
    if (warning := misnamed(file, choice, packing.name if packing else None)) is not None:
        yield warning
    if choice.kind in TABLES:
        yield from _reader(TABLES[choice.kind])(path, stream)
        return
    content = head.removeprefix(BOM)
    n_before = len(head) - len(content)
    if n_before:
        yield finding_at(
            Source(file, 1),
            "encoding.bom",
            "The file begins with a byte order mark; other readers refuse its first line.",
            mend="save it as UTF-8 without BOM",
            severity="warning",
        )
    yield from _reader(TEXTS[choice.kind])(file, content, stream, n_bytes_before=n_before)


def _badly_packed(
    file: str, head: bytes, packing: Packing | None, choice: Choice
) -> Finding | None:
    """Why the content cannot be read because of how it is packed, or should be."""
    source = Source(file, 1)
    if packing is not None and packing_of(head) is not None:
        what, mend = "The file is packed twice.", f"unpack it once: {packing.command} {file}"
        return finding_at(source, "file.not_text", what, mend=mend)
    if packing is not None and choice.kind in TABLES:
        what = f"The file is {choice.kind}, packed with {packing.name}; a table must not be."
        mend = f"unpack it: {packing.command} {file}"
        return finding_at(source, "file.not_text", what, mend=mend)
    named = packing_of_name(file)
    if packing is None and named is not None and b"\0" in head and choice.kind in TEXTS:
        what = f"The file should be packed with {named} by its name, and does not begin so."
        mend = "get the file again, or write it again"
        return finding_at(source, "file.damaged", what, mend=mend)
    return None


def _reader(row: str) -> Callable[..., Found]:
    module, _, name = row.partition(":")
    read: Callable[..., Found] = getattr(import_module(f"{__name__}.{module}"), name)
    return read
