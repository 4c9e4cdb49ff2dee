"""Answers that end with a text: it may begin and end within tokens, so ids cannot tell."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

# A decoder may swallow the blank before the first token that it is given, and does not know the
# characters that an earlier token began: a few tokens more than the text could have.
MARGIN_TOKENS = 4


class StopTexts:
    """The texts that end an answer, bound to the tokenizer that writes it.

    One that is a special token (`<|im_end|>`) ends it too, though it is not in the answer's text.
    """

    def __init__(self, tokenizer: Any, texts: Sequence[str]) -> None:
        self._tokenizer = tokenizer
        self._texts = tuple(text for text in texts if text)
        self._ids = _special_ids(tokenizer, self._texts) if self._texts else frozenset()
        longest = max((len(text.encode()) for text in self._texts), default=0)
        # A token is at least one byte.
        self._window = longest + MARGIN_TOKENS

    def end(self, ids: Sequence[int]) -> bool:
        """Whether the answer so far holds one of the texts; asked after every token."""
        if not self._texts:
            return False
        if ids[-1] in self._ids:
            return True
        if not self._holds(self._decode(ids[-self._window :])):
            return False
        return self._holds(self._decode(ids))

    def cut(self, ids: Sequence[int]) -> str:
        """The answer's text, up to the first of the texts."""
        ends = (place for place, token in enumerate(ids) if token in self._ids)
        said = self._decode(ids[: next(ends, len(ids))])
        places = [place for text in self._texts if (place := said.find(text)) >= 0]
        return said[: min(places, default=len(said))]

    def _holds(self, said: str) -> bool:
        return any(text in said for text in self._texts)

    def _decode(self, ids: Sequence[int]) -> str:
        return str(self._tokenizer.decode(list(ids), skip_special_tokens=True))


def _special_ids(tokenizer: Any, texts: Sequence[str]) -> frozenset[int]:
    """The ids of those texts that are special tokens."""
    pairs = zip(tokenizer.all_special_tokens, tokenizer.all_special_ids, strict=True)
    return frozenset(token_id for token, token_id in pairs if token in texts)
