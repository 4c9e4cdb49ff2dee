"""Virtual tokens in front of the input: the same numbers as peft's own forward, one at a time."""

from __future__ import annotations

import copy

import numpy as np
import peft
import pytest
import torch
import transformers

import tuneval.models.decoding as decoding_module
import tuneval.models.generation as generation_module
import tuneval.models.virtual_tokens as virtual_tokens_module
from tuneval.errors import ModelError
from tuneval.models.answer import Completion
from tuneval.models.forward import evaluating, prepare
from tuneval.models.generation import generate
from tuneval.models.likelihood import Request, measure_likelihood
from tuneval.models.methods import (
    PrefixConfig,
    PromptConfig,
    PTuningConfig,
    PTuningV2Config,
    attach,
)
from tuneval.models.sequences import distinct_inputs
from tuneval.models.virtual_tokens import (
    VirtualTokens,
    flat_states,
    read_states,
    states_shape,
    virtual_tokens,
)

STOP = 2
METHODS = {
    "prompt": PromptConfig(virtual_tokens=6),
    "p_tuning": PTuningConfig(virtual_tokens=6, encoder_hidden_size=16),
    "lstm": PTuningConfig(virtual_tokens=6, encoder="lstm", encoder_hidden_size=16),
    "prefix": PrefixConfig(virtual_tokens=6, encoder_hidden_size=16),
    "p_tuning_v2": PTuningV2Config(virtual_tokens=6),
}
EVERY_METHOD = pytest.mark.parametrize("method", METHODS.values(), ids=METHODS)
BOTH_KINDS = pytest.mark.parametrize(
    "method", [METHODS["p_tuning"], METHODS["p_tuning_v2"]], ids=["embeddings", "states"]
)


def qwen3():
    """Heads whose size is not the model's width divided by their number."""
    config = transformers.Qwen3Config(
        vocab_size=300, hidden_size=64, intermediate_size=128, num_hidden_layers=2,
        num_attention_heads=4, num_key_value_heads=2, head_dim=24, max_position_embeddings=256,
        initializer_range=0.2,
    )  # fmt: skip
    return transformers.Qwen3ForCausalLM(config)


def opt():
    """Positions that begin at two."""
    config = transformers.OPTConfig(
        vocab_size=300, hidden_size=64, ffn_dim=128, num_hidden_layers=2, num_attention_heads=4,
        max_position_embeddings=256, word_embed_proj_dim=64, init_std=0.2,
    )  # fmt: skip
    return transformers.OPTForCausalLM(config)


@pytest.fixture
def tuned(family_model, tiny_llama):
    """A function: a family's model with a method attached, as after a training."""

    def make(method, family="llama"):
        with torch.random.fork_rng():
            torch.manual_seed(3)
            if family in ("qwen3", "opt"):
                model = {"qwen3": qwen3, "opt": opt}[family]().eval()
            else:
                base = tiny_llama.model if family == "llama" else family_model(family)
                model = copy.deepcopy(base)
            return attach(model, method, tiny_llama.tokenizer).eval()

    return make


def assert_same(found, expected, tolerance=2e-4):
    for ours, theirs in zip(found, expected, strict=True):
        np.testing.assert_allclose(ours.logprobs, theirs.logprobs, rtol=0, atol=tolerance)
        np.testing.assert_array_equal(ours.argmax, theirs.argmax)


def greedy(model, prompt: list[int], *, max_new_tokens: int) -> Completion:
    """The whole of peft's forward again for every token."""
    said: list[int] = []
    while len(said) < max_new_tokens:
        ids = torch.tensor([[*prompt, *said]])
        with torch.no_grad():
            logits = model(input_ids=ids, attention_mask=torch.ones_like(ids)).logits
        token = int(logits[0, -1].argmax())
        if token == STOP:
            return Completion(tuple(said), "stop")
        said.append(token)
    return Completion(tuple(said), "length")


@pytest.fixture(scope="module")
def prompts() -> list[list[int]]:
    """Lengths from 1 to 40, most with a common beginning of 20 tokens."""
    source = np.random.default_rng(2)
    head = source.integers(3, 290, 20).tolist()
    made = [head + source.integers(3, 290, n).tolist() for n in (1, 5, 5, 20)]
    return [*made, source.integers(3, 290, 9).tolist(), [7]]


@EVERY_METHOD
def test_likelihoods_are_those_of_pefts_own_forward(tuned, requests, naive, method):
    model = tuned(method)
    expected = naive(model, requests)
    for arrange in ("packed", "padded"):
        assert_same(measure_likelihood(model, requests, arrange=arrange), expected)
    plain = naive(model.get_base_model(), requests)
    assert np.abs(expected[0].logprobs - plain[0].logprobs).max() > 1e-2


