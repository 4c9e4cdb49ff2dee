"""One order of several evaluations over several metrics, as a person asks for it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tuneval.cli.comparisons import show_ranks
from tuneval.cli.main import main
from tuneval.errors import UsageError
from tuneval.evaluation.comparing.rank_aggregation import aggregate
from tuneval.evaluation.items import write_items
from tuneval.statistics.rank_aggregation import aggregate_ranks

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


def test_the_command_shows_one_order_and_what_turns_it_round(
    folders: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    only = ["compare", *folders, "--metric", "exact_match", "--rank-by"]
    assert main([*only, "exact_match,bleu-4", "--json"]) == 0
    ranks = json.loads(capsys.readouterr().out)["ranks"]
    # By characters c is best: each of its answers lacks one letter.
    assert {row["name"]: row["mean_rank"] for row in ranks["rows"]} == {"a": 1.5, "c": 2, "b": 2.5}
    assert main([*only, "exact_match,bleu-4"]) == 0
    said = capsys.readouterr().out
    assert "mean rank" in said
    assert "exact_match 1, bleu-4 2" in said


def test_a_pair_that_a_third_turns_round_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    values = {"a": (3, 3, 3, 1, 1), "b": (2, 2, 2, 3, 3), "c": (1, 1, 1, 2, 2)}
    table = {
        name: {f"m{place}": float(value) for place, value in enumerate(row)}
        for name, row in values.items()
    }
    show_ranks(aggregate_ranks(table, dict.fromkeys(table["a"], True)).as_dict())
    assert "without c, a is ahead of b" in capsys.readouterr().out


def test_a_metric_without_a_figure_is_refused(make_evaluation: Any) -> None:
    made = [make_evaluation(name, answers) for name, answers in SAID.items()]
    with pytest.raises(UsageError, match="'a' has no figure of 'exactmatch'") as caught:
        aggregate(made, ["exactmatch"])
    assert "'exact_match'" in caught.value.mend
