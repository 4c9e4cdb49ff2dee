from __future__ import annotations

import copy

import numpy as np
import pytest
import torch

import tuneval.models.generation as generation_module
from tuneval.errors import ModelError, UsageError
from tuneval.models.decoding import Completion
from tuneval.models.generation import generate
from tuneval.models.packed_attention import PACKED_ATTENTION, use_packed_attention
from tuneval.runs.events import Finished, Step, Warned

STOP = 2


def naive_completion(model, prompt, *, max_new_tokens: int, stop_ids=(STOP,)) -> Completion:
    """transformers' own greedy generation of one prompt."""
    ids = torch.tensor([prompt])
    said = model.generate(
        ids,
        attention_mask=torch.ones_like(ids),
        max_new_tokens=max_new_tokens,
        do_sample=False,
        eos_token_id=list(stop_ids),
        pad_token_id=0,
    )[0, len(prompt) :].tolist()
    if said[-1] in stop_ids:
        return Completion(tuple(said[:-1]), "stop")
    return Completion(tuple(said), "length")


@pytest.fixture(scope="module")
def prompts() -> list[list[int]]:
    """Lengths from 1 to 70, most with a common beginning of 24 tokens, one twice."""
    source = np.random.default_rng(2)
    head = source.integers(3, 290, 24).tolist()
    made = [head + source.integers(3, 290, n).tolist() for n in (1, 5, 5, 17, 46)]
    return [*made, made[1], source.integers(3, 290, 9).tolist(), [7]]


@pytest.mark.parametrize("token_budget", [100, 4096])
def test_greedy_completions_equal_those_of_one_prompt_at_a_time(tiny_llama, prompts, token_budget):
    model = tiny_llama.model
    expected = [naive_completion(model, p, max_new_tokens=20) for p in prompts]
    stop_ids = {STOP, expected[0].ids[3], expected[4].ids[11]}  # so that rows end at odd moments
    expected = [naive_completion(model, p, max_new_tokens=20, stop_ids=stop_ids) for p in prompts]
    assert {c.finish_reason for c in expected} == {"stop", "length"}
    found = generate(
        model, prompts, stop_ids=stop_ids, max_new_tokens=20, token_budget=token_budget
    )
    assert found == expected


def test_rows_that_share_their_beginning_read_it_once(tiny_llama, prompts, monkeypatch):
    read = []
    real = type(tiny_llama.model).forward

    def counting(self, input_ids=None, **rest):
        read.append(tuple(input_ids.shape))
        return real(self, input_ids=input_ids, **rest)

    monkeypatch.setattr(type(tiny_llama.model), "forward", counting)
    generate(tiny_llama.model, prompts[:5], stop_ids=[STOP], max_new_tokens=1)
    assert read == [(1, 24), (5, 46)]


@pytest.mark.parametrize("family", ["gpt2", "gemma2", "gemma3", "granite", "lfm2"])
def test_greedy_completions_equal_the_naive_ones_in_every_family(family_model, prompts, family):
    model = family_model(family)
    found = generate(model, prompts, stop_ids=[STOP], max_new_tokens=24)
    assert found == [naive_completion(model, p, max_new_tokens=24) for p in prompts]


def test_greedy_completions_equal_the_naive_ones_on_the_real_model(smollm):
    asked = ["What is the capital of France?", "Say hello in one word.", "1 + 1 ="]
    prompts = [
        smollm.tokenizer.apply_chat_template(
            [{"role": "user", "content": text}], add_generation_prompt=True, return_dict=False
        )
        for text in asked
    ]
    found = generate(smollm.model, prompts, stop_ids=[STOP], max_new_tokens=12)
    assert found == [naive_completion(smollm.model, p, max_new_tokens=12) for p in prompts]
    assert "Paris" in smollm.tokenizer.decode(found[0].ids)


