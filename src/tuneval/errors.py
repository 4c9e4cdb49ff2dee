"""Every error a person can cause, as one small tree.

    TunevalError            what happened, where, how to mend it
    ├── UsageError          the command or call itself was wrong (exit status 2)
    ├── DataError           a data file cannot be used as asked
    ├── RecipeError         a recipe or config is wrong; carries every fault found
    ├── ModelError          a model, tokenizer or adapter cannot be found or used
    ├── RunError            a run folder is missing, locked or damaged
    ├── StorageError        reading or writing failed (disk full, permission, unreachable)
    ├── StatisticsError     a number was asked for that is not defined for this input
    └── MissingPackageError an optional package is not installed

A user's mistake is always one of these and never a traceback.
"""

from __future__ import annotations

from collections.abc import Sequence


class TunevalError(Exception):
    """What happened, where, and how to mend it, each with the real values."""

    exit_status = 1

    def __init__(self, what: str, *, where: str = "", mend: str = "") -> None:
        super().__init__(what)
        self.what = what
        self.where = where
        self.mend = mend

    def __str__(self) -> str:
        lines = [self.what]
        if self.where:
            lines.append(f"  where: {self.where}")
        if self.mend:
            lines.append(f"  mend:  {self.mend}")
        return "\n".join(lines)

    def as_dict(self) -> dict[str, str]:
        """The same three texts, for `--json`."""
        return {
            "error": type(self).__name__,
            "what": self.what,
            "where": self.where,
            "mend": self.mend,
        }


class UsageError(TunevalError):
    """The command or call itself was wrong."""

    exit_status = 2


class DataError(TunevalError):
    """A data file cannot be used as asked."""


class RecipeError(TunevalError):
    """A recipe or config is wrong; `faults` holds every fault, one line each."""

    exit_status = 2

    def __init__(
        self, what: str, *, where: str = "", mend: str = "", faults: Sequence[str] = ()
    ) -> None:
        super().__init__(what, where=where, mend=mend)
        self.faults = tuple(faults)

    def __str__(self) -> str:
        head, *tail = super().__str__().split("\n")
        return "\n".join([head, *(f"  - {fault}" for fault in self.faults), *tail])


class ModelError(TunevalError):
    """A model, tokenizer or adapter cannot be found or used."""


class RunError(TunevalError):
    """A run folder is missing, locked or damaged."""


class StorageError(TunevalError):
    """Reading or writing failed: disk full, permission, unreachable address."""


class StatisticsError(TunevalError):
    """A number was asked for that is not defined for this input."""


class MissingPackageError(TunevalError):
    """An optional package is not installed."""
