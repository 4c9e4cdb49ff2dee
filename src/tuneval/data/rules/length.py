"""Items that are longer than a model takes in; a rule to be made with that model's tokenizer."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from tuneval.data.draft import Draft
from tuneval.data.example import Item
from tuneval.data.finding import Finding
from tuneval.data.rule import Rule


class LengthRule(Rule):
    """length.over_max (warning)"""

    def __init__(self, count_tokens: Callable[[Item], int], *, max_length: int, model: str) -> None:
        self._count_tokens = count_tokens
        self._max_length = max_length
        self._model = model

    def see(self, draft: Draft) -> Iterator[Finding]:
        """One warning for each item of more than `max_length` tokens."""
        if draft.item is None:
            return
        n_tokens = self._count_tokens(draft.item)
        if n_tokens > self._max_length:
            yield draft.finding(
                "length.over_max",
                f"The record has {n_tokens:,} tokens of {self._model}; "
                f"{self._max_length:,} is the most.",
                mend="shorten or split it, or raise the limit; training cuts it off",
                path=draft.turns[0].path.partition("[")[0],
                severity="warning",
            )
