"""Repeated runs: what they are found to be, what their spread is made of, and how it is read."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from tuneval import files
from tuneval.errors import UsageError
from tuneval.evaluation.comparing.comparison import Evaluation
from tuneval.evaluation.config import EvaluateConfig
from tuneval.evaluation.items import write_items
from tuneval.evaluation.metrics.likelihood import PERPLEXITY
from tuneval.evaluation.question import Question
from tuneval.evaluation.stability.acting import idle_note, why_idle
from tuneval.evaluation.stability.differ import environment_differences, settings_differences
from tuneval.evaluation.stability.found import RepeatedRuns, find_repeats
from tuneval.evaluation.stability.layout import layout_of
from tuneval.evaluation.stability.reading import read_spread
from tuneval.evaluation.stability.repeats import repeats_of, source_of
from tuneval.evaluation.stability.sources import most_moving
from tuneval.evaluation.stability.stability import stability
from tuneval.statistics.estimate import Estimate


def said(right) -> list[str]:
    return ["right" if each else "wrong" for each in right]


@pytest.fixture
def drawn(make_evaluation):
    """Runs whose answers are right with each item's own chance, as when they are sampled."""

    def make(n_items=200, n_runs=5, *, seed=1, noise=1.0, source="seed"):
        random = np.random.default_rng(seed)
        chance = random.random(n_items)
        sure = chance > 0.5
        runs = {}
        for number in range(n_runs):
            draws = np.where(random.random(n_items) < noise, random.random(n_items) < chance, sure)
            runs[f"{source}-{number}"] = make_evaluation(
                f"{source}-{number}", said(draws), metrics=["exact_match"]
            )
        return RepeatedRuns("answers", "folder/m", source, runs)

    return make


def spread(value, high=None, unit="share"):
    return Estimate(value, None, high, 0.95, "given", 100, unit=unit)


def test_sampling_is_found_to_move_items_and_not_the_run(drawn):
    (row,) = stability([drawn()], metrics=["exact_match"], points=5).rows
    assert row.parts.run.value < 0.02
    assert row.parts.interaction.value == pytest.approx(np.sqrt(1 / 6 / 200), rel=0.15)
    assert row.between_runs == row.parts.between_runs
    assert row.scores == {f"seed-{n}": s for n, s in enumerate(row.parts.run_means)}
    assert row.two_runs == pytest.approx(2.77 * row.between_runs.value, rel=0.01)
    assert row.dominant in ("items", "interaction")
    assert row.n_changed > 100
    best, worst = row.detectable
    assert best.smallest < worst.smallest
    assert best.items_for < worst.items_for


def test_runs_that_are_alike_are_said_to_be(make_evaluation):
    runs = {f"batch-{n}": make_evaluation(f"b{n}", said([1, 0] * 20)) for n in (1, 4, 16)}
    for row in stability([RepeatedRuns("x", "m", "batch", runs)]).rows:
        assert row.between_runs.value == 0
        assert row.two_runs == 0
        assert row.n_changed == 0
        assert row.dominant in ("items", None)
        if row.unit != "":
            assert row.reading.kind == "noise"


def test_where_no_item_is_right_nothing_is_foretold(make_evaluation):
    runs = {f"seed-{n}": make_evaluation(str(n), said([0] * 20)) for n in (1, 2, 3)}
    (row,) = stability([RepeatedRuns("x", "m", "seed", runs)], metrics=["exact_match"]).rows
    assert row.detectable == ()
    assert row.dominant is None


def test_of_two_sources_the_one_that_moves_answers_is_named(drawn):
    sampling, batch = drawn(source="seed"), drawn(source="batch", noise=0.02)
    found = stability([sampling, batch], metrics=["exact_match"])
    (compared,) = found.sources
    assert compared.moves_more == "seed"
    assert compared.comparison.p_value < 0.001
    assert most_moving(found.sources, ["seed", "batch"]) == "seed"


def test_two_sources_alike_are_not_told_apart(drawn):
    found = stability([drawn(seed=1, source="seed"), drawn(seed=1, source="shots")])
    assert {each.moves_more for each in found.sources} == {None}
    assert most_moving(found.sources, ["seed", "shots"]) is None


