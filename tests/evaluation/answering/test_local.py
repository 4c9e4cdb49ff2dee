"""A model asked in this process: every way of answering against the plainest there is."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

import tuneval.evaluation.answering.measuring as measuring_module
from tuneval.data.example import Message
from tuneval.errors import UsageError
from tuneval.evaluation.answering.kept import ELAPSED, Kept
from tuneval.evaluation.answering.local import LocalRespondent, measure_of, open_local
from tuneval.evaluation.config import EvaluateConfig
from tuneval.evaluation.question import Question
from tuneval.models import generation
from tuneval.runs.events import Finished, ItemDone, Started

MEASURED = ("seconds", "seconds_to_first", "peak_memory_bytes", "energy_joules")
HEAD = "It is 7. 7 is a number. What is 7 plus 7? The answer is 7.\n"
QUESTIONS = [
    Question(
        id=f"choose {n}",
        source="x",
        way="choose",
        head=HEAD,
        shots=("Where is my order?\n",) * 3,
        prompt=f"What is {n} plus {n}?",
        choices=(" A", " yes", " 3 is a number", f" {n}"),
        gold=(1,),
    )
    for n in range(5)
]
QUESTIONS += [
    Question(id=f"write {n}", source="x", way="generate", prompt=(Message("user", f"{n}?"),),
             max_new_tokens=4 + n)
    for n in range(3)
]  # fmt: skip
QUESTIONS += [
    Question(id=f"read {n}", source="x", way="read", prompt=HEAD * (n + 1)) for n in range(2)
]


@pytest.fixture
def respondent(tiny_llama):
    return LocalRespondent(tiny_llama)


@pytest.fixture
def answers(respondent, tmp_path):
    """A function that asks questions and gives the rows by id."""

    def asked(questions, *, name="answers.jsonl", report=lambda event: None, **config):
        ready = respondent.prepare(questions, EvaluateConfig(**config))
        kept = Kept(tmp_path / name, wanted=ready.asked.keys())
        respondent.answer(ready, kept=kept, stage="answers", report=report)
        return kept.rows

    return asked


def naive(model, context, target) -> float:
    """Log-probability of target ids after context ids, one forward pass of the whole model."""
    ids = torch.tensor([[*context, *target]])
    with torch.no_grad():
        logprobs = model(input_ids=ids).logits[0].double().log_softmax(-1)
    start = len(context)
    return sum(float(logprobs[start + n - 1, token]) for n, token in enumerate(target))


def test_every_way_of_answering_equals_the_plain_model(answers, tiny_llama):
    rows = answers(QUESTIONS, max_length=40)
    tokenizer, model = tiny_llama.tokenizer, tiny_llama.model
    assert set(rows) == {question.id for question in QUESTIONS}
    for question in QUESTIONS[:5]:
        row = rows[question.id]
        context = tokenizer.encode(row["prompt"])
        targets = [tokenizer.encode(row["prompt"] + c)[len(context) :] for c in question.choices]
        assert row["way"] == "choose"
        assert row["choice_tokens"] == [len(target) for target in targets]
        expected = [naive(model, context, target) for target in targets]
        assert row["logprobs"] == pytest.approx(expected, abs=1e-4)
    for question in QUESTIONS[8:]:
        row = rows[question.id]
        ids = tokenizer.encode(question.prompt)
        assert (row["way"], row["n_tokens"]) == ("read", len(ids))
        cut = [[tokenizer.bos_token_id, *ids[:40]]]
        expected = naive(model, cut[0][:1], cut[0][1:])
        for start in range(40, len(ids), 40):
            end = min(start + 40, len(ids))
            expected += naive(model, ids[end - 41 : start], ids[start:end])
        assert row["nll"] == pytest.approx(-expected, abs=1e-3)


def test_an_answer_is_the_models_own_and_tells_its_tokens_and_seconds(answers, tiny_llama):
    rows = answers(QUESTIONS[5:8])
    for n, question in enumerate(QUESTIONS[5:8]):
        row = rows[question.id]
        text = f"<|im_start|>user\n{n}?<|im_end|>\n<|im_start|>assistant\n"
        assert row["prompt"] == text
        ids = torch.tensor([tiny_llama.tokenizer.encode(text)])
        said = tiny_llama.model.generate(
            ids,
            attention_mask=torch.ones_like(ids),
            do_sample=False,
            max_new_tokens=question.max_new_tokens,
        )[0, ids.shape[1] :]
        assert row["predict"] == tiny_llama.tokenizer.decode(said, skip_special_tokens=True)
        assert (row["finish_reason"], row["n_tokens"]) == ("length", question.max_new_tokens)
        assert 0 < row["seconds_to_first"] < row["seconds"]
        assert row["way"] == "generate"


def test_an_answer_ends_before_its_stop_text(answers):
    free = answers([replace(QUESTIONS[5], max_new_tokens=20)])["write 0"]["predict"]
    stop = free[5:7]
    row = answers(
        [replace(QUESTIONS[5], max_new_tokens=20, stop=("never said", stop))], name="stopped.jsonl"
    )["write 0"]
    assert row["predict"] == free[: free.index(stop)]
    assert row["finish_reason"] == "stop"
    assert row["n_tokens"] < 20


def test_what_is_kept_is_not_asked_again_and_the_rest_is_answered_as_it_would_have_been(
    answers, tmp_path, monkeypatch
):
    monkeypatch.setattr(measuring_module, "QUESTIONS_AT_ONCE", 2)
    whole = answers(QUESTIONS, token_budget=64)
    lines = (tmp_path / "answers.jsonl").read_bytes().splitlines(keepends=True)
    for n_left in range(len(lines)):
        path = tmp_path / f"killed-{n_left}.jsonl"
        path.write_bytes(b"".join(lines[:n_left]) + lines[n_left][: len(lines[n_left]) // 2])
        events = []
        rows = answers(QUESTIONS, name=path.name, token_budget=64, report=events.append)
        assert sum(isinstance(event, ItemDone) for event in events) == len(lines) - n_left
        for name, row in rows.items():
            assert _lasting(row) == _lasting(whole[name])
    answered_again = []
    answers(QUESTIONS, token_budget=64, report=answered_again.append)
    assert not any(isinstance(event, ItemDone) for event in answered_again)


def _lasting(row):
    """What depends neither on the clock nor on the machine."""
    return {k: v for k, v in row.items() if k not in (ELAPSED, *MEASURED)}


def test_progress_is_told_item_by_item(answers):
    events = []
    answers(QUESTIONS, report=events.append)
    assert (events[0].total, type(events[0])) == (len(QUESTIONS), Started)
    done = [event for event in events if isinstance(event, ItemDone)]
    assert [event.done for event in done] == list(range(1, len(QUESTIONS) + 1))
    assert {event.total for event in done} == {len(QUESTIONS)}
    assert isinstance(events[-1], Finished)


def test_a_batch_size_bounds_what_is_worked_on_at_a_time_in_every_way(answers, batch_sizes):
    read, written = batch_sizes
    whole = answers(QUESTIONS)
    assert max(read) > 2
    assert max(written) > 2
    read.clear()
    written.clear()
    few = answers(QUESTIONS, name="few.jsonl", batch_size=2)
    assert (max(read), max(written)) == (2, 2)
    assert {n: r.get("predict") for n, r in few.items()} == {
        n: r.get("predict") for n, r in whole.items()
    }


@pytest.mark.parametrize("temperature", [0.0, 0.9])
def test_answers_do_not_depend_on_the_batch(respondent, answers, temperature):
    """Those that are kept, with the same prompt asked twice."""
    again = replace(QUESTIONS[6], id="write again")
    asked, config = [*QUESTIONS, again], {"temperature": temperature}
    rows = answers(asked, **config)
    ready = respondent.prepare(asked, EvaluateConfig(**config))
    found = respondent.check_invariance(ready, rows)
    assert (found.n_items, found.n_changed) == (11, 0)
    assert found.details == {"choose": 5, "read": 2, "generate": 4}
    assert 0 <= found.largest < 1e-4
    assert respondent.check_invariance(ready, rows, n_items=4).n_items == 4
    assert respondent.check_invariance(ready, {}) is None


def test_only_what_is_checked_is_written_again(respondent, answers, monkeypatch):
    rows, counts, real = answers(QUESTIONS[5:8]), [], generation.generate

    def counting(model, prompts, *, known, **rest):
        counts.append(len(prompts) - len(known))
        return real(model, prompts, known=known, **rest)

    monkeypatch.setattr(generation, "generate", counting)
    ready = respondent.prepare(QUESTIONS[5:8], EvaluateConfig())
    assert respondent.check_invariance(ready, rows, n_items=2).n_items == 2
    assert counts == [2, 1, 1]


def test_the_answers_that_are_kept_are_what_is_checked(respondent, answers):
    rows = answers(QUESTIONS[:5])
    row = rows["choose 2"]
    rows["choose 2"] = row | {"logprobs": [value - 0.25 for value in row["logprobs"]]}
    found = respondent.check_invariance(respondent.prepare(QUESTIONS, EvaluateConfig()), rows)
    assert (found.n_items, found.n_changed) == (5, 0)
    assert found.largest == pytest.approx(0.25, abs=1e-4)


def test_weights_that_are_read_from_their_file_only_now_count_once(tmp_path):
    n_bytes = 2**26
    path = tmp_path / "weights"
    path.write_bytes(b"\0" * n_bytes)
    weight = torch.from_file(str(path), size=n_bytes // 4, dtype=torch.float32)
    model = torch.nn.Module()
    model.weight = torch.nn.Parameter(weight)
    model.device, model.get_memory_footprint = torch.device("cpu"), lambda: n_bytes
    measure = measure_of(model)
    assert model.weight.sum() == 0
    if (taken := measure().get("peak_memory_bytes")) is None:
        pytest.skip("not Linux: nobody tells how much memory a process has")
    assert n_bytes <= taken < 1.5 * n_bytes


def test_facts_name_the_model_by_content(respondent, tiny_llama, tiny_llama_folder):
    facts = respondent.facts
    assert facts.model_hash == tiny_llama.hash
    assert (facts.precision, facts.template, facts.adapter) == ("float32", "tokenizer", None)
    assert facts.ways == {"choose", "generate", "read"}
    other = LocalRespondent(tiny_llama, template="plain").facts
    assert other.template_hash != facts.template_hash
    assert other.tokenizer_hash == facts.tokenizer_hash
    with open_local(str(tiny_llama_folder), device="cpu", precision="bfloat16") as opened:
        assert opened.facts.precision == "bfloat16"
        assert opened.facts.template_hash == facts.template_hash
    with pytest.raises(UsageError, match="closed"):
        opened.prepare([], EvaluateConfig())


def test_a_tokenizer_without_a_chat_template_can_be_asked_by_text(tiny_llama, monkeypatch):
    monkeypatch.setattr(tiny_llama.tokenizer, "chat_template", None)
    respondent = LocalRespondent(tiny_llama)
    assert (respondent.facts.template, respondent.facts.template_hash) == ("none", None)
    assert list(respondent.prepare(QUESTIONS[:1], EvaluateConfig()).asked) == ["choose 0"]
    with pytest.raises(UsageError, match="no chat template"):
        respondent.prepare(QUESTIONS[5:6], EvaluateConfig())
