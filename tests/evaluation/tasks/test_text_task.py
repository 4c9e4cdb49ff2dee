from __future__ import annotations

import json
from pathlib import Path

import pytest

from tuneval.errors import DataError
from tuneval.evaluation.tasks import task_from


def load(path: Path, **options: object):
    return task_from({"kind": "text", "path": str(path), **options}).load()


def test_a_text_file_is_one_text_as_it_stands(tmp_path: Path) -> None:
    (tmp_path / "book.txt").write_text("One.\n\n 二。\n", encoding="utf-8")
    asked = load(tmp_path / "book.txt")
    (question,) = asked.questions

    assert (question.way, question.prompt) == ("read", "One.\n\n 二。\n")
    assert asked.metrics[0] == "bits_per_byte"
    assert asked.protocol == "text/rolling/file"


def test_lines_may_be_texts_of_their_own_and_what_is_left_out_is_noted(tmp_path: Path) -> None:
    (tmp_path / "lines.txt").write_text("one\n\ntwo\none\n")
    asked = load(tmp_path / "lines.txt", unit="line")

    assert [(q.prompt, q.source.rpartition(":")[2]) for q in asked.questions] == [
        ("one", "1"),
        ("two", "3"),
    ]
    assert asked.notes == ("2 empty or repeated texts are left out",)


def test_a_folder_of_texts_and_a_data_set_of_texts_are_read(tmp_path: Path) -> None:
    folder = tmp_path / "books"
    folder.mkdir()
    (folder / "a.txt").write_text("first")
    (folder / "b.md").write_text("second")
    (folder / "notes.jsonl").write_text('{"text": "no book"}\n')
    rows = tmp_path / "texts.jsonl"
    rows.write_text("".join(json.dumps({"text": t}) + "\n" for t in ("x", "y")))

    assert [q.prompt for q in load(folder).questions] == ["first", "second"]
    assert [q.prompt for q in load(rows).questions] == ["x", "y"]


def test_what_holds_no_text_is_told(tmp_path: Path) -> None:
    (tmp_path / "empty.txt").write_text(" \n")
    with pytest.raises(DataError, match="no text to read"):
        load(tmp_path / "empty.txt")

    (tmp_path / "latin.txt").write_bytes("für".encode("latin-1"))
    with pytest.raises(DataError, match="no UTF-8 text"):
        load(tmp_path / "latin.txt")

    talk = [{"role": "user", "content": "x"}, {"role": "assistant", "content": "y"}]
    (tmp_path / "chat.jsonl").write_text(json.dumps({"messages": talk}) + "\n")
    with pytest.raises(DataError, match="another kind of item: Example"):
        load(tmp_path / "chat.jsonl")
