"""`tuneval tasks` and the lint of a task."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from tuneval.cli.lint import lint
from tuneval.cli.main import main
from tuneval.evaluation.catalogs.task_pages import task_rows
from tuneval.evaluation.tasks import TASKS

SHEET = "id,question,A,B,C,D,answer\n0,一,1,2,3,4,A\n1,二,1,2,3,4,{}\n2,一,1,2,3,4,B\n"


@pytest.fixture
def ceval(tmp_path):
    (tmp_path / "val").mkdir()

    def write(key):
        (tmp_path / "val" / "logic_val.csv").write_text(SHEET.format(key), encoding="utf-8")
        return f"ceval={tmp_path},shots=0,way=generate"

    return write


def test_every_task_is_listed(capsys):
    assert main(["tasks", "--json"]) == 0
    rows = json.loads(capsys.readouterr().out)
    assert [row["name"] for row in rows] == list(TASKS)
    assert main(["tasks"]) == 0
    shown = capsys.readouterr().out
    assert all(name in shown for name in TASKS)


def test_one_task_says_its_protocols_and_options(capsys):
    assert main(["tasks", "agieval", "--json"]) == 0
    row = json.loads(capsys.readouterr().out)
    assert list(row["protocols"]) == ["official", "lm-eval", "opencompass"]
    options = {option["name"]: option for option in row["options"]}
    assert options["path"]["default"] is None
    assert options["subjects"]["values"] == "several: text"
    assert options["way"]["values"] == "`choose`, `generate`"
    assert options["shots"]["default"] == "0"
    assert main(["tasks", "agieval"]) == 0
    shown = capsys.readouterr().out
    assert "must be given" in shown
    assert "SUBJECT.jsonl (data/v1)" in shown


def test_coverage_has_a_row_for_every_capability_and_names_gaps(capsys):
    assert main(["tasks", "mmlu", "--coverage", "--json"]) == 0
    rows = {row["capability"]: row for row in json.loads(capsys.readouterr().out)}
    assert rows["knowledge"]["tasks"] == ["mmlu"]
    assert rows["knowledge"]["cells"]["multiple choice"]["calibration"] == ["mmlu"]
    assert rows["ethics"]["tasks"] == []
    assert main(["tasks", "--coverage"]) == 0
    shown = capsys.readouterr().out
    assert "sentiment" in shown
    assert "ceval, cmmlu, mmlu, agieval" in shown


def test_listing_tasks_imports_nothing_heavy():
    heavy = ("torch", "scipy", "sklearn", "transformers", "jieba", "nltk", "pandas")
    code = (
        "import sys; from tuneval.evaluation.catalogs.task_pages import tasks_page; tasks_page(); "
        f"print([name for name in {heavy} if name in sys.modules])"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ran.stdout.strip() == "[]"


def test_an_unknown_task_gets_the_near_name(capsys):
    assert main(["tasks", "cmlu"]) == 2
    assert "did you mean 'cmmlu'" in capsys.readouterr().err


@pytest.mark.parametrize("name", list(TASKS))
def test_every_row_is_named_as_its_task_and_says_what_it_takes(name):
    (row,) = task_rows([name])
    assert row.about.name == name
    assert row.about.protocols
    assert row.about.layout
    assert row.about.licence
    assert all("typing" not in option.values for option in row.options)


def test_lint_shows_what_it_found_and_ends_with_one_where_there_are_errors(ceval, capsys):
    assert lint.main([ceval("E")], standalone_mode=False) == 1
    shown = capsys.readouterr().out
    assert "ceval: 3 questions, ceval/official/0-shot/plain/generate" in shown
    assert "key.outside (error): 1" in shown
    assert "val/logic_val.csv:3  The key 'E' is none of the options." in shown
    assert "question.duplicate (warning): 1" in shown
    assert "key.conflict (error): 1" in shown


def test_lint_in_json(ceval, capsys):
    assert lint.main([ceval("C"), "--json"], standalone_mode=False) == 1
    report = json.loads(capsys.readouterr().out)
    assert report["counts"] == {"question.duplicate": 1, "key.conflict": 1}
    assert report["findings"][0]["example_id"] == "logic/2"
