from __future__ import annotations

import re
from collections import Counter
from typing import get_args

import pytest

from tuneval.evaluation.items import Item
from tuneval.evaluation.metrics import load_metric
from tuneval.evaluation.tasks import task_from
from tuneval.evaluation.tasks.capability.items import CapabilityName, table

CAPABILITIES = get_args(CapabilityName)
LEAST_OF_EACH_LANGUAGE = {"long_text_generation": 5}
HAN = re.compile(r"[\u4e00-\u9fff]")


@pytest.mark.parametrize("capability", CAPABILITIES)
def test_every_rule_accepts_its_right_answer_and_refuses_its_wrong_one(capability) -> None:
    faults = []
    for language, item in table(capability).items:
        if item.rule is None:
            continue
        if broken := item.rule.broken(item.right):
            faults.append(f"{language}/{item.id}: the right answer breaks {broken}")
        if item.rule.passes(item.wrong):
            faults.append(f"{language}/{item.id}: the wrong answer passes")

    assert faults == []


@pytest.mark.parametrize("capability", CAPABILITIES)
def test_each_capability_has_items_enough_in_either_language(capability) -> None:
    least = LEAST_OF_EACH_LANGUAGE.get(capability, 10)
    counts = Counter(language for language, item in table(capability).items if item.rule)

    assert counts["en"] >= least
    assert counts["zh"] >= least


@pytest.mark.parametrize("capability", CAPABILITIES)
def test_items_are_in_their_language_and_passages_are_used(capability) -> None:
    found = table(capability)
    about = set()
    for language, item in found.items:
        text = found.text(item)
        about.add(item.about)
        if language == "zh":
            assert HAN.search(text), item.id
        elif capability != "dialogue":
            assert not HAN.search(text), item.id

    assert about - {None} == set(found.passages)


def test_no_item_stands_twice_and_no_answer_is_given_away() -> None:
    questions = task_from({"kind": "capability"}).load().questions
    prompts = Counter(tuple(m.content for m in q.prompt) for q in questions)

    assert len({q.id for q in questions}) == len(questions)
    assert max(prompts.values()) == 1


def test_right_letters_are_spread_over_the_places() -> None:
    letters = Counter(
        item.rule.choice
        for capability in CAPABILITIES
        for _, item in table(capability).items
        if item.rule is not None and item.rule.choice is not None
    )

    assert sum(letters.values()) >= 30
    assert max(letters.values()) <= sum(letters.values()) / 2


def test_the_suite_is_averaged_over_capabilities_and_counts_what_a_judge_must_mark() -> None:
    asked = task_from({"kind": "capability"}).load()
    judged = [q for q in asked.questions if "rule" not in q.fields]

    assert asked.average == asked.strata == "capability"
    assert asked.metrics == ("rule_passed", "judge_score")
    assert asked.notes == (f"{len(judged)} answers have no rule: a judge or a person decides",)
    assert all(q.reference is None for q in judged)


def test_a_part_of_the_suite_can_be_asked() -> None:
    asked = task_from(
        {"kind": "capability", "capabilities": ["ethics"], "languages": ["zh"], "only": "rules"}
    ).load()

    assert {q.id.split("/")[:2][0] for q in asked.questions} == {"ethics"}
    assert {q.tags["language"] for q in asked.questions} == {"zh"}
    assert asked.metrics == ("rule_passed",)
    assert asked.notes == ()


def test_questions_on_one_passage_are_one_group_and_hold_the_passage() -> None:
    asked = task_from({"kind": "capability", "capabilities": ["long_text_understanding"]}).load()
    groups = Counter(q.group for q in asked.questions)

    assert sorted(groups.values()) == [5, 5, 5, 5]
    for question in asked.questions:
        passage = table("long_text_understanding").passages[question.group.partition("/")[2]]
        assert question.prompt[-1].content.startswith(passage.strip()[:40])


def test_a_conversation_before_the_question_is_asked_as_turns() -> None:
    asked = task_from({"kind": "capability", "capabilities": ["dialogue"]}).load()
    question = next(q for q in asked.questions if q.id == "dialogue/en/remembered-allergy")

    assert [m.role for m in question.prompt] == ["user", "assistant", "user", "assistant", "user"]


def test_the_metric_reads_the_rules_that_the_questions_carry() -> None:
    asked = task_from({"kind": "capability", "only": "rules"}).load()
    metric = load_metric("rule_passed")
    grades = [
        metric.score(  # type: ignore[attr-defined]
            Item(q.id, q.source, q.group, q.tags, "", q.reference, q.reference, fields=q.fields)
        )
        for q in asked.questions
    ]

    assert grades == [1.0] * len(asked.questions)
