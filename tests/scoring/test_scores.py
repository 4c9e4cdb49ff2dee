"""Scores are found again: by folder, file, run, `latest`, and step of a recipe."""

from __future__ import annotations

from pathlib import Path

import pytest
from scored import conversation, score_row, write_scores, write_set

from tuneval.errors import RunError
from tuneval.runs.run import Run
from tuneval.scoring.scores import find_scores


@pytest.fixture
def data(tmp_path) -> Path:
    return write_set(tmp_path / "set.jsonl", [conversation("one"), conversation("two")])


def make(folder: Path, data: Path, value: float) -> None:
    write_scores(folder, data, lambda _, example: score_row(example.id, ifd=value))


def value_of(text: str, root: Path) -> float | None:
    return find_scores(text, root).rows[0].scores["ifd"]


def test_a_folder_its_file_and_a_run_name_the_same_scores(tmp_path, data):
    run = Run.create(tmp_path / "runs", "score", "a1b2c3")
    make(run.folder, data, 0.5)
    for text in (str(run.folder), str(run.folder / "scores.jsonl"), run.id):
        assert value_of(text, tmp_path / "runs") == 0.5


def test_latest_is_the_latest_run_that_has_scores(tmp_path, data):
    root = tmp_path / "runs"
    first = Run.create(root, "score", "a1b2c3", created="2026-01-01T00:00:00+00:00")
    make(first.folder, data, 0.25)
    Run.create(root, "select", "d4e5f6", created="2026-01-02T00:00:00+00:00")
    assert value_of("latest", root) == 0.25


def test_a_recipes_score_steps_are_found_by_name(tmp_path, data):
    root = tmp_path / "runs"
    run = Run.create(root, "recipe", "a1b2c3")
    make(run.path("scores", "small"), data, 0.25)
    assert value_of(run.id, root) == 0.25
    make(run.path("scores", "large"), data, 0.75)
    assert value_of(f"{run.id}:large", root) == 0.75
    with pytest.raises(RunError, match="several scores") as told:
        find_scores(run.id, root)
    assert f"{run.id}:large, {run.id}:small" in told.value.mend
    with pytest.raises(RunError, match="no finished scores 'larg'") as told:
        find_scores(f"{run.id}:larg", root)
    assert "'large'" in told.value.mend


def test_scores_that_are_not_finished_say_how_to_finish_them(tmp_path, data):
    make(tmp_path / "scores", data, 0.5)
    (tmp_path / "scores" / "scoring.json").unlink()
    with pytest.raises(RunError, match="no finished scores") as told:
        find_scores(str(tmp_path / "scores"), tmp_path)
    assert "run `tuneval score` again" in told.value.mend


def test_examples_are_read_again_by_id_and_those_gone_are_missing(tmp_path, data):
    make(tmp_path / "scores", data, 0.5)
    scores = find_scores(str(tmp_path / "scores"))
    assert list(scores.examples()) == [row.id for row in scores.rows]
    write_set(data, [conversation("two"), conversation("three")])
    assert list(scores.examples()) == [scores.rows[1].id]
