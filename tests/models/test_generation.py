from __future__ import annotations

import copy

import numpy as np
import pytest
import torch

import tuneval.models.continuous as continuous_module
import tuneval.models.decoding as decoding_module
import tuneval.models.generation as generation_module
from tuneval.errors import ModelError, UsageError
from tuneval.models.answer import Completion
from tuneval.models.continuous import can_be_continuous
from tuneval.models.forward import evaluating
from tuneval.models.generation import generate
from tuneval.models.packed_attention import PACKED_ATTENTION, use_packed_attention
from tuneval.models.slots import Slots
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


@pytest.mark.parametrize("family", [None, "gemma2"])
@pytest.mark.parametrize("batch_size", [1, 3])
def test_a_batch_size_bounds_the_answers_that_are_made_at_a_time(
    tiny_llama, family_model, prompts, monkeypatch, family, batch_size
):
    model = tiny_llama.model if family is None else family_model(family)
    module = continuous_module if family is None else decoding_module
    expected = generate(model, prompts, stop_ids=[STOP], max_new_tokens=8)
    rows, real = [], module.next_tokens

    def counting(logits, answers):
        rows.append(len(answers))
        return real(logits, answers)

    monkeypatch.setattr(module, "next_tokens", counting)
    found = generate(model, prompts, stop_ids=[STOP], max_new_tokens=8, batch_size=batch_size)
    assert found == expected
    assert max(rows) == batch_size


@pytest.fixture
def passes(tiny_llama, monkeypatch) -> list[int]:
    """The tokens of each pass through the model, the probe's left out."""
    counted: list[int] = []
    real = type(tiny_llama.model).forward

    def counting(self, input_ids=None, **rest):
        counted.append(input_ids.numel())
        return real(self, input_ids=input_ids, **rest)

    monkeypatch.setattr(generation_module, "can_be_continuous", lambda *_: True)
    monkeypatch.setattr(type(tiny_llama.model), "forward", counting)
    return counted


def test_prompts_that_share_their_beginning_read_it_once(tiny_llama, prompts, passes):
    generate(tiny_llama.model, prompts[:5], stop_ids=[STOP], max_new_tokens=1)
    assert passes == [24, 1 + 5 + 5 + 17 + 46]


def test_every_group_of_prompts_reads_its_own_beginning_once(tiny_llama, passes):
    source = np.random.default_rng(3)
    heads = [source.integers(3, 290, n).tolist() for n in (40, 30)]
    asked = [head + source.integers(3, 290, 6).tolist() for _ in range(3) for head in heads]
    found = generate(tiny_llama.model, asked, stop_ids=[STOP], max_new_tokens=1)
    assert sum(passes) == 40 + 30 + 6 * 6
    assert found == [naive_completion(tiny_llama.model, p, max_new_tokens=1) for p in asked]


def test_a_freed_place_is_taken_at_once(tiny_llama, prompts, passes):
    asked = [prompts[6], *([prompt] for prompt in range(5, 10))]
    limits = [20, 4, 4, 4, 4, 4]
    found = generate(tiny_llama.model, asked, stop_ids=[], max_new_tokens=limits, token_budget=60)
    assert len(passes) == 20, "five answers of four tokens are made beside one of twenty"
    assert [len(completion.ids) for completion in found] == limits
    alone = [
        naive_completion(tiny_llama.model, p, max_new_tokens=n, stop_ids=[])
        for p, n in zip(asked, limits, strict=True)
    ]
    assert found == alone


def test_more_places_are_made_when_the_longest_prompt_has_its_answer(tiny_llama, passes):
    asked = [[9] * 60, *([token] for token in range(5, 25))]
    found = generate(tiny_llama.model, asked, stop_ids=[], max_new_tokens=4, token_budget=128)
    # Two places of 64 tokens for four passes, then twenty-five of 5 for what is left.
    assert len(passes) == 8
    alone = [naive_completion(tiny_llama.model, p, max_new_tokens=4, stop_ids=[]) for p in asked]
    assert found == alone


def test_answers_in_the_making_move_to_the_new_places(tiny_llama):
    asked = [[9] * 60, *([token] for token in range(5, 15))]
    limits = [2] + [12] * 10
    found = generate(tiny_llama.model, asked, stop_ids=[], max_new_tokens=limits, token_budget=128)
    assert found == [
        naive_completion(tiny_llama.model, p, max_new_tokens=n, stop_ids=[])
        for p, n in zip(asked, limits, strict=True)
    ]


def test_many_long_prompts_are_read_a_pass_at_a_time(tiny_llama, passes):
    source = np.random.default_rng(4)
    asked = [source.integers(3, 290, 500).tolist() for _ in range(5)]
    found = generate(tiny_llama.model, asked, stop_ids=[], max_new_tokens=2, token_budget=9000)
    assert passes == [1000, 2 + 1000, 2 + 500, 1]
    assert found == [naive_completion(tiny_llama.model, p, max_new_tokens=2) for p in asked]


@pytest.mark.parametrize(
    ("family", "is_continuous"),
    [("gpt2", True), ("gemma3", True), ("qwen3", True), ("gemma2", False), ("lfm2", False)],
)
def test_only_models_with_plain_attention_answer_continuously(family_model, family, is_continuous):
    model = family_model(family)
    before = model.config._attn_implementation
    with evaluating(model):
        assert can_be_continuous(model, np.arange(3, 12, dtype=np.int32), ()) is is_continuous
    assert model.config._attn_implementation == before


