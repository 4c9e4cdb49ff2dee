"""Models for tests: the real bundled one, and a tiny random one with a small tokenizer."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import settings

# A busy machine is no fault of the code: examples are counted, not timed.
settings.register_profile("tuneval", deadline=None)
settings.load_profile("tuneval")

os.environ["HF_HUB_OFFLINE"] = "1"  # before anything imports huggingface_hub
os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
# Tests run in several processes; threads that wait for one another would only be in the way.
os.environ.setdefault("OMP_NUM_THREADS", "1")

CHATML = (
    "{% for message in messages %}"
    "{{ '<|im_start|>' + message['role'] + '\n' + message['content'] + '<|im_end|>\n' }}"
    "{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}"
)
# Enough for a few hundred merges; what matters is only that texts become short lists of ids.
TEXT = [
    "user assistant system is it what number yes no plus the a of and to in that for you with",
    "How do I reset my password? Where is my order? I want my money back, please.",
    "It is {n}. {n} is a number. What is {n} plus {n}? The answer is {n}.",
    "怎样重置密码？我的订单在哪里？请退款。谢谢，问题已经解决了。",
    '{"intent": "refund", "product": "order", "urgency": "high"}',
]


@pytest.fixture(scope="session")
def smollm():
    """The bundled SmolLM2-135M-Instruct, float32; the first use on a machine converts it."""
    from tuneval.models.load import load_model

    return load_model("bundled:smollm2-135m", device="cpu")


@pytest.fixture(scope="session")
def tiny_llama_folder(tmp_path_factory) -> Path:
    """A Llama of 1.7 million seeded random weights, grouped-query attention, 512 tokens."""
    import torch
    from transformers import LlamaConfig, LlamaForCausalLM

    folder = tmp_path_factory.mktemp("models") / "tiny-llama"
    tokenizer = tiny_tokenizer()
    config = LlamaConfig(
        vocab_size=len(tokenizer),
        hidden_size=192,
        intermediate_size=512,
        num_hidden_layers=4,
        num_attention_heads=6,
        num_key_value_heads=2,
        max_position_embeddings=2048,
        initializer_range=0.08,
        tie_word_embeddings=True,
        bos_token_id=tokenizer.bos_token_id,
        eos_token_id=tokenizer.eos_token_id,
        pad_token_id=tokenizer.pad_token_id,
    )
    with torch.random.fork_rng():
        torch.manual_seed(20)
        model = LlamaForCausalLM(config)
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


@pytest.fixture(scope="session")
def tiny_llama(tiny_llama_folder):
    """The tiny random model, loaded; leave it as it was."""
    from tuneval.models.load import load_model

    return load_model(str(tiny_llama_folder), device="cpu")


def tiny_tokenizer():
    """A byte-level tokenizer with ChatML's tokens, trained on a few lines."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
    from transformers import PreTrainedTokenizerFast

    core = Tokenizer(models.BPE())
    core.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    core.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=512,
        special_tokens=["<|endoftext|>", "<|im_start|>", "<|im_end|>"],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    lines = [line.replace("{n}", str(n)) for line in TEXT for n in range(40)]
    core.train_from_iterator(lines, trainer)
    return PreTrainedTokenizerFast(
        tokenizer_object=core,
        bos_token="<|im_start|>",
        eos_token="<|im_end|>",
        pad_token="<|im_end|>",
        unk_token="<|endoftext|>",
        model_max_length=2048,
        chat_template=CHATML,
    )
