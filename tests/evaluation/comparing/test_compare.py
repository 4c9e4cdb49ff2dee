"""Comparisons are paired, corrected, and name the items that flipped."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from scipy.stats import binomtest

from tuneval.errors import DataError, UsageError
from tuneval.evaluation.comparing.compare import Comparison, Evaluation, compare, compare_folders
from tuneval.evaluation.items import write_items


def test_model_compared_with_itself_shows_nothing(make_evaluation):
    made = make_evaluation("a", ["right", "wrong", "right", "wrong"])
    found = compare(made, made)
    assert {row.verdict for row in found.rows} == {"unclear"}
    assert all(row.difference.value == 0 for row in found.rows)
    assert all(row.p_value == 1 for row in found.rows)
    assert found.improved == found.worsened == ()


def test_flips_are_listed_both_ways_with_both_answers(make_evaluation):
    before = make_evaluation("base", ["wrong", "wrong", "right", "right"])
    after = make_evaluation("tuned", ["right", "wrong", "right", "no"])
    found = compare(before, after)
    assert found.flips_metric == "exact_match"
    assert [(f.prompt, f.a, f.b) for f in found.improved] == [("question 0", "wrong", "right")]
    assert [(f.prompt, f.a, f.b) for f in found.worsened] == [("question 3", "right", "no")]
    row = found.row("exact_match")
    assert (row.n_improved, row.n_worsened, row.n_equal) == (1, 1, 2)


def test_clear_gain_is_better_with_the_exact_mcnemar_p(make_evaluation):
    before = make_evaluation("base", ["wrong"] * 18 + ["right"] * 2)
    after = make_evaluation("tuned", ["right"] * 16 + ["wrong"] * 2 + ["right", "wrong"])
    row = compare(before, after, metrics=["exact_match"]).row("exact_match")
    assert row.verdict == "better"
    assert row.difference.value == pytest.approx(15 / 20)
    assert row.p_value == pytest.approx(binomtest(16, 17, 0.5).pvalue)
    assert row.p_holm == row.p_value, "one metric needs no correction"
    assert 0 < row.detectable < 1


def test_a_reader_is_told_of_answers_that_were_drawn(make_evaluation):
    greedy = make_evaluation("base", ["right", "wrong"])
    drawn = replace(greedy.result, name="tuned", config={"max_new_tokens": 8, "temperature": 0.95})
    (warning,) = compare(greedy, Evaluation(drawn, greedy.items)).warnings
    assert "'tuned' drew its answers at random (temperature 0.95)" in warning


def test_lower_perplexity_is_better(make_evaluation):
    answers = [str(n) for n in range(12)]
    before = make_evaluation("base", answers, labels=answers, nll=8.0)
    after = make_evaluation("tuned", answers, labels=answers, nll=4.0)
    varied = Evaluation(
        after.result,
        [
            type(i)(**{**_fields(i), "teacher_forced": _with(i.teacher_forced, nll=3.5 + n / 12)})
            for n, i in enumerate(after.items)
        ],
    )
    row = compare(before, varied).row("response_perplexity")
    assert row.verdict == "better"
    assert row.difference.value < 0
    assert row.n_improved == 12


def test_mistaken_accuracy_is_not_compared(make_evaluation):
    made = make_evaluation("a", ["right", "wrong"])
    assert compare(made, made).row("token_accuracy_whole_sequence") is None


def test_p_values_are_corrected_for_all_metrics(make_evaluation):
    before = make_evaluation("base", ["wrong"] * 9 + ["right"])
    after = make_evaluation("tuned", ["right"] * 8 + ["wrong", "right"])
    found = compare(before, after)
    assert all(row.p_holm >= row.p_value for row in found.rows)
    assert found.row("exact_match").p_holm > found.row("exact_match").p_value


def test_subset_is_compared_on_the_common_items_with_a_warning(make_evaluation):
    before = make_evaluation("base", ["right", "wrong", "right"])
    after = make_evaluation("tuned", ["right", "right"])
    found = compare(before, after)
    assert found.n_items == 2
    assert found.row("exact_match").a.n == 2
    assert "2 common" in found.warnings[0]


def test_different_items_are_refused(make_evaluation):
    before = make_evaluation("base", ["right", "wrong"])
    after = make_evaluation("tuned", ["right", "wrong", "right"])
    other = Evaluation(after.result, after.items[1:])
    with pytest.raises(DataError, match="only in 'base'"):
        compare(before, other)


def test_different_templates_are_told(make_evaluation):
    before = make_evaluation("base", ["right", "wrong"])
    after = make_evaluation("tuned", ["right", "wrong"], template_hash="u" * 16)
    assert any("template" in warning for warning in compare(before, after).warnings)


def test_metric_of_one_side_only_is_refused_with_the_near_name(make_evaluation):
    made = make_evaluation("a", ["right", "wrong"])
    with pytest.raises(UsageError, match="exact_match"):
        compare(made, made, metrics=["exact_mach"])


def test_comparison_comes_back_whole_from_json(make_evaluation):
    before = make_evaluation("base", ["wrong", "right", "wrong"], groups=["g", "g", "h"])
    found = compare(before, make_evaluation("tuned", ["right"] * 3, groups=["g", "g", "h"]))
    assert Comparison.from_dict(json.loads(json.dumps(found.as_dict()))) == found
    assert found.n_groups == 2


def test_folders_give_the_same_as_what_was_written_into_them(make_evaluation, tmp_path):
    made = {n: make_evaluation(n, a) for n, a in {"x": ["right"] * 3, "y": ["wrong"] * 3}.items()}
    for name, evaluation in made.items():
        write_items(tmp_path / name, evaluation.items)
        evaluation.result.save(tmp_path / name)
    assert compare_folders(tmp_path / "x", tmp_path / "y") == compare(made["x"], made["y"])


def _fields(thing) -> dict:
    return {name: getattr(thing, name) for name in thing.__dataclass_fields__}


def _with(thing, **changes):
    return type(thing)(**{**_fields(thing), **changes})


def test_one_id_with_another_question_and_answer_is_told(make_evaluation):
    a = make_evaluation("a", ["right"] * 4)
    other = [replace(a.items[0], prompt="another question", label="another"), *a.items[1:]]
    (warning,) = compare(a, Evaluation(a.result, other)).warnings
    assert warning.startswith("1 of 4 items have another question and another true answer")
    asked_otherwise = [replace(item, prompt="Please: " + item.prompt) for item in a.items]
    assert compare(a, Evaluation(a.result, asked_otherwise)).warnings == ()
