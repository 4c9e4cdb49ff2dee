"""An evaluation asks every item once, can be stopped anywhere, and counts what it leaves out."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tuneval.data.example import Example, Message, Source
from tuneval.errors import DataError, RunError, UsageError
from tuneval.evaluation import evaluate as verb
from tuneval.evaluation.config import EvaluateConfig, config_from
from tuneval.evaluation.evaluate import evaluate
from tuneval.evaluation.items import read_items
from tuneval.evaluation.metrics.likelihood import TEACHER_FORCED
from tuneval.evaluation.record import EvaluationResult
from tuneval.models import consumption
from tuneval.models.energy import Counter
from tuneval.models.load import load_model
from tuneval.runs.events import ItemDone, Warned, ignore
from tuneval.tokenization import load_template

CONFIG = EvaluateConfig(metrics=("exact_match", "bleu-4"), max_new_tokens=6)


def example(number: int, *, answer: str | None = "yes") -> Example:
    turns = [Message("user", f"Is {number} a number?")]
    if answer is not None:
        turns.append(Message("assistant", answer))
    return Example(tuple(turns), Source("held.jsonl", number + 1), f"g{number // 2}")


EXAMPLES = [example(n, answer=f"yes, {n} is") for n in range(6)]


@pytest.fixture(scope="module")
def loaded(tiny_llama_folder):
    return load_model(str(tiny_llama_folder))


def run(loaded, folder: Path, *, config=CONFIG, examples=EXAMPLES, report=ignore):
    return evaluate(
        config,
        loaded=loaded,
        examples=examples,
        folder=folder,
        name="small",
        template="chatml",
        report=report,
    )


def rows(path: Path) -> list[dict]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


class Stop(BaseException):
    """Stands for a kill: nothing catches it."""


def stop_after(stage: str, count: int):
    def report(event):
        if isinstance(event, ItemDone) and event.stage.endswith(stage) and event.done == count:
            raise Stop

    return report


def test_drawn_answers_depend_on_the_seed_alone(loaded, tmp_path):
    def answers(name: str, **changed) -> list[str]:
        drawn = CONFIG.model_copy(update={"temperature": 0.9, "top_p": 0.95, **changed})
        run(loaded, tmp_path / name, config=drawn)
        return [row["predict"] for row in rows(tmp_path / name / "generated_predictions.jsonl")]

    first = answers("first")
    assert answers("again", token_budget=16) == first
    assert answers("other-seed", seed=3) != first
    assert answers("greedy", temperature=0.0) != first


def test_a_folder_with_answers_drawn_otherwise_is_not_gone_on_with(loaded, tmp_path):
    run(loaded, tmp_path, config=CONFIG.model_copy(update={"temperature": 0.9}))
    with pytest.raises(RunError, match="its seed is 17, not 3"):
        run(loaded, tmp_path, config=CONFIG.model_copy(update={"temperature": 0.9, "seed": 3}))


def test_every_item_is_measured_answered_and_graded_in_the_data_s_order(loaded, tmp_path):
    result = run(loaded, tmp_path)
    items = read_items(tmp_path)
    assert [item.id for item in items] == [e.id for e in EXAMPLES]
    graded = {"exact_match", "bleu-4", "token_accuracy_sample_mean"}
    assert all(set(item.grades) == graded for item in items)
    predictions = rows(tmp_path / "generated_predictions.jsonl")
    assert [row["id"] for row in predictions] == [e.id for e in EXAMPLES]
    assert list(predictions[0])[:3] == ["prompt", "predict", "label"], "as LLaMA-Factory has them"
    assert predictions[0]["prompt"].endswith("assistant\n")
    assert predictions[0]["scores"] == items[0].grades
    assert result.metrics["exact_match"].estimate.n == 6
    assert result.counts["alignment_agrees"] == 6
    assert result.counts["independent_groups"] == 3
    assert EvaluationResult.load(tmp_path) == result


def test_predict_results_have_the_keys_people_know(loaded, tmp_path):
    result = run(loaded, tmp_path)
    values = json.loads((tmp_path / "predict_results.json").read_text(encoding="utf-8"))
    assert values["predict_bleu-4"] == round(result.metrics["bleu-4"].estimate.value, 4)
    assert values["predict_runtime"] > 0
    assert {"predict_samples_per_second", "predict_steps_per_second"} < set(values)
    assert list(values) == sorted(values)


@pytest.mark.parametrize(("stage", "count"), [("likelihood", 2), ("answers", 1), ("answers", 6)])
def test_stopped_anywhere_it_goes_on_and_ends_as_if_undisturbed(loaded, tmp_path, stage, count):
    with pytest.raises(Stop):
        run(loaded, tmp_path / "stopped", report=stop_after(stage, count))
    assert not (tmp_path / "stopped" / "result.json").exists()
    told: list[ItemDone] = []
    again = run(loaded, tmp_path / "stopped", report=lambda e: told.append(e))
    answered = [e.item_id for e in told if isinstance(e, ItemDone) and e.stage.endswith(stage)]
    assert len(answered) == 6 - count, "what was finished is not done again"
    undisturbed = run(loaded, tmp_path / "undisturbed")
    for name in ("teacher_forced.jsonl", "generated_predictions.jsonl", "items.jsonl"):
        ids = [row["id"] for row in rows(tmp_path / "stopped" / name)]
        assert len(ids) == len(set(ids)) == 6
    for one, other in zip(
        read_items(tmp_path / "stopped"), read_items(tmp_path / "undisturbed"), strict=True
    ):
        assert one.predict == other.predict
        assert one.teacher_forced.nll == pytest.approx(other.teacher_forced.nll, abs=1e-4)
    assert again.metrics["bleu-4"] == undisturbed.metrics["bleu-4"]


def test_a_batch_size_bounds_what_is_worked_on_at_a_time(loaded, tmp_path, batch_sizes):
    read, written = batch_sizes
    run(loaded, tmp_path, config=CONFIG.model_copy(update={"batch_size": 2}))
    assert (max(read), max(written)) == (2, 2)


@pytest.mark.parametrize("stage", ["likelihood", "answers"])
def test_stopped_it_measures_and_draws_what_it_would_have(loaded, tmp_path, stage):
    """Of the same prompt with two answers one was answered before, one is after."""
    config = CONFIG.model_copy(update={"temperature": 0.9, "token_budget": 64})
    examples = [*EXAMPLES, *(example(n, answer="no") for n in range(6))]
    run(loaded, tmp_path / "undisturbed", config=config, examples=examples)
    expected = {item.id: item for item in read_items(tmp_path / "undisturbed")}
    for count in (3, 8):
        folder = tmp_path / f"stopped-{count}"
        with pytest.raises(Stop):
            run(loaded, folder, config=config, examples=examples, report=stop_after(stage, count))
        run(loaded, folder, config=config, examples=examples)
        for item in read_items(folder):
            assert item.predict == expected[item.id].predict
            assert item.teacher_forced == expected[item.id].teacher_forced


def test_finished_evaluation_is_given_back_without_work(loaded, tmp_path):
    first = run(loaded, tmp_path)
    told: list[object] = []
    assert run(loaded, tmp_path, report=told.append) == first
    assert not [e for e in told if isinstance(e, ItemDone)]


def test_without_generation_only_the_likelihood_is_measured(loaded, tmp_path):
    full = run(loaded, tmp_path / "full")
    told: list[object] = []
    config = EvaluateConfig(generate=False)
    result = run(loaded, tmp_path / "quick", config=config, report=told.append)
    assert set(result.metrics) == set(TEACHER_FORCED)
    assert all(result.metrics[name] == full.metrics[name] for name in TEACHER_FORCED)
    assert (result.counts["teacher_forced"], result.counts["generated"]) == (6, 0)
    assert set(result.seconds) == {"likelihood"}
    assert not [e for e in told if isinstance(e, ItemDone) and e.stage.endswith("answers")]
    assert all(item.predict is None and not item.skipped for item in read_items(tmp_path / "quick"))
    assert not (tmp_path / "quick" / "generated_predictions.jsonl").exists()


def test_answers_can_be_added_to_a_likelihood_and_outlive_one(loaded, tmp_path):
    quick = EvaluateConfig(generate=False)
    assert quick.max_new_tokens != CONFIG.max_new_tokens
    run(loaded, tmp_path, config=quick)
    told: list[object] = []
    full = run(loaded, tmp_path, report=told.append)
    stages = {e.stage for e in told if isinstance(e, ItemDone)}
    assert stages == {"small: answers"}, "the likelihood is not measured again"
    assert full.metrics["exact_match"].estimate.n == 6
    run(loaded, tmp_path, config=quick)
    assert len(rows(tmp_path / "generated_predictions.jsonl")) == 6


def test_metrics_of_answers_are_refused_without_answers():
    assert config_from(generate=False).graded_metrics == ()
    with pytest.raises(UsageError, match=r"exact_match, json_field:.*: metrics of gen"):
        config_from(generate=False, metrics=("exact_match",), json_fields=("intent",))


def test_another_metric_is_graded_without_asking_again(loaded, tmp_path):
    first = run(loaded, tmp_path)
    told: list[object] = []
    config = CONFIG.model_copy(update={"metrics": ("exact_match", "rouge-l")})
    result = run(loaded, tmp_path, config=config, report=told.append)
    assert result.metrics["rouge-l"].estimate is not None
    assert result.seconds["answers"] == pytest.approx(first.seconds["answers"], abs=1e-3)
    assert not [e for e in told if isinstance(e, ItemDone)]


def test_folder_of_another_evaluation_is_left_alone(loaded, tmp_path):
    run(loaded, tmp_path)
    before = (tmp_path / "result.json").read_bytes()
    with pytest.raises(RunError, match="holds another evaluation"):
        run(loaded, tmp_path, config=CONFIG.model_copy(update={"max_new_tokens": 3}))
    assert (tmp_path / "result.json").read_bytes() == before


def test_items_that_cannot_be_asked_are_counted_with_the_reason(loaded, tmp_path):
    told: list[object] = []
    examples = [*EXAMPLES, example(7, answer=None), EXAMPLES[0]]
    result = run(loaded, tmp_path, examples=examples, report=told.append)
    assert result.n_items == 7
    assert result.counts["duplicates"] == 1
    assert result.counts["generated"] == 6
    assert sum(result.skipped["teacher_forced"].values()) == 1
    assert sum(result.metrics["exact_match"].unscored.values()) == 1
    assert result.metrics["exact_match"].estimate.n == 6
    assert [e for e in told if isinstance(e, Warned)]


def test_what_is_longer_than_the_model_reads_is_left_out_and_told(loaded, tmp_path, monkeypatch):
    """`long` reads on beyond the end, `wordy` only with its answer, `tight` leaves little room."""
    turns = {"short": ("yes", 1), "wordy": ("and so on " * 30, 1), "long": ("yes", 40)}
    examples = [
        Example(
            (Message("user", f"{name} and again " * often), Message("assistant", answer)),
            Source("held.jsonl", number),
        )
        for number, (name, (answer, often)) in enumerate(turns.items(), start=1)
    ]
    template = load_template(loaded.tokenizer, "chatml")
    short = len(template.encode_prompt(examples[0].prompt))
    longest = max(len(template.encode(examples[0]).tokens) - 1, short) + 2
    monkeypatch.setattr(loaded.model.config, "max_position_embeddings", longest)
    told: list[object] = []
    result = run(loaded, tmp_path, examples=examples, report=told.append)
    reason = f"longer than the {longest} tokens that the model reads"
    assert result.skipped == {"teacher_forced": {reason: 2}, "generated": {reason: 1}}
    assert (result.counts["teacher_forced"], result.counts["generated"]) == (1, 2)
    assert result.metrics["response_perplexity"].estimate.n == 1
    assert sum(result.metrics["exact_match"].unscored.values()) == 1
    items = {item.prompt.split()[0]: item for item in read_items(tmp_path)}
    assert set(items["long"].skipped) == {"teacher_forced", "generated"}
    assert set(items["wordy"].skipped) == {"teacher_forced"}
    warned = " ".join(event.message for event in told if isinstance(event, Warned))
    assert f"2 items are left out (teacher_forced): {reason}" in warned


def test_prompts_that_leave_no_room_for_a_whole_answer_are_counted(loaded, tmp_path, monkeypatch):
    template = load_template(loaded.tokenizer, "chatml")
    prompts = [len(template.encode_prompt(e.prompt)) for e in EXAMPLES]
    monkeypatch.setattr(loaded.model.config, "max_position_embeddings", max(prompts) + 4)
    told: list[object] = []
    result = run(loaded, tmp_path, report=told.append)
    n_short = sum(n + 5 > max(prompts) + 4 for n in prompts)
    assert 0 < result.counts["short_of_room"] == n_short
    assert [e for e in told if isinstance(e, Warned) and "less room" in e.message]
    assert all(item.n_tokens <= 5 for item in read_items(tmp_path))


def test_what_answers_took_is_measured_and_kept(loaded, tmp_path, monkeypatch):
    """A driver that counts 3 J at each look."""
    readings = iter(range(0, 1000, 3))
    counter = Counter(lambda: next(readings), None, next(readings))
    monkeypatch.setattr(consumption, "energy_counters", lambda _: [counter])
    monkeypatch.setattr(verb, "train_seconds", lambda model, adapter: 61.5)
    names = ("seconds_to_first_token", "tokens_per_second", "peak_memory", "energy")
    config = CONFIG.model_copy(update={"metrics": (*names, "train_seconds")})
    with pytest.raises(Stop):
        run(loaded, tmp_path, config=config, report=stop_after("answers", 2))
    result = run(loaded, tmp_path, config=config)
    found = {name: result.metrics[name].estimate for name in config.metrics}
    assert all(estimate.n == 6 and estimate.value > 0 for estimate in found.values())
    assert (found["energy"].value, found["train_seconds"].value) == (3.0, 61.5)
    seconds = [item.fields["seconds"] for item in read_items(tmp_path)]
    again = config.model_copy(update={"metrics": (*names, "exact_match")})
    other = run(loaded, tmp_path, config=again)
    assert other.metrics["energy"] == result.metrics["energy"], "kept with the answers"
    assert [item.fields["seconds"] for item in read_items(tmp_path)] == seconds


def test_answers_cut_by_the_limit_are_counted(loaded, tmp_path):
    result = run(loaded, tmp_path, config=CONFIG.model_copy(update={"max_new_tokens": 1}))
    items = read_items(tmp_path)
    assert result.counts["cut_by_length"] == sum(i.finish_reason == "length" for i in items)
    assert all(item.n_tokens == 1 for item in items)


@pytest.mark.parametrize(
    "setting", [{"perturbations": ("typos",)}, {"workers": "ray"}, {"shot_seed": 3}]
)
def test_settings_of_tasks_are_refused_for_a_file(loaded, tmp_path, setting):
    with pytest.raises(UsageError, match="setting of tasks"):
        run(loaded, tmp_path, config=CONFIG.model_copy(update=setting))


def test_the_model_works_in_the_number_format_that_is_asked_for(tiny_llama_folder, tmp_path):
    found = {}
    for precision in ("float32", "bfloat16"):
        config = EvaluateConfig(generate=False, precision=precision)
        result = evaluate(
            config,
            model=str(tiny_llama_folder),
            examples=EXAMPLES,
            folder=tmp_path / precision,
            name="small",
        )
        found[precision] = result.metrics["response_perplexity"].estimate.value
    assert found["float32"] != found["bfloat16"]
    assert found["float32"] == pytest.approx(found["bfloat16"], rel=0.05)


def test_no_example_is_refused(loaded, tmp_path):
    with pytest.raises(DataError):
        run(loaded, tmp_path, examples=[])


def test_unknown_metrics_are_all_named_with_near_names():
    with pytest.raises(UsageError, match=r"exact_mach.*rouge-9") as caught:
        config_from(metrics=("exact_mach", "rouge-9"))
    assert "exact_match" in str(caught.value)
    assert config_from(metrics=None).metrics == EvaluateConfig().metrics


def test_json_fields_add_accuracy_and_f1():
    config = EvaluateConfig(metrics=("json_valid",), json_fields=("intent",))
    assert config.graded_metrics == ("json_valid", "json_field:intent", "json_field_f1:intent")
