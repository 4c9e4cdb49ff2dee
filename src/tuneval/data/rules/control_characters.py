"""Characters that nobody sees, and that a model learns all the same.

Line breaks and tabs are text. So are zero-width characters where a script needs them: joiners in
emoji and in the scripts of Persia and India, breaks in Thai, marks of direction in Hebrew and
Arabic.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator

from tuneval.data.draft import Draft
from tuneval.data.finding import Finding
from tuneval.data.rule import Rule

_CONTROL = "\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f"
_DIRECTION = "\u202a-\u202e\u2066-\u2069"
_UNSEEN = "\xad\u180e\u200b-\u200f\u2060-\u2064\ufeff\U000e0020-\U000e007f"
_found = re.compile(f"[{_CONTROL}{_DIRECTION}{_UNSEEN}]").search
_every = re.compile(f"([{_CONTROL}])|([{_DIRECTION}])|[{_UNSEEN}]").finditer
_right_to_left = re.compile("[\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufefc]").search
# A zero-width character between two of these has no work to do.
_needs_no_joiner = re.compile("[\x00-\u024f\u2010-\u2027\u3000-\u9fff\uff01-\uff60]?").fullmatch
_in_ascii = bytes(code for code in (*range(32), 127) if chr(code) not in "\t\n\r")
_KINDS = {
    "present": ("control characters", "remove them, or take the text from its source again"),
    "bidi": ("marks that change the direction of the text", "remove them"),
    "invisible": ("characters of no width", "remove them"),
}


class ControlCharacters(Rule):
    """control_characters.present, control_characters.bidi, control_characters.invisible

    All of them are warnings.
    """

    def see(self, draft: Draft) -> Iterator[Finding]:
        """One warning of each kind for each turn."""
        for turn in draft.turns:
            for kind, counts in unseen_characters(turn.content or "").items():
                what, mend = _KINDS[kind]
                yield draft.finding(
                    f"control_characters.{kind}",
                    f"{turn.path} holds {what}: {_listed(counts)}.",
                    mend=mend,
                    path=turn.path,
                    severity="warning",
                )


def unseen_characters(content: str) -> dict[str, Counter[str]]:
    """How often each character that nobody sees stands in a text, by the rule's kinds."""
    if content.isascii():  # most English texts: bytes are searched four times as fast
        if len(content.encode().translate(None, _in_ascii)) == len(content):
            return {}
    elif not _found(content):
        return {}
    reads_leftwards = _right_to_left(content) is not None
    found: dict[str, Counter[str]] = {}
    for match in _every(content):
        character = match[0]
        if match[1]:
            kind = "present"
        elif match[2]:
            kind = "bidi"
            if reads_leftwards and character not in "\u202d\u202e":
                continue
        else:
            kind = "invisible"
            if _has_work(content, match.start(), reads_leftwards=reads_leftwards):
                continue
        found.setdefault(kind, Counter())[character] += 1
    return found


def _has_work(content: str, at: int, *, reads_leftwards: bool) -> bool:
    """Whether a zero-width character may be needed where it stands."""
    character = content[at]
    if character in "\u200e\u200f":
        return reads_leftwards
    if character in "\u200b\u200c\u200d":
        return not (
            _needs_no_joiner(content[max(0, at - 1) : at])
            and _needs_no_joiner(content[at + 1 : at + 2])
        )
    return character >= "\U000e0020" and "\U0001f3f4" in content[max(0, at - 7) : at]  # 🏴 flags


def _listed(counts: Counter[str]) -> str:
    rows = [f"U+{ord(character):04X} ({count} times)" for character, count in counts.most_common(3)]
    return ", ".join(rows) + (f" and {len(counts) - 3} more" if len(counts) > 3 else "")
