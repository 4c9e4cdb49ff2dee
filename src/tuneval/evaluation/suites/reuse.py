"""An evaluation that was done before, in this run or another one, is not done again."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from tuneval import files
from tuneval.errors import RunError, StorageError
from tuneval.evaluation.comparing.comparison import TAKEN_OVER
from tuneval.evaluation.record import RESULT_NAME, EvaluationResult

PLACES = (f"*/evaluation/*/*/{RESULT_NAME}", f"*/evaluation/*/{RESULT_NAME}")


def finished(folder: Path, key: str) -> EvaluationResult | None:
    """The result in `folder` where it is of just this work, else None."""
    path = folder / RESULT_NAME
    if not path.is_file() or key.encode() not in path.read_bytes():
        return None
    try:
        result = EvaluationResult.load(folder)
    except (RunError, StorageError):
        return None
    return result if result.key == key else None


def find_same(root: Path, key: str) -> tuple[Path, EvaluationResult] | None:
    """The newest finished evaluation of just this work in any run below `root`."""
    found = [(place, result) for place in _folders(root) if (result := finished(place, key))]
    return max(found, key=lambda row: row[1].created, default=None)


def take_over(source: Path, result: EvaluationResult, folder: Path, *, name: str) -> None:
    """Copy a finished evaluation to `folder`, and write down where it comes from."""
    run = next((place.name for place in source.parents if (place / "run.json").is_file()), "")
    note = f"{TAKEN_OVER} {run or source}: the same model, questions and settings"
    with files.atomic_folder(folder, existing="replace") as temporary:
        shutil.copytree(
            source,
            temporary,
            dirs_exist_ok=True,
            ignore=shutil.ignore_patterns(".lock", RESULT_NAME),
        )
        own = [said for said in result.notes if not said.startswith(TAKEN_OVER)]
        replace(result, name=name, notes=(*own, note)).save(temporary)


def _folders(root: Path) -> Iterator[Path]:
    for place in PLACES:
        yield from (path.parent for path in root.glob(place))
