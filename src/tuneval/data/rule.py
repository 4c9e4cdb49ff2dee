"""What a rule is: it looks at one draft after the other, and may say something at the end."""

from __future__ import annotations

from collections.abc import Iterable
from copy import deepcopy

from tuneval.data.draft import Draft
from tuneval.data.finding import Finding
from tuneval.data.plain import Plain


class Rule:
    """Base of every row of RULES. An object sees the drafts of one set and is then thrown away.

    A large file is checked in parts, each with an object of its own, mostly in a process of its
    own: `see` speaks of the record alone; what an object remembers for `finish` can be pickled,
    and `merge` joins it. A rule that speaks in `finish` and has no `merge` sees the whole set.

    `marks` spare it the records that do not concern it. They are texts of which one stands in a
    turn of every plain conversation (see `plain`) that the rule finds something in or has to
    remember: () when none ever concerns it, None when it must see them all.
    """

    marks: tuple[str, ...] | None = None

    def anew(self) -> Rule:
        """An object of the same rule that has seen nothing, of one that has seen nothing yet."""
        return deepcopy(self)

    def is_silent(self, found: Plain, text: str) -> bool:
        """Whether it surely has nothing to say of a plain conversation, nor to remember of it.

        `text` are its contents, one after the other. Where marks cannot say it, a rule overrides
        this. It is asked in place of `see`; where it is not sure, `see` gets the draft.
        """
        return self.marks is not None and not any(mark in text for mark in self.marks)

    def see(self, draft: Draft) -> Iterable[Finding]:
        """What is wrong with this record. A role or content of None is reported already."""
        return ()

    def merge(self, later: Rule) -> None:
        """Take over what the same rule has seen in the part that follows this one."""

    def finish(self) -> Iterable[Finding]:
        """What only the whole set shows. Findings here are no errors: they condemn no record."""
        return ()


class WholeFileRule(Rule):
    """A rule that only compares records: it condemns none, and speaks in `finish`."""
