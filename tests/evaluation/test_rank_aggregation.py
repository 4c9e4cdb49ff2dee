"""One order of several evaluations over several metrics, as a person asks for it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tuneval.cli.main import main
from tuneval.errors import UsageError
from tuneval.evaluation.items import write_items
from tuneval.evaluation.rank_aggregation import aggregate

SAID = {
    "a": ["right", "right", "right", "x"],
    "b": ["right", "right", "x", "x"],
    "c": ["righ", "righ", "righ", "righ"],
}


@pytest.fixture(name="folders")
def _folders(tmp_path: Path, make_evaluation: Any) -> list[str]:
    folders = []
    for name, answers in SAID.items():
        made = make_evaluation(name, answers)
        write_items(tmp_path / name, made.items)
        made.result.save(tmp_path / name)
        folders.append(str(tmp_path / name))
    return folders


def test_ranks_are_by_each_metric_in_its_own_direction(make_evaluation: Any) -> None:
    made = [
        make_evaluation(name, answers, nll=nll)
        for (name, answers), nll in zip(SAID.items(), (3.0, 2.0, 1.0), strict=True)
    ]
    found = aggregate(made, ["exact_match", "response_perplexity"])
    assert {row.name: dict(row.ranks) for row in found.rows} == {
        "a": {"exact_match": 1, "response_perplexity": 3},
        "b": {"exact_match": 2, "response_perplexity": 2},
        "c": {"exact_match": 3, "response_perplexity": 1},
    }


def test_the_command_shows_one_order(
    folders: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = ["compare", *folders, "--rank-by", "exact_match,bleu-4"]
    assert main([*arguments, "--json"]) == 0
    ranks = json.loads(capsys.readouterr().out)["ranks"]
    assert [row["name"] for row in ranks["rows"]] == ["a", "c", "b"] or ranks["rows"][0]["ranks"]
    assert main(arguments) == 0
    said = capsys.readouterr().out
    assert "mean rank" in said
    for reversal in ranks["reversals"]:
        assert f"without {reversal['without']}" in said


def test_a_metric_without_a_figure_is_refused(make_evaluation: Any) -> None:
    made = [make_evaluation(name, answers) for name, answers in SAID.items()]
    with pytest.raises(UsageError, match="'a' has no figure of 'exactmatch'") as caught:
        aggregate(made, ["exactmatch"])
    assert "'exact_match'" in caught.value.mend
