"""Tasks from one's own file: each layout, both forms, and what a wrong row is told."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import pytest

from tuneval.data.example import Message
from tuneval.errors import DataError, UsageError
from tuneval.evaluation.items import Chosen, Item
from tuneval.evaluation.metrics import load_metric
from tuneval.evaluation.question import Question
from tuneval.evaluation.task import Questions
from tuneval.evaluation.tasks import task_from


def write(path: Path, rows: list[dict[str, Any]]) -> str:
    path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows))
    return str(path)


def load(tmp_path: Path, kind: str, rows: list[dict[str, Any]], **options: Any) -> Questions:
    return task_from({"kind": kind, "path": write(tmp_path / "own.jsonl", rows), **options}).load()


def answered(question: Question, answer: str | int) -> Item:
    """The item as an evaluation makes it; a number is the place of the likeliest choice."""
    if isinstance(answer, str):
        return Item(
            question.id, question.source, question.group, question.tags, question.asked,
            question.reference, answer, fields=question.fields,
        )  # fmt: skip
    logprobs = tuple(-1.0 if n == answer else -2.0 - n for n in range(len(question.choices)))
    return Item(
        question.id, question.source, question.group, question.tags, question.asked,
        question.reference, fields=question.fields,
        chosen=Chosen(question.choices, logprobs, (1,) * len(logprobs), question.gold),
    )  # fmt: skip


def value(metric: str, items: list[Item]) -> float:
    estimate = load_metric(metric).estimate(items, clusters=None, seed=1)
    assert estimate is not None
    return estimate.value


MOODS = [
    {"text": "Lovely!", "label": "good", "group": "a", "shop": "x"},
    {"text": "Awful.", "label": "bad", "id": "mine"},
]


def test_a_classification_offers_the_files_labels_and_keeps_the_other_keys_as_tags(tmp_path):
    asked = load(tmp_path, "classification", MOODS)
    first, second = asked.questions

    assert first.way == "choose"
    assert first.choices == ("bad", "good")
    assert (first.gold, second.gold) == ((1,), (0,))
    assert first.prompt == (
        Message(
            "user",
            "Lovely!\n\nWhich label fits this text: bad, good? Answer with the label only.",
        ),
    )
    assert (first.group, first.tags, second.id) == ("a", {"shop": "x"}, "mine")
    assert asked.protocol == "classification/choose/0-shot/chat"


def test_a_classification_is_graded_right_in_both_protocols(tmp_path):
    chosen = load(tmp_path, "classification", MOODS)
    written = load(tmp_path, "classification", MOODS, protocol="generate")

    assert value("accuracy", [answered(q, 1) for q in chosen.questions]) == 0.5
    said = ["It is good.", "bad"]
    items = [answered(q, text) for q, text in zip(written.questions, said, strict=True)]
    assert all(q.way == "generate" for q in written.questions)
    assert value("accuracy", items) == 1.0
    for name in chosen.metrics:
        load_metric(name)


def test_plain_text_with_demonstrations_reads_as_it_should(tmp_path):
    shown = write(tmp_path / "shown.jsonl", [{"text": "Fine.", "label": "good"}, *MOODS])
    asked = load(
        tmp_path, "classification", MOODS, chat=False, shots=1, demonstrations=shown,
        instruction="({labels})",
    )  # fmt: skip
    first = asked.questions[0]

    assert first.shots == ("Fine.\n\n(bad, good)\nAnswer: good\n\n",)
    assert first.prompt == "Lovely!\n\n(bad, good)\nAnswer:"
    assert first.choices == (" bad", " good")
    assert asked.protocol == "classification/choose/1-shot/plain"
    assert asked.demonstrations == ("Fine.\n\n(bad, good)",)


def test_chinese_plain_text_has_no_blank_before_the_answer(tmp_path):
    rows = [{"text": "很好", "label": "正面"}, {"text": "太差", "label": "负面"}]
    first = load(tmp_path, "classification", rows, chat=False, language="zh").questions[0]

    assert first.prompt == "很好\n\n这段文字属于哪一类：正面, 负面？只回答类别名称。\n答案："
    assert first.choices == ("正面", "负面")


def test_demonstrations_are_drawn_by_a_seed_where_one_is_given(tmp_path):
    rows = [{"text": f"text {n}", "label": ("bad", "good")[n % 2]} for n in range(30)]
    options = {"shots": 2, "demonstrations": write(tmp_path / "shown.jsonl", rows)}
    first = load(tmp_path, "classification", MOODS, **options)
    drawn = [load(tmp_path, "classification", MOODS, shot_seed=n, **options) for n in (1, 1, 2)]

    assert drawn[0].questions == drawn[1].questions
    shown = {asked.demonstrations for asked in (first, *drawn)}
    assert len(shown) == 3
    assert drawn[2].protocol == "classification/choose/2-shot-drawn-2/chat"
    with pytest.raises(UsageError, match="shot_seed: say how many"):
        load(tmp_path, "classification", MOODS, shot_seed=1)


def test_shots_without_a_file_of_demonstrations_are_refused(tmp_path):
    with pytest.raises(UsageError, match="name the file that they come from"):
        load(tmp_path, "classification", MOODS, shots=2)


@pytest.mark.parametrize(
    ("kind", "row", "options", "said"),
    [
        ("classification", {"text": "x"}, {}, "no 'label'"),
        ("classification", {"text": " ", "label": "a"}, {}, "'text' is not a text"),
        ("classification", {"text": "x", "label": "b"}, {"labels": ["a"]}, "'b' is none of: a"),
        ("regression", {"text": "x", "number": "many"}, {}, "'many' is no number"),
        ("regression", {"text": "x", "number": "nan"}, {}, "'nan' is no number"),
        ("multi_label", {"text": "x", "labels": {"a": 1}}, {}, "no list of texts"),
        ("multi_label", {"text": "x", "labels": "b"}, {"choose_from": ["a"]}, "'b' is none of"),
        ("multiple_choice", {"question": "x", "choices": ["a"], "answer": "A"}, {}, "fewer than"),
        ("multiple_choice", {"question": "x", "choices": ["a", "a"], "answer": "A"}, {}, "alike"),
        ("multiple_choice", {"question": "x", "A": "1", "B": "2", "answer": "C"}, {}, "none of"),
        ("multiple_choice", {"question": "x", "A": "1", "B": "2", "answer": []}, {}, "No choice"),
        ("ranking", {"query": "x", "documents": ["a"], "relevance": ["1"]}, {}, "2 to 26"),
        ("ranking", {"query": "x", "documents": ["a", "b"], "relevance": ["9"]}, {}, "relevant"),
        ("ranking", {"query": "x", "documents": ["a", "b"], "relevance": [0, 0]}, {}, "relevant"),
        ("ranking", {"query": "x", "documents": ["a", ""], "relevance": ["1"]}, {}, "no text"),
    ],
)
def test_a_wrong_row_is_told_with_its_place(tmp_path, kind, row, options, said):
    with pytest.raises(DataError, match=said) as error:
        load(tmp_path, kind, [row], **options)

    assert error.value.where.endswith("own.jsonl:1")
    assert error.value.mend


def test_two_rows_of_one_id_are_refused_and_equal_rows_are_two_questions(tmp_path):
    with pytest.raises(DataError, match="Two rows have the id 'mine'"):
        load(tmp_path, "classification", [MOODS[1], {**MOODS[1], "text": "Other."}])

    asked = load(tmp_path, "classification", [MOODS[0], MOODS[0], MOODS[0]])
    first, second, third = (q.id for q in asked.questions)
    assert (second, third) == (f"{first}-2", f"{first}-3")


def test_a_regression_keeps_the_true_number_and_reads_the_answered_one(tmp_path):
    rows = [{"text": "two", "number": 2}, {"text": "ten", "label": "10.5"}]
    asked = load(tmp_path, "regression", rows)

    assert [q.fields["reference_number"] for q in asked.questions] == [2.0, 10.5]
    items = [answered(asked.questions[0], "It is 3."), answered(asked.questions[1], "10.5")]
    assert value("mae", items) == 0.5


def test_a_multi_label_row_has_any_number_of_labels(tmp_path):
    rows = [{"text": "a", "labels": ["red", "blue", "red"]}, {"text": "b", "labels": []}]
    asked = load(tmp_path, "multi_label", rows)

    assert [q.reference for q in asked.questions] == ["red, blue", "none"]
    assert asked.questions[0].fields == {
        "reference_labels": ["red", "blue"],
        "classes": ["blue", "red"],
    }
    items = [answered(asked.questions[0], "blue"), answered(asked.questions[1], "None.")]
    assert value("jaccard", items) == 0.75


CHOICES = [
    {"question": "2 + 2?", "choices": ["3", "4", "5"], "answer": "B"},
    {"question": "2 + 3?", "A": "5", "B": "6", "answer": "A", "D": "9"},
    {"question": "1 + 2?", "choices": ["3", "4"], "answer": "3"},
    {"question": "3 + 3?", "choices": ["5", "6"], "answer": 1},
]


def test_choices_are_given_as_a_list_or_in_columns_and_answers_in_four_ways(tmp_path):
    asked = load(tmp_path, "multiple_choice", CHOICES)

    assert [q.gold for q in asked.questions] == [(1,), (0,), (0,), (1,)]
    assert [len(q.choices) for q in asked.questions] == [3, 2, 2, 2]
    assert asked.questions[0].asked == (
        "2 + 2?\nA. 3\nB. 4\nC. 5\n\nAnswer with the letter of the right choice only."
    )
    assert asked.questions[0].choices == ("A", "B", "C")
    assert value("choice_accuracy", [answered(q, 0) for q in asked.questions]) == 0.5


def test_choices_as_texts_are_not_shown(tmp_path):
    asked = load(tmp_path, "multiple_choice", CHOICES, protocol="texts", chat=False)

    assert asked.questions[0].prompt == "2 + 2?\nAnswer:"
    assert asked.questions[0].choices == (" 3", " 4", " 5")
    assert asked.metrics == ("choice_accuracy", "choice_accuracy_by_characters")


def test_a_written_letter_is_read_by_an_extractor(tmp_path):
    several = [{"question": "Even?", "choices": ["1", "2", "4"], "answer": ["C", "B"]}]
    one, many = (
        load(tmp_path, "multiple_choice", rows, protocol="generate").questions[0]
        for rows in (CHOICES, several)
    )

    assert (one.extractor, one.reference, one.choices) == ("letter", "B", ())
    assert (many.extractor, many.reference) == ("letters", "BC")
    long = [{"question": "x", "choices": list("abcdefgh"), "answer": "A"}]
    with pytest.raises(DataError, match="A to G"):
        load(tmp_path, "multiple_choice", long, protocol="generate")


QUERY = {
    "query": "tea",
    "documents": [{"id": "t7", "text": "coffee"}, {"id": "t8", "text": "green tea"}, "mugs"],
    "relevance": {"t8": 2, "3": 1},
}


def test_documents_are_ranked_by_the_likelihood_of_their_letters(tmp_path):
    question = load(tmp_path, "ranking", [QUERY]).questions[0]

    assert question.asked.startswith("Query: tea\n\nDocument A: coffee\n\nDocument B: green tea")
    assert question.choices == ("A", "B", "C")
    assert question.fields == {
        "relevance": {"t7": 0.0, "t8": 2.0, "3": 1.0},
        "documents": ["t7", "t8", "3"],
    }
    # Likeliest B, then A, then C: gains 2, 0, 1. Ideal order 2, 1, 0.
    found = value("ndcg:10", [answered(question, 1)])
    assert found == pytest.approx((2 + 1 / 2) / (2 + 1 / 1.584962500721156))
    assert value("mrr", [answered(question, 0)]) == 0.5


def test_a_written_order_is_read_by_letters(tmp_path):
    question = load(tmp_path, "ranking", [QUERY], protocol="generate").questions[0]

    assert question.reference == "B > C > A"
    assert value("ndcg:10", [answered(question, "B > C > A")]) == pytest.approx(1.0)
    assert value("mrr", [answered(question, "A > B > C")]) == 0.5


def test_relevance_may_be_a_list_of_ids_or_a_gain_for_each_document(tmp_path):
    for given in (["t8"], [0, 1, 0]):
        question = load(tmp_path, "ranking", [{**QUERY, "relevance": given}]).questions[0]
        assert question.fields["relevance"] == {"t7": 0.0, "t8": 1.0, "3": 0.0}
    bare = {"query": "tea", "documents": ["coffee", "tea"]}
    graded, named = load(
        tmp_path, "ranking", [{**bare, "relevance": [1, 2]}, {**bare, "relevance": [2]}]
    ).questions
    assert graded.fields["relevance"] == {"1": 1.0, "2": 2.0}
    assert named.fields["relevance"] == {"1": 0.0, "2": 1.0}


def test_a_csv_holds_lists_as_json_or_parted_texts(tmp_path):
    path = tmp_path / "own.csv"
    with path.open("w", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(["query", "documents", "relevance"])
        rows.writerow(["tea", json.dumps(["coffee", "tea"]), '{"2": 1}'])
    ranked = task_from({"kind": "ranking", "path": str(path)}).load()
    assert ranked.questions[0].gold == (1,)

    path.write_text('text,labels\nx,"a; b"\ny,"a"\n')
    labelled = task_from({"kind": "multi_label", "path": str(path)}).load()
    assert [q.fields["reference_labels"] for q in labelled.questions] == [["a", "b"], ["a"]]

    path.write_text("question,A,B,C,answer\n1+1?,1,2,,B\n")
    chosen = task_from({"kind": "multiple_choice", "path": str(path)}).load()
    assert (chosen.questions[0].choices, chosen.questions[0].gold) == (("A", "B"), (1,))


def test_a_generation_task_asks_for_the_last_answer_of_any_data_set(tmp_path):
    rows = [
        {"instruction": "Say hi.", "input": "", "output": "hi", "history": [["a", "b"]]},
        {"instruction": "Say hi.", "input": "", "output": "hi", "history": [["a", "b"]]},
    ]
    path = tmp_path / "own.json"
    path.write_text(json.dumps(rows))
    asked = task_from({"kind": "generation", "path": str(path), "max_new_tokens": 9}).load()
    (question,) = asked.questions

    assert asked.notes == ("1 repeated conversations are asked once",)
    assert [m.role for m in question.prompt] == ["user", "assistant", "user"]
    assert (question.reference, question.max_new_tokens) == ("hi", 9)


def test_a_conversation_with_tools_is_sent_to_the_evaluation_of_files(tmp_path):
    turns = [{"role": "user", "content": "x"}, {"role": "assistant", "content": "y"}]
    tool = {"type": "function", "function": {"name": "f", "parameters": {"type": "object"}}}
    path = write(tmp_path / "own.jsonl", [{"messages": turns, "tools": [tool]}])

    with pytest.raises(DataError, match="has tools"):
        task_from({"kind": "generation", "path": path}).load()


def test_an_unknown_option_and_an_unknown_task_are_told() -> None:
    with pytest.raises(UsageError, match="protocl"):
        task_from({"kind": "classification", "path": "x", "protocl": "choose"})
    with pytest.raises(UsageError, match="regresion"):
        task_from({"kind": "regresion"})


def test_a_file_without_rows_is_told(tmp_path) -> None:
    path = tmp_path / "own.jsonl"
    path.write_text("")

    with pytest.raises(DataError):
        task_from({"kind": "regression", "path": str(path)}).load()


def test_demonstrations_are_shown_as_many_as_asked_for_or_refused(tmp_path) -> None:
    path = write(tmp_path / "own.jsonl", MOODS)
    options = {"kind": "classification", "path": path, "demonstrations": path}

    with pytest.raises(UsageError, match="say how many of them"):
        task_from(options)
    with pytest.raises(DataError, match="3 demonstrations are wanted, and the file has 2"):
        task_from({**options, "shots": 3}).load()


def test_an_instruction_that_would_not_be_shown_is_refused() -> None:
    options = {"kind": "multiple_choice", "path": "x", "instruction": "Think."}

    with pytest.raises(UsageError, match="the question stands alone"):
        task_from({**options, "protocol": "texts"})
    assert task_from(options)
