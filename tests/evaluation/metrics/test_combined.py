"""Weighted means and formulas of other metrics, against the parts' own figures."""

from __future__ import annotations

import math
import random

import pytest
from answers import answer, answers, difference, result, value

from tuneval.errors import UsageError
from tuneval.evaluation.grade import grade
from tuneval.evaluation.items import Item
from tuneval.evaluation.metrics import load_metric, names_in

TRUE = ["yes", "no", "it rains", "yes", "the cat sat", "no"] * 5
SAID = ["yes", "yes", "it rained", "no", "the cat", "no"] * 5


@pytest.fixture(name="items")
def _items() -> list[Item]:
    return answers(SAID, TRUE)


def test_a_combined_score_is_the_weighted_mean_of_scaled_parts(items: list[Item]) -> None:
    combined = result("combined:3*exact_match + rouge_l", items)
    parts = {"exact_match": value("exact_match", items), "rouge-l": value("rouge-l", items)}
    expected = 0.75 * parts["exact_match"] + 0.25 * parts["rouge-l"] / 100
    assert combined.estimate.value == pytest.approx(expected)
    assert combined.detail["weights"] == {"exact_match": 0.75, "rouge-l": 0.25}
    assert combined.detail["parts"] == pytest.approx(parts)
    assert combined.estimate.low < expected < combined.estimate.high


def test_a_metric_whose_low_values_are_good_is_turned_round() -> None:
    items = [answer("a b a b a b"), answer("a b c d e f")]
    repetition = value("repetition:2", items)
    assert value("combined:repetition", [*items[:1]]) < 1
    found = value('combined:metric["repetition:2"]', items)
    assert found == pytest.approx(1 - repetition)


def test_figures_of_sums_and_of_ranks_are_parts_too() -> None:
    dice = random.Random(2)
    items = [
        answer("yes" if dice.random() < p else "no", label, probability=p)
        for label, p in [("yes", 0.8), ("no", 0.3), ("yes", 0.4), ("no", 0.6)] * 8
    ]
    found = value('combined:f1_macro + metric["roc_auc:yes"]', items)
    parts = value("f1_macro", items), value("roc_auc:yes", items)
    assert found == pytest.approx(sum(parts) / 2)


def test_parts_are_resampled_together() -> None:
    """The difference of a metric and itself has no spread, and that of a sum has it doubled."""
    items = answers(SAID, TRUE)
    nothing = result("expression:exact_match - exact_match", items).estimate
    assert (nothing.value, nothing.low) == (0.0, None)
    single, double = (
        result(f"expression:{formula}", items).estimate
        for formula in ("exact_match", "exact_match + exact_match")
    )
    assert double.low == pytest.approx(2 * single.low)
    assert double.high == pytest.approx(2 * single.high)


def test_two_systems_are_compared_by_the_combined_score(items: list[Item]) -> None:
    better = answers(TRUE, TRUE)
    paired = difference("combined:exact_match+token_f1", items, better)
    expected = 1 - value("combined:exact_match+token_f1", items)
    assert paired.difference.value == pytest.approx(expected)
    assert paired.difference.excludes(0)
    assert (paired.n_lower, paired.n_higher) == (0, 20)


def test_an_item_counts_where_it_counts_in_every_part() -> None:
    items = [answer("a", "a"), answer("b", None), answer(None, "a")]
    found = result("combined:exact_match+token_f1", items)
    assert found.estimate.n == 1
    assert found.unscored == {
        "exact_match: no reference answer": 1,
        "exact_match: not answered": 1,
    }


def test_parts_are_graded_with_the_items(items: list[Item]) -> None:
    graded = grade(items, ["combined:exact_match+rouge_l"])
    assert graded[0].grades == {"exact_match": 1.0, "rouge-l": pytest.approx(100.0)}


@pytest.mark.parametrize(
    ("weights", "match"),
    [
        ("exact_match - token_f1", "not a sum of metrics"),
        ("-1*exact_match", "not a sum of metrics"),
        ("0*exact_match", "not a sum of metrics"),
        ("exact_match*token_f1", "not a sum of metrics"),
        ("0.5", "not a sum of metrics"),
        ("2*(exact_match+token_f1)", "not a sum of metrics"),
        ("1e999*exact_match", "not a sum of metrics"),
        ("response_perplexity", "range has no end"),
        ("exact_mach", "no metric called 'exact_mach'"),
        ("distinct", "cannot be a part"),
        ("__import__('os')", "no function `__import__`"),
    ],
)
def test_what_is_no_weighted_mean_is_refused(weights: str, match: str) -> None:
    with pytest.raises(UsageError, match=match):
        load_metric(f"combined:{weights}")


def test_a_formula_of_figures_is_computed_on_them(items: list[Item]) -> None:
    match, f1 = value("exact_match", items), value("token_f1", items)
    for formula, expected in {
        "token_f1 * 0.5 + exact_match": f1 * 0.5 + match,
        "-exact_match / 2 - 1": -match / 2 - 1,
        "min(token_f1, exact_match, 0.9)": min(f1, match, 0.9),
        "max(0.1, sqrt(token_f1))": max(0.1, math.sqrt(f1)),
        "exp(log(token_f1)) + abs(-1)": f1 + 1,
        'metric["rouge-l"] / rouge_l': 1.0,
    }.items():
        assert value(f"expression:{formula}", items) == pytest.approx(expected), formula


