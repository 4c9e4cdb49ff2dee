from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tuneval.errors import UsageError
from tuneval.evaluation.items import Item
from tuneval.evaluation.kinds import OfArgument, PerItem
from tuneval.evaluation.metric import Unscored
from tuneval.evaluation.metrics import METRICS, load_metric
from tuneval.evaluation.metrics.json_fields import LabelPair, canonical, field_labels
from tuneval.evaluation.result import MetricResult
from tuneval.statistics.proportion import wilson

REFERENCE = '{"intent": "refund", "tags": ["late", "broken"], "urgency": 2}'


def score(name: str, prediction: str | None, reference: str | None) -> float | Unscored:
    metric = load_metric(name)
    assert isinstance(metric, PerItem)
    return metric.score(Item("1", "a:1", None, {}, "question", reference, prediction))


@pytest.mark.parametrize(
    ("prediction", "valid"),
    [
        (REFERENCE, True),
        ('  {"intent": null}\n', True),
        ("{}", True),
        ("", False),
        ("refund", False),
        ('"refund"', False),
        ("[1]", False),
        ('```json\n{"a": 1}\n```', False),
        ('{"a": 1} That is all.', False),
        ('{"a": 1}{"b": 2}', False),
        ("{'a': 1}", False),
        ('{"a": NaN}', False),
        ('{"a": 1,}', False),
        ('{"a": "cut o', False),
        ("[" * 100_000, False),
        ('{"a":' * 100_000, False),
        ('{"a": ' + "9" * 5_000 + "}", False),
    ],
)
def test_a_valid_answer_is_one_object_and_nothing_around_it(prediction: str, valid: bool) -> None:
    assert score("json_valid", prediction, "anything") == float(valid)


@pytest.mark.parametrize(
    ("field", "prediction", "right"),
    [
        ("intent", '{"intent": "refund"}', True),
        ("intent", '{"intent": "Refund"}', False),
        ("intent", '{"urgency": 2}', False),
        ("intent", "refund", False),
        ("intent", '{"intent": "refund"', False),
        ("urgency", '{"urgency": 2.0}', True),
        ("urgency", '{"urgency": "2"}', False),
        ("tags", '{"tags": ["late", "broken"]}', True),
        ("tags", '{"tags": ["broken", "late"]}', False),
    ],
)
def test_a_field_is_right_when_its_value_is(field: str, prediction: str, right: bool) -> None:
    assert score(f"json_field:{field}", prediction, REFERENCE) == float(right)


@pytest.mark.parametrize(
    ("reference", "reason"),
    [
        ("refund", "reference is not a JSON object"),
        ("[1]", "reference is not a JSON object"),
        ('{"item": "kettle"}', "reference has no field 'intent'"),
    ],
)
def test_a_reference_without_the_field_is_unscored_with_its_reason(
    reference: str, reason: str
) -> None:
    assert score("json_field:intent", '{"intent": "refund"}', reference) == Unscored(reason)
    assert field_labels("intent", "{}", reference) == Unscored(reason)


def test_true_is_not_one_and_the_order_of_keys_says_nothing() -> None:
    assert canonical(True) != canonical(1) == canonical(1.0)
    assert canonical({"a": 1, "b": [2.0]}) == canonical({"b": [2], "a": 1})


def test_labels_of_a_list_are_a_set_and_those_of_a_broken_answer_none() -> None:
    def labels(prediction: str, reference: str) -> LabelPair | Unscored:
        return field_labels("tags", prediction, reference)

    assert labels('{"tags": ["broken", "late", "late"]}', REFERENCE) == LabelPair(
        frozenset({'"broken"', '"late"'}), frozenset({'"broken"', '"late"'})
    )
    assert labels("no JSON", REFERENCE) == LabelPair(frozenset(), frozenset({'"broken"', '"late"'}))


@given(st.text(), st.text())
def test_exact_match_asks_for_the_same_text_between_the_blanks(first: str, second: str) -> None:
    assert score("exact_match", f" {first}\n", first) == 1.0
    assert score("exact_match", first, second) == float(first.strip() == second.strip())


def test_every_row_loads_by_the_name_it_carries() -> None:
    for name in METRICS:
        row = METRICS.load(name)
        assert row.about.name == name
        if isinstance(row, OfArgument):
            argument = row.example or "intent"
            assert load_metric(f"{name}:{argument}").about.name == f"{name}:{argument}"
            if row.default is not None:
                assert load_metric(name).about.name == name


@pytest.mark.parametrize(
    ("asked", "mend"),
    [
        ("exact-match", "'exact_match'"),
        ("json_field", "json_field:<field>"),
        ("bleu-4:x", "write 'bleu-4'"),
    ],
)
def test_an_unknown_or_incomplete_name_says_what_to_write(asked: str, mend: str) -> None:
    with pytest.raises(UsageError) as caught:
        load_metric(asked)
    assert mend in caught.value.mend


def test_a_result_survives_json() -> None:
    result = MetricResult("exact_match", "share", True, wilson(1, 2), {"no reference": 1})
    empty = MetricResult("bleu-4", "points", True, None, {"not answered": 3})
    for given_result in (result, empty):
        again = MetricResult.from_dict(json.loads(json.dumps(given_result.as_dict())))
        assert again == given_result


@pytest.mark.parametrize(("depth", "valid"), [(150, True), (300, False), (900, False)])
def test_json_nested_deeper_than_a_program_walks_is_none(depth: int, valid: bool) -> None:
    text = '{"a": ' + "[" * depth + "]" * depth + "}"
    assert score("json_valid", text, "{}") == float(valid)
    assert score("json_field:a", text, text if valid else '{"a": 1}') == float(valid)
