"""What a format makes of a record: turns that may still be faulty, on the way to an Example."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, cast

from tuneval.data.example import ROLES, Example, Message, Role
from tuneval.data.finding import Finding, Severity, has_error
from tuneval.data.record import Record, finding_at, kind_of


@dataclass(frozen=True, slots=True)
class Turn:
    """One turn as the file has it. None stands for what is missing or of a wrong kind."""

    role: str | None
    content: str | None
    path: str
    train: bool | None = None

    @property
    def role_path(self) -> str:
        """Where in the record the role stands."""
        return self.path.removesuffix(".content") + ".role"


@dataclass(frozen=True)
class Draft:
    """A record as its format understands it, and what the format finds wrong."""

    record: Record
    turns: tuple[Turn, ...] = ()
    group: str | None = None
    tags: Mapping[str, Any] = field(default_factory=dict)
    findings: tuple[Finding, ...] = ()
    unused_keys: tuple[str, ...] = ()

    @cached_property
    def example(self) -> Example | None:
        """The example, or None while a fault stands in the way."""
        if has_error(self.findings) or not self.turns:
            return None
        if any(turn.role not in ROLES or turn.content is None for turn in self.turns):
            return None
        messages = tuple(
            Message(cast(Role, turn.role), cast(str, turn.content), turn.train)
            for turn in self.turns
        )
        return Example(messages, self.record.source, self.group, self.tags)

    def finding(
        self, rule: str, what: str, *, mend: str, path: str = "", severity: Severity = "error"
    ) -> Finding:
        """A finding about this record."""
        return Finding(
            rule=rule,
            severity=severity,
            where=str(self.record.source),
            example_id=self.example.id if self.example is not None else None,
            path=path,
            what=what,
            mend=mend,
        )


class Drafting:
    """Collects a draft's turns and faults; what every format reads alike is read here."""

    def __init__(self, record: Record) -> None:
        self.value = record.value or {}
        self._record = record
        self._turns: list[Turn] = []
        self._findings = list(record.findings)
        self._unused: list[str] = []

    def add(
        self, role: str | None, content: str | None, path: str, *, train: bool | None = None
    ) -> None:
        """The next turn."""
        self._turns.append(Turn(role, content, path, train))

    def fault(self, rule: str, what: str, *, mend: str, path: str) -> None:
        """An error in the record's shape."""
        self._findings.append(finding_at(self._record.source, rule, what, mend=mend, path=path))

    def text(self, holder: Mapping[str, Any], key: str, path: str) -> str | None:
        """A text that must be there; None, and a fault, when it is not."""
        if key not in holder:
            self.fault(f"shape.no_{key}", f"{path} is missing.", mend=f"add {key!r}", path=path)
            return None
        return self.as_text(holder[key], path)

    def as_text(self, value: Any, path: str) -> str | None:
        """A value that must be a text; None, and a fault, when it is not."""
        if isinstance(value, str):
            return value
        what = f"{path} is {kind_of(value)}, not a text."
        self.fault("shape.not_text", what, mend="write a text in double quotes", path=path)
        return None

    def leave_unused(self, keys: Iterable[str]) -> None:
        """Keys of the record that the format has no use for, named so that nobody is surprised."""
        self._unused += keys

    def build(self, uses: frozenset[str]) -> Draft:
        """The draft. `uses` are the record's keys that the format has read."""
        group, tags = self._group(), self._tags()
        self.leave_unused(key for key in self.value if key not in uses | {"group", "tags"})
        return Draft(
            self._record,
            tuple(self._turns),
            group,
            tags,
            tuple(self._findings),
            tuple(self._unused),
        )

    def _group(self) -> str | None:
        group = self.value.get("group")
        if isinstance(group, int) and not isinstance(group, bool):
            return str(group)
        if group is None or (isinstance(group, str) and group):
            return group
        what = f"group is {'empty' if group == '' else kind_of(group)}, not a name."
        self.fault("shape.group", what, mend="write a name, or remove the key", path="group")
        return None

    def _tags(self) -> Mapping[str, Any]:
        tags = self.value.get("tags")
        if tags is None or isinstance(tags, dict):
            return tags or {}
        what = f"tags is {kind_of(tags)}, not an object."
        self.fault("shape.tags", what, mend='write {"name": value}', path="tags")
        return {}