def test_a_ratio_of_sums_is_split_by_what_each_item_adds(make_evaluation):
    random = np.random.default_rng(3)
    base = random.normal(4, 1, 50)
    runs = []
    for number in range(4):
        made = make_evaluation(str(number), said([1] * 50))
        items = [
            replace(item, teacher_forced=replace(item.teacher_forced, nll=float(nll)))
            for item, nll in zip(made.items, base + random.normal(0, 0.2, 50), strict=True)
        ]
        runs.append(Evaluation(made.result, items))
    runs[1] = Evaluation(runs[1].result, [*runs[0].items[:3], *runs[1].items[3:]])
    layout = layout_of(PERPLEXITY, runs, seed=1)
    true = [np.exp(sum(i.teacher_forced.nll for i in run.items) / 200) for run in runs]
    assert layout.scores == pytest.approx(true)
    assert layout.values.mean(axis=0) == pytest.approx(true)
    assert layout_of(PERPLEXITY, runs[:2], seed=1).n_changed == 47
    # Delta method: the derivative of the perplexity by an item's loss, 200 tokens in all.
    first = np.array([item.teacher_forced.nll for item in runs[0].items])
    by_hand = true[0] * (1 + (first - first.mean()) / 4)
    assert layout.values[:, 0] == pytest.approx(by_hand, rel=0.02)


def test_items_that_a_run_lacks_are_left_out_and_counted(make_evaluation):
    one = make_evaluation("1", said([1, 0, 1, 1]))
    other = make_evaluation("2", said([1, 1, 1, 1]))
    shorter = Evaluation(other.result, other.items[:3])
    layout = layout_of("exact_match", [one, shorter], seed=1)
    assert layout.scores == pytest.approx((2 / 3, 1.0))
    assert layout.n_left_out == 1


def test_the_rule_of_thumb_reads_the_run_part():
    kinds = [read_spread(spread(v)).kind for v in (0.009, 0.011, 0.029, 0.04, 0.05, 0.051)]
    assert kinds == ["noise", "watch", "watch", "watch", "watch", "investigate"]
    unsure = read_spread(spread(0.4, high=6.0, unit="points"))
    assert (unsure.kind, unsure.at_most, unsure.is_sure) == ("noise", "investigate", False)
    assert read_spread(spread(0.4, high=0.9, unit="points")).is_sure
    assert read_spread(spread(3.0, unit="")) is None


def test_settings_of_repeats_differ_in_their_source_alone():
    config = EvaluateConfig(temperature=0.7, seed=3)
    made = repeats_of(config, vary=["seed", "batch", "precision", "shots"], repeats=3)
    assert [repeat.label for repeat in made] == [
        "seed-3", "seed-4", "seed-5", "batch-1", "batch-4", "batch-16",
        "precision-float32", "precision-bfloat16", "precision-float16",
        "shots-1", "shots-2", "shots-3",
    ]  # fmt: skip
    for repeat in made:
        changed = {
            name
            for name, value in repeat.config.model_dump().items()
            if value != getattr(config, name)
        }
        assert len(changed) <= 1
    assert source_of(made[0].title("gsm8k")) == ("gsm8k", "seed", "seed-3")
    assert source_of("mail@home") == ("mail@home", None, None)


def test_what_could_not_differ_is_not_repeated():
    with pytest.raises(UsageError, match="same for every seed"):
        repeats_of(EvaluateConfig(), vary=["seed"], repeats=5)
    with pytest.raises(UsageError, match="One run"):
        repeats_of(EvaluateConfig(), vary=["batch"], repeats=1)


def test_differences_of_settings_and_environment_are_listed(make_evaluation):
    one, two = make_evaluation("a", said([1, 0])), make_evaluation("b", said([1, 0]))
    two = replace(two, result=replace(two.result, model="folder/a", config={"max_new_tokens": 9}))
    found = settings_differences({"a": one, "b": two})
    assert found == {
        "model_hash": {"a": "a", "b": "b"},
        "config.max_new_tokens": {"a": "8", "b": "9"},
    }
    assert environment_differences(
        {"a": {"packages": {"torch": "2.1"}, "gpus": []}, "b": {"packages": {"torch": "2.2"}}}
    ) == {"packages.torch": {"a": "2.1", "b": "2.2"}, "gpus": {"a": "[]", "b": "–"}}


def saved(folder, evaluation, **environment):
    write_items(folder, evaluation.items)
    evaluation.result.save(folder)
    if environment:
        files.write_json(folder / "environment.json", environment)


