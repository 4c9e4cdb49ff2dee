from __future__ import annotations

import copy

import numpy as np
import peft
import pytest
import torch

import tuneval.models.likelihood as likelihood_module
from tuneval.errors import ModelError, UsageError
from tuneval.models.blocks import find_blocks
from tuneval.models.forward import Forward, _only_at, prepare
from tuneval.models.likelihood import Nll, Request, measure_likelihood, measure_nll, shards
from tuneval.models.methods import LoraConfig, attach
from tuneval.models.packed_attention import use_packed_attention
from tuneval.models.sequences import distinct_inputs, packed_rows
from tuneval.runs.events import Finished, Step, Warned

ARRANGEMENTS = ["packed", "padded"]


def assert_same(found, expected, *, tolerance: float = 1e-4) -> None:
    """Log-probabilities within the tolerance; the model's own choice but for near ties."""
    assert len(found) == len(expected)
    for ours, theirs in zip(found, expected, strict=True):
        np.testing.assert_allclose(ours.logprobs, theirs.logprobs, rtol=0, atol=tolerance)
        assert ours.argmax.tolist() == theirs.argmax.tolist()


@pytest.mark.parametrize("arrange", ARRANGEMENTS)
@pytest.mark.parametrize("token_budget", [64, 4096])
def test_likelihoods_equal_those_of_one_request_at_a_time(
    tiny_llama, requests, naive, arrange, token_budget
):
    model = tiny_llama.model
    found = measure_likelihood(model, requests, token_budget=token_budget, arrange=arrange)
    assert_same(found, naive(model, requests))


@pytest.mark.parametrize("arrange", ARRANGEMENTS)
@pytest.mark.parametrize("family", ["gpt2", "gemma2", "gemma3", "granite", "lfm2"])
def test_likelihoods_equal_the_naive_ones_in_every_family(
    family_model, requests, naive, family, arrange
):
    model = family_model(family)
    assert_same(measure_likelihood(model, requests, arrange=arrange), naive(model, requests))


@pytest.fixture(scope="module")
def conversations(smollm, naive):
    """Three conversations on the real model: the response after the prompt, and all of it."""
    texts = {
        "What is the capital of France?": "The capital of France is Paris.",
        "写一首关于秋天的短诗。": "秋风起，落叶黄。",
        "Hi": "Hello! How can I help?",
    }
    tokenizer = smollm.tokenizer
    asked = []
    for question, answer in texts.items():
        prompt = tokenizer.apply_chat_template(
            [{"role": "user", "content": question}], add_generation_prompt=True, return_dict=False
        )
        response = tokenizer(answer, add_special_tokens=False).input_ids
        asked += [Request(prompt, response), Request(prompt[:1], prompt[1:] + response)]
    return asked, naive(smollm.model, asked)


@pytest.mark.parametrize("arrange", ARRANGEMENTS)
def test_likelihoods_equal_the_naive_ones_on_the_real_model(smollm, conversations, arrange):
    asked, expected = conversations
    assert_same(measure_likelihood(smollm.model, asked, arrange=arrange), expected)


def test_double_precision_agrees_to_the_last_digits(tiny_llama, requests, naive):
    model = copy.deepcopy(tiny_llama.model).double()
    found = measure_likelihood(model, requests)
    assert found[0].logprobs.dtype == np.float64
    assert_same(found, naive(model, requests), tolerance=1e-10)


@pytest.mark.parametrize("arrange", ARRANGEMENTS)
def test_an_attached_adapter_takes_part(tiny_llama, requests, naive, arrange):
    model = attach(copy.deepcopy(tiny_llama.model), LoraConfig(rank=4))
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if "lora_B" in name:
                parameter.normal_(std=0.05)
    plain = naive(tiny_llama.model, requests)
    found = measure_likelihood(model, requests, arrange=arrange)
    assert_same(found, naive(model, requests))
    assert np.abs(found[0].logprobs - plain[0].logprobs).max() > 1e-2


@pytest.mark.parametrize(
    "config",
    [
        peft.PromptTuningConfig(task_type="CAUSAL_LM", num_virtual_tokens=5),
        peft.PrefixTuningConfig(task_type="CAUSAL_LM", num_virtual_tokens=5),
    ],
    ids=lambda config: config.peft_type.value,
)
def test_virtual_tokens_do_not_shift_what_is_read(tiny_llama, requests, naive, config):
    with torch.random.fork_rng():
        torch.manual_seed(1)
        model = peft.get_peft_model(copy.deepcopy(tiny_llama.model), config).eval()
    assert_same(measure_likelihood(model, requests), naive(model, requests))


