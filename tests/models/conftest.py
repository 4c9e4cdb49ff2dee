"""Tiny models of other families, and the plain ways that the engines must agree with."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import families
import numpy as np
import pytest
import torch

from tuneval.models.likelihood import Likelihood, Request


@pytest.fixture(scope="session")
def family_model():
    """A function from a family's name to its tiny model, made once."""
    return families.family_model


@pytest.fixture(scope="session")
def requests() -> list[Request]:
    """Every kind that shares something: equal, beginning another, one-token, long, alone."""
    source = np.random.default_rng(11)

    def ids(n: int) -> list[int]:
        return source.integers(3, 290, n).tolist()

    head, shot, question = ids(20), ids(60), ids(25)
    made = [Request(head + ids(n), ids(m)) for n, m in ((5, 7), (12, 1), (3, 30), (40, 2))]
    made += [Request(shot + question, [choice]) for choice in (5, 6, 7, 8)]
    made += [Request(shot + question, ids(n)) for n in (2, 3, 9)]
    made.append(Request(shot[:1], [*shot[1:], *question]))
    made.append(Request(made[0].context, made[0].target))
    made.append(Request(made[2].context, made[2].target[:4]))
    made += [Request(ids(1), ids(1)), Request(ids(3), []), Request(ids(80), ids(70))]
    return made


def naive_likelihoods(model, requests) -> list[Likelihood]:
    """One request at a time, the whole model, every logit."""
    found = []
    for request in requests:
        ids = torch.tensor([[*request.context, *request.target]])
        n = len(request.target)
        with torch.no_grad():
            logits = model(input_ids=ids, attention_mask=torch.ones_like(ids)).logits
        logits = logits[0, -n - 1 : -1] if n else logits[0, :0]
        logprobs = logits.log_softmax(-1).gather(1, ids[0, len(request.context) :, None])[:, 0]
        found.append(Likelihood(logprobs.numpy(), logits.argmax(-1).numpy()))
    return found


@pytest.fixture(scope="session", name="naive")
def _naive():
    return naive_likelihoods


@pytest.fixture(scope="session")
def tiny_gguf(tiny_llama, tmp_path_factory) -> Path:
    """The tiny Llama as llama.cpp's tools would write it, float32."""
    import gguf

    path = tmp_path_factory.mktemp("gguf") / "tiny.gguf"
    config, tokenizer = tiny_llama.model.config, tiny_llama.tokenizer
    writer = gguf.GGUFWriter(path, "llama")
    writer.add_context_length(config.max_position_embeddings)
    writer.add_embedding_length(config.hidden_size)
    writer.add_block_count(config.num_hidden_layers)
    writer.add_feed_forward_length(config.intermediate_size)
    writer.add_head_count(config.num_attention_heads)
    writer.add_head_count_kv(config.num_key_value_heads)
    writer.add_layer_norm_rms_eps(config.rms_norm_eps)
    writer.add_rope_freq_base(config.rope_parameters["rope_theta"])
    writer.add_vocab_size(config.vocab_size)
    core = json.loads(tokenizer.backend_tokenizer.to_str())["model"]
    tokens = sorted(core["vocab"], key=core["vocab"].get)
    special = set(tokenizer.all_special_tokens)
    writer.add_tokenizer_model("gpt2")
    writer.add_token_list(tokens)
    writer.add_token_types([3 if token in special else 1 for token in tokens])
    writer.add_token_merges([" ".join(merge) for merge in core["merges"]])
    writer.add_bos_token_id(tokenizer.bos_token_id)
    writer.add_eos_token_id(tokenizer.eos_token_id)
    writer.add_chat_template(tokenizer.chat_template)
    for name, tensor in _gguf_tensors(tiny_llama.model):
        writer.add_tensor(name, tensor.detach().contiguous().numpy())
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path


def _gguf_tensors(model) -> Iterator[tuple[str, torch.Tensor]]:
    config = model.config

    def interleaved(weight: torch.Tensor, heads: int) -> torch.Tensor:
        """llama.cpp rotates neighbouring pairs, transformers the halves of a head."""
        rows, columns = weight.shape
        halves = weight.reshape(heads, 2, rows // heads // 2, columns)
        return halves.transpose(1, 2).reshape(rows, columns)

    yield "token_embd.weight", model.model.embed_tokens.weight
    yield "output_norm.weight", model.model.norm.weight
    for number, layer in enumerate(model.model.layers):
        attention, mlp, block = layer.self_attn, layer.mlp, f"blk.{number}"
        yield f"{block}.attn_norm.weight", layer.input_layernorm.weight
        yield f"{block}.ffn_norm.weight", layer.post_attention_layernorm.weight
        query = interleaved(attention.q_proj.weight, config.num_attention_heads)
        key = interleaved(attention.k_proj.weight, config.num_key_value_heads)
        yield f"{block}.attn_q.weight", query
        yield f"{block}.attn_k.weight", key
        yield f"{block}.attn_v.weight", attention.v_proj.weight
        yield f"{block}.attn_output.weight", attention.o_proj.weight
        yield f"{block}.ffn_gate.weight", mlp.gate_proj.weight
        yield f"{block}.ffn_up.weight", mlp.up_proj.weight
        yield f"{block}.ffn_down.weight", mlp.down_proj.weight
