from __future__ import annotations

import pytest

from tuneval.data.example import Message
from tuneval.errors import DataError
from tuneval.evaluation.asking.turns import go_on, rounds
from tuneval.evaluation.question import Question


def question(name: str, after: str | None = None, **more: object) -> Question:
    return Question(
        id=name,
        source=f"x:{name}",
        way="generate",
        prompt=(Message("user", f"say {name}"),),
        after=after,
        **more,  # type: ignore[arg-type]
    )


def test_questions_are_asked_in_rounds_each_after_the_one_it_follows() -> None:
    asked = [question("b2", "b1"), question("a1"), question("b3", "b2"), question("b1")]

    assert [[q.id for q in part] for part in rounds(asked)] == [["a1", "b1"], ["b2"], ["b3"]]
    assert rounds([]) == []


def test_a_question_that_follows_nothing_is_refused_with_its_place() -> None:
    with pytest.raises(DataError, match="'b2' follows 'b1'") as error:
        rounds([question("a1"), question("b2", "b1")])

    assert error.value.where == "x:b2"


def test_questions_that_follow_each_other_in_a_circle_are_refused() -> None:
    with pytest.raises(DataError):
        rounds([question("a", "b"), question("b", "a")])


def test_a_later_turn_is_asked_after_the_whole_conversation_with_its_first_turns_head() -> None:
    head = (Message("system", "be brief"),)
    asked = {"1": question("1", head=head)}
    asked["2"] = go_on(question("2", "1"), asked, {"1": "one"})
    third = go_on(question("3", "2"), asked, {"1": "one", "2": "two"})

    assert [(m.role, m.content) for m in third.prompt] == [  # type: ignore[union-attr]
        ("user", "say 1"),
        ("assistant", "one"),
        ("user", "say 2"),
        ("assistant", "two"),
        ("user", "say 3"),
    ]
    assert third.head == head
    assert third.asked == "say 3"


def test_a_first_question_is_asked_as_it_is() -> None:
    first = question("1")

    assert go_on(first, {}, {}) is first
