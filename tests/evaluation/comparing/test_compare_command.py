"""`tuneval compare` as a person types it."""

from __future__ import annotations

import json

import pytest

from tuneval.cli.main import main
from tuneval.evaluation.items import write_items


@pytest.fixture
def saved(make_evaluation, tmp_path, monkeypatch):
    """Four finished evaluations in the working folder, of 20, 22, 22 and 58 right of 60."""
    monkeypatch.chdir(tmp_path)
    for name, n_right in {"low": 20, "near": 22, "twin": 22, "high": 58}.items():
        answers = ["right"] * n_right + ["wrong"] * (60 - n_right)
        made = make_evaluation(name, answers, metrics=["exact_match"])
        write_items(tmp_path / name, made.items)
        made.result.save(tmp_path / name)
    return tmp_path


def test_two_are_compared_with_their_flips(saved, capsys):
    assert main(["compare", "low", "high", "--show", "1"]) == 0
    said = capsys.readouterr().out
    assert "improved on exact_match: 38 items" in said
    assert said.count("question ") == 1


def test_several_are_ranked_without_a_false_order(saved, capsys):
    assert main(["compare", "low", "near", "x=high", "--metric", "exact_match"]) == 0
    lines = capsys.readouterr().out.splitlines()
    ranks = [line.split()[1:4] for line in lines if line.startswith("exact_match")][:3]
    assert ranks[0][:2] == ["1", "x"]
    assert {tuple(each) for each in ranks[1:]} == {("2", "to", "3")}
    assert any("p adjusted for all metrics of all 3 pairs" in line for line in lines)


def test_as_json_all_pairs_and_standings_are_there(saved, capsys):
    main(["compare", "low", "near", "high", "--json"])
    content = json.loads(capsys.readouterr().out)
    assert set(content["pairs"]) == {"low → near", "low → high", "near → high"}
    assert content["standings"]["exact_match"][0]["name"] == "high"


def test_a_gate_decides_the_status_and_says_why(saved, capsys):
    condition = "exact_match < high - 1pt @95%"
    assert main(["compare", "high", "low", "--fail-if", condition]) == 1
    said = capsys.readouterr().out
    assert f'fails: --fail-if "{condition}"' in said
    assert "low: exact_match less that of high is −63.3" in said
    assert main(["compare", "low", "near", "--fail-if", "exact_match < base @95%"]) == 0
    assert main(["compare", "low", "near", "--fail-unless", "exact_match > base @95%"]) == 1
    capsys.readouterr()
    assert main(["compare", "low", "near", "--fail-if", "exact_match < base", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["gates"][0]["failed"] is False


def test_one_alone_can_be_held_against_a_number_only(saved, capsys):
    assert main(["compare", "high", "--fail-if", "exact_match < 60% @95%"]) == 0
    assert main(["compare", "low", "--fail-if", "exact_match < 60% @95%"]) == 1
    capsys.readouterr()
    assert main(["compare", "high"]) == 2
    assert "needs two evaluations" in capsys.readouterr().err


def test_it_says_after_how_many_items_a_pair_was_decided(saved, capsys):
    main(["compare", "low", "high", "--follow", "exact_match", "--json"])
    (found,) = json.loads(capsys.readouterr().out)["followed"].values()
    assert found["verdict"] == "higher"
    assert found["decided_after"] < 60
    main(["compare", "near", "twin", "--follow", "exact_match"])
    assert "undecided of 60 items" in capsys.readouterr().out


def test_the_same_evaluation_twice_is_a_mistake(saved, capsys):
    assert main(["compare", "low", "low"]) == 2
    assert "stands twice" in capsys.readouterr().err
    assert main(["compare", "low", "again=low"]) == 0


@pytest.mark.parametrize("names", [["low", "high"], ["low", "near", "high"], ["high"]])
def test_all_of_it_can_be_written_as_a_report(saved, capsys, names):
    gate = ["--fail-if", "exact_match < 10%"]
    assert main(["compare", *names, *gate, "--report", "told/here"]) == 0
    assert "report: told/here/report.html" in capsys.readouterr().out.replace("\\", "/")
    for form in ("report.html", "report.md"):
        said = (saved / "told" / "here" / form).read_text(encoding="utf-8")
        assert "passes" in said
        assert "high" in said
        assert ("tied sets" in said) == (len(names) == 3)


def test_which_test_a_p_value_comes_from_is_said(saved, capsys):
    main(["compare", "low", "high", "--metric", "exact_match"])
    assert "Tests: McNemar mid-p." in capsys.readouterr().out