@BOTH_KINDS
@pytest.mark.parametrize("family", ["gpt2", "gemma2", "gemma3", "granite", "qwen3", "opt"])
def test_likelihoods_are_pefts_in_every_family(tuned, requests, naive, method, family):
    model = tuned(method, family)
    assert_same(measure_likelihood(model, requests), naive(model, requests))


@BOTH_KINDS
@pytest.mark.parametrize(
    ("family", "packed", "split"),
    [
        ("llama", True, True),
        ("gemma2", False, False),  # capped attention: peft's own way
        ("gemma3", True, True),
        ("granite", True, False),  # scaled logits
        ("qwen3", True, True),
    ],
)
def test_rows_are_packed_wherever_they_are_without_virtual_tokens(
    tuned, requests, method, family, packed, split
):
    inputs = distinct_inputs(requests)
    model = tuned(method, family)
    with prepare(model, inputs[0].ids, inputs[-1].ids, packed=True) as forward:
        assert (forward.is_packed, forward.is_split) == (packed, split)


@EVERY_METHOD
def test_completions_are_those_of_pefts_own_forward(tuned, prompts, method):
    model = tuned(method)
    expected = [greedy(model, p, max_new_tokens=6) for p in prompts]
    assert generate(model, prompts, stop_ids=[STOP], max_new_tokens=6) == expected
    plain = generate(model.get_base_model(), prompts, stop_ids=[STOP], max_new_tokens=6)
    assert plain != expected


@BOTH_KINDS
@pytest.mark.parametrize("family", ["gpt2", "gemma2", "gemma3", "granite", "qwen3", "opt"])
def test_completions_are_pefts_in_every_family(tuned, prompts, method, family):
    # In Gemma a window of 16 tokens lies over the virtual tokens and prompts of many lengths.
    model = tuned(method, family)
    expected = [greedy(model, p, max_new_tokens=8) for p in prompts]
    assert generate(model, prompts, stop_ids=[STOP], max_new_tokens=8) == expected


@pytest.mark.parametrize(("family", "alone"), [("gemma3", True), ("llama", False)])
def test_under_a_window_no_padding_comes_between_virtual_tokens_and_a_prompt(
    tuned, prompts, family, alone, monkeypatch
):
    lengths = []
    real = decoding_module.decode

    def watched(model, batch, **rest):
        lengths.append({len(prompt.ids) for prompt in batch})
        return real(model, batch, **rest)

    monkeypatch.setattr(generation_module, "can_be_continuous", lambda *_: False)
    monkeypatch.setattr(decoding_module, "decode", watched)
    generate(tuned(METHODS["prefix"], family), prompts, stop_ids=[STOP], max_new_tokens=1)
    assert (max(map(len, lengths)) == 1) == alone


@BOTH_KINDS
def test_virtual_tokens_are_computed_once_for_all_that_is_measured(
    tuned, requests, prompts, method, monkeypatch
):
    model = tuned(method)
    made = []
    real = VirtualTokens._learnt

    def counting(self):
        made.append(1)
        return real(self)

    monkeypatch.setattr(VirtualTokens, "_learnt", counting)
    measure_likelihood(model, requests, token_budget=128)
    assert len(made) == 1
    generate(model, prompts, stop_ids=[STOP], max_new_tokens=2, token_budget=60)
    assert len(made) == 2


@EVERY_METHOD
def test_what_is_saved_gives_plain_peft_the_same_logits(tuned, tmp_path, tiny_llama, method):
    model = tuned(method)
    model.save_pretrained(str(tmp_path))
    plain = peft.PeftModel.from_pretrained(copy.deepcopy(tiny_llama.model), str(tmp_path)).eval()
    ids = torch.arange(5, 40)[None]
    with torch.no_grad():
        # torch computes an LSTM in another way where gradients are wanted.
        torch.testing.assert_close(plain(ids).logits, model(ids).logits, rtol=0, atol=1e-5)
    ours, theirs = (
        measure_likelihood(m, [Request([5, 6, 7], [8, 9])])[0].logprobs for m in (model, plain)
    )
    np.testing.assert_allclose(ours, theirs, rtol=0, atol=1e-6)


@pytest.mark.parametrize("family", ["llama", "gpt2", "gemma3", "qwen3"])
def test_states_of_real_tokens_as_a_prefix_are_those_tokens_in_front(tuned, tiny_llama, family):
    """P-tuning v2 that begins with a text says what the model says after that text."""
    method = PTuningV2Config(virtual_tokens=5, init="text", init_text="zq#x%&")
    model = tuned(method, family)
    text = tiny_llama.tokenizer(method.init_text, add_special_tokens=False).input_ids[:5]
    ids = [*range(5, 15)]
    expected = measure_likelihood(model.get_base_model(), [Request([*text, *ids], [40, 41])])
    assert_same(measure_likelihood(model, [Request(ids, [40, 41])]), expected)


