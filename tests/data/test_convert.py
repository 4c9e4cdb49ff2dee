from __future__ import annotations

import base64
import json
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tuneval import files
from tuneval.data.convert import Conversion, convert
from tuneval.data.example import Example
from tuneval.data.fingerprint import data_hash
from tuneval.data.read import read
from tuneval.data.taken_out import rejects_file
from tuneval.errors import DataError, StorageError, UsageError

USER = {"role": "user", "content": "你好"}
ANSWER = {"role": "assistant", "content": "Hello!"}
CHAT = {"messages": [USER, ANSWER], "group": "g", "tags": {"n": 1}}
UNTRAINED = {"messages": [USER, ANSWER | {"train": False}]}
NAMED = {"messages": [USER | {"name": "Ann"}, ANSWER]}
PAIR = {
    "prompt": [USER, ANSWER, USER],
    "chosen": [ANSWER],
    "rejected": [{"role": "assistant", "content": "Go away."}],
    "tools": [{"name": "f"}],
    "group": "g",
}


def as_line(row: Any) -> bytes:
    return json.dumps(row, ensure_ascii=False).encode() + b"\n"


@pytest.fixture
def source(tmp_path: Path) -> Path:
    return tmp_path / "source.jsonl"


def converted(source: Path, *lines: Any, to: str = "alpaca", **how: Any) -> Conversion:
    """The conversion of a file of these lines, a row each or the bytes of a line."""
    source.write_bytes(b"".join(x if isinstance(x, bytes) else as_line(x) for x in lines))
    return convert(source, source.with_name("target.jsonl"), to=to, **how)


def rows(file: str | None) -> list[dict[str, Any]]:
    """The rows of a file of JSON lines."""
    assert file is not None
    return [json.loads(line) for line in Path(file).read_bytes().splitlines()]


def test_every_record_is_written_in_the_other_format(source: Path) -> None:
    done = converted(source, CHAT, CHAT)
    row = {"instruction": "你好", "input": "", "output": "Hello!", "group": "g", "tags": {"n": 1}}
    assert rows(done.target) == [row, row]
    assert (done.n_read, done.n_written, done.n_rejected, done.exit_status) == (2, 2, 0, 0)
    assert (done.format, done.to) == ("messages", "alpaca")
    assert done.rejected_file is None
    assert not (source.parent / "target.rejects.jsonl").exists()
    assert done.data_hash == data_hash(read(source)) == data_hash(read(done.target))


def test_what_has_no_place_stands_with_its_reason_in_the_second_file(source: Path) -> None:
    done = converted(source, CHAT, UNTRAINED, NAMED, UNTRAINED)
    assert (done.n_read, done.n_written, done.n_rejected, done.exit_status) == (4, 1, 3, 1)
    flags, names = (
        f"The format alpaca has no place for {what}."
        for what in ("train flags", "names of speakers")
    )
    assert list(done.reasons.items()) == [(flags, 2), (names, 1)]
    assert rows(done.rejected_file) == [
        {
            "where": f"{source}:{line}",
            "rules": ["convert.cannot_hold"],
            "reasons": [reason],
            "original": as_line(row).decode(),
        }
        for line, row, reason in [(2, UNTRAINED, flags), (3, NAMED, names), (4, UNTRAINED, flags)]
    ]


def test_a_broken_record_is_rejected_with_all_that_is_wrong_with_it(source: Path) -> None:
    faulty = {"messages": [{"role": "usr", "content": "a"}, {"role": "assistant"}]}
    done = converted(source, CHAT, b"{broken\n", faulty, b"\xff{}\n", b"[1]\n")
    assert (done.n_read, done.n_written, done.n_rejected) == (5, 1, 4)
    broken, shape, encoding, no_object = rows(done.rejected_file)
    assert (broken["rules"], broken["original"]) == (["json.syntax"], "{broken\n")
    assert shape["rules"] == ["shape.no_content", "roles.unknown"]
    assert len(shape["reasons"]) == 2
    assert base64.b64decode(encoding["original_base64"]) == b"\xff{}\n"
    assert no_object["rules"] == ["json.not_object"]
    assert done.reasons == dict.fromkeys(
        ("json.syntax", "shape.no_content", "encoding.not_utf8", "json.not_object"), 1
    )


