"""A run on the disk: its folder, its card, its finished steps, and the lock on it."""

from __future__ import annotations

import os
import re
import socket
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from tuneval import __version__, files
from tuneval.errors import RunError, StorageError, TunevalError
from tuneval.runs.manifest import Manifest, Status

_STEP_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._@-]*")


@dataclass(frozen=True, slots=True)
class Run:
    """A run folder. Everything is read from and written to the folder at once; nothing is held."""

    folder: Path

    @classmethod
    def create(cls, root: files.Location, name: str, key: str, **fields: Any) -> Run:
        """A new run under `root`, with its manifest written before the folder appears.

        The id is `2026-11-21_1430_<name>_<first 6 of key>` (UTC), with `-2`, `-3`… when taken.
        """
        now = datetime.now(UTC)
        slug = re.sub(r"[^\w.-]+", "-", name).strip("-._") or "run"
        stem = f"{now:%Y-%m-%d_%H%M}_{slug}_{key[:6]}"
        fields = {"tuneval_version": __version__} | fields
        for count in range(1, 1000):
            run_id = stem if count == 1 else f"{stem}-{count}"
            folder = Path(root) / run_id
            if folder.exists():
                continue
            manifest = _validated(
                folder,
                {"id": run_id, "name": name, "key": key, "created": now.isoformat(), **fields},
            )
            if _make(folder, manifest):
                return cls(folder)
        raise RunError(
            f"There are already 999 runs called {stem}.", where=str(root), mend="wait a minute"
        )

    @classmethod
    def open(cls, folder: files.Location) -> Run:
        """The run in `folder`. Raises RunError when there is none or its manifest is damaged."""
        run = cls(Path(folder))
        _ = run.manifest
        return run

    @property
    def id(self) -> str:
        """The folder's name."""
        return self.folder.name

    @property
    def manifest(self) -> Manifest:
        """What `run.json` says now."""
        path = self.folder / "run.json"
        if not path.is_file():
            raise RunError(
                "This is not a run: it has no run.json.",
                where=str(self.folder),
                mend="`tuneval runs list` shows the runs that exist",
            )
        try:
            content = files.read_json(path)
        except StorageError as error:
            raise RunError(
                "The run's manifest is damaged.", where=error.where, mend=error.mend
            ) from error
        return _validated(self.folder, content)

    def update(self, **changes: Any) -> Manifest:
        """Change fields of the manifest; the new one."""
        manifest = _validated(self.folder, self.manifest.model_dump() | changes)
        files.write_json(self.folder / "run.json", manifest.model_dump(mode="json"))
        return manifest

    def path(self, *parts: str) -> Path:
        """A path in the run folder; nothing is made."""
        return self.folder.joinpath(*parts)

    def is_step_done(self, step: str, key: str) -> bool:
        """Whether `step` was finished for just this `key`."""
        mark = self._mark(step)
        return mark is not None and mark.get("key") == key

    def mark_step(self, step: str, key: str, result: dict[str, Any]) -> None:
        """Set the completion mark of `step`. Call it last, when all its files are written."""
        files.write_json(
            self._mark_path(step),
            {
                "step": step,
                "key": key,
                "finished": datetime.now(UTC).isoformat(timespec="seconds"),
                "result": result,
            },
        )

    def step_result(self, step: str) -> dict[str, Any] | None:
        """What `step` came to, or None while it is not finished."""
        mark = self._mark(step)
        return None if mark is None else mark["result"]

    def finished_steps(self) -> list[str]:
        """The finished steps' names, in the order in which they finished."""
        marks = sorted(
            self.folder.glob("steps/*.json"), key=lambda path: (path.stat().st_mtime_ns, path.name)
        )
        return [path.stem for path in marks]

    @property
    def status(self) -> Status:
        """The manifest's status, but "interrupted" where a run says "running" and nobody works."""
        status = self.manifest.status
        return "interrupted" if status == "running" and not self.is_held() else status

    def is_held(self) -> bool:
        """Whether some process works in this run now."""
        if not self.path(".lock").exists():
            return False
        try:
            with files.lock(self.path(".lock"), timeout_seconds=0):
                return False
        except files.LockedError:
            return True

    @contextmanager
    def exclusive(self, *, timeout_seconds: float = 1.0) -> Iterator[Run]:
        """Hold the run, so that no other process works in it. RunError says who holds it."""
        holder = self.path(".holder.json")
        with ExitStack() as stack:
            try:
                stack.enter_context(files.lock(self.path(".lock"), timeout_seconds=timeout_seconds))
            except files.LockedError:
                raise RunError(
                    f"Another process is working in this run: {_describe(holder)}.",
                    where=str(self.folder),
                    mend="wait until it is done, or end it and run the same command again",
                ) from None
            files.write_json(
                holder,
                {
                    "process": os.getpid(),
                    "host": socket.gethostname(),
                    "since": datetime.now(UTC).isoformat(timespec="seconds"),
                },
            )
            try:
                yield self
            finally:
                holder.unlink(missing_ok=True)

    @contextmanager
    def at_work(self) -> Iterator[Run]:
        """Hold the run while its work is done; its status says how that ended.

        Inside, a finished step is marked before the block ends.
        """
        with self.exclusive():
            self.update(status="running", error=None)
            try:
                yield self
            except KeyboardInterrupt:
                self.update(status="interrupted")
                raise
            except TunevalError as error:
                self.update(status="failed", error=error.what)
                raise
            self.update(status="done")

    def _mark_path(self, step: str) -> Path:
        if not _STEP_NAME.fullmatch(step):
            raise RunError(
                f"'{step}' cannot name a step.",
                where=str(self.folder),
                mend="use letters, digits, '.', '_', '@' and '-'",
            )
        return self.path("steps", f"{step}.json")

    def _mark(self, step: str) -> dict[str, Any] | None:
        path = self._mark_path(step)
        if not path.exists():
            return None
        mark = files.read_json(path)
        return mark if isinstance(mark, dict) and isinstance(mark.get("result"), dict) else None


def _make(folder: Path, manifest: Manifest) -> bool:
    """Make the run's folder with its manifest; False when somebody was quicker."""
    try:
        with files.atomic_folder(folder, existing="refuse") as temporary:
            files.write_json(temporary / "run.json", manifest.model_dump(mode="json"))
    except StorageError:
        if folder.exists():
            return False
        raise
    return True


def _validated(folder: Path, content: Any) -> Manifest:
    try:
        return Manifest.model_validate(content)
    except ValidationError as error:
        faults = "; ".join(
            f"{'.'.join(map(str, fault['loc'])) or 'the whole'}: {fault['msg']}"
            for fault in error.errors()
        )
        raise RunError(
            f"The run's manifest is not valid: {faults}.",
            where=str(folder / "run.json"),
            mend="restore the file, or remove the run folder",
        ) from None


def _describe(holder: Path) -> str:
    try:
        who = files.read_json(holder)
        return f"process {who['process']} on {who['host']}, since {who['since']}"
    except (StorageError, KeyError, TypeError):
        return "it has not said who it is"
