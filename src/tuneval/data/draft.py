"""What a format makes of a record: turns that may still be faulty, on the way to an Item."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Literal, cast

from tuneval.data.example import (
    ROLES,
    Example,
    Item,
    Kind,
    Message,
    Preference,
    Role,
    Text,
    ToolCall,
    UnpairedPreference,
)
from tuneval.data.finding import Finding, Severity, has_error
from tuneval.data.record import Record, finding_at, kind_of

Part = Literal["messages", "chosen", "rejected", "completion"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """One turn as the file has it. None stands for what is missing or of a wrong kind.

    `path` is where its content stands in the record. The turns of a prompt are of the part
    `messages`; the whole of a plain text is one turn with the role `text`. `input` as in Message.
    """

    role: str | None
    content: str | None
    path: str
    role_path: str
    part: Part = "messages"
    train: bool | None = None
    tool_calls: tuple[ToolCall, ...] = ()
    tool_call_id: str | None = None
    name: str | None = None
    input: str | None = None

    @property
    def is_whole(self) -> bool:
        """Whether it can become a Message."""
        return self.role in ROLES and self.content is not None

    def as_message(self) -> Message:
        """The turn as a Message; only of one that is whole."""
        return Message(
            cast(Role, self.role),
            cast(str, self.content),
            self.train,
            self.tool_calls,
            self.tool_call_id,
            self.name,
            self.input,
        )


@dataclass(frozen=True, slots=True)
class Exchange:
    """An answer to learn from, its path, and the user turn before it, None if there is none."""

    prompt: str | None
    response: str
    path: str


@dataclass(frozen=True)
class Draft:
    """A record as its format understands it, and what the format finds wrong.

    `label` is that of an unpaired preference.
    """

    record: Record
    kind: Kind = "conversation"
    turns: tuple[Turn, ...] = ()
    tools: tuple[Mapping[str, Any], ...] = ()
    label: bool | None = None
    group: str | None = None
    tags: Mapping[str, Any] = field(default_factory=dict)
    findings: tuple[Finding, ...] = ()
    unused_keys: tuple[str, ...] = ()

    @cached_property
    def item(self) -> Item | None:
        """The example, text or preference, or None while a fault stands in the way."""
        if has_error(self.findings) or not self.turns:
            return None
        about: dict[str, Any] = {
            "source": self.record.source,
            "group": self.group,
            "tags": self.tags,
        }
        if self.kind == "text":
            text = self.turns[0].content
            return None if text is None else Text(text, **about)
        if not all(turn.is_whole for turn in self.turns):
            return None
        about["tools"] = self.tools
        prompt = self._messages("messages")
        match self.kind:
            case "conversation":
                return Example(prompt, **about)
            case "preference":
                chosen, rejected = self._messages("chosen"), self._messages("rejected")
                return Preference(prompt, chosen, rejected, **about)
            case "unpaired_preference":
                completion = self._messages("completion")
                return UnpairedPreference(prompt, completion, self.label is True, **about)

    @property
    def conversations(self) -> tuple[tuple[Turn, ...], ...]:
        """The turns as they follow one another: a preference has two conversations, a text none."""
        match self.kind:
            case "text":
                return ()
            case "conversation":
                return (self.turns,)
            case "preference":
                return self._ending("chosen"), self._ending("rejected")
            case "unpaired_preference":
                return (self._ending("completion"),)

    @cached_property
    def exchanges(self) -> tuple[Exchange, ...]:
        """The assistant turns that say something which shall be learnt, in order.

        Rejected and undesired answers and turns kept out of the loss are none, nor are calls.
        """
        if self.kind == "text" or self.label is False:
            return ()
        found: list[Exchange] = []
        before: Turn | None = None
        for turn in self.turns:
            if turn.part == "rejected":
                continue
            said = turn.role == "assistant" and turn.train is not False and not turn.tool_calls
            if said and turn.content and not turn.content.isspace():
                asked = before.content if before and before.role == "user" else None
                found.append(Exchange(asked, turn.content, turn.path))
            before = turn
        return tuple(found)

    def finding(
        self, rule: str, what: str, *, mend: str, path: str = "", severity: Severity = "error"
    ) -> Finding:
        """A finding about this record."""
        return Finding(
            rule=rule,
            severity=severity,
            where=str(self.record.source),
            example_id=self.item.id if self.item is not None else None,
            path=path,
            what=what,
            mend=mend,
        )

    def _messages(self, part: Part) -> tuple[Message, ...]:
        return tuple(turn.as_message() for turn in self.turns if turn.part == part)

    def _ending(self, part: Part) -> tuple[Turn, ...]:
        return tuple(turn for turn in self.turns if turn.part in ("messages", part))


class Drafting:
    """Collects a draft's turns and faults; what every format reads alike is read here."""

    def __init__(self, record: Record, kind: Kind = "conversation") -> None:
        self.value = record.value or {}
        self.tools: tuple[Mapping[str, Any], ...] = ()
        self.label: bool | None = None
        self._record = record
        self._kind = kind
        self._turns: list[Turn] = []
        self._findings = list(record.findings)
        self._unused: list[str] = []

    def add(self, role: str | None, content: str | None, path: str, **more: Any) -> None:
        """The next turn. `role_path` is its own path unless given; `more` are Turn's fields."""
        more.setdefault("role_path", path)
        self._turns.append(Turn(role=role, content=content, path=path, **more))

    def fault(
        self, rule: str, what: str, *, mend: str, path: str, severity: Severity = "error"
    ) -> None:
        """Something wrong with the record's shape."""
        self._findings.append(
            finding_at(self._record.source, rule, what, mend=mend, path=path, severity=severity)
        )

    def text(self, holder: Mapping[str, Any], key: str, path: str) -> str | None:
        """A text that must be there; None, and a fault, when it is not."""
        if key not in holder:
            self.fault(f"shape.no_{key}", f"{path} is missing.", mend=f"add {key!r}", path=path)
            return None
        return self.as_text(holder[key], path)

    def optional_text(self, key: str) -> str | None:
        """A text of the record that may be missing or null."""
        value = self.value.get(key)
        return None if value is None else self.as_text(value, key)

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
            self._kind,
            tuple(self._turns),
            tools=self.tools,
            label=self.label,
            group=group,
            tags=tags,
            findings=tuple(self._findings),
            unused_keys=tuple(self._unused),
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