def test_a_model_that_gives_other_logits_this_way_answers_in_batches(tiny_llama, monkeypatch):
    real = Slots.attend

    def warmer(self, layer, query, *rest, **options):
        return real(self, layer, 1.5 * query, *rest, **options)

    monkeypatch.setattr(Slots, "attend", warmer)
    model = copy.deepcopy(tiny_llama.model)  # one that was not tried yet
    with evaluating(model):
        assert not can_be_continuous(model, np.arange(3, 9, dtype=np.int32), ())


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


@pytest.mark.parametrize("family", [None, "gemma2"])
def test_out_of_memory_halves_the_budget_and_asks_only_what_has_no_answer(
    tiny_llama, family_model, prompts, monkeypatch, family
):
    model = tiny_llama.model if family is None else family_model(family)
    name = "decode_continuously" if family is None else "decode_in_batches"
    real = getattr(generation_module, name)
    budgets = []

    def failing(model, waiting, *, token_budget, **rest):
        budgets.append(token_budget)
        answers = real(model, waiting, token_budget=token_budget, **rest)
        for number, answer in enumerate(answers):
            if len(waiting) > 3 and number == 2:
                raise torch.OutOfMemoryError("CUDA out of memory.")
            yield answer

    stop_ids = [STOP, 40, 41, 42]
    expected = generate(model, prompts, stop_ids=stop_ids, max_new_tokens=8)
    monkeypatch.setattr(generation_module, name, failing)
    told, events = [], []
    found = generate(
        model,
        prompts,
        stop_ids=stop_ids,
        max_new_tokens=8,
        token_budget=4096,
        report=events.append,
        on_done=lambda index, _: told.append(index),
    )
    assert found == expected
    assert sorted(told) == list(range(len(prompts)))
    assert budgets[0] == 4096
    assert len(budgets) == 4
    assert budgets == sorted(budgets, reverse=True)
    assert sum(isinstance(event, Warned) for event in events) == 3


def test_one_prompt_that_does_not_fit_is_an_error(tiny_llama, monkeypatch):
    def failing(model, waiting, **rest):
        raise MemoryError
        yield

    monkeypatch.setattr(generation_module, "decode_continuously", failing)
    with pytest.raises(ModelError, match="one prompt of 3 tokens"):
        generate(tiny_llama.model, [[1, 2, 3]], stop_ids=[STOP])
    with pytest.raises(ModelError, match="one prompt of 3 tokens"):
        generate(tiny_llama.model, [[1, 2, 3], [1]], stop_ids=[STOP], max_new_tokens=2)


def test_answers_end_where_a_function_of_their_ids_says_so(tiny_llama, prompts):
    whole = generate(tiny_llama.model, prompts, stop_ids=[], max_new_tokens=9)
    asked: dict[int, list[int]] = {}

    def is_finished(index, ids):
        asked.setdefault(index, []).append(len(ids))
        return index == 2 and len(ids) == 4

    found = generate(
        tiny_llama.model, prompts, stop_ids=[], is_finished=is_finished, max_new_tokens=9
    )
    assert found[2] == Completion(whole[2].ids[:4], "stop")
    assert [found[i] for i in (0, 1, 3)] == [whole[i] for i in (0, 1, 3)]
    assert asked[2] == [1, 2, 3, 4]
    assert asked[0] == list(range(1, 10))


def test_limits_and_temperatures_may_differ_from_prompt_to_prompt(tiny_llama, prompts):
    asked = {"stop_ids": [], "seed": 3, "top_p": 0.9}
    mixed = generate(
        tiny_llama.model,
        prompts[:4],
        max_new_tokens=[3, 9, 5, 9],
        temperature=[0, 0.8, 0, 1.2],
        **asked,
    )
    for n, (limit, temperature) in enumerate([(3, 0.0), (9, 0.8), (5, 0.0), (9, 1.2)]):
        whole = generate(
            tiny_llama.model,
            prompts[:4],
            max_new_tokens=limit,
            temperature=temperature,
            **asked,
        )
        assert mixed[n] == whole[n]


def test_what_is_known_is_not_asked_and_changes_no_other_draw(tiny_llama, prompts):
    asked = {"stop_ids": [], "max_new_tokens": 6, "temperature": 1.0}
    whole = generate(tiny_llama.model, prompts, **asked)
    told = []
    left = generate(
        tiny_llama.model, prompts, known={0, 1, 4}, on_done=lambda i, _: told.append(i), **asked
    )
    assert sorted(told) == [2, 3, 5, 6, 7]
    assert left == [whole[i] for i in (2, 3, 5, 6, 7)]
    assert generate(tiny_llama.model, prompts, known=range(8), **asked) == []


def test_every_answer_tells_its_seconds(tiny_llama, prompts):
    for completion in generate(tiny_llama.model, prompts, stop_ids=[], max_new_tokens=5):
        assert 0 < completion.seconds_to_first < completion.seconds


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


@pytest.mark.parametrize("family", [None, "gemma2"])
def test_a_model_has_its_attention_back_as_soon_as_a_listener_fails(
    tiny_llama, family_model, prompts, family
):
    model = tiny_llama.model if family is None else family_model(family)
    before = model.config._attn_implementation

    def failing(*_):
        raise OSError("the disk is full")

    with pytest.raises(OSError, match="disk") as caught:  # who keeps the error keeps its frames
        generate(model, prompts, stop_ids=[STOP], max_new_tokens=2, on_done=failing)
    assert caught.tb is not None
    assert model.config._attn_implementation == before


def test_no_prompts_have_no_completions(tiny_llama):
    assert generate(tiny_llama.model, [], stop_ids=[STOP]) == []
