"""What a profile asks of a set as a whole."""

from __future__ import annotations

import gzip
import json
import os
from pathlib import Path

import pytest

from tuneval.data.read import read
from tuneval.data.validate import CheckReport, check
from tuneval.errors import UsageError

CHAT = {"messages": [{"role": "user", "content": "a?"}, {"role": "assistant", "content": "b."}]}
ALPACA = {"instruction": "Name a colour.", "output": "Blue is a colour."}
LINE = json.dumps(CHAT).encode() + b"\n"


def checked(folder: Path, name: str, content: bytes, profile: str = "trl-chat") -> CheckReport:
    """The check of a file of that name and content."""
    (folder / name).write_bytes(content)
    return check(folder / name, profile=profile)


def errors(report: CheckReport) -> list[tuple[str, str]]:
    """Rule and line of each error."""
    return [(f.rule, f.where.rpartition(":")[2]) for f in report.findings if f.severity == "error"]


def test_a_set_in_another_format_is_an_error(tmp_path: Path) -> None:
    content = b"\n" + json.dumps(ALPACA).encode() + b"\n"
    report = checked(tmp_path, "a.jsonl", content * 2)
    assert errors(report) == [("format.not_of_profile", "2")]
    (finding,) = [f for f in report.findings if f.severity == "error"]
    assert "alpaca" in finding.what
    assert "messages" in finding.what
    assert "convert --to messages" in finding.mend
    assert report.exit_status == 1
    assert errors(checked(tmp_path, "a.jsonl", content, "alpaca")) == []


def test_a_format_that_cannot_be_told_is_one_error(tmp_path: Path) -> None:
    assert errors(checked(tmp_path, "a.jsonl", b'{"question": 1}\n')) == [("format.unknown", "1")]


def test_an_unknown_profile_offers_the_near_name(tmp_path: Path) -> None:
    with pytest.raises(UsageError) as caught:
        checked(tmp_path, "a.jsonl", LINE, "trl-caht")
    assert "'trl-chat'" in caught.value.mend


@pytest.mark.parametrize("name", ["a.jsonl", "a.json"])
def test_an_array_is_an_error_where_lines_are_asked_for(tmp_path: Path, name: str) -> None:
    content = json.dumps([CHAT] * 2).encode()
    report = checked(tmp_path, name, content)
    assert errors(report) == [("file.array_not_jsonl", "1")]
    assert [f.rule for f in report.findings] == ["file.array_not_jsonl"]
    assert (report.n_usable, report.container) == (2, "json array")
    everyday = checked(tmp_path, name, content, "everyday")
    assert errors(everyday) == []
    assert ("file.array_not_jsonl" in {f.rule for f in everyday.findings}) == (name == "a.jsonl")


def test_a_table_is_an_error_where_lines_are_asked_for(tmp_path: Path) -> None:
    content = b"text\nOnce upon a time\n"
    assert errors(checked(tmp_path, "a.csv", content, "trl-text")) == [("file.not_json_lines", "1")]


def test_packed_lines_and_a_folder_of_lines_are_lines(tmp_path: Path) -> None:
    assert errors(checked(tmp_path, "a.jsonl.gz", gzip.compress(LINE))) == []
    assert errors(check_folder(tmp_path)) == []


def check_folder(folder: Path) -> CheckReport:
    """The check of a whole folder by the chat profile."""
    return check(folder, profile="trl-chat")


def test_the_report_names_profile_and_container(tmp_path: Path) -> None:
    content = checked(tmp_path, "a.jsonl", LINE).as_dict()
    assert content["profile"] == "trl-chat"
    assert content["container"] == "json lines"
    assert content["rules"] == []
    assert content["findings_left_out"] == 0
    assert check_folder(tmp_path).container == "folder"


def test_rules_come_on_top_by_name_or_as_objects(tmp_path: Path) -> None:
    from tuneval.data.rules.few_rows import FewRows

    (tmp_path / "a.jsonl").write_bytes(LINE)
    found = check(tmp_path / "a.jsonl", profile="trl-chat", and_rules=["few_rows"])
    assert [f.rule.partition(".")[0] for f in found.findings] == ["few_rows"]
    rule = FewRows()
    for _ in range(2):  # the object is copied, so it can be used again
        again = check(tmp_path / "a.jsonl", profile="trl-chat", and_rules=[rule])
        assert again.findings == found.findings
    with pytest.raises(UsageError, match="no rule called 'few_rwos'"):
        check(tmp_path / "a.jsonl", and_rules=["few_rwos"])


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no named pipes here")
def test_a_pipe_is_read_once(tmp_path: Path) -> None:
    import threading

    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    for n_bad in (0, 1500):
        content = b"{\n" * n_bad + LINE * 3
        writer = threading.Thread(target=pipe.write_bytes, args=[content])
        writer.start()
        report = check(pipe, rules=[])
        writer.join()
        assert (report.n_records, report.n_usable) == (n_bad + 3, 3)
        assert report.container is None


def test_where_hardly_a_line_can_be_read_the_format_is_still_found(tmp_path: Path) -> None:
    report = checked(tmp_path, "a.jsonl", b"{\n" * 3000 + LINE * 2, "everyday")
    assert (report.format, report.n_records, report.n_usable) == ("messages", 3002, 2)
    assert report.findings_left_out == 2000
    (tmp_path / "b.jsonl").write_bytes(LINE * 2)
    assert len(list(read(tmp_path / "b.jsonl"))) == 2
