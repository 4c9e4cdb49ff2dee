"""Pre-training: every token of plain texts."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tuneval.data.example import Text
from tuneval.tokenization import EncodedSet, Template, Tokens
from tuneval.training.stages.stage import Stage


def encode(items: Sequence[Text], template: Template, max_length: int) -> EncodedSet:
    """The texts with an end-of-text token each, cut into blocks of at most `max_length` tokens."""
    encoded = EncodedSet()
    for item in items:
        ids = _ids(item.text, template.tokenizer)
        if len(ids) < 2:
            reason = "The text has no token that another one comes before."
            encoded.unusable.append((item.id, str(item.source), reason))
            continue
        blocks = list(_blocks(ids, max_length))
        encoded.tokens += [_all_trained(block, item.id) for block in blocks]
        encoded.more_blocks += len(blocks) - 1
    return encoded


def _ids(text: str, tokenizer: Any) -> NDArray[np.int32]:
    """The text as the tokenizer begins texts (with BOS, or without), and EOS at its end."""
    ids = list(tokenizer(text, verbose=False)["input_ids"])
    end = tokenizer.eos_token_id
    if end is not None and text and ids[-1:] != [end]:
        ids.append(end)
    return np.array(ids, dtype=np.int32)


def _blocks(ids: NDArray[np.int32], max_length: int) -> Iterator[NDArray[np.int32]]:
    """Stretches of which each begins with the last token of the one before.

    That token is read and not learnt there, so every token but the first is a target just once.
    """
    for start in range(0, len(ids) - 1, max_length - 1):
        yield ids[start : start + max_length]


def _all_trained(ids: NDArray[np.int32], text_id: str) -> Tokens:
    mask = np.ones(len(ids), dtype=np.bool_)
    mask[0] = False
    return Tokens(ids, mask, text_id)


STAGE = Stage("text", encode, uses_template=False)
