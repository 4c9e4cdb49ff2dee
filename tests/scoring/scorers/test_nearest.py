from __future__ import annotations

import numpy as np
import pytest
from encoders import minilm

from tuneval.data.example import Example, Message, Source
from tuneval.scoring.config import ScoreConfig
from tuneval.scoring.item import ScoringItem, exercises_of
from tuneval.scoring.reasons import REASONS, Unscored
from tuneval.scoring.scorer import Asked
from tuneval.scoring.scorers import SCORERS
from tuneval.scoring.setting import Setting
from tuneval.scoring.tasks import embed_items


def item(question: str) -> ScoringItem:
    messages = (Message("user", question), Message("assistant", "An answer."))
    example = Example(messages, Source("set.jsonl", 1))
    return ScoringItem(example, exercises_of(example))


def scores(items, embeddings) -> list[float | Unscored]:
    """As a scoring would go about it."""
    scorer = SCORERS.load("nearest")(ScoreConfig(measures=("nearest",)))
    setting = Setting(embeddings=embeddings)
    scorer.begin(items, setting)
    found = []
    for each in items:
        asked = scorer.ask(each, setting)
        if isinstance(asked, Asked):
            assert asked == Asked()
            asked = scorer.combine(each, (), setting)
        found.append(asked)
    return found


def directions(items, degrees) -> dict[str, np.ndarray]:
    angles = np.radians(degrees)
    rows = np.stack([np.cos(angles), np.sin(angles)], axis=1).astype(np.float32)
    return {each.id: row for each, row in zip(items, rows, strict=True)}


def test_an_example_is_as_far_as_the_nearest_of_all_others():
    items = [item(text) for text in "abcd"]
    found = scores(items, directions(items, [0, 10, 30, 180]))
    nearest = [10, 10, 20, 150]
    np.testing.assert_allclose(found, [1 - np.cos(np.radians(d)) for d in nearest], atol=1e-6)


def test_the_files_order_does_not_matter():
    items = [item(text) for text in "abcde"]
    embeddings = directions(items, [0, 10, 30, 80, 200])
    assert scores(items[::-1], embeddings) == scores(items, embeddings)[::-1]


def test_an_example_is_no_neighbour_of_itself():
    one, other = item("a"), item("b")
    embeddings = directions([one, other], [0, 60])
    np.testing.assert_allclose(scores([one, one, other], embeddings), 0.5, atol=1e-6)


def test_a_copy_in_other_words_of_one_vector_is_at_distance_0():
    items = [item(text) for text in "abc"]
    assert scores(items, directions(items, [20, 20, 70]))[:2] == [0.0, 0.0]


def test_an_example_without_a_text_has_no_value_and_is_nobodys_neighbour():
    items = [item(text) for text in "abc"]
    embeddings = directions(items, [0, 1, 60])
    del embeddings[items[1].id]
    found = scores(items, embeddings)
    assert found[1] == Unscored("no_embedding")
    np.testing.assert_allclose([found[0], found[2]], 0.5, atol=1e-6)


def test_an_example_alone_has_no_neighbour():
    items = [item(text) for text in "ab"]
    embeddings = directions(items, [0, 1])
    del embeddings[items[1].id]
    assert scores(items, embeddings) == [Unscored("no_peer"), Unscored("no_embedding")]


def test_an_empty_set_has_no_scores():
    assert scores([], {}) == []


def test_the_reasons_are_known():
    assert {"no_embedding", "no_peer"} <= REASONS.keys()


def test_the_reading_is_in_both_languages():
    reading = SCORERS.load("nearest")(ScoreConfig(measures=("nearest",))).reading
    assert reading.unit == "distance"
    assert "Cosine distance" in reading.text
    assert "余弦距离" in reading.text_zh


def test_a_question_said_twice_is_nearer_than_one_that_stands_alone():
    items = [
        item("How do I reset my password?"),
        item("I forgot my password, how can I change it?"),
        item("Give me a recipe for tomato soup."),
    ]
    first, second, alone = scores(items, embed_items(items, minilm()))
    assert first == pytest.approx(second)
    assert first < 0.5 < alone
