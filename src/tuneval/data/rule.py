"""What a rule is: it looks at one draft after the other, and may say something at the end."""

from __future__ import annotations

from collections.abc import Iterable

from tuneval.data.draft import Draft
from tuneval.data.example import Example
from tuneval.data.finding import Finding


class Rule:
    """Base of every row of RULES. An object sees the drafts of one set and is then thrown away.

    A large file is checked in parts, each by a process of its own with its own object: what an
    object remembers can be pickled, and `merge` joins it.
    """

    def see(self, draft: Draft) -> Iterable[Finding]:
        """What is wrong with this record. A role or content of None is reported already."""
        return ()

    def merge(self, later: Rule) -> None:
        """Take over what the same rule has seen in the part that follows this one."""

    def finish(self) -> Iterable[Finding]:
        """What only the whole set shows. Findings here are no errors: they condemn no record."""
        return ()


class WholeFileRule(Rule):
    """A rule that compares records: it collects them, and speaks in `finish`."""

    def __init__(self) -> None:
        self.examples: list[Example] = []

    def see(self, draft: Draft) -> tuple[()]:
        """Collect what is usable."""
        if isinstance(draft.item, Example):
            self.examples.append(draft.item)
        return ()
