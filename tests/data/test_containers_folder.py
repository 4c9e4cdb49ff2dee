"""Folders of files of any kind, and what a file is by its bytes and its name."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import pytest

from tuneval.data.containers import kind_of_container, look, records
from tuneval.data.containers.writing import open_writer
from tuneval.data.finding import Finding
from tuneval.data.origin import origin
from tuneval.data.read import read
from tuneval.data.record import Record
from tuneval.data.validate import check
from tuneval.errors import StorageError, UsageError

ROW = {"instruction": "Say hi.", "output": "Hi."}
LINE = json.dumps(ROW).encode() + b"\n"


def fill(folder: Path, *names: str) -> None:
    """One record in each file; what is no data file holds some text."""
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        try:
            with open_writer(folder / name) as write:
                write(ROW)
        except UsageError:
            (folder / name).write_bytes(b"Say hi.\n")


def test_a_folder_is_all_its_data_files_in_the_order_of_their_names(tmp_path: Path) -> None:
    names = ["a.csv", "b/c.jsonl.gz", "b/d.parquet", "e.json", "f.arrow", "g.jsonl"]
    fill(tmp_path, *reversed(names))
    found = list(records(tmp_path))
    assert [item.value for item in found if isinstance(item, Record)] == [ROW] * len(names)
    assert [Path(item.source.file) for item in found if isinstance(item, Record)] == [
        tmp_path / name for name in names
    ]
    assert len(list(read(tmp_path))) == len(names)
    assert kind_of_container(tmp_path) == "folder"


def test_what_is_no_data_is_left_out_and_named(tmp_path: Path) -> None:
    no_data = [
        "README.md",
        "LICENSE.txt",
        "dataset_info.json",
        ".hidden.jsonl",
        "notes.docx",
        ".cache/a.jsonl",
        "requirements.txt",
        "README.json",
        "train.rejects.jsonl",
        "selection.json",
        "rejected.jsonl",
        "scores.jsonl",
    ]
    fill(tmp_path, "train.jsonl", "sub/readme_examples.jsonl", *no_data)
    found = list(records(tmp_path))
    (left_out,) = (item for item in found if isinstance(item, Finding))
    assert (left_out.rule, left_out.severity) == ("file.left_out", "info")
    assert all(name in left_out.what for name in no_data)
    assert sum(isinstance(item, Record) for item in found) == 2
    report = check(tmp_path)
    assert report.n_records == 2
    assert report.exit_status == 0


def test_a_fault_in_one_file_has_that_files_name(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_bytes(LINE)
    (tmp_path / "b.jsonl").write_bytes(LINE + b"{oops\n" + LINE)
    (tmp_path / "c.jsonl").write_bytes(b"")
    report = check(tmp_path)
    errors = [f"{f.rule} {f.where}" for f in report.findings if f.severity == "error"]
    assert errors == [f"json.syntax {tmp_path}/b.jsonl:2", f"file.empty {tmp_path}/c.jsonl:1"]
    assert report.n_records == 4


def test_a_folder_without_data_names_what_it_has(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no data file"):
        origin(tmp_path)
    fill(tmp_path, "README.md", ".git/config")
    with pytest.raises(UsageError) as caught:
        origin(tmp_path)
    assert "README.md" in caught.value.mend
    assert ".parquet" in caught.value.mend


def test_links_to_folders_are_followed_once(tmp_path: Path) -> None:
    fill(tmp_path / "set", "a.jsonl")
    fill(tmp_path / "elsewhere", "b.jsonl")
    (tmp_path / "set" / "linked").symlink_to(tmp_path / "elsewhere")
    (tmp_path / "set" / "round").symlink_to(tmp_path / "set")
    found = [item.source.file for item in records(tmp_path / "set") if isinstance(item, Record)]
    assert [Path(file).name for file in found] == ["a.jsonl", "b.jsonl"]


@pytest.mark.parametrize(
    ("name", "content", "kind", "reason"),
    [
        ("a.jsonl", LINE, "json lines", "brace"),
        ("a", LINE, "json lines", "brace"),
        ("a.json", LINE * 2, "json lines", "brace"),
        ("a.json", b"\xef\xbb\xbf [" + LINE + b"]", "json array", "bracket"),
        ("a.log", b"[1, 2]", "json array", "bracket"),
        ("a.jsonl", b"[1, 2]\n" + LINE, "json lines", "each line"),
        ("a.json", b"oops", "json lines", "no bracket"),
        ("a.json", b"", "json lines", "no bracket"),
        ("a.CSV", b"[x],y\n1,2\n", "csv", ".csv"),
        ("a.txt", b"[Verse 1]\n", "text", ".txt"),
        ("a.txt", b"{not JSON}\n", "text", ".txt"),
        ("a.txt", LINE, "json lines", "brace"),
        ("a.parquet", b"PAR1", "parquet", "50 41 52 31"),
        ("a.parquet", b"oops", "parquet", ".parquet"),
        ("a.arrow", b"\xff\xff\xff\xff", "arrow", "ff ff ff ff"),
        ("a.jsonl.gz", gzip.compress(LINE, mtime=0), "gzip json lines", "1f 8b"),
        ("a.csv.gz", gzip.compress(b"x,y\n", mtime=0), "gzip csv", ".csv"),
    ],
)
def test_the_first_bytes_and_the_name_choose_the_container(
    tmp_path: Path, name: str, content: bytes, kind: str, reason: str
) -> None:
    (tmp_path / name).write_bytes(content)
    choice = look(tmp_path / name)
    assert choice.kind == kind
    assert reason in choice.reason


@pytest.mark.parametrize(
    ("content", "what", "mend"),
    [
        (b"PK\x03\x04", "zip", "CSV"),
        (b"%PDF-1.7", "PDF", "text"),
        (b"SQLite format 3\x00", "SQLite", "CSV"),
        (b"x".ljust(257) + b"ustar\x0000", "tar archive", "tar -xf"),
        (b"FEA1", "Feather version 1", "version 2"),
    ],
)
def test_what_is_no_set_of_records_is_refused_with_a_way_out(
    tmp_path: Path, content: bytes, what: str, mend: str
) -> None:
    file = tmp_path / "a.jsonl"
    file.write_bytes(content)
    (finding,) = records(file)
    assert isinstance(finding, Finding)
    assert finding.rule == "file.not_text"
    assert what in finding.what
    assert mend in finding.mend


def test_lines_after_a_list_on_the_first_line_are_read(tmp_path: Path) -> None:
    file = tmp_path / "a.jsonl"
    file.write_bytes(b"[1, 2]\n" + LINE * 2)
    report = check(file)
    assert [f.rule for f in report.findings if f.severity == "error"] == ["json.not_object"]
    assert (report.n_records, report.n_usable) == (3, 2)


def test_a_folder_that_may_not_be_listed_is_a_clear_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Permissions do not stop root, who runs the tests in a container; so the system call does.
    def forbidden(path: object) -> None:
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr("os.scandir", forbidden)
    with pytest.raises(StorageError) as caught:
        origin(tmp_path)
    assert "Permission denied" in caught.value.what
