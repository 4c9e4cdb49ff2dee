"""A turn or a text says something: it has a character that can be seen."""

from __future__ import annotations

import re
from collections.abc import Iterator

from tuneval.data.draft import Draft
from tuneval.data.finding import Finding
from tuneval.data.plain import Plain
from tuneval.data.rule import Rule

# Beside white space: soft hyphen, fillers, joiners, marks of direction, variation selectors, the
# braille blank, byte order marks.
_UNSEEN = (
    *("\xad", "\u034f", "\u061c", "\u115f", "\u1160", "\u180e", "\u2800", "\u3164", "\uffa0"),
    *(chr(code) for code in (*range(0x200B, 0x2010), *range(0x202A, 0x202F))),
    *(chr(code) for code in (*range(0x2060, 0x2065), *range(0x2066, 0x206A))),
    *("\ufe0e", "\ufe0f", "\ufeff"),
)
_visible = re.compile(f"[^\\s{''.join(_UNSEEN)}]").search
_unseen = re.compile(f"[\\s{''.join(_UNSEEN)}]").search


class Empty(Rule):
    """empty.turn, empty.only_spaces (of a system turn or a tool's answer: a warning)"""

    def is_silent(self, found: Plain, text: str) -> bool:
        """Where each turn has something to see."""
        beginnings = "".join([content[0] for content in found.contents])
        return _unseen(beginnings) is None or all(map(_visible, found.contents))

    def see(self, draft: Draft) -> Iterator[Finding]:
        """One finding for each turn that has nothing to see; one that calls tools needs no text."""
        for turn in draft.turns:
            content = turn.content
            if content is None or _visible(content) or turn.tool_calls:
                continue
            kind, how = (
                ("only_spaces", "holds only white space") if content else ("turn", "is empty")
            )
            spare = turn.role in ("system", "tool")
            yield draft.finding(
                f"empty.{kind}",
                f"{turn.path} {how}.",
                mend="remove the turn" if turn.role == "system" else "fill it or remove the record",
                path=turn.path,
                severity="warning" if spare else "error",
            )
