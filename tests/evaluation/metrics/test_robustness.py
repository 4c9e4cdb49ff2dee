"""Drops and worst cases, checked by hand and by resampling whole families."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from tuneval.evaluation.account import account_for
from tuneval.evaluation.items import Item, TeacherForced
from tuneval.evaluation.kinds.drop import NOT_PERTURBED, UNCHANGEABLE
from tuneval.evaluation.metrics import load_metric
from tuneval.evaluation.robustness.families import families, is_copy, items_for
from tuneval.statistics.mcnemar import mcnemar
from tuneval.statistics.paired import tango

RIGHT = "right"


def item(item_id: str, predict: str | None, *, group: str | None = None, **fields: Any) -> Item:
    return Item(item_id, "file:1", group, {}, "question", RIGHT, predict, fields=fields)


def family(
    number: int, original: bool, *copies: bool | None, group: str | None = None
) -> list[Item]:
    """Item `number`, right or wrong, and its copies; None where nothing could be changed."""
    said = {True: RIGHT, False: "wrong"}
    names = ("typos", "case", "spacing")
    return [
        item(f"{number}", said[original], group=group),
        *(
            item(
                f"{number}~{name}",
                said[is_right],
                group=group,
                perturbation=name,
                original=f"{number}",
            )
            for name, is_right in zip(names, copies, strict=False)
            if is_right is not None
        ),
    ]


def drop(items: Sequence[Item], metric: str = "exact_match"):
    return account_for(items, f"robustness_drop:{metric}", seed=17)


def worst(items: Sequence[Item], metric: str = "exact_match"):
    return account_for(items, f"worst_case:{metric}", seed=17)


def test_other_metrics_count_the_questions_as_they_are() -> None:
    items = [*family(1, True, False), *family(2, True, False)]
    result = account_for(items, "exact_match", seed=17)
    assert result.estimate is not None
    assert (result.estimate.value, result.estimate.n) == (1.0, 2)
    assert result.unscored == {}


def test_one_perturbation_gives_the_paired_difference_turned_round() -> None:
    items = [
        part
        for n in range(20)
        for part in family(n, n < 15, n < 9 or n >= 18)  # 6 lost, 2 gained
    ]
    found = drop(items).estimate
    expected = tango(2, 6, 20)
    assert found is not None
    assert expected.low is not None
    assert expected.high is not None
    assert found.value == pytest.approx(4 / 20)
    assert found.low == pytest.approx(-expected.high)
    assert found.high == pytest.approx(-expected.low)


def test_the_detail_tells_perturbations_apart() -> None:
    items = [part for n in range(10) for part in family(n, True, n < 4, n < 9)]
    result = drop(items)
    assert result.estimate is not None
    assert result.detail is not None
    assert result.estimate.value == pytest.approx(7 / 20)
    by_name = result.detail["by_perturbation"]
    assert by_name["typos"]["drop"]["value"] == pytest.approx(0.6)
    assert by_name["case"]["drop"]["value"] == pytest.approx(0.1)
    assert by_name["case"]["n"] == 10


def test_copies_of_one_item_are_one_draw() -> None:
    once = [part for n in range(40) for part in family(n, True, n % 2 == 0)]
    thrice = [part for n in range(40) for part in family(n, True, *[n % 2 == 0] * 3)]
    widths = []
    for items in (once, thrice):
        found = drop(items).estimate
        assert found is not None
        assert found.low is not None
        assert found.high is not None
        assert found.value == pytest.approx(0.5)
        widths.append(found.high - found.low)
    assert widths[1] == pytest.approx(widths[0], rel=0.1)


def test_families_of_one_passage_hang_together() -> None:
    alone = [part for n in range(40) for part in family(n, True, n % 4 < 2)]
    together = [
        part for n in range(40) for part in family(n, True, n % 4 < 2, group=f"{n % 4}-{n // 16}")
    ]
    narrow, wide = drop(alone).estimate, drop(together).estimate
    assert narrow is not None
    assert wide is not None
    assert narrow.high is not None
    assert wide.high is not None
    assert wide.high - wide.value > 1.3 * (narrow.high - narrow.value)
    assert wide.n_clusters == len({part.group for part in together})


def test_a_rise_is_a_loss_where_lower_is_better() -> None:
    def measured(nll: float, **fields: Any) -> Item:
        forced = TeacherForced(nll, 10, 5, 5, 5, 10)
        name = fields.get("original", "")
        key = f"{name}~typos" if name else str(fields.pop("number"))
        return replace(item(key, None, **fields), teacher_forced=forced)

    items = []
    for n in range(6):
        items += [
            measured(10.0 + n, number=n),
            measured(20.0 + n, perturbation="typos", original=str(n)),
        ]
    result = drop(items, "response_perplexity")
    assert result.higher_is_better is False
    assert result.estimate is not None
    # exp of the mean nll per token, on either side; nll sums are 75 and 135 over 60 tokens
    assert result.estimate.value == pytest.approx(np.exp(135 / 60) - np.exp(75 / 60))


def test_the_drop_of_an_f1_is_that_of_its_two_sets() -> None:
    from tuneval.statistics.classes import macro_f1

    rng = np.random.default_rng(5)
    labels = [f'{{"intent": "{rng.choice(["buy", "sell", "ask"])}"}}' for _ in range(30)]
    items, said = [], {"before": [], "after": []}
    for n, label in enumerate(labels):
        before, after = label, labels[int(rng.integers(30))]
        said["before"].append({before})
        said["after"].append({after})
        items.append(replace(item(str(n), before), label=label))
        items.append(
            replace(item(f"{n}~case", after, perturbation="case", original=str(n)), label=label)
        )
    expected = [{label} for label in labels]
    found = drop(items, "json_field_f1:intent").estimate
    assert found is not None
    assert found.value == pytest.approx(
        macro_f1(said["before"], expected) - macro_f1(said["after"], expected)
    )


def test_two_systems_are_compared_by_the_drop_of_each_copy() -> None:
    frail = [part for n in range(30) for part in family(n, True, n >= 12, n >= 6)]
    firm = [part for n in range(30) for part in family(n, True, n >= 2, True)]
    measure = load_metric("robustness_drop:exact_match")
    a, b = (items_for(measure, items) for items in (frail, firm))
    compared = measure.compare(a, b, clusters=None, seed=17)
    assert compared is not None
    assert compared.difference.value == pytest.approx((2 - 18) / 60)
    assert compared.n_lower == 16
    assert compared.difference.n_clusters == 30


@pytest.mark.parametrize("metric", ["response_perplexity", "distinct:1", "json_field_f1:intent"])
def test_drops_of_figures_of_the_whole_set_are_compared_too(metric: str) -> None:
    words = ["red", "blue", "green", "white", "black", "grey"]

    def system(shift: int) -> list[Item]:
        items = []
        for n in range(12):
            for name in ("", "typos"):
                forced = TeacherForced(10.0 + n + (3.0 * shift if name else 0), 10, 5, 5, 5, 10)
                said = words[(n + (shift * n if name else 0)) % len(words)]
                fields = {"perturbation": name, "original": str(n)} if name else {}
                made = item(f"{n}~{name}" if name else str(n), f'{{"intent": "{said}"}}', **fields)
                label = f'{{"intent": "{words[n % len(words)]}"}}'
                items.append(replace(made, teacher_forced=forced, label=label))
        return items

    measure = load_metric(f"robustness_drop:{metric}")
    a, b = (items_for(measure, system(shift)) for shift in (0, 2))
    values = [measure.estimate(items, clusters=None, seed=17) for items in (a, b)]
    compared = measure.compare(a, b, clusters=None, seed=17)
    assert values[0] is not None
    assert values[1] is not None
    assert compared is not None
    assert compared.difference.value == pytest.approx(values[1].value - values[0].value)
    assert compared.difference.value > 0
    if metric == "response_perplexity":
        # Each copy of b lost by itself, while those of a lost nothing.
        assert (compared.n_higher, compared.n_lower) == (12, 0)


def test_drops_of_distinct_words_are_counted_item_by_item() -> None:
    def system(said: str) -> list[Item]:
        return [
            part
            for n in range(4)
            for part in (
                item(str(n), "one two three"),
                item(f"{n}~case", said, perturbation="case", original=str(n)),
            )
        ]

    measure = load_metric("robustness_drop:distinct:1")
    a, b = (items_for(measure, system(said)) for said in ("so so it", "so so so"))
    compared = measure.compare(a, b, clusters=None, seed=17)
    assert compared is not None
    assert (compared.n_higher, compared.n_lower) == (4, 0)


def test_an_auc_drops_and_its_drops_are_compared() -> None:
    rng = np.random.default_rng(3)

    def system(noise: float) -> list[Item]:
        items = []
        for n in range(40):
            label = "yes" if n % 2 else "no"
            sure = 0.7 if n % 2 else 0.3
            for name in ("", "typos"):
                fields = {"perturbation": name, "original": str(n)} if name else {}
                spread = noise if name else 0.15
                probability = float(np.clip(sure + spread * rng.normal(), 0, 1))
                key = f"{n}~{name}" if name else str(n)
                made = item(key, None, probability=probability, **fields)
                items.append(replace(made, label=label))
        return items

    measure = load_metric("robustness_drop:roc_auc:yes")
    a, b = (items_for(measure, system(noise)) for noise in (0.15, 1.0))
    drops = [measure.estimate(items, clusters=None, seed=17) for items in (a, b)]
    compared = measure.compare(a, b, clusters=None, seed=17)
    assert drops[0] is not None
    assert drops[1] is not None
    assert compared is not None
    assert compared.difference.value == pytest.approx(drops[1].value - drops[0].value)
    assert drops[1].value > 0.1


def test_the_worst_case_is_the_lowest_grade_over_original_and_copies() -> None:
    items = [
        *family(1, True, True, False),
        *family(2, True, True, True),
        *family(3, False, True, True),
        *family(4, True, None, None),
    ]
    result = worst(items)
    assert result.estimate is not None
    assert (result.estimate.value, result.estimate.n) == (0.5, 4)
    assert load_metric("worst_case:exact_match").is_binary


def test_the_worst_case_is_the_highest_where_lower_is_better() -> None:
    seconds = {"1": 2.0, "1~typos": 5.0, "1~case": 3.0, "2": 7.0, "2~typos": 1.0}
    items = []
    for key, value in seconds.items():
        number, _, name = key.partition("~")
        fields = {"perturbation": name, "original": number} if name else {}
        items.append(item(key, "x", seconds_to_first=value, **fields))
    result = worst(items, "seconds_to_first_token")
    assert result.estimate is not None
    assert result.estimate.value == pytest.approx((5.0 + 7.0) / 2)


def test_worst_cases_of_two_systems_are_paired() -> None:
    a = [part for n in range(20) for part in family(n, True, n < 10, n < 15)]
    b = [part for n in range(20) for part in family(n, True, n < 18, True)]
    measure = load_metric("worst_case:exact_match")
    compared = measure.compare(items_for(measure, a), items_for(measure, b), clusters=None, seed=17)
    assert compared is not None
    assert compared.difference.value == pytest.approx(8 / 20)
    assert compared.p_value == pytest.approx(mcnemar(8, 0).p_value)


def test_without_copies_nothing_is_scored_and_the_reason_is_said() -> None:
    items = [item("1", RIGHT), item("2", RIGHT)]
    for result in (drop(items), worst(items)):
        assert result.estimate is None
        assert result.unscored == {NOT_PERTURBED: 2}


def test_an_item_that_nothing_changes_does_not_dilute_the_drop() -> None:
    items = [*family(1, True, False), *family(2, True, False), *family(3, True, None)]
    result = drop(items)
    assert result.estimate is not None
    assert result.estimate.value == 1.0
    assert result.unscored == {UNCHANGEABLE: 1}


def test_an_unanswered_copy_is_counted_with_its_reason() -> None:
    items = [*family(1, True, False), *family(2, True, True)]
    items[3] = replace(items[3], predict=None, skipped={"generated": "too long"})
    result = drop(items)
    assert result.estimate is not None
    assert result.estimate.value == 1.0
    assert result.unscored == {"too long": 1}


def test_a_worst_case_of_what_no_item_has_is_unscored() -> None:
    items = [*family(1, True, False), *family(2, True, True)]
    result = worst(items, "json_field_f1:intent")
    assert result.estimate is None
    assert list(result.unscored) == ["'json_field_f1:intent' has no better and worse of one item"]


def test_a_lost_copy_belongs_to_no_family() -> None:
    items = [*family(1, True, True), item("9~typos", RIGHT, perturbation="typos", original="9")]
    assert [is_copy(part) for part in items] == [False, True, True]
    (found,) = families(items)
    assert [copy.id for copy in found.copies] == ["1~typos"]


def test_intervals_cover_the_true_drop_of_clustered_copies() -> None:
    """Nominal 95%: 300 draws of 60 items with three copies that fail together."""
    rng = np.random.default_rng(11)
    covered = 0
    for _ in range(300):
        items = []
        for n in range(60):
            fails = rng.random() < 0.3
            items += family(n, True, *(not (fails and rng.random() < 0.9) for _ in range(3)))
        found = drop(items).estimate
        assert found is not None
        assert found.low is not None
        assert found.high is not None
        covered += found.low <= 0.27 <= found.high
    assert 0.91 <= covered / 300 <= 0.985
