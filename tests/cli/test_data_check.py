"""`tuneval data check`: exit status, what is written, what people see."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree

import pytest

from tuneval.cli.data import counting
from tuneval.cli.main import main
from tuneval.data.describe import TokenCount, TokenCounter
from tuneval.data.example import Item
from tuneval.data.profiles import PROFILES
from tuneval.errors import DataError

GOOD = (
    '{"messages": [{"role": "user", "content": "How tall is it?"}, '
    '{"role": "assistant", "content": "It is 8,849 metres tall."}]}'
)
TYPO = GOOD.replace('"assistant"', '"assisiant"')
EMPTY = GOOD.replace("It is 8,849 metres tall.", "")
DOUBTFUL = GOOD.replace("It is", "It is\\u0000")

Captured = pytest.CaptureFixture[str]


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A set with one typo, one empty answer and one doubtful text, in the working folder."""
    monkeypatch.chdir(tmp_path)
    path = Path("set.jsonl")
    path.write_text("".join(f"{line}\n" for line in (GOOD, TYPO, EMPTY, DOUBTFUL)))
    return path


def run(*arguments: str) -> int:
    return main(["data", "check", *arguments])


def files_here() -> list[str]:
    return sorted(path.name for path in Path().iterdir())


def test_a_clean_file_ends_with_0(file: Path, capsys: Captured) -> None:
    file.write_text(f"{GOOD}\n")
    assert run("set.jsonl") == 0
    out = capsys.readouterr().out
    assert "read as messages" in out
    assert "1 record, 1 usable; no findings." in out


def test_warnings_alone_end_with_0(file: Path, capsys: Captured) -> None:
    file.write_text(f"{GOOD}\n\n")
    assert run("set.jsonl") == 0
    assert "1 usable; 1 warning." in capsys.readouterr().out


def test_ten_thousand_findings_are_a_short_answer(file: Path, capsys: Captured) -> None:
    file.write_text(f"{TYPO}\n" * 10_000 + "{\n")
    assert run("set.jsonl") == 1
    out = capsys.readouterr().out
    assert len(out.splitlines()) < 20
    assert "set.jsonl:1  messages[1].role is 'assisiant'" in out
    assert "did you mean 'assistant'?" in out
    assert "… and 9,997 more: lines 4, 5, 6" in out
    assert "set.jsonl:10001" in out
    assert "10,001 records, 0 usable; 10,001 errors." in out


def test_json_has_the_findings(file: Path, capsys: Captured) -> None:
    file.write_text("{\n" * 500)
    assert run("set.jsonl", "--json") == 1
    content = json.loads(capsys.readouterr().out)
    assert len(content["findings"]) == 500
    assert content["exit_status"] == 1


@pytest.mark.parametrize(
    "arguments", [["nosuch.jsonl"], ["set.jsonl", "--format", "nosuch"], ["hub:nosuch"], []]
)
def test_a_set_that_is_not_there_ends_with_2_and_one_message(
    file: Path, arguments: list[str], capsys: Captured
) -> None:
    assert run(*arguments) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.count("\n") <= 3
    assert "mend:" in err


def test_fix_drop_writes_what_can_stay_and_says_what_became_of_the_rest(
    file: Path, capsys: Captured
) -> None:
    assert run("set.jsonl", "--fix", "drop", "--out", "clean.jsonl") == 0
    assert Path("clean.jsonl").read_text() == f"{GOOD}\n{DOUBTFUL}\n"
    out = capsys.readouterr().out
    assert "4 records, 2 usable" in out
    assert "clean.jsonl: 2 records" in out
    assert "2  dropped  (roles.unknown 1, empty.turn 1)" in out
    assert "clean.rejects.jsonl: " in out
    assert "the new set: 2 records, 2 usable; " in out
    assert files_here() == ["clean.jsonl", "clean.rejects.jsonl", "set.jsonl"]