@pytest.mark.parametrize(
    ("family", "split", "packed"),
    [
        ("gpt2", True, True),
        ("gemma2", True, False),  # capped attention
        ("gemma3", True, True),
        ("granite", False, True),  # scaled logits
        ("lfm2", True, False),  # convolutions across the texts of a row
    ],
)
def test_shortcuts_are_taken_only_where_they_hold(family_model, requests, family, split, packed):
    inputs = distinct_inputs(requests)
    with prepare(family_model(family), inputs[0].ids, inputs[-1].ids, packed=True) as forward:
        assert (forward.is_split, forward.is_packed) == (split, packed)


def test_each_result_is_told_once_as_it_is_known(tiny_llama, requests):
    told = {}
    events = []
    found = measure_likelihood(
        tiny_llama.model,
        requests,
        token_budget=128,
        report=events.append,
        on_result=lambda index, result: told.setdefault(index, []).append(result),
    )
    assert sorted(told) == list(range(len(requests)))
    assert all(told[index] == [result] for index, result in enumerate(found))
    steps = [event for event in events if isinstance(event, Step)]
    assert len(steps) > 1
    assert steps[-1].done == steps[-1].total
    assert isinstance(events[-1], Finished)


def test_beginnings_in_common_are_computed_once(tiny_llama, requests):
    events = []
    measure_likelihood(tiny_llama.model, requests, arrange="packed", report=events.append)
    values = events[-1].values
    assert values["computed"] < 0.7 * sum(len(r.context) + len(r.target) for r in requests)


@pytest.mark.parametrize("arrange", ARRANGEMENTS)
def test_out_of_memory_halves_the_budget_and_goes_on(
    tiny_llama, requests, naive, monkeypatch, arrange
):
    real = Forward.answer

    def failing(self, batch, positions, wanted):
        if batch.input_ids.numel() > 200:
            raise torch.OutOfMemoryError("CUDA out of memory.")
        return real(self, batch, positions, wanted)

    monkeypatch.setattr(Forward, "answer", failing)
    events, told = [], []
    found = measure_likelihood(
        tiny_llama.model,
        requests,
        arrange=arrange,
        report=events.append,
        on_result=lambda index, _: told.append(index),
    )
    assert_same(found, naive(tiny_llama.model, requests))
    assert sorted(told) == list(range(len(requests)))
    assert any(isinstance(event, Warned) for event in events)


def test_one_sequence_that_does_not_fit_is_an_error_with_its_length(tiny_llama, monkeypatch):
    def failing(*_):
        raise RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried 9 bytes")

    monkeypatch.setattr(likelihood_module, "_answers", failing)
    with pytest.raises(ModelError, match="one sequence of 4 tokens"):
        measure_likelihood(tiny_llama.model, [Request([1, 2, 3], [4, 5])])


def test_another_error_is_not_taken_for_lack_of_memory(tiny_llama, monkeypatch):
    def failing(*_):
        raise RuntimeError("shapes do not match")

    monkeypatch.setattr(likelihood_module, "_answers", failing)
    with pytest.raises(RuntimeError, match="shapes"):
        measure_likelihood(tiny_llama.model, [Request([1, 2, 3], [4, 5])])


def test_numbers_that_overflow_are_no_likelihoods(tiny_llama, requests):
    model = copy.deepcopy(tiny_llama.model)
    with torch.no_grad():
        model.model.layers[1].mlp.down_proj.weight[3] = float("nan")
    with pytest.raises(ModelError, match="NaN"):
        measure_likelihood(model, requests)


def feed_forward_positions(model, monkeypatch) -> list[int]:
    """At how many positions the last feed-forward worked, pass by pass."""
    module = find_blocks(model)[-1].feed_forward
    real, seen = module.forward, []

    def counting(hidden):
        seen.append(hidden.shape[:-1].numel())
        return real(hidden)

    monkeypatch.setattr(module, "forward", counting)
    return seen


@pytest.mark.parametrize(
    "family", [None, "gpt2", "gemma2", "gemma3", "lfm2", "qwen3", "glm", "opt", "mixtral"]
)
def test_the_last_feed_forward_works_only_where_something_is_asked(
    tiny_llama, family_model, naive, monkeypatch, family
):
    model = tiny_llama.model if family is None else family_model(family)
    source = np.random.default_rng(7)
    contexts = [source.integers(3, 290, 30).tolist() for _ in range(6)]
    asked = [Request(context, [5, 6]) for context in contexts]
    expected, seen = naive(model, asked), feed_forward_positions(model, monkeypatch)
    assert_same(measure_likelihood(model, asked), expected)
    assert seen[-1] == 2 * len(asked)


