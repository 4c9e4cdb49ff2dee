"""The verb: a tuned model in, a folder that stands by itself out."""

from __future__ import annotations

import shutil
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

from tuneval import __version__, files
from tuneval.errors import UsageError
from tuneval.exporting.adapter import write_adapter
from tuneval.exporting.card import card
from tuneval.exporting.config import ExportConfig
from tuneval.exporting.record import read_record
from tuneval.exporting.source import Source, find_source
from tuneval.exporting.whole_model import WholeModel, write_whole_model
from tuneval.models.quiet import quiet_libraries
from tuneval.runs.events import Finished, Report, Saved, ignore

RESULT_NAME = "export.json"
"""Written last into an export: a folder that has it is one, and may be replaced by another."""


@dataclass(frozen=True, slots=True)
class ExportResult:
    """What an export came to. `files` are the sizes in bytes by name.

    `model` is None where only the adapter was written: its files are copies, with nothing to
    measure.
    """

    folder: Path
    what: Literal["model", "adapter"]
    source: str
    source_hash: str
    base: str
    method: str | None
    model: WholeModel | None
    files: dict[str, int]

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        return {
            "what": self.what,
            "source": self.source,
            "source_hash": self.source_hash,
            "base": self.base,
            "method": self.method,
            "model": None if self.model is None else asdict(self.model),
            "files": self.files,
            "tuneval": __version__,
        }


def export(
    config: ExportConfig,
    *,
    source: str,
    to: Path,
    adapter: str | None = None,
    report: Report = ignore,
) -> ExportResult:
    """Write the model that `source` names into the folder `to`, whole or not at all.

    `source` is a run's id, `latest`, a folder or any model reference; `adapter` the folder of one
    more adapter to put onto it. Raises ModelError where a method cannot be merged, or merging
    would change what the model says; UsageError where `to` holds something else.
    """
    _refuse_occupied(to, config)
    found = find_source(source, adapter=adapter, report=report)
    with quiet_libraries(), files.atomic_folder(to) as folder:
        model = None
        if config.what == "model":
            model = write_whole_model(found, config, folder, report)
        else:
            write_adapter(found, config, folder, report)
        record = read_record(found, report)
        files.write_text(folder / "README.md", card(found, record, model, title=to.name))
        result = _result(found, config, model, folder=folder, to=to)
        files.write_json(folder / RESULT_NAME, result.as_dict())
        _open_to_readers(folder)
    report(Saved("export", str(to)))
    report(Finished("export", {"largest difference": model.written.largest} if model else {}))
    return result


def _refuse_occupied(to: Path, config: ExportConfig) -> None:
    """Never write over a folder that is no export, nor over an export unless told to."""
    if to.is_dir() and not any(to.iterdir()):
        return
    if not to.exists() or (config.existing == "replace" and (to / RESULT_NAME).is_file()):
        return
    is_export = (to / RESULT_NAME).is_file()
    raise UsageError(
        "There is an export already." if is_export else "The folder holds something else.",
        where=str(to),
        mend="name another folder" + (", or say --replace" if is_export else ""),
    )


def _open_to_readers(folder: Path) -> None:
    """All files with the rights that the user gives new files: weights come for the owner only."""
    for path in folder.iterdir():
        shutil.copymode(folder / RESULT_NAME, path)


def _result(
    source: Source, config: ExportConfig, model: WholeModel | None, *, folder: Path, to: Path
) -> ExportResult:
    return ExportResult(
        folder=to,
        what=config.what,
        source=source.reference.text,
        source_hash=source.hash,
        base=source.base,
        method=source.method,
        model=model,
        files={path.name: path.stat().st_size for path in sorted(folder.iterdir())},
    )