def test_fix_repair_answers_in_json(file: Path, capsys: Captured) -> None:
    options = ("--fix", "repair", "--out", "clean.jsonl", "--rejects", "rest.jsonl", "--json")
    assert run("set.jsonl", *options) == 0
    content = json.loads(capsys.readouterr().out)
    assert content["exit_status"] == 1
    fix = content["fix"]
    counts = [fix[f"n_{name}"] for name in ("read", "unchanged", "repaired", "dropped", "kept")]
    assert counts == [4, 1, 2, 1, 3]
    assert fix["repaired_by"] == {"role_named": 1, "control_removed": 1}
    assert fix["dropped_by"] == {"empty.turn": 1}
    assert content["fixed"]["counts"]["error"] == 0
    assert len(Path("rest.jsonl").read_text().splitlines()) == 3


def test_drop_duplicates_keeps_the_first(file: Path, capsys: Captured) -> None:
    file.write_text(f"{GOOD}\n{GOOD}\n")
    options = ("--fix", "drop", "--out", "clean.jsonl", "--drop-duplicates")
    assert run("set.jsonl", *options) == 0
    assert Path("clean.jsonl").read_text() == f"{GOOD}\n"


def test_nothing_left_ends_with_1_and_writes_nothing(file: Path, capsys: Captured) -> None:
    file.write_text(f"{EMPTY}\n")
    assert run("set.jsonl", "--fix", "repair", "--out", "clean.jsonl") == 1
    assert "No record is left" in capsys.readouterr().err
    assert files_here() == ["set.jsonl"]


def test_strict_makes_warnings_fail(file: Path, capsys: Captured) -> None:
    file.write_text(f"{GOOD}\n{DOUBTFUL}\n")
    assert run("set.jsonl") == 0
    assert run("set.jsonl", "--strict") == 1
    assert run("set.jsonl", "--strict", "--fix", "drop", "--out", "clean.jsonl") == 1
    file.write_text(f"{GOOD}\n")
    assert run("set.jsonl", "--strict") == 0


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--fix", "drop"], "--out"),
        (["--out", "x.jsonl"], "--fix"),
        (["--rejects", "x.jsonl"], "--fix"),
        (["--drop-duplicates"], "--fix"),
        (["--max-length", "10"], "--model"),
        (["--fix", "mend", "--out", "x.jsonl"], "'mend'"),
        (["--profile", "trl-caht"], "trl-chat"),
        (["--fix", "drop", "--out", "set.jsonl"], "set.jsonl"),
        (["--fix", "drop", "--out", "x.jsonl", "--rejects", "./set.jsonl"], "set.jsonl"),
        (["--fix", "drop", "--out", "x.jsonl", "--junit", "x.jsonl"], "x.jsonl"),
        (["--fix", "drop", "--out", "x.jsonl", "--findings", "x.rejects.jsonl"], "x.rejects"),
        (["--findings", "set.jsonl"], "set.jsonl"),
        (["--junit", "set.jsonl"], "set.jsonl"),
        (["--against", "nosuch.jsonl"], "nosuch.jsonl"),
    ],
)
def test_wrong_use_ends_with_2_and_leaves_every_file(
    file: Path, options: list[str], said: str, capsys: Captured
) -> None:
    before = file.read_bytes()
    assert run("set.jsonl", *options) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert said in err
    assert "mend:" in err
    assert file.read_bytes() == before
    assert files_here() == ["set.jsonl"]


def test_findings_has_all_and_people_see_the_first_few(file: Path, capsys: Captured) -> None:
    file.write_text(f"{TYPO}\n" * 1500 + f"{EMPTY}\n")
    assert run("set.jsonl", "--findings", "all.jsonl") == 1
    rows = [json.loads(line) for line in Path("all.jsonl").read_text().splitlines()]
    assert len([row for row in rows if row["rule"] == "roles.unknown"]) == 1500
    assert {"rule", "severity", "where", "path", "what", "mend"} <= rows[0].keys()
    out = capsys.readouterr().out
    assert "roles.unknown  1,500 places" in out
    assert "… and 1,497 more: lines 4, 5, 6" in out
    assert "all are in all.jsonl" in out
    assert len(out.splitlines()) < 40


