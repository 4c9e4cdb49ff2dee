from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from encoders import minilm

from tuneval.data.draft import Draft
from tuneval.data.example import Example, Message, Source
from tuneval.data.read import drafts
from tuneval.errors import UsageError
from tuneval.models.embeddings import Encoder, load_encoder
from tuneval.scoring.item import ScoringItem, exercises_of
from tuneval.scoring.tasks import embed_items, tasks_from_clusters, tasks_from_field, text_of


def alpaca(instruction: str, output: str = "An answer.", **more) -> dict:
    return {"instruction": instruction, "input": "", "output": output, **more}


@pytest.fixture
def tasks_of(tmp_path):
    """Field -> the tasks of a file of records, by the instruction instead of the id."""

    def tasks(records: list[dict], field: str) -> dict[str, str]:
        path = Path(tmp_path / "set.jsonl")
        path.write_text("".join(json.dumps(row) + "\n" for row in records), encoding="utf-8")
        found = [each for each in drafts(path).items if isinstance(each, Draft)]
        names = {each.item.id: each.item.messages[0].content for each in found if each.item}
        return {names[id]: task for id, task in tasks_from_field(found, field).items()}

    return tasks


def item(*messages: Message) -> ScoringItem:
    example = Example(messages, Source("set.jsonl", 1))
    return ScoringItem(example, exercises_of(example))


def asked(question: str, answer: str = "An answer.", input: str | None = None) -> ScoringItem:
    return item(Message("user", question, input=input), Message("assistant", answer))


@pytest.mark.parametrize(
    ("more", "field"),
    [
        ({"category": "sums"}, "category"),
        ({"meta": {"task": {"name": "sums"}}}, "meta.task.name"),
        ({"meta.task": "sums"}, "meta.task"),
        ({"meta": {"task.name": "sums"}}, "meta.task.name"),
        ({"tags": {"topic": "sums"}}, "topic"),
        ({"tags": {"topic": "sums"}}, "tag:topic"),
        ({"tags": {"topic": "sums"}}, "tags.topic"),
        ({"group": "sums"}, "group"),
        ({"label": "sums"}, "label"),
    ],
    ids=str,
)
def test_a_task_is_what_the_record_says(tasks_of, more, field):
    assert tasks_of([alpaca("Add 1 and 2.", **more)], field) == {"Add 1 and 2.": "sums"}


def test_a_facet_is_used_where_no_record_has_such_a_key(tasks_of):
    records = [alpaca("Is it?", "yes"), alpaca("Was it?", " no\n")]
    assert tasks_of(records, "label") == {"Is it?": "yes", "Was it?": "no"}


def test_keys_and_facets_are_not_mixed(tasks_of):
    records = [alpaca("Is it?", "yes", label="logic"), alpaca("Was it?", "no")]
    assert tasks_of(records, "label") == {"Is it?": "logic"}


@pytest.mark.parametrize("value", [None, "", "  \n"])
def test_a_record_without_a_value_has_no_task(tasks_of, value):
    records = [alpaca("One.", task=" sums "), alpaca("Two.", task=value), alpaca("Three.")]
    assert tasks_of(records, "task") == {"One.": "sums"}


def test_numbers_and_truths_are_names_too(tasks_of):
    records = [alpaca("One.", task=3), alpaca("Two.", task=True), alpaca("Three.", task=0)]
    assert tasks_of(records, "task") == {"One.": "3", "Two.": "true", "Three.": "0"}


def test_of_equal_examples_the_first_speaks(tasks_of):
    assert tasks_of([alpaca("One.", task="a"), alpaca("One.", task="b")], "task") == {"One.": "a"}


def test_broken_records_are_passed_over(tasks_of):
    assert tasks_of([{"instruction": 5, "task": "a"}, alpaca("One.", task="b")], "task") == {
        "One.": "b"
    }


def test_an_object_names_no_task_but_its_fields_may(tasks_of):
    with pytest.raises(UsageError, match="'meta' is an object") as caught:
        tasks_of([alpaca("One.", meta={"source": "web", "task": "sums"})], "meta")
    assert caught.value.where.endswith("set.jsonl:1")
    assert caught.value.mend == "name one of meta.source, meta.task"


def test_a_list_names_no_task(tasks_of):
    with pytest.raises(UsageError, match="'task' is a list"):
        tasks_of([alpaca("One.", task=["sums"])], "task")


