"""Sentence encoders for tests: tiny random ones as folders, and the real one where it is."""

from __future__ import annotations

import json
from functools import lru_cache
from pathlib import Path
from typing import Any

import pytest
import torch
import transformers

from tuneval.errors import ModelError
from tuneval.models.bundled import bundled_encoder_folder
from tuneval.models.embeddings import Encoder, load_encoder

LETTERS = "abcdefghijklmnopqrstuvwxyz"
VOCABULARY = [
    "[PAD]", "[UNK]", "[CLS]", "[SEP]", *LETTERS, *(f"##{letter}" for letter in LETTERS),
    *"重置密码我的订单在哪里今天气很好？。,.?",
]  # fmt: skip
TRANSFORMER = {"path": "", "type": "sentence_transformers.models.Transformer"}
POOLING = {"path": "1_Pooling", "type": "sentence_transformers.models.Pooling"}
NORMALIZE = {"path": "2_Normalize", "type": "sentence_transformers.models.Normalize"}
MEAN = {"pooling_mode_cls_token": False, "pooling_mode_mean_tokens": True}


@lru_cache(maxsize=1)
def minilm() -> Encoder:
    """The real all-MiniLM-L6-v2 on the CPU; skips the test where its package is not installed."""
    try:
        bundled_encoder_folder("minilm-l6")
    except ModelError as error:
        pytest.skip(f"{error.what} {error.mend}")
    return load_encoder("auto", device="cpu")


def tiny_bert(folder: Path, *, seed: int = 3) -> Path:
    """A BERT of two layers with seeded random weights that reads letters and a few characters."""
    folder.mkdir(parents=True, exist_ok=True)
    vocabulary = folder / "vocab.txt"
    vocabulary.write_text("\n".join(dict.fromkeys(VOCABULARY)), encoding="utf-8")
    tokenizer = transformers.BertTokenizer(
        vocab={token: place for place, token in enumerate(dict.fromkeys(VOCABULARY))},
        model_max_length=62,
    )
    config = transformers.BertConfig(
        vocab_size=len(VOCABULARY), hidden_size=32, intermediate_size=64, num_hidden_layers=2,
        num_attention_heads=4, max_position_embeddings=64, initializer_range=0.3, pad_token_id=0,
    )  # fmt: skip
    _save(folder, transformers.BertModel, config, tokenizer, seed)
    return folder


def tiny_roberta(folder: Path, *, seed: int = 3) -> Path:
    """Positions are counted from the id of padding on: padding on the left would move them."""
    from tokenizers import Tokenizer, models, pre_tokenizers, processors

    letters = {letter: place for place, letter in enumerate(["<s>", "<pad>", "</s>", *LETTERS])}
    core = Tokenizer(models.WordLevel(letters, unk_token="</s>"))
    core.pre_tokenizer = pre_tokenizers.Split("", "isolated")
    core.post_processor = processors.BertProcessing(("</s>", 2), ("<s>", 0))
    tokenizer = transformers.PreTrainedTokenizerFast(
        tokenizer_object=core, bos_token="<s>", pad_token="<pad>", eos_token="</s>",
        unk_token="</s>", model_max_length=62,
    )  # fmt: skip
    config = transformers.RobertaConfig(
        vocab_size=len(letters), hidden_size=32, intermediate_size=64, num_hidden_layers=2,
        num_attention_heads=4, max_position_embeddings=64, initializer_range=0.3, pad_token_id=1,
    )  # fmt: skip
    _save(folder, transformers.RobertaModel, config, tokenizer, seed)
    return folder


def describe(
    folder: Path,
    *,
    modules: list[dict[str, Any]] | None = None,
    pooling: dict[str, Any] | None = None,
    limits: dict[str, Any] | None = None,
    prompts: dict[str, Any] | None = None,
) -> Path:
    """Make a transformer's folder a sentence encoder's, as sentence-transformers writes it."""
    modules = [TRANSFORMER, POOLING, NORMALIZE] if modules is None else modules
    _write(folder / "modules.json", modules)
    _write(folder / "1_Pooling" / "config.json", MEAN if pooling is None else pooling)
    if limits is not None:
        _write(folder / "sentence_bert_config.json", limits)
    if prompts is not None:
        _write(folder / "config_sentence_transformers.json", prompts)
    return folder


def _save(folder: Path, kind: Any, config: Any, tokenizer: Any, seed: int) -> None:
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        model = kind(config)
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)


def _write(path: Path, content: Any) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(content), encoding="utf-8")
