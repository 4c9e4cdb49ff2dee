"""A set in another format and another kind of file.

Every record is either written or left out; what is left out, because it is broken or because
the new format has no place for something in it, goes to a second file with the reason.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Literal

from tuneval import files
from tuneval.data.containers.writing import open_writer, writable
from tuneval.data.cutting.kept import refuse_inside
from tuneval.data.draft import Draft
from tuneval.data.example import Example, Item, Preference, UnpairedPreference
from tuneval.data.finding import Finding
from tuneval.data.fingerprint import RunningHash
from tuneval.data.format import CannotHoldError, Format
from tuneval.data.formats import FORMATS
from tuneval.data.left_out import LeftOut
from tuneval.data.origin import is_plain_path, origin
from tuneval.data.read import drafts
from tuneval.data.rules.roles import Roles
from tuneval.data.taken_out import rejects_file
from tuneval.data.write import as_row
from tuneval.errors import DataError, UsageError

Keep = Literal["chosen", "rejected"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Conversion:
    """What a conversion did. `n_read` is `n_written` and `n_rejected` together, always.

    `reasons` counts the rejected records by the first thing that is wrong with each: a rule, or
    the words of a CannotHoldError. `beside` counts what is wrong with the source and belongs to
    no record. `unread_keys` counts the written records with a key that the source's format does
    not read: such keys are not in the target. `data_hash` is that of the written items.
    """

    source: str
    format: str | None
    format_reason: str
    target: str
    to: str
    rejected_file: str | None
    n_read: int
    n_written: int
    n_rejected: int
    reasons: Mapping[str, int]
    beside: Mapping[str, int]
    unread_keys: Mapping[str, int]
    data_hash: str

    @property
    def exit_status(self) -> int:
        """0 when the whole source is in the target, else 1."""
        return int(bool(self.n_rejected or self.beside))

    def as_dict(self) -> dict[str, Any]:
        """For `--json`."""
        return asdict(self) | {"exit_status": self.exit_status}


def convert(
    source: files.Location,
    target: files.Location,
    *,
    to: str,
    format: str = "auto",
    keep: Keep | None = None,
) -> Conversion:
    """Write the set `source` (see `origin`) to the file `target` in the format `to`.

    `keep` makes conversations of preferences: the prompt and the one answer, which alone is
    learnt; of unpaired preferences, those whose label fits. What is left out goes to the file
    that `rejects_file` names. Both files appear whole or not at all, and the target only if
    there is a record in it.

    UsageError when there is no such set, format or kind of file, and when a file to be written
    belongs to the source. DataError when the source has no record at all, when its format cannot
    be told, and when a record cannot be held by the kind of file: then the target stays as it
    was.
    """
    FORMATS.load(to)
    writable(target)
    found = origin(source)
    targets = (str(target), rejects_file(target))
    _refuse_writing(str(source), targets)
    drafted = drafts(found, format)
    read_as = drafted.detection.format
    _refuse_to_choose(keep, read_as)
    # What is left out gets its name first: a new target never stands there without it.
    with ExitStack() as stack, LeftOut(targets[1]) as left_out:
        work = _Work(to, keep, left_out, _Target(target, stack))
        file = ""
        for item in drafted.items:
            if isinstance(item, Finding):
                work.note(item, ends_it=read_as is None)
                continue
            if item.record.source.file != file:
                file = item.record.source.file
                _refuse_writing(file, targets)
            work.see(item)
        work.refuse_nothing()
    return Conversion(
        source=str(source),
        format=read_as.name if read_as else None,
        format_reason=drafted.detection.reason,
        target=str(target),
        to=to,
        rejected_file=left_out.file,
        n_read=work.n_written + work.n_rejected,
        n_written=work.n_written,
        n_rejected=work.n_rejected,
        reasons=dict(work.reasons.most_common()),
        beside=dict(work.beside.most_common()),
        unread_keys=dict(work.unread_keys.most_common()),
        data_hash=work.hash.hexdigest(),
    )


class _Target:
    """The file to be written, made when its first row comes."""

    def __init__(self, target: files.Location, stack: ExitStack) -> None:
        self._target = target
        self._stack = stack
        self._write: Callable[[dict[str, Any]], object] | None = None

    def write(self, row: dict[str, Any]) -> None:
        if self._write is None:
            self._write = self._stack.enter_context(open_writer(self._target))
        self._write(row)


class _Work:
    """Writes drafts or leaves them out, and counts."""

    def __init__(self, to: str, keep: Keep | None, left_out: LeftOut, target: _Target) -> None:
        self.n_written = self.n_rejected = 0
        self.reasons: Counter[str] = Counter()
        self.beside: Counter[str] = Counter()
        self.unread_keys: Counter[str] = Counter()
        self.hash = RunningHash()
        self._to = to
        self._keep = keep
        self._left_out = left_out
        self._target = target
        self._roles = Roles()
        self._first_fault: Finding | None = None

    def note(self, finding: Finding, *, ends_it: bool) -> None:
        """A finding about the source itself; only an error matters here."""
        if finding.severity != "error":
            return
        if ends_it:
            raise finding.as_error()
        self._first_fault = self._first_fault or finding
        self.beside[finding.rule] += 1
        self._left_out.place(finding.where, finding.rule, finding.what)

    def see(self, draft: Draft) -> None:
        """Write a record, or leave it out."""
        errors = [
            finding
            for finding in (*draft.findings, *self._roles.see(draft))
            if finding.severity == "error"
        ]
        if errors:
            rules = list(dict.fromkeys(finding.rule for finding in errors))
            self._reject(draft, rules, [finding.what for finding in errors], reason=rules[0])
            return
        try:
            item = choose(_item(draft), self._keep)
            row = as_row(item, self._to)
        except CannotHoldError as error:
            self._reject(draft, ["convert.cannot_hold"], [error.what], reason=error.what)
            return
        try:
            self._target.write(row)
        except DataError as error:  # of the kind of file, which counts what it was given
            raise DataError(error.what, where=str(item.source), mend=error.mend) from error
        self.n_written += 1
        self.hash.add(item)
        self.unread_keys.update(dict.fromkeys(draft.unused_keys, 1))

    def refuse_nothing(self) -> None:
        """Raise what is wrong with a source in which there was no record."""
        if self._first_fault is not None and not self.n_written + self.n_rejected:
            raise self._first_fault.as_error()

    def _reject(
        self, draft: Draft, rules: Sequence[str], reasons: Sequence[str], *, reason: str
    ) -> None:
        self.n_rejected += 1
        self.reasons[reason] += 1
        self._left_out.record(draft.record, rules, reasons)


def choose(item: Item, keep: Keep | None) -> Item:
    """The conversation that a preference becomes when one answer is kept; else the item itself.

    Raises CannotHoldError for an unpaired preference with the other label.
    """
    if keep is None or not isinstance(item, Preference | UnpairedPreference):
        return item
    if isinstance(item, Preference):
        answer = item.chosen if keep == "chosen" else item.rejected
    elif item.label is (keep == "chosen"):
        answer = item.completion
    else:
        raise CannotHoldError(
            f"The completion's label is {str(item.label).lower()}, and {keep} ones are kept.",
            where=str(item.source),
            mend="leave it out, or keep the others",
        )
    # A preference says nothing of the answers inside its prompt, so they are not to be learnt.
    prompt = [
        replace(turn, train=False) if turn.role == "assistant" and turn.train is None else turn
        for turn in item.prompt
    ]
    return Example((*prompt, *answer), item.source, item.group, item.tags, item.tools)


def _item(draft: Draft) -> Item:
    if draft.item is None:
        raise CannotHoldError("The record holds no item.", where=str(draft.record.source))
    return draft.item


def _refuse_writing(source: str, targets: Sequence[str]) -> None:
    """Raise UsageError when one of the files to be written is or would be part of the source."""
    if source in targets:
        raise UsageError(
            f"This would overwrite {source} itself.",
            where=source,
            mend="name another file with --out",
        )
    refuse_inside(source, [Path(target) for target in targets if is_plain_path(target)])


def _refuse_to_choose(keep: Keep | None, format: Format | None) -> None:
    if keep is not None and format is not None and format.kind in ("conversation", "text"):
        raise UsageError(
            f"There is no {keep} answer to keep: the format {format.name} holds no preferences.",
            mend="leave --keep out",
        )
