"""Diversity with a real encoder: what is alike in meaning is left out."""

from __future__ import annotations

from pathlib import Path

import pytest
from encoders import describe, minilm, tiny_bert
from scored import conversation, score_row, write_scores, write_set

from tuneval import files
from tuneval.errors import ModelError
from tuneval.scoring.scores import Scores
from tuneval.scoring.select import select_file
from tuneval.scoring.selection.config import config_from

QUESTIONS = [
    "How do I reset my password?",
    "I forgot my password, how can I reset it?",
    "What is the tallest mountain on Earth?",
    "Which mountain is the highest in the world?",
]


def scored(folder: Path) -> Scores:
    data = write_set(folder / "set.jsonl", [conversation(text) for text in QUESTIONS])
    return write_scores(folder / "scores", data, lambda n, e: score_row(e.id, ifd=0.9 - n / 10))


def test_an_encoder_of_ones_own_is_named_in_the_account(tmp_path: Path) -> None:
    encoder = describe(tiny_bert(tmp_path / "encoder"))
    config = config_from(by="ifd", top="2", diverse="embeddings", embeddings=str(encoder))
    done = select_file(config, scored(tmp_path), to=tmp_path / "out")
    assert done.account["counts"]["chosen"] == 2
    assert done.account["embeddings"]["name"] == str(encoder)
    assert done.account["embeddings"]["hash"] in (done.folder / "card.md").read_text("utf-8")
    nearest = [row.get("nearest_kept") for row in files.read_jsonl(done.folder / "rejected.jsonl")]
    assert all(-1 <= near["similarity"] <= 1 + 1e-6 for near in nearest)


def test_questions_that_mean_the_same_are_asked_once(tmp_path: Path) -> None:
    minilm()
    scores = scored(tmp_path)
    config = config_from(by="ifd", top="2", diverse="embeddings", pool="100%")
    done = select_file(config, scores, to=tmp_path / "out")
    kept = [row["messages"][0]["content"] for row in files.read_jsonl(done.chosen)]
    assert kept[0] == QUESTIONS[0]
    assert kept[1] in QUESTIONS[2:]
    out = files.read_jsonl(done.folder / "rejected.jsonl")
    near = {row["where"][-1]: row["nearest_kept"] for row in out}
    assert near["2"]["where"].endswith("set.jsonl:1")
    assert 0.7 < near["2"]["similarity"] < 1
    assert done.account["embeddings"]["name"] == "bundled:minilm-l6"


def test_an_encoder_that_is_not_there_is_told_and_nothing_is_left(tmp_path: Path) -> None:
    scores = scored(tmp_path)
    config = config_from(by="ifd", top="2", diverse="embeddings", embeddings="bundled:minilm")
    with pytest.raises(ModelError, match="minilm-l6"):
        select_file(config, scores, to=tmp_path / "out")
    assert not (tmp_path / "out").exists()
