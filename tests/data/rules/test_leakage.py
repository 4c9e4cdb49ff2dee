from __future__ import annotations

import pickle

from tuneval.data.rules.leakage import Leakage

LABELS = ("refund", "delivery", "退款")


def asked(question: str, answer: str) -> dict:
    return {"instruction": question, "output": answer}


def labelled(*questions: str) -> list[dict]:
    """Ten records for each question with each label; {} in the question is the label."""
    return [
        asked(question.format(label) + f" ({n})", label)
        for question in questions
        for label in LABELS
        for n in range(10)
    ]


def told(findings: list) -> list[tuple[str, str, str]]:
    assert {(f.rule, f.severity) for f in findings} <= {("leakage.answer_in_prompt", "info")}
    return [(f.where, f.path, f.what) for f in findings]


def test_labels_that_stand_in_their_questions_are_named_once_each(look) -> None:
    found = told(look("leakage", *labelled("Ticket of type {}"), format="alpaca"))
    assert [(where, path) for where, path, _ in found] == [
        ("data.jsonl:1", "output"),
        ("data.jsonl:11", "output"),
        ("data.jsonl:21", "output"),
    ]
    assert "'refund' stands in the question of 10 of its 10 records" in found[0][2]


def test_a_question_that_lists_the_labels_gives_nothing_away(look) -> None:
    listing = "Choose refund, delivery or 退款. The camera is broken."
    assert look("leakage", *labelled(listing), format="alpaca") == []


def test_labels_that_the_questions_do_not_name_pass(look) -> None:
    assert look("leakage", *labelled("The camera is broken."), format="alpaca") == []


def test_a_label_inside_a_longer_word_is_no_label(look) -> None:
    records = [asked(f"I note number {n}", answer) for n in range(20) for answer in ("no", "yes")]
    assert look("leakage", *records, format="alpaca") == []


def test_a_set_of_texts_has_no_labels(look) -> None:
    records = [asked(f"Copy: text number {n}", f"text number {n}") for n in range(200)]
    assert look("leakage", *records, format="alpaca") == []
    long = asked("Say something long.", "It is " + "very " * 20 + "long.")
    assert look("leakage", long, *labelled("Ticket of type {}"), format="alpaca") == []


def test_few_records_tell_nothing(look) -> None:
    assert look("leakage", *labelled("Ticket of type {}")[:9], format="alpaca") == []


def test_two_parts_say_what_the_whole_says(look) -> None:
    records = labelled("Ticket of type {}")
    first, second = Leakage(), Leakage()
    look(first, *records[:15], format="alpaca")
    look(second, *records[15:], format="alpaca")
    first.merge(pickle.loads(pickle.dumps(second)))
    whole = look("leakage", *records, format="alpaca")
    assert [f.what for f in first.finish()] == [f.what for f in whole]


def test_a_part_without_labels_ends_it(look) -> None:
    first, second = Leakage(), Leakage()
    look(first, *labelled("Ticket of type {}"), format="alpaca")
    look(second, asked("Say something long.", "long " * 20), format="alpaca")
    first.merge(second)
    assert list(first.finish()) == []
