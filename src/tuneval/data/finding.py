"""What is wrong with a piece of data, where, and how to mend it."""

from __future__ import annotations

import reprlib
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any, Literal

from tuneval.errors import DataError

Severity = Literal["error", "warning", "info"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing found. An error makes its record unusable; a warning or an info does not.

    `rule` is the family and the kind, `roles.unknown`; `where` is `file:line`; `path` is the
    place inside the record, `messages[2].role`.
    """

    rule: str
    severity: Severity
    where: str
    example_id: str | None = None
    path: str = ""
    what: str
    mend: str

    def __post_init__(self) -> None:
        for name in ("where", "path", "what", "mend"):
            object.__setattr__(self, name, _printable(getattr(self, name)))

    def as_dict(self) -> dict[str, Any]:
        """For `--json`."""
        return asdict(self)

    def as_error(self) -> DataError:
        """The same as an exception, for readers that stop at the first error."""
        return DataError(self.what, where=self.where, mend=self.mend)


def has_error(findings: Iterable[Finding]) -> bool:
    """Whether one of them is an error."""
    return any(finding.severity == "error" for finding in findings)


def clip(content: object, length: int = 60) -> str:
    """A value on one line for a message, quoted when it is text, cut to about `length`."""
    text = content if isinstance(content, str) else reprlib.repr(content)
    text = text if len(text) <= length else text[: length - 1] + "…"
    return repr(text) if isinstance(content, str) else text


def _printable(text: str) -> str:
    """Halves of surrogate pairs as escapes: they come from damaged data and cannot be printed."""
    return text.encode("utf-8", "backslashreplace").decode("utf-8")