def test_the_originals_are_the_bytes_of_the_source(source: Path) -> None:
    lines = [as_line(UNTRAINED), b"  " + as_line(NAMED)[:-1] + b" \r\n", b"{,}", b"\n", b"\xff"]
    done = converted(source, as_line(CHAT), *lines[:3], *lines[3:])
    found = [
        base64.b64decode(row["original_base64"])
        if "original_base64" in row
        else row["original"].encode()
        for row in rows(done.rejected_file)
    ]
    assert b"".join(found) == b"".join(lines)


def test_a_fault_that_belongs_to_no_record_is_told_too(source: Path) -> None:
    done = converted(source, b"[" + as_line(CHAT) + b"," + as_line(CHAT))
    assert (done.n_read, done.n_written, done.n_rejected, done.exit_status) == (2, 2, 0, 1)
    assert done.beside == {"json.truncated": 1}
    assert [row["rules"] for row in rows(done.rejected_file)] == [["json.truncated"]]


def test_keys_that_the_source_format_does_not_read_are_counted(source: Path) -> None:
    done = converted(source, CHAT | {"id": 1}, CHAT | {"id": 2, "url": "x"}, UNTRAINED | {"id": 3})
    assert done.unread_keys == {"id": 2, "url": 1}


def test_an_earlier_file_of_rejected_records_goes_when_nothing_is_rejected(source: Path) -> None:
    file = converted(source, CHAT, UNTRAINED).rejected_file
    assert file is not None
    assert converted(source, CHAT).rejected_file is None
    assert not Path(file).exists()


def test_a_target_without_a_record_is_not_written(source: Path) -> None:
    done = converted(source, UNTRAINED)
    assert (done.n_written, done.n_rejected, done.exit_status) == (0, 1, 1)
    assert not Path(done.target).exists()
    assert len(rows(done.rejected_file)) == 1


def test_a_source_of_broken_records_alone_is_rejected_whole(source: Path) -> None:
    done = converted(source, b"{oops\n", b"[]\n")
    assert (done.format, done.n_read, done.n_written) == (None, 2, 0)
    assert len(rows(done.rejected_file)) == 2


@pytest.mark.parametrize(
    ("content", "what"),
    [(b"", "empty"), (b"\n", "no record"), (b'{"a": 1}\n', "cannot be told")],
)
def test_a_source_without_a_record_or_a_format_is_refused(
    source: Path, content: bytes, what: str
) -> None:
    with pytest.raises(DataError, match=what):
        converted(source, content)
    assert [path.name for path in source.parent.iterdir()] == ["source.jsonl"]


@pytest.mark.parametrize(
    ("target", "mend"), [("a.jsonl", "a.rejects.jsonl"), ("b.rejects.jsonl", "b.jsonl")]
)
def test_the_source_is_never_overwritten(tmp_path: Path, target: str, mend: str) -> None:
    for name in (target, mend):
        source = tmp_path / name
        source.write_bytes(as_line(UNTRAINED))
        with pytest.raises(UsageError, match="overwrite"):
            convert(source, tmp_path / min(target, mend, key=len), to="alpaca")
        assert source.read_bytes() == as_line(UNTRAINED)
        assert len(list(tmp_path.iterdir())) == 1
        source.unlink()


def test_the_source_is_not_overwritten_under_another_name(source: Path) -> None:
    source.write_bytes(as_line(CHAT))
    link = source.with_name("link.jsonl")
    link.symlink_to(source)
    with pytest.raises(UsageError, match="overwrite"):
        convert(source, link, to="alpaca")
    assert source.read_bytes() == as_line(CHAT)


