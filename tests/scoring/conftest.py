"""Tiny models whose tokenizers begin texts otherwise."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def small_folder(tiny_llama_folder, tmp_path_factory) -> Path:
    """A Llama of 130 thousand weights, for many forward passes; no BOS before a text."""
    return with_model(tiny_llama_folder, tmp_path_factory.mktemp("small") / "llama")


@pytest.fixture(scope="session")
def small_bos_folder(small_folder, tmp_path_factory) -> Path:
    """The same with a tokenizer that puts BOS before every text, as its chat template does."""
    return with_bos(small_folder, tmp_path_factory.mktemp("small") / "llama-bos")


def with_model(tokenizer_of: Path, folder: Path, *, longest: int = 2048) -> Path:
    """A folder with seeded random weights that reads `longest` tokens, and a tokenizer."""
    import torch
    from transformers import AutoTokenizer, LlamaConfig, LlamaForCausalLM

    tokenizer = AutoTokenizer.from_pretrained(tokenizer_of)
    config = LlamaConfig(
        vocab_size=len(tokenizer),
        hidden_size=64,
        intermediate_size=128,
        num_hidden_layers=2,
        num_attention_heads=4,
        num_key_value_heads=2,
        max_position_embeddings=longest,
        initializer_range=0.2,
        tie_word_embeddings=True,
        bos_token_id=tokenizer.bos_token_id,
        eos_token_id=tokenizer.eos_token_id,
        pad_token_id=tokenizer.pad_token_id,
    )
    with torch.random.fork_rng():
        torch.manual_seed(21)
        LlamaForCausalLM(config).save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


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
def make_model():
    """A function that writes a small model for a tokenizer, reading so many tokens."""
    return with_model


@pytest.fixture(scope="session")
def add_bos():
    """A function that copies a model's folder and makes its tokenizer begin texts with BOS."""
    return with_bos
