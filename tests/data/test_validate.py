from __future__ import annotations

import json
from pathlib import Path

import pytest

from tuneval.data.rules import RULES
from tuneval.data.validate import CheckReport, check
from tuneval.errors import UsageError


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "data.jsonl"


def chat(*turns: tuple[str, str], **more: object) -> str:
    """A line of the messages format."""
    messages = [{"role": role, "content": content} for role, content in turns]
    return json.dumps({"messages": messages} | more)


def checked(file: Path, *lines: str, rules: list[str] | None = None) -> CheckReport:
    """The check of a file of these lines."""
    file.write_text("\n".join(lines) + "\n")
    return check(file, rules=rules)


def one_finding(file: Path, *lines: str) -> tuple[str, str, str]:
    """Rule, severity and path of the only finding."""
    (finding,) = checked(file, *lines).findings
    assert finding.where.startswith(f"{file}:")
    assert finding.what
    assert finding.mend
    return finding.rule, finding.severity, finding.path


def test_a_clean_file_has_no_finding(file: Path) -> None:
    report = checked(
        file,
        chat(("system", "s"), ("user", "What is two and two?"), ("assistant", "Four.")),
        chat(("user", "And the colour of the sky?"), ("assistant", "Blue."), group="g", tags={}),
        chat(("user", "a"), ("assistant", "b"), ("user", "c"), ("assistant", "d")),
    )
    assert report.findings == ()
    assert (report.n_records, report.n_usable, report.exit_status) == (3, 3, 0)
    assert report.format == "messages"
    assert "3 of 3" in report.format_reason


@pytest.mark.parametrize(
    ("role", "mend"),
    [
        ("assisiant", "did you mean 'assistant'?"),
        ("Assistant", "write 'assistant'"),
        ("gpt", "write 'assistant'"),
        ("human", "write 'user'"),
        ("usr", "did you mean 'user'?"),
        ("developer", "write 'system'"),
    ],
)
def test_an_unknown_role_is_told_the_right_one(file: Path, role: str, mend: str) -> None:
    report = checked(file, chat(("user", "a"), (role, "b")))
    (finding,) = report.findings
    assert finding.rule == "roles.unknown"
    assert finding.path == "messages[1].role"
    assert mend in finding.mend
    assert (report.n_usable, report.exit_status) == (0, 1)


@pytest.mark.parametrize(
    ("roles", "rule", "path"),
    [
        ("u s a", "order.system_not_first", "messages[1].role"),
        ("s s u a", "order.system_not_first", "messages[1].role"),
        ("a", "order.first_not_user", "messages[0].role"),
        ("s a u a", "order.first_not_user", "messages[1].role"),
        ("u u a", "order.not_alternating", "messages[1].role"),
        ("u a a", "order.not_alternating", "messages[2].role"),
        ("u", "order.no_answer", "messages[0].role"),
        ("s", "order.no_answer", "messages[0].role"),
        ("u a u", "order.no_answer", "messages[2].role"),
    ],
)
def test_turns_out_of_order_are_found(file: Path, roles: str, rule: str, path: str) -> None:
    names = {"s": "system", "u": "user", "a": "assistant"}
    line = chat(*((names[role], f"text {i}") for i, role in enumerate(roles.split())))
    assert one_finding(file, line) == (rule, "error", path)


@pytest.mark.parametrize(("text", "rule"), [("", "empty.turn"), (" \n\u3000", "empty.only_spaces")])
def test_empty_turns_are_errors_but_in_a_system_turn(file: Path, text: str, rule: str) -> None:
    assert one_finding(file, chat(("user", text), ("assistant", "b")))[:2] == (rule, "error")
    assert one_finding(file, chat(("user", "a"), ("assistant", text)))[:2] == (rule, "error")
    line = chat(("system", text), ("user", "a"), ("assistant", "b"))
    assert one_finding(file, line)[:2] == (rule, "warning")


def test_an_empty_alpaca_answer_is_found_under_its_own_name(file: Path) -> None:
    line = json.dumps({"instruction": "a", "output": ""})
    assert one_finding(file, line) == ("empty.turn", "error", "output")


def test_a_replacement_character_is_a_warning(file: Path) -> None:
    line = chat(("user", "caf\ufffd"), ("assistant", "b"))
    assert one_finding(file, line) == (
        "encoding.replacement_character",
        "warning",
        "messages[0].content",
    )


def test_exact_duplicates_name_the_first_line(file: Path) -> None:
    line, other = chat(("user", "a"), ("assistant", "b")), chat(("user", "x"), ("assistant", "y"))
    report = checked(file, line, other, line, line)
    assert [(f.rule, f.severity, f.where) for f in report.findings] == [
        ("duplicates.exact", "warning", f"{file}:3"),
        ("duplicates.exact", "warning", f"{file}:4"),
    ]
    assert all("line 1" in f.what for f in report.findings)
    assert (report.n_usable, report.exit_status) == (4, 0)


def test_copies_in_different_groups_are_told_what_a_split_does(file: Path) -> None:
    turns = [("user", "a"), ("assistant", "b")]
    report = checked(file, chat(*turns, group="g"), chat(*turns, group="h"))
    assert "split" in report.findings[0].mend


