"""The scores of a set on the disk: found again, and read."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tuneval import files
from tuneval.catalog import did_you_mean
from tuneval.data.example import Example
from tuneval.data.read import read
from tuneval.errors import RunError, StorageError
from tuneval.runs.find import find_run, list_runs
from tuneval.scoring.row import ScoreRow

CARD = "scoring.json"
ROWS = "scores.jsonl"
FOLDER = "scores"
"""Where a run of a recipe keeps those of its score steps, by name."""


@dataclass(frozen=True, slots=True)
class Scores:
    """A finished scoring. `card` says what was measured and how, `rows` one example each."""

    folder: Path
    card: dict[str, Any]
    rows: list[ScoreRow]

    @classmethod
    def load(cls, folder: files.Location) -> Scores:
        """Raises RunError when there are no finished scores in the folder, or damaged ones."""
        place = Path(folder)
        if not (place / CARD).is_file() or not (place / ROWS).is_file():
            raise RunError(
                "There are no finished scores here.",
                where=str(place),
                mend="run `tuneval score` again; it goes on where it stopped",
            )
        try:
            card = files.read_json(place / CARD)
            rows = [ScoreRow.from_dict(row) for row in files.read_jsonl(place / ROWS)]
        except (StorageError, TypeError) as error:
            raise RunError(
                f"The scores are damaged: {error}", where=str(place), mend="score the set again"
            ) from error
        return cls(place, card, rows)

    @property
    def measures(self) -> list[str]:
        """Names of the measures, in the order asked for."""
        return list(self.card["measures"])

    def examples(self) -> dict[str, Example]:
        """The scored examples by id, read from the data set again.

        Those that are no longer in it are missing. Raises as `read` does when it is gone.
        """
        wanted = {row.id for row in self.rows}
        found: dict[str, Example] = {}
        for example in read(self.card["data"], self.card["format"]):
            if example.id in wanted:
                found.setdefault(example.id, example)
        return found


def find_scores(text: str, root: files.Location | None = None) -> Scores:
    """The scores that `text` means: a folder, a `scores.jsonl`, a run, or `RUN:NAME`.

    A run is found as `find_run` does, but `latest` is the latest one with scores; NAME is a score
    step of a recipe, and may be left out where there is one. Raises RunError with the near names.
    """
    path = Path(text)
    if path.name == ROWS and path.is_file():
        return Scores.load(path.parent)
    if (path / ROWS).is_file() or (path / CARD).is_file():
        return Scores.load(path)
    if text == "latest":
        scored = [run for run in list_runs(root) if (run.folder / CARD).is_file()]
        text = scored[0].id if scored else text
    run_text, colon, name = text.rpartition(":")
    run = find_run(run_text if colon else text, root)
    steps = {p.parent.name: p.parent for p in sorted(run.folder.glob(f"{FOLDER}/*/{CARD}"))}
    if colon and name not in steps:
        raise RunError(
            f"The run has no finished scores '{name}'.",
            where=str(run.folder),
            mend=did_you_mean(name, list(steps)),
        )
    if colon:
        return Scores.load(steps[name])
    if not (run.folder / CARD).is_file() and len(steps) == 1:
        return Scores.load(next(iter(steps.values())))
    if not (run.folder / CARD).is_file() and steps:
        raise RunError(
            "The run has several scores.",
            where=str(run.folder),
            mend="name one: " + ", ".join(f"{run.id}:{step}" for step in steps),
        )
    return Scores.load(run.folder)
