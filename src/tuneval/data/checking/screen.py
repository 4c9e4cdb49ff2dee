"""A look in front of the check: which lines no active rule has anything to say of.

Most lines of a sound set are plain conversations, and need no draft when every rule that is
asked for says that it is silent about them (`Rule.marks`, `Rule.is_silent`); a rule that never
says so closes the screen. What passes would pass the full way without a finding; what is stopped
only takes that way.
"""

from __future__ import annotations

from collections.abc import Sequence

from tuneval.data.format import Format
from tuneval.data.formats.messages import MESSAGES
from tuneval.data.plain import plain_line
from tuneval.data.rule import Rule


class Screen:
    """Lets plain conversations pass about which all rules are silent."""

    def __init__(self, rules: Sequence[Rule]) -> None:
        self._ask = [rule.is_silent for rule in rules if rule.marks != () or _is_asked(rule)]

    def passes(self, line: bytes) -> bool:
        """Whether the line is a flawless record in which no rule finds anything."""
        found = plain_line(line)
        if found is None:
            return False
        text = "\n".join(found.contents)
        for is_silent in self._ask:  # noqa: SIM110 (a generator for all() costs as much again)
            if not is_silent(found, text):
                return False
        return True


def screen_for(rules: Sequence[Rule], format: Format | None) -> Screen | None:
    """The screen of these rules; None when one must see every record, or the format is no chat."""
    if format is not MESSAGES:
        return None
    if any(rule.marks is None and not _is_asked(rule) for rule in rules):
        return None
    return Screen(rules)


def _is_asked(rule: Rule) -> bool:
    """Whether the rule itself knows better than its marks."""
    return type(rule).is_silent is not Rule.is_silent
