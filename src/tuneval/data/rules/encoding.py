"""Texts that were damaged before they came into this file."""

from __future__ import annotations

from collections.abc import Iterator

from tuneval.data import mojibake
from tuneval.data.draft import Draft, Turn
from tuneval.data.finding import Finding, clip
from tuneval.data.plain import Plain
from tuneval.data.rule import Rule

_REPLACEMENT = "\ufffd"


class Encoding(Rule):
    """encoding.replacement_character, encoding.mojibake (warnings)"""

    def is_silent(self, found: Plain, text: str) -> bool:
        """Where no turn has a sign of damage."""
        return text.isascii() or not (_REPLACEMENT in text or mojibake.may_be_in(text))

    def see(self, draft: Draft) -> Iterator[Finding]:
        """One warning of each kind for each turn."""
        for turn in draft.turns:
            content = turn.content
            if content is None or content.isascii():
                continue
            if _REPLACEMENT in content:
                yield _replacement(draft, turn, content)
            if found := mojibake.find(content):
                meant = f", likely {clip(found.likely, 30)}" if found.likely else ""
                yield draft.finding(
                    "encoding.mojibake",
                    f"{turn.path} holds {clip(found.text, 30)}, {found.reading}{meant}.",
                    mend="take the text from its source again and read it in its own encoding",
                    path=turn.path,
                    severity="warning",
                )


def _replacement(draft: Draft, turn: Turn, content: str) -> Finding:
    at = content.index(_REPLACEMENT)
    around = content[max(0, at - 12) : at + 12]
    return draft.finding(
        "encoding.replacement_character",
        f"{turn.path} holds U+FFFD ({content.count(_REPLACEMENT)} times), the sign "
        f"of text once decoded wrongly: {around!r}.",
        mend="take the text from its source again",
        path=turn.path,
        severity="warning",
    )
