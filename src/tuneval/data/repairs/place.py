"""A place inside a record, as a finding names it: `messages[2].content`."""

from __future__ import annotations

import re
from typing import Any

Step = str | int
_STEP = re.compile(r"\[(\d+)\]|\.?([^.\[\]]+)")


def steps_of(path: str) -> list[Step]:
    """Keys and positions on the way to the place: `["messages", 2, "content"]`."""
    return [int(at) if at else key for at, key in _STEP.findall(path)]


def value_at(record: Any, steps: list[Step]) -> Any:
    """What stands there, or None."""
    for step in steps:
        try:
            record = record[step]
        except (KeyError, IndexError, TypeError):
            return None
    return record


def with_value(record: Any, steps: list[Step], value: Any) -> Any:
    """A copy with another value at the place, which is there. What lies beside it is shared."""
    if not steps:
        return value
    first, *rest = steps
    made = record.copy()
    made[first] = with_value(record[first], rest, value)
    return made


def without(record: Any, steps: list[Step]) -> Any:
    """A copy without what stands at the place."""
    holder = value_at(record, steps[:-1]).copy()
    del holder[steps[-1]]
    return with_value(record, steps[:-1], holder)