def test_a_failure_leaves_both_old_files_as_they_were(
    source: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    converted(source, CHAT, UNTRAINED)
    before = {path.name: path.read_bytes() for path in source.parent.iterdir()}

    def fails(file: str) -> None:
        raise StorageError("The disk is gone.")

    monkeypatch.setattr(Example, "id", property(fails))
    with pytest.raises(StorageError):
        convert(source, source.with_name("target.jsonl"), to="alpaca")
    assert {path.name: path.read_bytes() for path in source.parent.iterdir()} == before


def test_what_is_left_out_is_there_before_the_target_is(
    source: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    there = []
    rename = os.replace

    def replace(old: str, new: str) -> None:
        there.append(Path(new).name)
        rename(old, new)

    monkeypatch.setattr(os, "replace", replace)
    converted(source, CHAT, UNTRAINED)
    assert there == ["target.rejects.jsonl", "target.jsonl"]


def test_an_unknown_format_offers_the_near_name(source: Path) -> None:
    with pytest.raises(UsageError, match="no format called 'alpacca'") as caught:
        converted(source, CHAT, to="alpacca")
    assert "alpaca" in caught.value.mend


def test_a_preference_becomes_a_conversation_with_the_answer_that_is_kept(source: Path) -> None:
    for keep, answer in (("chosen", "Hello!"), ("rejected", "Go away.")):
        done = converted(source, PAIR, to="messages", keep=keep)
        (example,) = read(done.target)
        assert [turn.content for turn in example.messages] == ["你好", "Hello!", "你好", answer]
        assert [turn.is_trained for turn in example.messages] == [False, False, False, True]
        assert (example.tools, example.group) == (({"name": "f"},), "g")


def test_of_unpaired_preferences_those_with_the_label_are_kept(source: Path) -> None:
    lines = [{"prompt": "a", "completion": "b", "label": label} for label in (True, False, True)]
    for keep, n_kept in (("chosen", 2), ("rejected", 1)):
        done = converted(source, *lines, to="messages", keep=keep)
        assert (done.n_written, done.n_rejected) == (n_kept, 3 - n_kept)
        assert f"{keep} ones are kept" in next(iter(done.reasons))


def test_no_answer_is_chosen_where_there_is_one_only(source: Path) -> None:
    with pytest.raises(UsageError, match="holds no preferences"):
        converted(source, CHAT, to="alpaca", keep="chosen")


def test_without_keep_a_preference_is_no_conversation(source: Path) -> None:
    done = converted(source, PAIR, to="messages")
    assert done.reasons == {"The format messages has no place for a preference.": 1}


def test_a_name_that_tells_no_kind_of_file_is_wrong_use(source: Path) -> None:
    source.write_bytes(as_line(CHAT))
    with pytest.raises(UsageError, match="does not say what to write"):
        convert(source, source.with_name("target.docx"), to="alpaca")


def test_a_record_that_the_kind_of_file_cannot_hold_is_named_by_its_place(
    source: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    @contextmanager
    def open_writer(path: files.Location) -> Iterator[Callable[[dict[str, Any]], None]]:
        def write(row: dict[str, Any]) -> None:
            if "group" not in row:
                raise DataError("Record 1 cannot be written.", where=str(path), mend="mend it")

        with files.atomic_writer(path):
            yield write

    monkeypatch.setattr("tuneval.data.convert.open_writer", open_writer)
    with pytest.raises(DataError) as caught:
        converted(source, NAMED, CHAT, {"messages": [USER, ANSWER]})
    assert caught.value.where == f"{source}:3"
    assert caught.value.mend == "mend it"
    assert [path.name for path in source.parent.iterdir()] == ["source.jsonl"]


@pytest.mark.parametrize(
    ("target", "file"),
    [
        ("mine.jsonl", "mine.rejects.jsonl"),
        ("a.b/mine.v2.json.gz", "a.b/mine.v2.rejects.jsonl"),
        ("mine", "mine.rejects.jsonl"),
        ("s3://bucket/mine.parquet", "s3://bucket/mine.rejects.jsonl"),
        ("mine.tsv.zst", "mine.rejects.jsonl"),
    ],
)
def test_the_second_file_lies_beside_the_target(target: str, file: str) -> None:
    assert rejects_file(target) == file
