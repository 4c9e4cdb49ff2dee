"""A rule, a few records, and what it says of them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tuneval.data.example import Source
from tuneval.data.finding import Finding
from tuneval.data.formats import FORMATS
from tuneval.data.record import Record
from tuneval.data.rule import Rule
from tuneval.data.rules import RULES

Look = Callable[..., list[Finding]]


@pytest.fixture
def look() -> Look:
    """Everything that a rule says of records in a format, what it says at the end included."""

    def look(rule: str | Rule, *values: dict[str, Any], format: str = "messages") -> list[Finding]:
        active = RULES.load(rule)() if isinstance(rule, str) else rule
        found: list[Finding] = []
        for line, value in enumerate(values, start=1):
            record = Record(Source("data.jsonl", line), value)
            found += active.see(FORMATS.load(format).draft(record))
        found += active.finish()
        assert all(finding.what and finding.mend for finding in found)
        return found

    return look


@pytest.fixture
def look_at_answer(look: Look) -> Look:
    """The ids of what a rule finds in one question and its answer."""

    def look_at_answer(rule: str, prompt: str, response: str) -> list[str]:
        turns = [
            {"role": "user", "content": prompt},
            {"role": "assistant", "content": response},
        ]
        found = look(rule, {"messages": turns})
        assert all(finding.path.startswith("messages[") for finding in found)
        return [finding.rule for finding in found]

    return look_at_answer
