"""What a rule is: it looks at one draft after the other, and may say something at the end."""

from __future__ import annotations

from collections.abc import Iterable

from tuneval.data.draft import Draft
from tuneval.data.example import Example
from tuneval.data.finding import Finding


class Rule:
    """Base of every row of RULES. An object sees the drafts of one file and is then thrown away."""

    def see(self, draft: Draft) -> Iterable[Finding]:
        """What is wrong with this record. A role or content of None is reported already."""
        return ()

    def finish(self) -> Iterable[Finding]:
        """What only the whole file shows. Findings here are no errors: they condemn no record."""
        return ()


class WholeFileRule(Rule):
    """A rule that compares records: it collects them, and speaks in `finish`."""

    def __init__(self) -> None:
        self.examples: list[Example] = []

    def see(self, draft: Draft) -> tuple[()]:
        """Collect what is usable."""
        if draft.example is not None:
            self.examples.append(draft.example)
        return ()