def test_a_field_that_no_record_has_is_refused_with_a_near_name(tasks_of):
    with pytest.raises(UsageError, match="No record has a value for 'catgory'") as caught:
        tasks_of([alpaca("One.", category="sums"), alpaca("Two.", meta={"kind": "b"})], "catgory")
    assert caught.value.mend == "did you mean 'category'?"


def test_the_question_is_embedded_with_its_input_and_on_wish_its_answer():
    one = asked("Add.\n1 2", "3", input="1 2")
    assert text_of(one) == "Add.\n1 2"
    assert text_of(one, of="exchange") == "Add.\n1 2\n3"


def test_the_first_exercise_speaks_for_a_conversation():
    turns = [Message("system", "Be brief."), Message("user", "One?"), Message("assistant", "1")]
    turns += [Message("user", "Two?"), Message("assistant", "2")]
    assert text_of(item(*turns)) == "One?"
    turns[2] = Message("assistant", "1", train=False)
    assert text_of(item(*turns)) == "Two?"


def test_where_there_are_no_words_there_is_no_text():
    assert text_of(item(Message("user", "One?"))) == ""
    assert text_of(asked(" \n", "An answer.")) == ""
    assert text_of(item(Message("assistant", "Hello."))) == ""
    assert text_of(item(Message("assistant", "Hello.")), of="exchange") == "Hello."


class Lengths(Encoder):
    """Texts as directions: the angle is their length."""

    def embed(self, texts, **_):
        angles = np.array([len(text) for text in texts]) / 10
        return np.stack([np.cos(angles), np.sin(angles)], axis=1).astype(np.float32)


def test_items_without_a_text_have_no_vector():
    items = [asked("Three"), asked(" "), asked("Seven!!")]
    found = embed_items(items, Lengths(None, None, "lengths", ""))
    assert list(found) == [items[0].id, items[2].id]
    np.testing.assert_allclose(found[items[2].id], [np.cos(0.7), np.sin(0.7)], rtol=1e-6)


def test_a_set_without_a_text_needs_no_encoder():
    assert embed_items([asked(" ")], None) == {}


def test_clusters_are_named_by_their_size():
    rows = np.repeat(np.eye(4, dtype=np.float32), [2, 3, 1, 2], axis=0)
    found = tasks_from_clusters([f"id-{n}" for n in range(8)], rows, clusters=4, seed=1)
    names = [f"cluster-{n:02}" for n in (2, 2, 1, 1, 1, 4, 3, 3)]
    assert list(found.items()) == [(f"id-{n}", name) for n, name in enumerate(names)]


def test_without_a_number_there_are_the_usual_ones():
    rows = np.random.default_rng(0).normal(size=(200, 8))
    rows = (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)
    found = tasks_from_clusters(list(map(str, range(200))), rows, seed=1)
    assert len(set(found.values())) == 10


def test_ids_and_vectors_must_belong_together():
    with pytest.raises(UsageError, match="2 ids and 3 embeddings"):
        tasks_from_clusters(["a", "b"], np.eye(3, dtype=np.float32), seed=0)


def test_an_empty_set_has_no_tasks():
    assert tasks_from_clusters([], np.zeros((0, 4), np.float32), seed=0) == {}


ENGLISH = {
    "sums": ["What is 3 plus 4?", "Add the numbers 12 and 30.", "Compute the sum of 5 and 9."],
    "soups": ["Give me a recipe for tomato soup.", "How do I cook a good vegetable soup?"],
}
CHINESE = {
    "诗": ["写一首关于秋天的诗。", "写一首关于月亮的诗。", "写一首关于大海的诗。"],
    "数": ["15乘以12等于多少？", "15加12等于多少？"],
}


def check_that_clusters_are_the_kinds(encoder: Encoder, kinds: dict[str, list[str]]) -> None:
    items = {asked(text).id: (asked(text), kind) for kind, texts in kinds.items() for text in texts}
    rows = embed_items([each for each, _ in items.values()], encoder)
    found = tasks_from_clusters(list(rows), np.stack(list(rows.values())), clusters=2, seed=17)
    pairs = {(found[id], kind) for id, (_, kind) in items.items()}
    larger, smaller = kinds
    assert pairs == {("cluster-01", larger), ("cluster-02", smaller)}


def test_english_questions_of_one_kind_are_one_cluster():
    check_that_clusters_are_the_kinds(minilm(), ENGLISH)


@pytest.mark.slow
def test_chinese_questions_of_one_kind_are_one_cluster():
    check_that_clusters_are_the_kinds(
        load_encoder("model:bundled:smollm2-135m", device="cpu"), CHINESE
    )