class LooksBack(torch.nn.Module):
    """A feed-forward that also minds the position before."""

    def __init__(self, inner: torch.nn.Module) -> None:
        super().__init__()
        self.inner = inner

    def forward(self, hidden: torch.Tensor) -> torch.Tensor:
        return self.inner(hidden) + torch.nn.functional.pad(hidden, (0, 0, 1, 0))[:, :-1]


def test_a_feed_forward_that_minds_other_positions_works_everywhere(
    tiny_llama, requests, naive, monkeypatch
):
    model = copy.deepcopy(tiny_llama.model)
    model.model.layers[-1].mlp = LooksBack(model.model.layers[-1].mlp)
    assert_same(measure_likelihood(model, requests), naive(model, requests))


class Told(torch.nn.Module):
    """A feed-forward that also tells how its experts were chosen, or is told what was before."""

    def __init__(self, inner: torch.nn.Module) -> None:
        super().__init__()
        self.inner = inner

    def forward(self, hidden: torch.Tensor) -> tuple[torch.Tensor, str]:
        return self.inner(hidden), "scores"


@pytest.mark.parametrize("given", [1, 2])
def test_what_a_feed_forward_is_given_and_gives_may_be_more(given):
    inner = torch.nn.Linear(4, 4)
    module = Told(inner)
    hidden, where = torch.randn(2, 5, 4), torch.tensor([3, 7])
    with torch.no_grad(), _only_at(where, module):
        if given == 2:
            module.forward = lambda hidden, residual: (inner(hidden) + residual, "scores")
        found, told = module(*[hidden] * given)
        whole = inner(hidden) + (given - 1) * hidden
    assert (found.shape, told) == (hidden.shape, "scores")
    torch.testing.assert_close(found.flatten(0, 1)[where], whole.flatten(0, 1)[where])
    assert bool((found.flatten(0, 1)[0] == 0).all()) is (given == 1)
    assert not module._forward_hooks


def test_the_model_is_left_as_it_was(tiny_llama, requests):
    model = attach(copy.deepcopy(tiny_llama.model), LoraConfig()).train()
    base = model.get_base_model()
    assert use_packed_attention(base)
    attention = base.config._attn_implementation
    measure_likelihood(model, requests)
    assert model.training
    assert base.config._attn_implementation == attention
    assert any(parameter.requires_grad for parameter in model.parameters())


def test_a_request_without_target_gets_an_empty_answer(tiny_llama):
    (found,) = measure_likelihood(tiny_llama.model, [Request([1, 2], [])])
    assert found.logprobs.shape == found.argmax.shape == (0,)


def test_a_request_without_context_is_refused(tiny_llama):
    with pytest.raises(UsageError, match="1 requests have no context"):
        measure_likelihood(tiny_llama.model, [Request([1], [2]), Request([], [2])])


def test_requests_longer_than_the_model_reads_are_refused_by_number(tiny_llama):
    fits = Request([1] * 2000, [2] * 49)
    too_long = Request([1] * 2000, [2] * 50)
    with pytest.raises(ModelError, match="longer than the 2048 tokens") as caught:
        measure_likelihood(tiny_llama.model, [fits, too_long])
    assert caught.value.where == "requests 1"


def passes_of(model, requests, **more) -> list[list[tuple[int, Nll]]]:
    """What `measure_nll` tells, pass by pass."""
    told: list[list[tuple[int, Nll]]] = []
    measure_nll(model, requests, on_batch=lambda answers: told.append(list(answers)), **more)
    return told


def one_by_one(passes) -> dict[int, Nll]:
    """By request; each is told once."""
    answers = [answer for told in passes for answer in told]
    assert len(answers) == len(dict(answers))
    return dict(answers)


@pytest.mark.parametrize("arrange", ARRANGEMENTS)
@pytest.mark.parametrize("batch_size", [1, 3])
def test_a_batch_size_bounds_the_inputs_of_a_pass(tiny_llama, requests, arrange, batch_size):
    model, most = tiny_llama.model, []
    real = Forward.batch

    def counting(self, row):
        most.append(len(row.inputs))
        return real(self, row)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Forward, "batch", counting)
        passes = passes_of(model, requests, arrange=arrange, batch_size=batch_size)
    assert max(most) == batch_size
    found, expected = one_by_one(passes), one_by_one(passes_of(model, requests, arrange=arrange))
    assert found.keys() == expected.keys()
    for index, nll in found.items():
        assert nll.total == pytest.approx(expected[index].total, abs=1e-3)