def test_a_prompt_that_begins_as_a_text_is_that_text_in_front(tuned, tiny_llama):
    method = PromptConfig(virtual_tokens=9, init="text", init_text="Where is my order?")
    model = tuned(method)
    text = tiny_llama.tokenizer(method.init_text, add_special_tokens=False).input_ids
    assert 1 < len(text) < 9, "a shorter text is repeated"
    text = (text * 9)[:9]
    expected = measure_likelihood(model.get_base_model(), [Request([*text, 5, 6, 7], [40, 41])])
    assert_same(measure_likelihood(model, [Request([5, 6, 7], [40, 41])]), expected)


def test_a_prompt_begins_among_the_words_or_as_wide_as_they_are(tuned):
    model = tuned(PromptConfig(virtual_tokens=40))
    words = model.get_base_model().get_input_embeddings().weight
    (drawn,) = VirtualTokens(model).embeddings()
    assert all((words == token).all(1).any() for token in drawn)
    (numbers,) = VirtualTokens(tuned(PromptConfig(virtual_tokens=40, init="random"))).embeddings()
    assert not any((words == token).all(1).any() for token in numbers)
    assert numbers.std().item() == pytest.approx(words.std().item(), rel=0.05)


def test_states_survive_the_way_into_pefts_order_and_back(tuned):
    model = tuned(METHODS["p_tuning_v2"], "qwen3")
    weight = model.prompt_encoder["default"].embedding.weight
    assert torch.equal(flat_states(VirtualTokens(model).states()), weight)


def test_the_shape_of_states_is_that_of_keys_not_of_the_model(tuned, family_model):
    shape = states_shape(qwen3())
    assert (shape.layers, shape.heads, shape.head_dim) == (2, 2, 24)
    config = tuned(METHODS["prefix"], "qwen3").active_peft_config
    assert (config.num_attention_heads, config.token_dim, config.num_layers) == (2, 48, 2)
    shape = states_shape(family_model("gemma3"))
    assert (shape.layers, shape.heads, shape.head_dim) == (4, 1, 16)


def test_layers_whose_keys_differ_in_shape_take_no_prefix(tiny_llama, monkeypatch):
    layers = tuple((torch.zeros(1, heads, 1, 32),) * 2 for heads in (2, 4))
    monkeypatch.setattr(virtual_tokens_module, "read_states", lambda *_: layers)
    with pytest.raises(ModelError, match="2 heads of 32, 4 heads of 32"):
        states_shape(tiny_llama.model)


@pytest.mark.parametrize("method", [METHODS["prefix"], METHODS["p_tuning_v2"]])
def test_layers_without_keys_and_values_take_no_prefix(family_model, method):
    with pytest.raises(ModelError, match="Not every layer of this model has keys") as caught:
        attach(copy.deepcopy(family_model("lfm2")), method)
    assert "lora" in caught.value.mend


def test_where_layers_keep_a_state_likelihoods_are_pefts_and_generation_says_why_not(
    tuned, requests, naive
):
    model = tuned(METHODS["prompt"], "lfm2")
    assert_same(measure_likelihood(model, requests), naive(model, requests))
    with pytest.raises(ModelError, match="Not every layer"):
        generate(model, [[5, 6]], stop_ids=[STOP])


def test_more_virtual_tokens_than_the_model_reads_are_refused(tiny_llama):
    for method in (PromptConfig(virtual_tokens=2048), PrefixConfig(virtual_tokens=2048)):
        with pytest.raises(ModelError, match="reads 2048 tokens") as caught:
            attach(copy.deepcopy(tiny_llama.model), method)
        assert caught.value.where == "method.virtual_tokens"


def test_what_the_model_reads_is_less_by_the_virtual_tokens(tuned):
    model = tuned(METHODS["prefix"])
    with pytest.raises(ModelError, match="longer than the 2042 tokens"):
        generate(model, [[5] * 2043], stop_ids=[STOP])


def test_a_model_without_virtual_tokens_has_none(tiny_llama):
    assert virtual_tokens(tiny_llama.model) is None


def test_reading_states_needs_no_place_in_a_row_of_its_own(family_model):
    """Windows drop keys that a longer text would no longer see; read off are all of them."""
    model = family_model("gemma3")
    ids = torch.arange(3, 43)[None]
    with evaluating(model):
        states = read_states(model, model.get_input_embeddings()(ids))
    assert {keys.shape for keys, _ in states} == {(1, 1, 40, 16)}
