"""An example as readable stretches of text, each trained or not, to look at before training."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from tuneval.tokenization.tokens import Tokens


@dataclass(frozen=True, slots=True)
class Shown:
    """One or more tokens that make whole characters together."""

    text: str
    ids: tuple[int, ...]
    trained: bool


def show(tokens: Tokens, tokenizer: Any) -> list[Shown]:
    """The tokens as text, grouped only where one character spans several byte-level tokens."""
    shown: list[Shown] = []
    pending: list[int] = []
    for position, token_id in enumerate(tokens.ids.tolist()):
        trained = bool(tokens.loss_mask[position])
        pending.append(token_id)
        text = tokenizer.decode(pending)
        border = position + 1 == len(tokens) or bool(tokens.loss_mask[position + 1]) != trained
        if "�" in text and len(pending) < 8 and not border:
            continue
        shown.append(Shown(text, tuple(pending), trained))
        pending = []
    return shown