@pytest.mark.parametrize("arrange", ARRANGEMENTS)
@pytest.mark.parametrize("token_budget", [100, None])
def test_nll_is_the_sum_over_a_target_and_each_is_told_once(
    tiny_llama, requests, naive, arrange, token_budget
):
    passes = passes_of(tiny_llama.model, requests, arrange=arrange, token_budget=token_budget)
    assert len(passes) > (3 if token_budget else 1)
    found = one_by_one(passes)
    assert sorted(found) == list(range(len(requests)))
    for index, likelihood in enumerate(naive(tiny_llama.model, requests)):
        assert found[index].n_tokens == len(requests[index].target)
        expected = -likelihood.logprobs.sum(dtype=np.float64)
        assert found[index].total == pytest.approx(expected, abs=1e-3)


def test_nll_of_a_double_precision_model_is_exact(tiny_llama, requests, naive):
    model = copy.deepcopy(tiny_llama.model).double()
    found = one_by_one(passes_of(model, requests))
    for index, likelihood in enumerate(naive(model, requests)):
        assert found[index].total == pytest.approx(-likelihood.logprobs.sum(), rel=1e-12, abs=1e-9)


@pytest.mark.parametrize("arrange", ARRANGEMENTS)
def test_stopped_after_any_pass_it_ends_with_the_very_same_numbers(tiny_llama, requests, arrange):
    settings = {"arrange": arrange, "token_budget": 128}
    passes = passes_of(tiny_llama.model, requests, **settings)
    whole = one_by_one(passes)
    for n_done in range(len(passes) + 1):
        done = one_by_one(passes[:n_done])
        rest = one_by_one(passes_of(tiny_llama.model, requests, known=done.keys(), **settings))
        assert done | rest == whole
        assert not done.keys() & rest.keys()


@pytest.mark.parametrize("arrange", ARRANGEMENTS)
def test_passes_done_out_of_order_change_no_number_of_the_others(tiny_llama, requests, arrange):
    settings = {"arrange": arrange, "token_budget": 128}
    passes = passes_of(tiny_llama.model, requests, **settings)
    whole = one_by_one(passes)
    for done_passes in (passes[1:2], passes[2:3], passes[1::2], passes[::2], passes[3:]):
        done = one_by_one(done_passes)
        rest = one_by_one(passes_of(tiny_llama.model, requests, known=done.keys(), **settings))
        assert done | rest == whole


@pytest.mark.parametrize("arrange", ARRANGEMENTS)
def test_what_is_known_from_elsewhere_is_neither_told_nor_read_alone(tiny_llama, requests, arrange):
    """Known requests may share a pass, and even an input, with those that are not."""
    whole = one_by_one(passes_of(tiny_llama.model, requests, arrange=arrange))
    for known in ({0, 3, 5}, set(range(0, len(requests), 2)), {10}, set(range(1, len(requests)))):
        passes = passes_of(tiny_llama.model, requests, arrange=arrange, known=known)
        assert all(passes)
        found = one_by_one(passes)
        assert sorted(found) == sorted(set(range(len(requests))) - known)
        for index, nll in found.items():
            assert nll.total == pytest.approx(whole[index].total, abs=1e-3)


def test_where_all_is_known_the_model_is_not_asked(tiny_llama, requests, monkeypatch):
    def asked(*_, **__):
        raise AssertionError("the model was asked")

    monkeypatch.setattr(Forward, "answer", asked)
    known = range(len(requests))
    assert passes_of(tiny_llama.model, requests, known=known) == []


@pytest.mark.parametrize("arrange", ARRANGEMENTS)
def test_what_is_known_in_part_is_read_in_the_very_same_passes(
    tiny_llama, requests, arrange, monkeypatch
):
    """A question may have been answered in half when a run was killed."""
    laid_out, real = [], Forward.batch

    def noting(self, row):
        laid_out.append([item.ids.tolist() for item in row.inputs] + [row.n_shared])
        return real(self, row)

    settings = {"arrange": arrange, "token_budget": 128}
    whole = one_by_one(passes_of(tiny_llama.model, requests, **settings))
    monkeypatch.setattr(Forward, "batch", noting)
    passes_of(tiny_llama.model, requests, **settings)
    passes, laid_out[:] = laid_out.copy(), []
    for known in ({0, 3, 5}, set(range(0, len(requests), 2)), set(range(1, len(requests)))):
        found = one_by_one(
            passes_of(tiny_llama.model, requests, known=known, whole=True, **settings)
        )
        assert found == {index: nll for index, nll in whole.items() if index not in known}
    assert all(row in passes for row in laid_out)


