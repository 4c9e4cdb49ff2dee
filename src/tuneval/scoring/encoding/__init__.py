"""Records as token ids: what stands before a text that is measured, and the text itself.

Texts that meet at a border are tokenised apart, so that a border is exact and equal texts have
equal ids wherever they stand.
"""

from __future__ import annotations

from typing import Any

from tuneval.scoring.config import ScoreConfig
from tuneval.scoring.encoding.chat import ChatEncoder
from tuneval.scoring.encoding.encoder import Ids, PromptEncoder, Turn
from tuneval.scoring.encoding.instruction import InstructionEncoder
from tuneval.scoring.prompts import CHAT, load_prompts
from tuneval.tokenization import load_template

__all__ = ["ChatEncoder", "Ids", "InstructionEncoder", "PromptEncoder", "Turn", "prompt_encoder"]


def prompt_encoder(config: ScoreConfig, tokenizer: Any, *, longest: int | None) -> PromptEncoder:
    """The prompts that the config names. Sequences never get longer than the model reads.

    Raises UsageError for unknown prompts, and for `chat` with a tokenizer that has no template.
    """
    limits = [n for n in (longest, config.max_length) if n is not None]
    more: dict[str, Any] = {
        "longest": min(limits) if limits else None,
        "unconditional": config.unconditional,
    }
    if config.prompts == CHAT:
        return ChatEncoder(load_template(tokenizer), load_prompts("instruction"), **more)
    return InstructionEncoder(load_prompts(config.prompts), tokenizer, **more)
