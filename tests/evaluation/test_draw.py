"""A limit leaves a part that keeps the shares of strata and is the same each time."""

from __future__ import annotations

from collections import Counter

import pytest

from tuneval.errors import DataError
from tuneval.evaluation.asking.draw import allocate, draw
from tuneval.evaluation.question import Question
from tuneval.evaluation.task import Questions, Task

SIZES = {"law": 60, "art": 30, "law-of-few": 3}


class Quiz(Task):
    kind: str = "quiz"

    def load(self) -> Questions:
        raise NotImplementedError


def question(name: str, subject: str, *, after: str | None = None) -> Question:
    return Question(
        id=name, source="q", way="generate", prompt=name, after=after, tags={"subject": subject}
    )


def quiz(sizes=SIZES) -> Questions:
    rows = [
        question(f"{subject}-{n}", subject) for subject, size in sizes.items() for n in range(size)
    ]
    return Questions(
        questions=tuple(rows), protocol="quiz", metrics=("exact_match",), strata="subject"
    )


def subjects(drawn) -> dict[str, int]:
    return dict(Counter(q.tags["subject"] for q in drawn.questions))


def test_without_a_limit_everything_is_asked():
    drawn = draw(quiz(), Quiz())
    assert not drawn.is_part
    assert drawn.sizes == drawn.taken == SIZES


def test_shares_are_kept_and_small_strata_are_not_lost():
    drawn = draw(quiz(), Quiz(limit=31))
    assert subjects(drawn) == {"law": 20, "art": 10, "law-of-few": 1}
    assert drawn.taken == subjects(drawn)
    assert drawn.is_part
    assert drawn.widening == pytest.approx((93 / 31) ** 0.5)


def test_as_many_of_each_stratum_where_there_are():
    assert subjects(draw(quiz(), Quiz(limit=20, per="stratum"))) == {
        "law": 20, "art": 20, "law-of-few": 3,
    }  # fmt: skip


def test_the_seed_alone_decides_and_the_tasks_order_stays():
    ids = [q.id for q in draw(quiz(), Quiz(limit=12)).questions]
    assert [q.id for q in draw(quiz(), Quiz(limit=12)).questions] == ids
    assert {q.id for q in draw(quiz(), Quiz(limit=12, seed=3)).questions} != set(ids)
    order = [q.id for q in quiz().questions]
    assert ids == sorted(ids, key=order.index)


def test_a_smaller_limit_takes_part_of_a_larger_one():
    few = draw(quiz(), Quiz(limit=5, per="stratum")).questions
    many = draw(quiz(), Quiz(limit=15, per="stratum")).questions
    assert {q.id for q in few} < {q.id for q in many}


def test_every_question_is_drawn_about_as_often_as_any_other():
    counts: Counter[str] = Counter()
    for seed in range(200):
        counts.update(q.id for q in draw(quiz({"law": 20}), Quiz(limit=5, seed=seed)).questions)
    assert len(counts) == 20
    assert min(counts.values()) > 25
    assert max(counts.values()) < 80


def test_conversations_stay_whole_and_count_once():
    rows = []
    for n in range(10):
        rows += [question(f"t{n}", "x"), question(f"u{n}", "x", after=f"t{n}")]
    asked = Questions(questions=tuple(rows), protocol="quiz", metrics=("exact_match",))
    ids = {q.id for q in draw(asked, Quiz(limit=4)).questions}
    assert len(ids) == 8
    assert {name[1:] for name in ids if name[0] == "t"} == {n[1:] for n in ids if n[0] == "u"}


def test_two_questions_of_one_id_are_refused():
    asked = Questions(
        questions=(question("a", "x"), question("a", "y")),
        protocol="quiz",
        metrics=("exact_match",),
    )
    with pytest.raises(DataError, match="'a'"):
        draw(asked, Quiz())


@pytest.mark.parametrize("limit", [1, 2, 3, 7, 50, 93, 500])
def test_the_parts_sum_to_the_limit(limit):
    taken = allocate(SIZES, limit)
    assert sum(taken.values()) == min(limit, 93)
    assert all(taken[name] <= SIZES[name] for name in SIZES)
    if limit >= 3:
        assert min(taken.values()) >= 1


def test_a_limit_below_the_number_of_strata_leaves_out_no_stratum_for_good():
    counts: Counter[str] = Counter()
    for seed in range(300):
        drawn = draw(quiz(), Quiz(limit=2, seed=seed))
        assert len(drawn.questions) == 2
        assert (drawn.tag, drawn.sizes, drawn.taken) == (None, {"all": 93}, {"all": 2})
        counts.update(subjects(drawn))
    assert counts["law-of-few"] > 5, "3 of 93 questions, 600 draws: about 19"
