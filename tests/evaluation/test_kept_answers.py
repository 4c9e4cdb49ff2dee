"""Answers are kept one by one, and each item once."""

from __future__ import annotations

import json

from tuneval.evaluation.answering.kept import ELAPSED, Kept


def test_kept_rows_are_found_again_and_time_goes_on(tmp_path):
    path = tmp_path / "answers.jsonl"
    first = Kept(path, wanted=["a", "b"])
    first.append({"id": "a", "predict": "x"})
    second = Kept(path, wanted=["a", "b"])
    assert "a" in second
    assert "b" not in second
    second.append({"id": "b", "predict": "y"})
    assert second.rows["b"][ELAPSED] >= second.rows["a"][ELAPSED]
    assert second.seconds == second.rows["b"][ELAPSED]


def test_line_cut_short_by_a_crash_is_answered_again(tmp_path):
    path = tmp_path / "answers.jsonl"
    path.write_text('{"id": "a", "predict": "x"}\n{"id": "b", "pre', encoding="utf-8")
    kept = Kept(path, wanted=["a", "b"])
    assert list(kept.rows) == ["a"]
    kept.append({"id": "b", "predict": "y"})
    ids = [json.loads(line)["id"] for line in path.read_text(encoding="utf-8").splitlines()]
    assert ids == ["a", "b"]


def test_rows_of_other_items_and_second_rows_are_passed_over(tmp_path):
    path = tmp_path / "answers.jsonl"
    rows = [{"id": "a", "predict": "1"}, {"id": "z"}, {"id": "a", "predict": "2"}]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    kept = Kept(path, wanted=["a"])
    assert kept.rows == {"a": {"id": "a", "predict": "1"}}
    assert kept.seconds == 0
