"""How the lines of a file end, as far as that is worth a word."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from tuneval.data.example import Source
from tuneval.data.finding import Finding
from tuneval.data.record import finding_at


@dataclass(slots=True)
class LineEnds:
    """What is remembered of line ends; what two parts of a file remember can be merged.

    `unended` is the number of a last line without an end, 0 when there is none; `torn` says that
    its record breaks off.
    """

    n_crlf: int = 0
    first_crlf: int = 0
    unended: int = 0
    torn: bool = False

    def merge(self, later: LineEnds) -> None:
        """Take over those of the part that follows this one."""
        self.n_crlf += later.n_crlf
        self.first_crlf = self.first_crlf or later.first_crlf
        self.unended, self.torn = later.unended, later.torn

    def see(self, block: bytes, first_line: int) -> None:
        """Count the carriage returns of a block of lines."""
        if b"\r" in block and (count := block.count(b"\r\n")):
            if not self.n_crlf:
                self.first_crlf = first_line + block.count(b"\n", 0, block.index(b"\r\n"))
            self.n_crlf += count

    def findings(self, file: str) -> Iterator[Finding]:
        """What the whole file's line ends are worth saying."""
        if self.n_crlf:
            what = (
                f"Lines end with CR LF, as Windows writes them (lines: {self.n_crlf}, this first)."
            )
            mend = "leave it, or convert: dos2unix"
            where = Source(file, self.first_crlf)
            yield finding_at(where, "file.crlf", what, mend=mend, severity="info")
        if self.torn:
            yield finding_at(
                Source(file, self.unended),
                "file.truncated_last_line",
                "The file ends in the middle of this record: it was cut short.",
                mend="fetch or write the file again",
                severity="warning",
            )
        elif self.unended:
            what = "The last line has no line end; what is appended would join it."
            mend = "end it with a line break"
            where = Source(file, self.unended)
            yield finding_at(where, "file.no_final_newline", what, mend=mend, severity="info")
