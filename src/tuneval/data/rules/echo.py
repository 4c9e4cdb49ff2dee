"""An answer that is the question again.

A warning, no error: the record can be read and learnt from, and now and then an echo is meant
(a sentence to be corrected that was right). Greetings that are returned are none.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from tuneval.data.draft import Draft
from tuneval.data.finding import Finding, clip
from tuneval.data.rule import Rule

_GREETING = 8  # letters and digits; "你好" and "Good morning" come back as they were
_first_letter = re.compile(r"[^\W_]").search
_SAME_LENGTH = 1.5  # white space and punctuation do not count, and are less than a third of a text


class Echo(Rule):
    """echo.prompt_is_response (warning)"""

    def see(self, draft: Draft) -> Iterator[Finding]:
        """Compares letters and digits alone, small like capital ones."""
        for exchange in draft.exchanges:
            prompt, response = exchange.prompt, exchange.response
            if not prompt or not 1 / _SAME_LENGTH < len(prompt) / len(response) < _SAME_LENGTH:
                continue
            first, also = _first_letter(prompt), _first_letter(response)
            if first is None or also is None or first[0].casefold() != also[0].casefold():
                continue
            said = _plain(response)
            if len(said) > _GREETING and _plain(prompt) == said:
                yield draft.finding(
                    "echo.prompt_is_response",
                    f"{exchange.path} says what the turn before it says: {clip(response)}.",
                    mend="write the answer, or remove the record",
                    path=exchange.path,
                    severity="warning",
                )


def _plain(text: str) -> str:
    return "".join(filter(str.isalnum, text.casefold()))
