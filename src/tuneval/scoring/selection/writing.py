"""The sets that a selection comes to, written as their records stand, in the order of the set."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tuneval import files
from tuneval.data.cutting.kept import Kept
from tuneval.data.cutting.kept_files import kept_files
from tuneval.data.fingerprint import RunningHash
from tuneval.data.taken_out import original
from tuneval.errors import UsageError
from tuneval.runs.events import Report, Started, Step
from tuneval.scoring.selection.outcome import DUPLICATE, NOT_SCORED, Rejection, Selection

ACCOUNT, CARD, REJECTED = "selection.json", "card.md", "rejected.jsonl"
STAGE = "select"
_EVERY = 1000


@dataclass(frozen=True, slots=True)
class Form:
    """How the sets are written: the container by its ending, and the records' format or their own.

    `.jsonl` keeps the lines of the set as they stand.
    """

    ending: str = ".jsonl"
    format: str | None = None

    def name(self, stem: str) -> str:
        """The file of a set."""
        return stem + self.ending

    @property
    def names(self) -> tuple[str, ...]:
        """Every file that there may be."""
        return (self.name("chosen"), self.name("random"), REJECTED, ACCOUNT, CARD)


@dataclass(slots=True)
class Written:
    """How many records went into each file, their hash, and why records were left out."""

    n: Counter[str] = field(default_factory=Counter)
    hashes: dict[str, str] = field(default_factory=dict)
    reasons: Counter[str] = field(default_factory=Counter)


def write_sets(
    folder: Path,
    records: Iterable[Kept],
    selection: Selection,
    *,
    places: Mapping[str, str],
    form: Form,
    report: Report,
) -> Written:
    """Write `chosen`, `random` and `rejected.jsonl` into the folder.

    The first record of an example stands for it; later ones are out as duplicates, and what the
    selection knows nothing of as not scored. `places` says where an example was read, by id.
    """
    chosen, drawn = frozenset(selection.chosen), frozenset(selection.random)
    stems = ["chosen", *(["random"] if drawn else [])]
    hashes = {stem: RunningHash() for stem in stems}
    written = Written()
    met: set[str] = set()
    with (
        kept_files([folder / form.name(stem) for stem in stems], form.format) as writes,
        files.atomic_writer(folder / REJECTED) as rejected,
    ):
        write = dict(zip(stems, writes, strict=True))

        def put(stem: str, record: Kept) -> None:
            write[stem](record)
            hashes[stem].add(record.item)
            written.n[stem] += 1

        report(Started(STAGE, None, "records"))
        for number, record in enumerate(records, start=1):
            id = record.item.id
            is_first = id not in met
            met.add(id)
            if is_first and id in drawn:
                put("random", record)
            if is_first and id in chosen:
                put("chosen", record)
            else:
                why = selection.rejected.get(id, Rejection(NOT_SCORED))
                why = why if is_first else Rejection(DUPLICATE)
                rejected.write(files.json_bytes(_row(record, why, places), default=str) + b"\n")
                written.n["rejected"] += 1
                written.reasons[why.reason] += 1
            if number % _EVERY == 0:
                report(Step(STAGE, number))
    written.hashes = {stem: running.hexdigest() for stem, running in hashes.items()}
    return written


def refuse_foreign_folder(folder: Path, form: Form) -> None:
    """Raise UsageError when the folder holds anything but an earlier selection.

    A selection is put in its place as a whole, so nothing else may lie there.
    """
    if files.is_url(str(folder)):
        raise UsageError(f"{folder} is no local folder.", mend="name a local one with --to")
    if folder.exists() and not folder.is_dir():
        raise UsageError(f"{folder} is a file.", mend="name a folder with --to")
    if not folder.is_dir():
        return
    own = set(form.names)
    if (folder / ACCOUNT).is_file():
        own |= set(files.read_json(folder / ACCOUNT).get("files", {}))
    foreign = sorted(path.name for path in folder.iterdir() if path.name not in own)
    if foreign:
        raise UsageError(
            f"The folder holds something else: {', '.join(foreign[:3])}.",
            where=str(folder),
            mend="name an empty or new folder, or that of an earlier selection, with --to",
        )


def _row(record: Kept, why: Rejection, places: Mapping[str, str]) -> dict[str, Any]:
    raw = record.record.raw
    row: dict[str, Any] = {
        "id": record.item.id,
        "where": str(record.item.source),
        "reason": why.reason,
    }
    if why.rank is not None:
        row["rank"] = why.rank
    if why.nearest is not None:
        row["nearest_kept"] = {
            "id": why.nearest.id,
            "where": places.get(why.nearest.id),
            "similarity": round(why.nearest.similarity, 6),
        }
    return row | (original(raw) if raw else {"original": record.record.value})
