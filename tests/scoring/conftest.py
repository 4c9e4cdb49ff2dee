"""Tiny models whose tokenizers begin texts otherwise."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def bos_llama_folder(tiny_llama_folder, tmp_path_factory) -> Path:
    """The tiny Llama with a tokenizer that puts BOS before every text, as its template does."""
    return with_bos(tiny_llama_folder, tmp_path_factory.mktemp("bos") / "tiny-llama-bos")


def with_bos(model: Path, folder: Path) -> Path:
    """A copy of a model's folder that begins texts and conversations with <|endoftext|>."""
    from tokenizers.processors import TemplateProcessing
    from transformers import AutoTokenizer

    shutil.copytree(model, folder)
    tokenizer = AutoTokenizer.from_pretrained(folder)
    bos = "<|endoftext|>"
    tokenizer.bos_token = bos
    tokenizer.backend_tokenizer.post_processor = TemplateProcessing(
        single=f"{bos} $A",
        pair=f"{bos} $A {bos} $B",
        special_tokens=[(bos, tokenizer.convert_tokens_to_ids(bos))],
    )
    tokenizer.chat_template = "{{ bos_token }}" + tokenizer.chat_template
    tokenizer.save_pretrained(folder)
    return folder


@pytest.fixture(scope="session")
def add_bos():
    """A function that copies a model's folder and makes its tokenizer begin texts with BOS."""
    return with_bos