def test_known_inputs_are_left_out_of_what_is_read(tiny_llama, requests):
    events = []
    passes_of(tiny_llama.model, requests, known={15, 16, 18}, report=events.append)
    fewer = events[-1].values
    passes_of(tiny_llama.model, requests, report=events.append)
    assert fewer["inputs"] < events[-1].values["inputs"]
    assert fewer["tokens"] < events[-1].values["tokens"]


def test_passes_of_which_all_is_known_are_left_out(tiny_llama, requests):
    events = []
    passes = passes_of(tiny_llama.model, requests, token_budget=128, report=events.append)
    known = one_by_one(passes[:2]).keys()
    all_ = events[-1].values
    passes_of(tiny_llama.model, requests, token_budget=128, known=known, report=events.append)
    assert events[-1].values["inputs"] < all_["inputs"]
    assert events[-1].values["tokens"] < all_["tokens"]


@pytest.mark.parametrize("arrange", ARRANGEMENTS)
def test_likelihoods_that_are_known_are_not_told(tiny_llama, requests, arrange):
    settings = {"arrange": arrange, "token_budget": 128}
    whole, told = measure_likelihood(tiny_llama.model, requests, **settings), []
    found = measure_likelihood(
        tiny_llama.model,
        requests,
        known={0, 7, 15},
        on_result=lambda index, _: told.append(index),
        **settings,
    )
    left = [index for index in range(len(requests)) if index not in {0, 7, 15}]
    assert sorted(told) == left
    for ours, index in zip(found, left, strict=True):
        assert ours.logprobs.tolist() == whole[index].logprobs.tolist()


@pytest.mark.parametrize("n_tokens", [1, 150, 10_000])
@pytest.mark.parametrize("known", [(), (0, 1, 2, 15), range(3, 20)], ids=["none", "few", "most"])
def test_shards_hold_what_is_not_known_in_the_rows_it_would_have(
    tiny_llama, requests, n_tokens, known
):
    parts = shards(requests, n_tokens=n_tokens, known=known, token_budget=128)
    held = [index for part in parts for index in part]
    assert len(held) == len(set(held))
    assert set(held) >= set(range(len(requests))) - set(known)
    assert all(parts)
    whole = one_by_one(passes_of(tiny_llama.model, requests, token_budget=128))
    for part in parts:
        own = [requests[index] for index in part]
        found = one_by_one(passes_of(tiny_llama.model, own, token_budget=128))
        assert {part[i]: nll for i, nll in found.items()} == {i: whole[i] for i in part}


def test_a_shard_never_reaches_across_a_row_that_is_left_out(tiny_llama, requests):
    """Rows on both sides of it would be laid out as one text of rows that never stood together."""
    rows = list(packed_rows(distinct_inputs(requests), 128))
    whole = one_by_one(passes_of(tiny_llama.model, requests, token_budget=128))
    for row in rows[1:-1]:
        known = {reading.request for item in row.inputs for reading in item.readings}
        parts = shards(requests, n_tokens=10_000, known=known, token_budget=128)
        assert len(parts) == 2
        for part in parts:
            own = [requests[index] for index in part]
            found = one_by_one(passes_of(tiny_llama.model, own, token_budget=128))
            assert {part[i]: nll for i, nll in found.items()} == {i: whole[i] for i in part}


def test_shards_are_as_long_as_asked_in_whole_rows(requests):
    rows = list(packed_rows(distinct_inputs(requests), 128))
    n_parts = [len(shards(requests, n_tokens=n, token_budget=128)) for n in (1, 150, 10_000)]
    assert n_parts[0] == len(rows)
    assert n_parts[0] > n_parts[1] > n_parts[2] == 1


def test_nothing_unknown_needs_no_shard(requests):
    assert shards(requests, n_tokens=100, known=range(len(requests))) == []
    assert shards([], n_tokens=100) == []
    assert shards([Request([1, 2], [])], n_tokens=100) == [[0]]
