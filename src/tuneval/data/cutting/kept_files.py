"""Files of kept records that all appear when everything went well, and not one of them otherwise.

JSON lines, packed or not, hold the records' own lines where they have any; other containers (see
`containers.writing`) hold their values.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

from tuneval import files
from tuneval.data.containers.writing import open_writer, packed, writable
from tuneval.data.cutting.kept import Kept
from tuneval.data.formats import FORMATS

Write = Callable[[Kept], object]
_LINES = (".jsonl", ".ndjson")


@contextmanager
def kept_files(targets: Iterable[files.Location], to: str | None = None) -> Iterator[list[Write]]:
    """For each target a function that adds a record, in the format `to` where one is named.

    The files get their names when the block ends; an error in it leaves the old ones, and the
    folders, as they were. Missing folders are made. UsageError when a name tells no container, or
    there is no such format; StorageError when a file cannot be written.
    """
    targets = list(targets)
    for target in targets:
        writable(target)
    if to is not None:
        FORMATS.load(to)
    missing = _missing_folders(targets)
    try:
        with ExitStack() as stack:
            yield [stack.enter_context(_kept_file(target, to)) for target in targets]
    except BaseException:
        for folder in missing:
            with suppress(OSError):  # somebody else has put something there
                folder.rmdir()
        raise


@contextmanager
def _kept_file(target: files.Location, to: str | None) -> Iterator[Write]:
    ending, packing = writable(target)
    if ending in _LINES:
        with files.atomic_writer(target) as file, packed(file, packing) as stream:
            yield lambda record: stream.write(record.line(to))
    else:
        with open_writer(target) as write:
            yield lambda record: write(record.row(to))


def _missing_folders(targets: Iterable[files.Location]) -> list[Path]:
    """The local folders that will have to be made, the inner ones first."""
    local = [Path(target) for target in targets if not files.is_url(target)]
    missing = {folder for path in local for folder in path.parents if not folder.exists()}
    return sorted(missing, key=lambda folder: -len(folder.parts))
