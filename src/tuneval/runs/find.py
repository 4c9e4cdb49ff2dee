"""Finding runs again: by id, by a unique part of it, by key, or just the latest."""

from __future__ import annotations

import os
from pathlib import Path

from tuneval import files
from tuneval.errors import RunError
from tuneval.runs.events import Report, Warned, ignore
from tuneval.runs.run import Run


def runs_root() -> Path:
    """The folder of all runs: `$TUNEVAL_RUNS`, or `runs` in the working folder."""
    return Path(os.environ.get("TUNEVAL_RUNS") or "runs")


def list_runs(root: files.Location | None = None, *, report: Report = ignore) -> list[Run]:
    """All runs, newest first. A damaged one is left out and reported as a warning."""
    folder = runs_root() if root is None else Path(root)
    if not folder.is_dir():
        return []
    found: list[tuple[str, str, Run]] = []
    for entry in folder.iterdir():
        if entry.name.startswith(".") or not (entry / "run.json").is_file():
            continue
        try:
            run = Run.open(entry)
        except RunError as error:
            report(Warned("runs", str(error)))
        else:
            found.append((run.manifest.created, run.id, run))
    return [run for _, _, run in sorted(found, key=lambda row: row[:2], reverse=True)]


def find_run(text: str, root: files.Location | None = None) -> Run:
    """The run that `text` means: "latest", a folder, an id, or a unique start or end of an id."""
    folder = runs_root() if root is None else Path(root)
    if (folder / text / "run.json").is_file():
        return Run.open(folder / text)
    if (Path(text) / "run.json").is_file():
        return Run.open(text)
    runs = list_runs(folder)
    if not runs:
        raise RunError(
            "There are no runs yet.",
            where=str(folder),
            mend="`tuneval quickstart` makes one; TUNEVAL_RUNS names another folder of runs",
        )
    if text == "latest":
        return runs[0]
    matches = [run for run in runs if run.id.startswith(text) or run.id.endswith(text)]
    if text and len(matches) == 1:
        return matches[0]
    ids = [run.id for run in matches or runs]
    if text and matches:
        raise RunError(
            f"'{text}' could mean {len(matches)} runs.",
            where=str(folder),
            mend="say more of the id: " + ", ".join(ids[:5]),
        )
    from tuneval.catalog import did_you_mean, near_names  # slow to import, and needed only here

    newest = f"the newest is {ids[0]}; `tuneval runs list` shows all"
    raise RunError(
        f"There is no run '{text}'.",
        where=str(folder),
        mend=did_you_mean(text, ids) if near_names(text, ids) else newest,
    )


def find_by_key(root: files.Location, key: str) -> Run | None:
    """The newest run of just this work, or None."""
    return next((run for run in list_runs(root) if run.manifest.key == key), None)
