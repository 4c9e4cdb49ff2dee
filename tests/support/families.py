"""Tiny models with random weights, one for each way that families differ in."""

from __future__ import annotations

from functools import cache

import torch
import transformers

VOCABULARY = 300


def _gpt2() -> transformers.PreTrainedModel:
    """Learned absolute positions."""
    config = transformers.GPT2Config(
        vocab_size=VOCABULARY, n_positions=256, n_embd=64, n_layer=2, n_head=4,
        initializer_range=0.2,
    )  # fmt: skip
    return transformers.GPT2LMHeadModel(config)


def _gemma2() -> transformers.PreTrainedModel:
    """Capped attention and final logits, every other layer sees a window of 16 tokens."""
    config = transformers.Gemma2Config(
        vocab_size=VOCABULARY, hidden_size=64, intermediate_size=128, num_hidden_layers=4,
        num_attention_heads=4, num_key_value_heads=2, head_dim=16, sliding_window=16,
        final_logit_softcapping=5.0, attn_logit_softcapping=3.0, query_pre_attn_scalar=16,
        max_position_embeddings=256, initializer_range=0.3,
    )  # fmt: skip
    return transformers.Gemma2ForCausalLM(config)


def _gemma3() -> transformers.PreTrainedModel:
    """A window of 16 tokens in packed rows."""
    config = transformers.Gemma3TextConfig(
        vocab_size=VOCABULARY, hidden_size=64, intermediate_size=128, num_hidden_layers=4,
        num_attention_heads=4, num_key_value_heads=1, head_dim=16, sliding_window=16,
        layer_types=["sliding_attention", "full_attention"] * 2, query_pre_attn_scalar=16,
        max_position_embeddings=256, initializer_range=0.3,
    )  # fmt: skip
    return transformers.Gemma3ForCausalLM(config)


def _granite() -> transformers.PreTrainedModel:
    """Logits divided by a number that is not in the head."""
    config = transformers.GraniteConfig(
        vocab_size=VOCABULARY, hidden_size=64, intermediate_size=128, num_hidden_layers=2,
        num_attention_heads=4, num_key_value_heads=2, logits_scaling=8.0, embedding_multiplier=6.0,
        max_position_embeddings=256, initializer_range=0.2,
    )  # fmt: skip
    return transformers.GraniteForCausalLM(config)


def _lfm2() -> transformers.PreTrainedModel:
    """Convolutions between the attention layers: they would carry on from one packed text."""
    config = transformers.Lfm2Config(
        vocab_size=VOCABULARY, hidden_size=64, intermediate_size=128, num_hidden_layers=4,
        num_attention_heads=4, num_key_value_heads=2, layer_types=["conv", "full_attention"] * 2,
        max_position_embeddings=256, initializer_range=0.2,
    )  # fmt: skip
    return transformers.Lfm2ForCausalLM(config)


def _qwen3() -> transformers.PreTrainedModel:
    """Heads that are wider than their share of the hidden states."""
    config = transformers.Qwen3Config(
        vocab_size=VOCABULARY, hidden_size=64, intermediate_size=128, num_hidden_layers=2,
        num_attention_heads=4, num_key_value_heads=2, head_dim=32, max_position_embeddings=256,
        initializer_range=0.2,
    )  # fmt: skip
    return transformers.Qwen3ForCausalLM(config)


def _glm() -> transformers.PreTrainedModel:
    """One matrix makes the feed-forward's gate and its input."""
    config = transformers.GlmConfig(
        vocab_size=VOCABULARY, hidden_size=64, intermediate_size=128, num_hidden_layers=2,
        num_attention_heads=4, num_key_value_heads=2, head_dim=16, max_position_embeddings=256,
        initializer_range=0.2, pad_token_id=0,
    )  # fmt: skip
    return transformers.GlmForCausalLM(config)


def _opt() -> transformers.PreTrainedModel:
    """Keys before queries, and a feed-forward that is no module of its own."""
    config = transformers.OPTConfig(
        vocab_size=VOCABULARY, hidden_size=64, ffn_dim=128, num_hidden_layers=2,
        num_attention_heads=4, max_position_embeddings=256, dropout=0.0, init_std=0.2,
    )  # fmt: skip
    return transformers.OPTForCausalLM(config)


def _mixtral() -> transformers.PreTrainedModel:
    """A mixture of experts, whose matrices are slices of one tensor."""
    config = transformers.MixtralConfig(
        vocab_size=VOCABULARY, hidden_size=64, intermediate_size=128, num_hidden_layers=2,
        num_attention_heads=4, num_key_value_heads=2, num_local_experts=4,
        max_position_embeddings=256, initializer_range=0.2,
    )  # fmt: skip
    return transformers.MixtralForCausalLM(config)


FAMILIES = {
    "gpt2": _gpt2,
    "gemma2": _gemma2,
    "gemma3": _gemma3,
    "granite": _granite,
    "lfm2": _lfm2,
    "qwen3": _qwen3,
    "glm": _glm,
    "opt": _opt,
    "mixtral": _mixtral,
}


@cache
def family_model(name: str) -> transformers.PreTrainedModel:
    """The tiny model of a family, made once; leave it as it was."""
    with torch.random.fork_rng():
        torch.manual_seed(5)
        return FAMILIES[name]().eval()
