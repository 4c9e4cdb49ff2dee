"""A gate fails what it says it fails, and says why."""

from __future__ import annotations

import pytest

from tuneval.errors import UsageError
from tuneval.evaluation.comparing.compare import compare
from tuneval.evaluation.comparing.gate import judge, parse_condition


def answers(n_right: int, n: int = 200) -> list[str]:
    return ["right"] * n_right + ["wrong"] * (n - n_right)


@pytest.fixture
def named(make_evaluation):
    made = {"base": 120, "same": 118, "worse": 60}
    return {
        name: make_evaluation(name, answers(n), metrics=["exact_match"]) for name, n in made.items()
    }


def failed(condition, named, *names, fails="if"):
    return judge(parse_condition(condition), {n: named[n] for n in names}, fails=fails).failed


def test_a_condition_is_read_in_all_its_parts():
    found = parse_condition("exact_match < base - 1.5pt @95%")
    assert (found.metric, found.operator, found.reference) == ("exact_match", "<", "base")
    assert (found.margin, found.in_points, found.level) == (-1.5, True, 0.95)
    assert parse_condition("json_field:intent >= 60%").number == pytest.approx(0.6)
    assert parse_condition("response_perplexity>tuned + 0.2").margin == pytest.approx(0.2)
    assert parse_condition("rouge-l <= my-model - 2 points @ 95 %").reference == "my-model"


def test_a_clear_loss_fails_and_an_unclear_one_passes(named):
    assert failed("exact_match < base - 1pt @95%", named, "base", "worse")
    assert not failed("exact_match < base - 1pt @95%", named, "base", "same")
    assert not failed("exact_match < base @95%", named, "base", "same")


def test_without_a_level_the_values_alone_decide(named):
    assert failed("exact_match < base", named, "base", "same")
    assert not failed("exact_match < base - 1pt", named, "base", "same"), "it is 1 point, not more"
    assert failed("exact_match <= base - 1pt", named, "base", "same")


def test_the_interval_that_decides_is_the_one_of_the_comparison(named):
    row = compare(named["base"], named["worse"]).row("exact_match")
    for points, fails in (
        (row.difference.high * 100 + 0.01, True),
        (row.difference.high * 100 - 0.01, False),
    ):
        sign, size = ("-", -points) if points < 0 else ("+", points)
        condition = f"exact_match < base {sign} {size:.6f}pt @95%"
        assert failed(condition, named, "base", "worse") == fails


def test_proof_can_be_asked_for_the_other_way_round(named):
    condition = "exact_match > base - 1pt @95%"
    assert failed(condition, named, "base", "same", fails="unless"), "200 items do not prove it"
    assert not failed("exact_match > base - 10pt @95%", named, "base", "same", fails="unless")


def test_all_of_several_must_prove_it(named):
    condition = "exact_match > base - 20pt @95%"
    assert not failed(condition, named, "base", "same", fails="unless")
    assert failed(condition, named, "base", "same", "worse", fails="unless")


def test_any_of_several_fails(named):
    assert failed("exact_match < base - 1pt @95%", named, "base", "same", "worse")
    assert not failed("exact_match < worse @95%", named, "base", "same", "worse")


def test_base_means_the_first_where_none_is_called_so(named):
    assert failed("exact_match < base @95%", named, "same", "worse")
    assert not failed("exact_match > same @95%", named, "same", "worse")


def test_a_number_is_held_against_all_but_the_first_or_the_only_one(named):
    assert failed("exact_match < 50% @95%", named, "base", "worse")
    assert not failed("exact_match < 50% @95%", named, "worse", "base")
    assert failed("exact_match < 50%", named, "worse")
    assert not failed("exact_match < 61% @95%", named, "base"), "60% with an interval about it"


def test_the_reason_gives_the_numbers(named):
    found = judge(
        parse_condition("exact_match < base - 1pt @95%"),
        {n: named[n] for n in ("base", "worse")},
        fails="if",
    )
    (reason,) = found.reasons
    assert "worse: exact_match less that of base is −30.0, 95% interval −36" in reason
    assert reason.endswith(": < −1.0")


@pytest.mark.parametrize(
    ("condition", "said"),
    [
        ("exact_match", "is no condition"),
        ("exact_match < base - 1% @95%", "a share of the figure or points"),
        ("exact_match < base @100%", "proves nothing, or cannot be"),
        ("exact_match < base @5%", "proves nothing, or cannot be"),
        ("exact_mach < base", "no metric 'exact_mach'"),
        ("exact_match < bse", "no evaluation 'bse'"),
        ("exact_match < 60", "is a share"),
        ("exact_match < base - 1 @95%", "more than a share can differ by"),
        ("response_perplexity < 60%", "is not a share"),
        ("response_perplexity < base - 1pt", "has no points"),
    ],
)
def test_what_does_not_fit_is_refused_with_a_way_out(named, condition, said):
    with pytest.raises(UsageError, match=said) as caught:
        failed(condition, named, "base", "worse")
    assert caught.value.mend


def test_other_levels_ask_for_less_or_for_more_proof(make_evaluation):
    named = {
        name: make_evaluation(name, answers(n), metrics=["exact_match"])
        for name, n in (("base", 120), ("a", 114))
    }
    # Six flips, all lost: a p-value of 1/32, between the levels.
    for level, is_proved in (("80", True), ("90", True), ("95", True), ("99", False)):
        condition = f"exact_match < base @{level}%"
        result = judge(parse_condition(condition), named, fails="if")
        assert result.failed is is_proved, level
        assert f", {level}% interval" in result.reasons[0]


@pytest.mark.parametrize("metric", ["exact_match", "bleu-4", "response_perplexity", "f1_macro"])
def test_an_interval_at_another_level_is_that_of_the_metric(make_evaluation, metric):
    metrics = ["exact_match", "bleu-4", "f1_macro"]
    labels = ["right", "wrong"] * 30
    a = make_evaluation("a", ["right"] * 60, labels=labels, metrics=metrics)
    b = make_evaluation("b", ["right"] * 40 + ["wrong"] * 20, labels=labels, metrics=metrics)
    widths = []
    for level in (0.8, 0.95, 0.99):
        row = compare(a, b, metrics=[metric], level=level).row(metric)
        if row.difference.low is None:
            assert metric == "response_perplexity"
            continue
        assert row.difference.level == row.a.level == level
        widths.append(row.difference.high - row.difference.low)
    assert widths == sorted(widths)
    assert len(set(widths)) == len(widths)


def test_a_figure_held_against_a_number_has_its_interval_at_that_level(named):
    low, high = (
        failed(f"exact_match < {bar} @{level}%", named, "worse")
        for bar, level in (("36%", 80), ("36%", 99))
    )
    assert (low, high) == (True, False)
