"""What one call of `tuneval data check` asks for."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from tuneval.errors import UsageError

_NEEDS = (
    ("out", "fix"),
    ("rejects", "fix"),
    ("drop_duplicates", "fix"),
    ("fix", "out"),
    ("max_length", "model"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """The argument and options, by their names on the command line."""

    file: str
    format: str
    profile: str
    model: str | None
    max_length: int | None
    against: tuple[str, ...]
    fix: Literal["drop", "repair"] | None
    out: str | None
    rejects: str | None
    drop_duplicates: bool
    findings: str | None
    junit: str | None
    workers: int | None
    strict: bool

    def refuse_what_does_not_fit(self) -> None:
        """Raise UsageError when an option needs another one, or a file would be written twice."""
        for name, needed in _NEEDS:
            if getattr(self, name) and not getattr(self, needed):
                option, other = (f"--{each.replace('_', '-')}" for each in (name, needed))
                raise UsageError(
                    f"{option} goes with {other}, which is not there.",
                    mend=f"add {other}, or leave {option} out",
                )
        self._refuse_collisions()

    def _refuse_collisions(self) -> None:
        from tuneval import files
        from tuneval.data.cutting.kept import refuse_inside
        from tuneval.data.taken_out import rejects_file

        rejects = self.rejects or (rejects_file(self.out) if self.out else None)
        written = [name for name in (self.out, rejects, self.findings, self.junit) if name]
        if twice := [name for name in written if written.count(name) > 1]:
            raise UsageError(
                f"{twice[0]} cannot be two files at once.", mend="give each file its own name"
            )
        refuse_inside(self.file, [Path(name) for name in written if not files.is_url(name)])
