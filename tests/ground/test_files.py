from __future__ import annotations

import errno
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tuneval import files
from tuneval.errors import StorageError


def names_in(folder: Path) -> list[str]:
    return sorted(entry.name for entry in folder.iterdir())


def full_disk(*_: object) -> None:
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def test_a_write_makes_missing_folders_and_can_be_read_back(tmp_path: Path) -> None:
    files.write_json(tmp_path / "a" / "b.json", {"z": 1, "a": "中文"})
    assert files.read_json(tmp_path / "a" / "b.json") == {"z": 1, "a": "中文"}
    assert (tmp_path / "a" / "b.json").read_text("utf-8") == '{\n  "z": 1,\n  "a": "中文"\n}\n'


def test_a_full_disk_leaves_the_old_file_and_no_temporary_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    target = tmp_path / "result.json"
    files.write_text(target, "old")
    monkeypatch.setattr(os, "fsync", full_disk)
    with pytest.raises(StorageError) as caught:
        files.write_text(target, "new")
    assert "No space left" in caught.value.what
    assert caught.value.where == str(target)
    assert "free some space" in caught.value.mend
    assert target.read_text() == "old"
    assert names_in(tmp_path) == ["result.json"]


def test_an_interrupted_write_leaves_nothing_behind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(os, "replace", interrupt)
    with pytest.raises(KeyboardInterrupt):
        files.write_text(tmp_path / "a.txt", "text")
    assert names_in(tmp_path) == []


def test_writing_below_a_file_says_so(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StorageError) as caught:
        files.write_text(tmp_path / "file" / "below.txt", "text")
    assert caught.value.mend


@pytest.mark.parametrize("name", ["missing.json", "."])
def test_reading_what_is_no_file_is_a_storage_error(tmp_path: Path, name: str) -> None:
    with pytest.raises(StorageError) as caught:
        files.read_json(tmp_path / name)
    assert caught.value.mend