def test_one_question_with_two_answers_is_a_warning(file: Path) -> None:
    report = checked(
        file, chat(("user", "a"), ("assistant", "yes")), chat(("user", "a"), ("assistant", "no"))
    )
    assert [f.rule for f in report.findings] == ["duplicates.conflicting_answers"]
    assert "'no'" in report.findings[0].what
    assert "'yes'" in report.findings[0].what


def test_near_duplicates_are_warnings_with_both_texts(file: Path) -> None:
    text = "My camera arrived with a scratch on the lens and the box was open when I got it."
    report = checked(
        file,
        chat(("user", text), ("assistant", "return")),
        chat(("user", text.replace("arrived", "came")), ("assistant", "return")),
    )
    (finding,) = report.findings
    assert (finding.rule, finding.where) == ("near_duplicates.pair", f"{file}:2")
    assert "line 1" in finding.what
    assert finding.what.count("My camera") == 2


def test_a_key_that_is_not_read_is_named_once(file: Path) -> None:
    lines = [chat(("user", f"{i}"), ("assistant", "b"), score=1) for i in range(5)]
    report = checked(file, *lines)
    (finding,) = report.findings
    assert (finding.severity, finding.path, finding.where) == ("info", "score", f"{file}:1")
    assert "records with it: 5" in finding.what


def test_a_key_of_a_message_that_is_not_read_is_named(file: Path) -> None:
    messages = [
        {"role": "user", "content": "a", "mood": "calm"},
        {"role": "assistant", "content": "b"},
    ]
    assert one_finding(file, json.dumps({"messages": messages}))[2] == "messages[].mood"


def test_all_faults_of_a_file_are_found_at_once(file: Path) -> None:
    report = checked(
        file,
        chat(("user", "a"), ("assistant", "b")),
        "{broken",
        "",
        chat(("user", ""), ("assisiant", "b")),
        '{"messages": [{"role": "user"}, {"content": "c"}]}',
        "[1]",
    )
    assert [(f.rule, f.where.rpartition(":")[2]) for f in report.findings] == [
        ("json.syntax", "2"),
        ("file.blank_line", "3"),
        ("roles.unknown", "4"),
        ("empty.turn", "4"),
        ("shape.no_content", "5"),
        ("shape.no_role", "5"),
        ("json.not_object", "6"),
    ]
    assert (report.n_records, report.n_usable, report.exit_status) == (5, 1, 1)


def test_warnings_alone_leave_the_exit_status_0(file: Path) -> None:
    report = checked(file, chat(("user", "a"), ("assistant", "b")), "")
    assert report.counts == {"error": 0, "warning": 1, "info": 0}
    assert report.exit_status == 0


def test_a_byte_order_mark_is_a_warning(file: Path) -> None:
    file.write_bytes(b"\xef\xbb\xbf" + chat(("user", "a"), ("assistant", "b")).encode() + b"\n")
    report = check(file)
    assert [(f.rule, f.severity) for f in report.findings] == [("encoding.bom", "warning")]
    assert report.n_usable == 1


def test_an_array_in_a_file_named_jsonl_is_a_warning(file: Path) -> None:
    report = checked(file, f"[{chat(('user', 'a'), ('assistant', 'b'))}]")
    assert [f.rule for f in report.findings] == ["file.array_not_jsonl"]


def test_an_unknown_format_counts_every_record_as_unusable(file: Path) -> None:
    report = checked(file, *['{"question": "a", "reply": "b"}'] * 250)
    assert [f.rule for f in report.findings] == ["format.unknown"]
    assert (report.n_records, report.n_usable, report.format) == (250, 0, None)


def test_rules_can_be_chosen_by_name(file: Path) -> None:
    line = chat(("user", ""), ("user", "b"))
    assert [f.rule for f in checked(file, line, rules=["empty"]).findings] == ["empty.turn"]
    with pytest.raises(UsageError, match="no rule called 'ordr'"):
        check(file, rules=["ordr"])


def test_a_missing_file_is_wrong_use(tmp_path: Path) -> None:
    with pytest.raises(UsageError):
        check(tmp_path / "nosuch.jsonl")


def test_the_report_as_a_dict_has_every_finding_and_is_json(file: Path) -> None:
    report = checked(file, *["{"] * 1000)
    content = json.loads(json.dumps(report.as_dict()))
    assert len(content["findings"]) == 1000
    assert content["counts"]["error"] == 1000
    assert set(content["findings"][0]) == {
        "rule",
        "severity",
        "where",
        "example_id",
        "path",
        "what",
        "mend",
    }


def test_findings_group_by_rule_errors_first(file: Path) -> None:
    report = checked(file, "", chat(("user", ""), ("assistant", "")), "{", "{")
    assert [(g.rule, len(g.findings)) for g in report.by_rule()][-1] == ("file.blank_line", 1)
    assert {g.severity for g in report.by_rule()[:-1]} == {"error"}


def test_findings_can_always_be_printed(file: Path) -> None:
    report = checked(file, '{"messages": [], "\\ud83d": 1, "a\\udc00": "\\ud83d"}')
    assert report.findings
    json.dumps(report.as_dict(), ensure_ascii=False).encode("utf-8")


def test_every_rule_says_which_findings_it_gives() -> None:
    for name in RULES:
        assert f"{name}." in (RULES.load(name).__doc__ or "")
