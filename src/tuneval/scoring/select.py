"""Choose examples by their scores: `choose` decides, `select_file` writes what it came to."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from tuneval import files
from tuneval.data.fingerprint import set_hash
from tuneval.errors import DataError
from tuneval.runs.events import Finished, Report, Saved, Warned, ignore
from tuneval.runs.find import find_by_key, runs_root
from tuneval.runs.recorder import Recorder, tee
from tuneval.runs.run import Run
from tuneval.scoring.scores import ROWS, Scores
from tuneval.scoring.selection.account import account_of, warnings_of
from tuneval.scoring.selection.card import card_of, reasons_text
from tuneval.scoring.selection.choose import choose, facets_of, refuse_unknown_names
from tuneval.scoring.selection.config import SelectConfig
from tuneval.scoring.selection.embedder import Embedder
from tuneval.scoring.selection.offered import format_of, location_of, read_offered
from tuneval.scoring.selection.writing import (
    ACCOUNT,
    CARD,
    STAGE,
    Form,
    refuse_foreign_folder,
    write_sets,
)

__all__ = ["Form", "Selected", "choose", "select_file"]


@dataclass(frozen=True, slots=True)
class Selected:
    """A written selection: its folder, and what its `selection.json` says."""

    folder: Path
    account: dict[str, Any]

    @property
    def chosen(self) -> Path:
        """The file of the chosen records."""
        return self.folder / str(next(iter(self.account["files"])))


def select_file(
    config: SelectConfig,
    scores: Scores,
    *,
    to: files.Location | None = None,
    data: files.Location | None = None,
    form: Form | None = None,
    root: files.Location | None = None,
    command: str | None = None,
    report: Report = ignore,
) -> Selected:
    """Choose from the set that was scored, and write what it came to.

    Into the folder `to`, or into a run under `root`, where the same work is found again. `data`
    says where the set lies now, if elsewhere. The folder appears as a whole when all is written.

    Raises DataError when nothing is left to choose, or the set has changed while it was read;
    UsageError when the config asks for what is not there or the folder holds something else.
    """
    refuse_unknown_names(config, scores.rows)
    work = _Work(config, scores, location_of(scores, data), form or Form(), command)
    if to is not None:
        return work.carry_out(Path(to), report)
    key = work.key
    root = runs_root() if root is None else Path(root)
    run = find_by_key(root, key) or Run.create(
        root,
        STAGE,
        key,
        command=command,
        data_hash=scores.card.get("data_hash"),
        model=scores.card.get("model"),
        parents=_run_of(scores.folder),
    )
    folder = run.path("selection")
    with run.at_work():
        if run.is_step_done(STAGE, key) and (folder / ACCOUNT).is_file():
            return Selected(folder, files.read_json(folder / ACCOUNT))
        done = work.carry_out(folder, tee(Recorder(run), report))
        run.mark_step(STAGE, key, {"folder": str(folder), **done.account["counts"]})
    return done


def _run_of(folder: Path) -> tuple[str, ...]:
    """The id of the run that the scores lie in, if they lie in one."""
    places = (folder.resolve(), *folder.resolve().parents)
    return tuple(place.name for place in places if (place / "run.json").is_file())[:1]


@dataclass(frozen=True, slots=True)
class _Work:
    """One selection of a set, wherever it is written."""

    config: SelectConfig
    scores: Scores
    location: files.Location
    form: Form
    command: str | None

    @property
    def key(self) -> str:
        """The hash of all that decides what is written."""
        rows = files.sha256_file(self.scores.folder / ROWS)
        content = set_hash(self.location, format_of(self.scores))
        return files.sha256_json([self.config.settings(), rows, content, asdict(self.form)])

    def carry_out(self, folder: Path, report: Report) -> Selected:
        """Choose and write."""
        refuse_foreign_folder(folder, self.form)
        targets: list[files.Location] = [folder / name for name in self.form.names]
        keep_items = bool(facets_of(self.config) or self.config.diverse)
        offered = read_offered(self.scores, self.location, targets=targets, keep_items=keep_items)
        rows = [row for row in self.scores.rows if row.id in offered.groups]
        embedder = Embedder(self.config.embeddings, report) if self.config.diverse else None
        selection = choose(
            self.config,
            rows,
            items=offered.items if keep_items else None,
            embeddings=embedder.embeddings(offered.items) if embedder else None,
            report=report,
        )
        if not selection.chosen:
            raise DataError(
                "The selection leaves no example.",
                where=str(offered.location),
                mend=f"ask for less; left out were {reasons_text(selection.reasons)}",
            )
        with files.atomic_folder(folder) as temporary:
            written = write_sets(
                temporary,
                offered.records(),
                selection,
                places=offered.places,
                form=self.form,
                report=report,
            )
            account = account_of(
                self.config,
                self.scores,
                offered,
                selection,
                written,
                folder=temporary,
                form=self.form,
                about={
                    "command": self.command,
                    "embeddings": embedder.account if embedder else None,
                },
            )
            files.write_text(temporary / CARD, card_of(account))
            files.write_json(temporary / ACCOUNT, account)
        for message in warnings_of(account):
            report(Warned(STAGE, message))
        report(Saved(STAGE, str(folder)))
        report(Finished(STAGE, {"chosen": written.n["chosen"], "rejected": written.n["rejected"]}))
        return Selected(folder, account)
