"""A large file of JSON lines, checked in parts: what one part shows, and how parts are cut."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from tuneval import files
from tuneval.data.checking.finding_tally import FindingTally
from tuneval.data.checking.inspection import Inspection
from tuneval.data.checking.screen import screen_for
from tuneval.data.containers.json_lines import BLOCK_BYTES, LineReader, blocks_of_lines
from tuneval.data.containers.line_ends import LineEnds
from tuneval.data.detection import Unknown
from tuneval.data.formats import FORMATS
from tuneval.data.read import drafts_of
from tuneval.data.rule import Rule

PART_BYTES = 8 << 20


@dataclass(frozen=True, slots=True)
class Part:
    """Whole lines of a file: the bytes from `start` on, `n_bytes` of them or all that are left.

    `line` is the number of the first line.
    """

    start: int
    line: int
    n_bytes: int | None = None


@dataclass(frozen=True, slots=True)
class PartFound:
    """What a part showed, `end` being where it ends.

    `rules` are those that speak when the whole set was seen, with what they remember.
    """

    end: int
    tally: FindingTally
    ends: LineEnds
    rules: tuple[Rule, ...]

    def merge(self, later: PartFound) -> None:
        """Take over what the part that follows showed, all but its tally."""
        self.ends.merge(later.ends)
        for rule, other in zip(self.rules, later.rules, strict=True):
            rule.merge(other)


@dataclass(frozen=True, slots=True)
class PartCheck:
    """How to check any part of a file; `rules` have not seen anything. See `processes.Job`."""

    file: str
    format: str | None
    unknown: Unknown | None
    rules: tuple[Rule, ...]
    keep: int | None

    def do(self, part: Part) -> PartFound:
        """Check one part."""
        rules = tuple(rule.anew() for rule in self.rules)
        format = None if self.format is None else FORMATS.load(self.format)
        screen = screen_for(rules, format)
        reader = LineReader(
            self.file,
            line=part.line,
            offset=part.start,
            passes=None if screen is None else screen.passes,
        )
        inspection = Inspection(rules, keep=self.keep)
        with files.open_bytes(self.file) as stream:
            stream.seek(part.start)
            blocks = blocks_of_lines(stream, n_bytes=part.n_bytes)
            inspection.look(drafts_of(reader.records(blocks), format, self.unknown))
            end = stream.tell()
        tally = inspection.tally
        tally.n_records += reader.n_passed
        tally.n_usable += reader.n_passed
        return PartFound(end, tally, reader.ends, speaking_at_the_end(rules))


def cut(file: str, start: int) -> Iterator[Part]:
    """The parts of a file from `start` on, the beginning of its first line.

    Line ends are counted here, so that whoever works on a part knows the numbers of its lines.
    """
    line = part_line = 1
    at = part_start = start
    with files.open_bytes(file) as stream:
        stream.seek(start)
        while chunk := stream.read(BLOCK_BYTES):
            last = chunk.rfind(b"\n") + 1
            line += chunk.count(b"\n")
            if last and at + last - part_start >= PART_BYTES:
                yield Part(part_start, part_line, at + last - part_start)
                part_start, part_line = at + last, line
            at += len(chunk)
    if at > part_start:
        yield Part(part_start, part_line, at - part_start)


def most_parts(n_bytes: int) -> int:
    """How many parts a file of that size can have."""
    return -(-n_bytes // PART_BYTES)


def speaking_at_the_end(rules: Sequence[Rule]) -> tuple[Rule, ...]:
    """The rules that have something to say when the whole set was seen."""
    return tuple(rule for rule in rules if type(rule).finish is not Rule.finish)


def can_be_merged(rules: Sequence[Rule]) -> bool:
    """Whether each rule that speaks at the end can join what it remembers of two parts."""
    return all(type(rule).merge is not Rule.merge for rule in speaking_at_the_end(rules))