@pytest.mark.parametrize(
    ("formula", "higher_is_better"),
    [
        ("0.5 * token_f1 + exact_match", True),
        ("token_f1 - mae", True),
        ("mae + 2 * rmse", False),
        ("-exact_match", False),
        ("token_f1 * -2", False),
        ("exact_match / 4 - 1", True),
        ("1 - ece", True),
        ("min(token_f1, exact_match)", True),
        ("exact_match + ece", None),
        ("exact_match / token_f1", None),
        ("1 / mae", None),
        ("abs(exact_match)", None),
        ("token_f1 * 0", None),
    ],
)
def test_the_direction_of_a_formula_comes_from_its_parts(
    formula: str, higher_is_better: bool | None
) -> None:
    assert load_metric(f"expression:{formula}").about.higher_is_better is higher_is_better


def test_a_formula_without_a_value_has_no_figure(items: list[Item]) -> None:
    for formula in ("exact_match / (exact_match - exact_match)", "log(0 - token_f1)"):
        assert result(f"expression:{formula}", items).estimate is None
        assert difference(f"expression:{formula}", items, items) is None


@pytest.mark.parametrize(
    ("formula", "expected"),
    [
        ("len(prediction) <= 4", [1, 0, 1]),
        ("exact_match and len(prediction) < 4", [1, 0, 0]),
        ("not exact_match or prediction == reference", [1, 1, 1]),
        ("'rain' in lower(prediction)", [0, 1, 0]),
        ("'x' not in prediction", [1, 1, 1]),
        ('field["seconds"] * 2', [1, 2, 4]),
        ('exact_match if field["seconds"] < 1 else 0.25', [1, 0.25, 0.25]),
        ("1 < len(prediction) < 5", [1, 0, 1]),
        ('token_f1 + max(0, 1 - field["seconds"])', [1.5, 0, 0]),
    ],
)
def test_a_formula_of_an_item_is_its_mean_over_items(formula: str, expected: list[float]) -> None:
    items = [
        answer("yes", "yes", seconds=0.5),
        answer("It Rained", "it snows", seconds=1.0),
        answer("nope", "no", seconds=2.0),
    ]
    metric = load_metric(f"item_expression:{formula}")
    if formula.startswith("token_f1"):
        expected = [1.5, metric.score(items[1]), metric.score(items[2])]
        assert expected[1] == pytest.approx(0.5 * 1)
    assert [metric.score(item) for item in items] == pytest.approx(expected)
    assert metric.is_binary == (set(expected) <= {0, 1} and "if" not in formula)


def test_what_an_item_lacks_is_unscored_with_its_reason() -> None:
    def reasons(formula: str, item: Item) -> dict[str, int]:
        return dict(result(f"item_expression:{formula}", [item]).unscored)

    assert reasons("len(prediction)", answer(None, "a")) == {"not answered": 1}
    assert reasons("reference == 'a'", answer("a")) == {"no reference answer": 1}
    assert reasons('field["cost"]', answer("a")) == {"no number and no text in the field 'cost'": 1}
    assert reasons("exact_match", answer(None, "a")) == {"exact_match: not answered": 1}
    (reason,) = reasons("prediction + 1", answer("a"))
    assert "the formula has no value" in reason
    (reason,) = reasons("1 / len(prediction)", answer(""))
    assert "the formula has no value" in reason
    assert reasons("prediction", answer("a")) == {"the formula gives no number": 1}
    assert reasons("exp(999)", answer("a"))
    assert reasons("1e308 * 10", answer("a")) == {"the formula gives no number": 1}
    # Who does not get that far is not asked: and, or, if stop as in Python.
    assert value("item_expression:len(prediction) > 0 and field['x'] > 1", [answer("")]) == 0.0


@pytest.mark.parametrize(
    "formula",
    [
        "prediction.upper()",
        "().__class__",
        "__import__('os').system('true')",
        "[x for x in prediction]",
        "lambda: 1",
        "prediction[0]",
        "2 ** 9",
        "f'{prediction}'",
        "open('x')",
        "exact_match := 1",
        "len(prediction, reference)",
        "min(1)",
        "True",
        "a b",
        "",
        "(" * 300,
        "-" * 100 + "1",
        "1" * 3000,
        "len(*prediction)",
        "max(1, 2, key=abs)",
        "\0",
        "f1_macro + 1",
        "prediction is reference",
    ],
)
def test_nothing_else_is_a_formula(formula: str) -> None:
    with pytest.raises(UsageError):
        load_metric(f"item_expression:{formula}" if formula else "item_expression:")


@pytest.mark.parametrize(
    ("formula", "mend"),
    [
        ('field["seconds"]', "item_expression"),
        ("exact_match > 0.5", "numbers, names"),
        ("'a'", "numbers, names"),
        ("len(exact_match)", "known: min"),
        ("distinct + 1", "beside the formula"),
        ("1 + 2", "name one at least"),
        ("exact_mtch", "'exact_match'"),
    ],
)
def test_a_formula_of_figures_holds_figures_only(formula: str, mend: str) -> None:
    with pytest.raises(UsageError) as caught:
        load_metric(f"expression:{formula}")
    assert mend in caught.value.mend


@pytest.mark.parametrize("kind", ["expression", "combined", "item_expression"])
def test_a_number_that_no_float_holds_is_refused(kind: str) -> None:
    with pytest.raises(UsageError, match="too large"):
        load_metric(f"{kind}:exact_match*{'9' * 400}")


def test_a_field_repeats_no_text_and_may_be_too_large() -> None:
    items = [answer("a", n=1_000_000_000), answer("a", n=10**400)]
    found = result('item_expression:len(prediction * field["n"])', items)
    assert found.estimate is None
    assert sum(found.unscored.values()) == 2


def test_commas_within_a_formula_part_no_metrics() -> None:
    asked = "expression:max(accuracy,f1_macro,exact_match),token_f1,combined:accuracy+exact_match"
    assert names_in(asked) == [
        "expression:max(accuracy,f1_macro,exact_match)",
        "token_f1",
        "combined:accuracy+exact_match",
    ]
