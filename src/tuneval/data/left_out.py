"""The file beside a converted one: every record that is not in it, as it stood, and why."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO, Self

from tuneval import files
from tuneval.data.record import Record
from tuneval.data.taken_out import original


class LeftOut:
    """Writes the rows to the file, one JSON object a line; makes it only when there is one.

    The file appears when the block ends well. One of that name from an earlier time, when there
    is nothing to write now, is removed.
    """

    def __init__(self, file: str) -> None:
        self._file = file
        self._stack = ExitStack()
        self._stream: BinaryIO | None = None

    @property
    def file(self) -> str | None:
        """Where the rows are, if there are any."""
        return None if self._stream is None else self._file

    def record(self, record: Record, rules: Sequence[str], reasons: Sequence[str]) -> None:
        """A record: `original` is its text in the file, or its value where it is no text."""
        stood = original(record.raw) if record.raw else {"original": record.value}
        self._write(str(record.source), rules, reasons, stood)

    def place(self, where: str, rule: str, reason: str) -> None:
        """A place of the source that belongs to no record."""
        self._write(where, [rule], [reason], {})

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        self._stack.__exit__(kind, error, at)
        if error is None and self._stream is None and not files.is_url(self._file):
            Path(self._file).unlink(missing_ok=True)

    def _write(
        self, where: str, rules: Sequence[str], reasons: Sequence[str], stood: dict[str, Any]
    ) -> None:
        if self._stream is None:
            self._stream = self._stack.enter_context(files.atomic_writer(self._file))
        row = {"where": where, "rules": list(rules), "reasons": list(reasons)} | stood
        self._stream.write(files.json_bytes(row, default=str) + b"\n")