def test_junit_has_a_case_for_each_rule_and_places_in_its_failures(
    file: Path, capsys: Captured
) -> None:
    assert run("set.jsonl", "--junit", "report.xml") == 1
    root = ElementTree.parse("report.xml").getroot()
    (suite,) = root
    cases = suite.findall("testcase")
    names = [case.get("name") for case in cases]
    assert set(PROFILES.load("everyday").rules) <= set(names)
    assert len(set(names)) == len(names)
    failed = {case.get("name"): case.find("failure") for case in cases if len(case)}
    texts = {name: failure.text for name, failure in failed.items() if failure is not None}
    assert texts.keys() == {"roles", "empty"}
    assert "set.jsonl:2: error: " in (texts["roles"] or "")
    assert "set.jsonl:3: error: " in (texts["empty"] or "")
    warned = next(case for case in cases if case.get("name") == "control_characters")
    assert "set.jsonl:4: warning: " in (warned.findtext("system-out") or "")
    for element in (root, suite):
        counts = [element.get(name) for name in ("tests", "failures", "errors")]
        assert counts == [str(len(cases)), "2", "0"]
    assert_follows_the_schema(root)


# Elements, their attributes and children, after Jenkins' junit-10.xsd.
SCHEMA: dict[str, tuple[set[str], list[str]]] = {
    "testsuites": ({"name", "time", "tests", "failures", "errors"}, ["testsuite"]),
    "testsuite": (
        {"name", "tests", "failures", "errors", "skipped", "time", "timestamp", "hostname", "id"},
        ["properties", "testcase", "system-out", "system-err"],
    ),
    "properties": (set(), ["property"]),
    "property": ({"name", "value"}, []),
    "testcase": (
        {"name", "classname", "time", "status"},
        ["skipped", "error", "failure", "system-out", "system-err"],
    ),
    "failure": ({"message", "type"}, []),
    "system-out": (set(), []),
}


def assert_follows_the_schema(element: ElementTree.Element) -> None:
    attributes, children = SCHEMA[element.tag]
    assert set(element.keys()) <= attributes
    order = [children.index(child.tag) for child in element]
    assert order == sorted(order)
    for child in element:
        assert_follows_the_schema(child)


def test_junit_of_odd_texts_is_xml_all_the_same(tmp_path: Path, capsys: Captured) -> None:
    file = tmp_path / 'odd <&"\x01.jsonl'
    role = "<r&]]>\\u0000\\ufffe\\ud83d"
    file.write_text(f"{GOOD}\n{GOOD.replace('user', role)}\n")
    assert run(str(file), "--junit", str(tmp_path / "report.xml")) == 1
    root = ElementTree.parse(tmp_path / "report.xml").getroot()
    assert_follows_the_schema(root)
    assert "\\x01" in (root[0].get("name") or "")


def test_strict_junit_counts_warnings_as_failures(file: Path, capsys: Captured) -> None:
    file.write_text(f"{DOUBTFUL}\n")
    assert run("set.jsonl", "--junit", "report.xml", "--strict") == 1
    root = ElementTree.parse("report.xml").getroot()
    assert int(root.get("failures") or 0) >= 1


def test_a_profile_is_named_and_followed(file: Path, capsys: Captured) -> None:
    file.write_text(GOOD[:-1] + ', "chosen": 1}\n')
    assert run("set.jsonl") == 0
    assert run("set.jsonl", "--profile", "trl-chat") == 1
    assert "trl_keys.reserved" in capsys.readouterr().out