def test_repeats_are_found_again_by_task_model_and_source(make_evaluation, tmp_path):
    for label in ("seed-1", "seed-2", "batch-1", "batch-16"):
        made = make_evaluation("m", said([1, 0, 1]))
        saved(tmp_path / f"answers@{label}", made, python=label)
    found = find_repeats([str(p) for p in sorted(tmp_path.iterdir())])
    assert {(each.name, each.source, tuple(each.runs)) for each in found} == {
        ("answers", "seed", ("seed-1", "seed-2")),
        ("answers", "batch", ("batch-1", "batch-16")),
    }
    assert found[0].environments["batch-1"] == {"python": "batch-1"}


def test_the_same_repeat_in_two_places_counts_twice(make_evaluation, tmp_path):
    for place in ("first", "second", "third"):
        saved(tmp_path / place / "answers@seed-1", make_evaluation("m", said([1, 0])))
    (found,) = find_repeats([str(tmp_path)])
    assert len(found.runs) == 3


def test_runs_without_a_label_are_told_apart_by_their_settings(make_evaluation, tmp_path):
    for number, seed in enumerate((5, 6)):
        made = make_evaluation("m", said([1, 0]))
        made = replace(made, result=replace(made.result, config={"seed": seed}))
        saved(tmp_path / str(number) / "answers", made)
    (found,) = find_repeats([str(tmp_path / "0" / "answers"), str(tmp_path / "1" / "answers")])
    assert (found.source, tuple(found.runs)) == ("seed", ("seed-5", "seed-6"))


def test_what_was_run_once_is_refused(make_evaluation, tmp_path):
    saved(tmp_path / "answers", make_evaluation("m", said([1, 0])))
    with pytest.raises(UsageError, match="None of these evaluations was repeated"):
        find_repeats([str(tmp_path / "answers")])


def test_a_batch_size_of_one_leaves_nothing_to_vary():
    with pytest.raises(UsageError, match="batch can be varied in no way"):
        repeats_of(EvaluateConfig(batch_size=1), vary=["batch"], repeats=3)


def question(**fields) -> Question:
    return Question(id="1", source="", prompt="?", **{"way": "generate", **fields})


@pytest.mark.parametrize(
    ("source", "questions", "idle"),
    [
        ("shots", [question()] * 3, "the task shows no demonstrations"),
        ("shots", [question(shots=("a",))] * 3, "the task shows one demonstration"),
        ("shots", [question(shots=("a", "b"))], None),
        ("seed", [question(way="choose")] * 3, "no answer is drawn"),
        ("seed", [question(way="choose"), question()], None),
        ("seed", [question(temperature=0.0)] * 3, "prescribes greedy answers"),
        ("batch", [question()], "there is one question"),
        ("batch", [question()] * 2, None),
        ("precision", [question()], None),
    ],
)
def test_it_is_known_beforehand_where_a_source_cannot_act(source, questions, idle):
    found = why_idle(source, questions, EvaluateConfig(temperature=0.7), is_endpoint=False)
    assert found is None if idle is None else idle in found


def test_behind_an_address_neither_batch_nor_precision_can_be_set():
    for source in ("batch", "precision"):
        assert why_idle(source, [question()] * 2, EvaluateConfig(), is_endpoint=True)
    drawn = EvaluateConfig(temperature=0.7)
    assert why_idle("seed", [question()], drawn, is_endpoint=True) is None


def test_runs_that_could_not_differ_get_no_reading(make_evaluation):
    note = idle_note("shots", "the task shows no demonstrations")
    runs = {f"shots-{n}": make_evaluation(str(n), said([1, 0] * 20)) for n in (1, 2, 3)}
    noted = {
        label: replace(run, result=replace(run.result, notes=("other", note)))
        for label, run in runs.items()
    }
    (row,) = stability([RepeatedRuns("x", "m", "shots", noted)], metrics=["exact_match"]).rows
    assert row.idle == "the task shows no demonstrations"
    assert row.reading is None
    assert row.detectable == ()
    one = {**noted, "shots-1": runs["shots-1"]}
    assert RepeatedRuns("x", "m", "shots", one).idle is None, "only where none could"
    moved = RepeatedRuns("x", "m", "seed", runs)
    found = stability([RepeatedRuns("x", "m", "shots", noted), moved], metrics=["exact_match"])
    assert found.sources == ()