def test_broken_json_names_the_line(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text('{\n"a": 1,\n!}')
    with pytest.raises(StorageError) as caught:
        files.read_json(tmp_path / "a.json")
    assert caught.value.where.endswith("a.json:3")


def test_appended_rows_come_back_in_order(tmp_path: Path) -> None:
    for number in range(3):
        files.append_jsonl(tmp_path / "rows.jsonl", {"n": number, "text": "a\nb"}, fsync=True)
    assert [row["n"] for row in files.read_jsonl(tmp_path / "rows.jsonl")] == [0, 1, 2]
    assert (tmp_path / "rows.jsonl").read_bytes().count(b"\n") == 3


def test_only_a_torn_last_line_is_tolerated(tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl"
    path.write_text('{"n": 0}\n{"n": 1}\n{"n": ')
    with pytest.raises(StorageError, match="valid JSON") as caught:
        files.read_jsonl(path)
    assert caught.value.where.endswith(":3")
    assert files.read_jsonl(path, tolerate_torn_tail=True) == [{"n": 0}, {"n": 1}]
    path.write_text('{"n": 0}\n{"n": \n{"n": 2}\n')
    with pytest.raises(StorageError):
        files.read_jsonl(path, tolerate_torn_tail=True)


@given(cut=st.integers(min_value=0, max_value=200))
def test_appending_after_a_crash_keeps_every_whole_row(
    tmp_path_factory: pytest.TempPathFactory, cut: int
) -> None:
    path = tmp_path_factory.mktemp("torn") / "rows.jsonl"
    for number in range(4):
        files.append_jsonl(path, {"n": number, "text": "中" * number})
    whole = path.read_bytes()
    path.write_bytes(whole[: max(0, len(whole) - cut)])
    kept = path.read_bytes().decode("utf-8", "ignore").split("\n")
    expected = []
    for line in kept:
        try:
            expected.append(json.loads(line)["n"])
        except ValueError:
            continue
    files.append_jsonl(path, {"n": 99})
    assert [row["n"] for row in files.read_jsonl(path)] == [*expected, 99]


def test_an_append_that_does_not_fit_leaves_no_part_of_a_line(tmp_path: Path) -> None:
    # A file-size limit makes the kernel take half of the line, as a disk that fills up does.
    script = """
import resource, sys
from tuneval import files
from tuneval.errors import StorageError
path = sys.argv[1]
files.append_jsonl(path, {"n": 1})
resource.setrlimit(resource.RLIMIT_FSIZE, (30, 30))
try:
    files.append_jsonl(path, {"text": "x" * 100})
except StorageError as error:
    print(error)
"""
    path = tmp_path / "rows.jsonl"
    done = subprocess.run(
        [sys.executable, "-c", script, str(path)], capture_output=True, text=True, check=True
    )
    assert "Cannot append to" in done.stdout
    assert path.read_text() == '{"n": 1}\n'


def test_half_a_surrogate_pair_survives_a_round_trip(tmp_path: Path) -> None:
    files.append_jsonl(tmp_path / "a.jsonl", {"text": "\ud83d"})
    files.write_json(tmp_path / "a.json", {"text": "\ud83d"})
    assert files.read_jsonl(tmp_path / "a.jsonl") == [{"text": "\ud83d"}]
    assert files.read_json(tmp_path / "a.json") == {"text": "\ud83d"}


def test_a_folder_appears_whole_and_replaces_the_old_one(tmp_path: Path) -> None:
    for text in ("one", "two"):
        with files.atomic_folder(tmp_path / "adapter") as folder:
            (folder / "deep").mkdir()
            (folder / "deep" / "file").write_text(text)
            assert not (tmp_path / "adapter" / "deep").exists() or text == "two"
    assert (tmp_path / "adapter" / "deep" / "file").read_text() == "two"
    assert names_in(tmp_path) == ["adapter"]


def test_a_folder_that_fails_vanishes_and_the_old_one_stays(tmp_path: Path) -> None:
    with files.atomic_folder(tmp_path / "adapter") as folder:
        (folder / "file").write_text("old")
    with pytest.raises(StorageError), files.atomic_folder(tmp_path / "adapter"):
        full_disk()
    with pytest.raises(RuntimeError), files.atomic_folder(tmp_path / "adapter"):
        raise RuntimeError
    assert (tmp_path / "adapter" / "file").read_text() == "old"
    assert names_in(tmp_path) == ["adapter"]


def test_a_folder_is_not_replaced_when_that_is_refused(tmp_path: Path) -> None:
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "file").write_text("old")
    with (
        pytest.raises(StorageError, match="not empty"),
        files.atomic_folder(tmp_path / "run", existing="refuse"),
    ):
        pass
    assert names_in(tmp_path) == ["run"]


def test_a_stream_becomes_the_file_when_its_block_ends(tmp_path: Path) -> None:
    target = tmp_path / "new" / "a.bin"
    with files.atomic_writer(target) as stream:
        stream.write(b"a" * 1_000_000)
        assert not target.exists()
        stream.write(b"b")
    assert target.read_bytes() == b"a" * 1_000_000 + b"b"
    assert names_in(target.parent) == ["a.bin"]


@pytest.mark.parametrize("error", [KeyboardInterrupt, OSError(errno.EPIPE, "other"), ValueError])
def test_a_stream_that_is_broken_off_leaves_the_old_file(
    tmp_path: Path, error: type[BaseException] | BaseException
) -> None:
    target = tmp_path / "a.bin"
    target.write_bytes(b"old")

    def begin_and_fail() -> None:
        with files.atomic_writer(target) as stream:
            stream.write(b"new" * 1_000_000)
            raise error

    # An error of the block is not about this file, and stays what it is.
    with pytest.raises(error if isinstance(error, type) else type(error)) as caught:
        begin_and_fail()
    assert not isinstance(caught.value, StorageError)
    assert target.read_bytes() == b"old"
    assert names_in(tmp_path) == ["a.bin"]


def test_a_disk_that_fills_up_while_streaming_is_said(tmp_path: Path) -> None:
    # A file-size limit makes the kernel refuse what does not fit, as a full disk does.
    script = """
import resource, signal, sys
from tuneval import files
from tuneval.errors import StorageError
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (1_000_000, 1_000_000))
try:
    files.write_jsonl(sys.argv[1], ({"text": "x" * 1000} for _ in range(10_000)))
except StorageError as error:
    print(error)
"""
    target = tmp_path / "rows.jsonl"
    done = subprocess.run(
        [sys.executable, "-c", script, str(target)], capture_output=True, text=True, check=True
    )
    assert f"Cannot write {target}" in done.stdout
    assert done.stderr == ""
    assert names_in(tmp_path) == []


def test_json_lines_are_streamed(tmp_path: Path) -> None:
    target = tmp_path / "rows.jsonl"
    sizes = []

    def rows() -> Iterator[dict[str, str]]:
        for _ in range(5000):
            yield {"text": "x" * 1000}
            sizes.append(sum(entry.stat().st_size for entry in tmp_path.iterdir()))

    files.write_jsonl(target, rows())
    assert sizes[2500] > 1_000_000
    assert len(files.read_jsonl(target)) == 5000


def test_all_files_below_a_folder_are_listed_by_their_parts(tmp_path: Path) -> None:
    for name in ("b/c", "b/a/d", "a", "b-c"):
        files.write_text(tmp_path / name, "")
    assert files.files_below(tmp_path) == [
        str(tmp_path / name) for name in ("a", "b/a/d", "b/c", "b-c")
    ]
    assert files.is_folder(tmp_path / "b")
    assert not files.is_folder(tmp_path / "a")


def test_an_address_is_written_when_its_block_ends_well() -> None:
    with files.atomic_writer("memory://streams/a.bin") as stream:
        stream.write(b"a")
        assert not files.exists("memory://streams/a.bin")
    with files.open_bytes("memory://streams/a.bin") as file:
        assert file.read() == b"a"
    with pytest.raises(ValueError, match="stop"), files.atomic_writer("memory://streams/b.bin"):
        raise ValueError("stop")
    assert files.files_below("memory://streams") == ["memory://streams/a.bin"]
    assert files.files_below("memory://streams/*.bin") == ["memory://streams/a.bin"]


@pytest.mark.parametrize(
    ("address", "is_pattern"),
    [("s3://b/*.jsonl", True), ("s3://b/a?.json", True), ("s3://b/a", False), ("a*.json", False),
     ("https://host/a.jsonl?x=1", False)],
)  # fmt: skip
def test_marks_of_a_shell_make_an_address_a_pattern(address: str, is_pattern: bool) -> None:
    assert files.is_pattern(address) is is_pattern


def test_hashes_are_sha256(tmp_path: Path) -> None:
    (tmp_path / "abc").write_bytes(b"abc")
    # FIPS 180-2, appendix B.1
    expected = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    assert files.sha256_file(tmp_path / "abc") == expected
    assert files.sha256_json({"a": 1, "b": "中"}) == files.sha256_json({"b": "中", "a": 1})
    assert files.sha256_json({"a": 1}) != files.sha256_json({"a": 2})


def test_a_lock_keeps_another_process_out(tmp_path: Path) -> None:
    script = (
        "import sys\nfrom tuneval import files\n"
        "with files.lock(sys.argv[1], timeout_seconds=0): print('held')"
    )
    command = [sys.executable, "-c", script, str(tmp_path / "lock")]
    with files.lock(tmp_path / "lock", timeout_seconds=0):
        refused = subprocess.run(command, capture_output=True, text=True)
    assert refused.returncode == 1
    assert "LockedError" in refused.stderr
    assert subprocess.run(command, capture_output=True, text=True).stdout == "held\n"


def test_an_address_works_like_a_path() -> None:
    files.write_json("memory://tests/a.json", {"a": 1})
    assert files.exists("memory://tests/a.json")
    assert files.read_json("memory://tests/a.json") == {"a": 1}
    with files.open_text("memory://tests/a.json") as file:
        assert file.readline() == "{\n"
    with pytest.raises(StorageError):
        files.read_json("memory://tests/none.json")


def test_an_unknown_kind_of_address_is_refused() -> None:
    with pytest.raises(StorageError, match="addresses like this"):
        files.read_json("nosuch://bucket/a.json")


def test_shipped_files_are_found_and_missing_ones_named() -> None:
    assert files.shipped("src/tuneval/files/__init__.py").is_file()
    with pytest.raises(StorageError, match="no-such-thing"):
        files.shipped("recipes/no-such-thing.yaml")