def test_over_long_records_are_named_in_the_models_tokens(
    file: Path, monkeypatch: pytest.MonkeyPatch, capsys: Captured
) -> None:
    def words(text: str) -> int:
        return len(text.split())

    def count(item: Item) -> TokenCount:
        if "quite" in str(item):
            raise DataError("The template takes no such conversation.")
        n = words(str(item))
        return TokenCount(n, n, n)

    counter = TokenCounter("few-words", "auto", count, words)
    monkeypatch.setattr(counting, "token_counter", lambda model, template, report: counter)
    long, odd = (GOOD.replace("tall.", word * 60) for word in ("tall. ", "quite. "))
    file.write_text(f"{GOOD}\n{long}\n{odd}\n")
    options = ("--model", "few-words", "--max-length", "50")
    assert run("set.jsonl", *options, "--json") == 0
    found = json.loads(capsys.readouterr().out)["findings"]
    where = [f["where"] for f in found if f["rule"] == "length.over_max"]
    assert where == ["set.jsonl:2", "set.jsonl:3"]
    assert run("set.jsonl", *options, "--strict") == 1


def test_records_that_an_evaluation_set_has_too_are_named_and_can_be_dropped(
    file: Path, capsys: Captured
) -> None:
    question = "Where do the penguins live, in the north or the south of our planet?"
    leak = GOOD.replace("How tall is it?", question)
    file.write_text(f"{GOOD}\n{leak}\n")
    Path("held_out.jsonl").write_text(f"{leak}\n")
    against = ("--against", "held_out.jsonl")
    assert run("set.jsonl", *against, "--json") == 1
    found = json.loads(capsys.readouterr().out)["findings"]
    where = [f["where"] for f in found if f["rule"] == "contamination.exact"]
    assert where == ["set.jsonl:2"]
    assert run("set.jsonl", *against, "--workers", "2", "--json") == 1
    assert json.loads(capsys.readouterr().out)["findings"] == found
    assert run("set.jsonl", *against, "--fix", "drop", "--out", "clean.jsonl") == 0
    assert Path("clean.jsonl").read_text() == f"{GOOD}\n"


def tuneval(*arguments: str, folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "tuneval", "data", "check", *arguments],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )


def test_the_program_itself_ends_as_it_says(file: Path, tmp_path: Path) -> None:
    out = ("--fix", "repair", "--out", "clean.jsonl")
    fixed = tuneval("set.jsonl", *out, "--junit", "report.xml", folder=tmp_path)
    assert (fixed.returncode, fixed.stderr) == (0, "")
    assert ElementTree.parse("report.xml").getroot().get("failures") == "2"
    assert tuneval("set.jsonl", folder=tmp_path).returncode == 1
    assert tuneval("clean.jsonl", folder=tmp_path).returncode == 0


INTERRUPTED = """
import os, signal, sys
from tuneval.cli.main import main
from tuneval.data import rejects

write = rejects.Rejects.dropped
def dropped(self, found, why):
    write(self, found, why)
    os.kill(os.getpid(), signal.SIGINT)
rejects.Rejects.dropped = dropped
sys.exit(main(sys.argv[1:]))
"""


def test_ctrl_c_leaves_nothing_half_written(file: Path, tmp_path: Path) -> None:
    Path("clean.jsonl").write_text("older")
    done = subprocess.run(
        [
            sys.executable,
            "-c",
            INTERRUPTED,
            *["data", "check", "set.jsonl", "--fix", "drop", "--out", "clean.jsonl"],
        ],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 130
    assert "Traceback" not in done.stderr
    assert files_here() == ["clean.jsonl", "set.jsonl"]
    assert Path("clean.jsonl").read_text() == "older"


def test_help_names_the_profiles_and_imports_no_engine(tmp_path: Path) -> None:
    code = (
        "import sys; from tuneval.cli.main import main; main(sys.argv[1:]);"
        "print('IMPORTED', *sorted(name.partition('.')[0] for name in sys.modules))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, "data", "check", "--help"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=True,
    )
    page, _, imported = done.stdout.partition("IMPORTED")
    assert all(name in page for name in PROFILES)
    heavy = {"torch", "transformers", "datasets", "pyarrow", "numpy", "rich", "orjson", "fsspec"}
    assert not heavy & set(imported.split())
