"""Checkpoints that are complete or do not count.

The marker is written last, after everything else reached the disk; a folder without it, or whose
files are not those the marker lists, is never resumed from. Nor is one whose best is such a
folder: a training that goes on from before it finds the best weights again.
"""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from tuneval import files
from tuneval.errors import StorageError
from tuneval.runs.events import Report, Warned

MARKER = "complete.json"
STATE = "trainer_state.json"


def seal(folder: Path) -> None:
    """Bring every file of a checkpoint to the disk, then mark it complete."""
    sizes_and_hashes = {}
    for path in sorted(p for p in folder.rglob("*") if p.is_file()):
        with path.open("rb") as file:
            os.fsync(file.fileno())
        sizes_and_hashes[str(path.relative_to(folder))] = files.sha256_file(path)
    files.write_json(folder / MARKER, {"sha256": sizes_and_hashes})


def newest_complete(checkpoints: Path, *, report: Report) -> Path | None:
    """The newest sound checkpoint. Unfinished newer ones are removed, damaged ones named."""
    for folder in sorted(checkpoints.glob("checkpoint-*"), key=_step, reverse=True):
        fault = _fault(folder) or _fault_of_best(folder)
        if fault is None:
            return folder
        if fault != "unfinished":
            report(Warned("train", f"{folder.name} is damaged ({fault}); using the one before it"))
        shutil.rmtree(folder)
    return None


def _step(folder: Path) -> int:
    number = folder.name.rsplit("-", 1)[-1]
    return int(number) if number.isdigit() else -1


def _fault_of_best(folder: Path) -> str | None:
    """What is wrong with the checkpoint of the lowest held-out loss so far, where one is kept."""
    state = folder / STATE
    best = files.read_json(state).get("best_model_checkpoint") if state.exists() else None
    if not best:
        return None
    name = Path(best).name
    fault = None if name == folder.name else _fault(folder.with_name(name))
    return fault and f"the best one until then, {name}: {fault}"


def _fault(folder: Path) -> str | None:
    """What is wrong with a checkpoint; None when it is sound."""
    marker = folder / MARKER
    if not marker.exists():
        return "unfinished"
    try:
        expected = files.read_json(marker)["sha256"]
    except (StorageError, KeyError, TypeError):
        return "its marker cannot be read"
    for name, digest in expected.items():
        path = folder / name
        if not path.is_file():
            return f"{name} is missing"
        if files.sha256_file(path) != digest:
            return f"{name} has changed"
    return None
