"""What a container gives: one JSON object of a file, not yet understood."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from tuneval.data.example import Source
from tuneval.data.finding import Finding, Severity, clip
from tuneval.data.strict_json import Decoded, Flaw


@dataclass(frozen=True, slots=True)
class Record:
    """One record and where it begins. `value` is None when it could not be read as an object.

    `raw` are its bytes as they stand in the file, the line's end included; empty where the
    container is no text (Parquet, Arrow) or the source is no file.
    """

    source: Source
    value: dict[str, Any] | None
    findings: tuple[Finding, ...] = ()
    raw: bytes = b""


def record_of(source: Source, decoded: Decoded, raw: bytes = b"") -> Record:
    """The record of a value that stands at `source`, with what a strict reader says of it.

    One that is nested too deep has no value: whoever walks through it could run out of stack.
    """
    findings = [flaw_at(source, flaw) for flaw in decoded.flaws]
    if any(flaw.rule == "json.too_deep" for flaw in decoded.flaws):
        return Record(source, None, tuple(findings), raw)
    if isinstance(decoded.value, dict):
        return Record(source, decoded.value, tuple(findings), raw)
    findings.append(
        finding_at(
            source,
            "json.not_object",
            f"The record is {kind_of(decoded.value)}, not an object: {clip(decoded.value)}.",
            mend='write it as {"messages": […]} or remove it',
        )
    )
    return Record(source, None, tuple(findings), raw)


def finding_at(
    source: Source, rule: str, what: str, *, mend: str, path: str = "", severity: Severity = "error"
) -> Finding:
    """A finding at a place of a file."""
    return Finding(rule=rule, severity=severity, where=str(source), path=path, what=what, mend=mend)


def flaw_at(source: Source, flaw: Flaw) -> Finding:
    """A flaw of a text as a finding at its place in the file."""
    return finding_at(source, flaw.rule, flaw.what, mend=flaw.mend, path=flaw.path)


def kind_of(value: Any) -> str:
    """What a JSON value is, in words."""
    match value:
        case None:
            return "null"
        case bool():
            return "true or false"
        case int() | float():
            return "a number"
        case str():
            return "a text"
        case list():
            return "a list"
        case _:
            return "an object"