def test_each_completion_is_told_once_when_it_ends(tiny_llama, prompts):
    told, events = {}, []
    found = generate(
        tiny_llama.model,
        prompts,
        stop_ids=[STOP],
        max_new_tokens=4,
        token_budget=100,
        report=events.append,
        on_done=lambda index, completion: told.setdefault(index, []).append(completion),
    )
    assert [told[index] for index in range(len(prompts))] == [[c] for c in found]
    assert [e.done for e in events if isinstance(e, Step)] == list(range(1, len(prompts) + 1))
    assert isinstance(events[-1], Finished)


def test_samples_depend_on_seed_and_prompt_but_not_on_the_batch(tiny_llama, prompts):
    def sample(asked, *, seed, token_budget=4096):
        return generate(
            tiny_llama.model,
            asked,
            stop_ids=[STOP],
            max_new_tokens=12,
            temperature=0.9,
            top_p=0.95,
            seed=seed,
            token_budget=token_budget,
        )

    first = sample(prompts, seed=1)
    assert sample(prompts, seed=1, token_budget=90) == first
    assert sample(prompts[::-1], seed=1)[0] == first[-1]
    assert sample(prompts, seed=2) != first
    assert first[1] != first[5], "the same prompt asked twice is answered twice"


def test_out_of_memory_halves_the_budget_and_asks_only_what_has_no_answer(
    tiny_llama, prompts, monkeypatch
):
    real = generation_module.decode

    def failing(model, batch, **rest):
        for number, answer in enumerate(real(model, batch, **rest)):
            if len(batch) > 3 and number == 2:
                raise torch.OutOfMemoryError("CUDA out of memory.")
            yield answer

    expected = generate(tiny_llama.model, prompts, stop_ids=[STOP, 40, 41, 42], max_new_tokens=8)
    monkeypatch.setattr(generation_module, "decode", failing)
    told, events = [], []
    found = generate(
        tiny_llama.model,
        prompts,
        stop_ids=[STOP, 40, 41, 42],
        max_new_tokens=8,
        report=events.append,
        on_done=lambda index, _: told.append(index),
    )
    assert found == expected
    assert sorted(told) == list(range(len(prompts)))
    assert any(isinstance(event, Warned) for event in events)


def test_one_prompt_that_does_not_fit_is_an_error(tiny_llama, monkeypatch):
    def failing(model, batch, **rest):
        raise MemoryError
        yield

    monkeypatch.setattr(generation_module, "decode", failing)
    with pytest.raises(ModelError, match="one prompt of 3 tokens"):
        generate(tiny_llama.model, [[1, 2, 3]], stop_ids=[STOP])


def test_an_answer_ends_where_the_models_reading_ends(tiny_llama):
    model = copy.deepcopy(tiny_llama.model)
    model.config.max_position_embeddings = 10
    short, long = generate(model, [[5, 6], [5] * 9], stop_ids=[], max_new_tokens=4)
    assert (len(short.ids), short.finish_reason) == (4, "length")
    assert (len(long.ids), long.finish_reason) == (2, "length")


def test_prompts_that_leave_no_room_or_are_empty_are_refused(tiny_llama):
    with pytest.raises(ModelError, match="longer than the 2048 tokens"):
        generate(tiny_llama.model, [[1], [1] * 2049], stop_ids=[STOP])
    with pytest.raises(UsageError, match="1 prompts are empty"):
        generate(tiny_llama.model, [[1], []], stop_ids=[STOP])


def test_a_model_in_training_is_left_as_it_was(tiny_llama):
    model = copy.deepcopy(tiny_llama.model).train()
    use_packed_attention(model)
    (found,) = generate(model, [[5, 6, 7]], stop_ids=[STOP], max_new_tokens=3)
    assert found == naive_completion(tiny_llama.model, [5, 6, 7], max_new_tokens=3)
    assert model.training
    assert model.config._attn_implementation == PACKED_ATTENTION


def test_no_prompts_have_no_completions(tiny_llama):
    assert generate(tiny_llama.model, [], stop_ids=[STOP]) == []
