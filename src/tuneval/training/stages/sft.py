"""Supervised fine-tuning: the assistant's turns of conversations."""

from __future__ import annotations

from collections.abc import Sequence

from tuneval.data.example import Example
from tuneval.tokenization import EncodedSet, Template, encode_all
from tuneval.training.stages.stage import Stage


def encode(items: Sequence[Example], template: Template, max_length: int) -> EncodedSet:
    """The conversations in the model's own form; loss where an assistant speaks."""
    return encode_all(items, template, max_length=max_length)


STAGE = Stage("conversation", encode)
