"""`tuneval stability` as a person types it."""

from __future__ import annotations

import json

import numpy as np
import pytest

from tuneval import files
from tuneval.cli.main import main
from tuneval.evaluation.items import write_items


@pytest.fixture
def saved(make_evaluation, tmp_path, monkeypatch):
    """Five runs by seed and three by batch, of which only the seeds move answers."""
    monkeypatch.chdir(tmp_path)
    random = np.random.default_rng(1)
    chance = random.random(120)
    for label in [*(f"seed-{n}" for n in range(5)), "batch-1", "batch-4", "batch-16"]:
        right = random.random(120) < chance if label.startswith("seed") else chance > 0.5
        made = make_evaluation(
            "m", ["right" if each else "wrong" for each in right], metrics=["exact_match"]
        )
        place = tmp_path / f"sums@{label}"
        write_items(place, made.items)
        files.write_json(place / "environment.json", {"cpu": label})
        made.result.save(place)
    return [str(path) for path in sorted(tmp_path.iterdir())]


def test_it_says_which_source_matters_and_how_to_read_it(saved, capsys):
    assert main(["stability", *saved, "--metric", "exact_match", "--difference", "5"]) == 0
    said = capsys.readouterr().out
    rows = {line.split()[1]: line for line in said.splitlines() if line.startswith("exact_match ")}
    assert "0 of 120" in said
    assert "noise" in said
    assert "moves answers more" in said
    assert "never" in said, "no number of runs outweighs other items"
    assert "environment differs" in said
    assert set(rows) >= {"seed", "batch"}


def test_as_json_every_part_has_its_interval_and_method(saved, capsys):
    main(["stability", *saved, "--metric", "exact_match", "--json"])
    content = json.loads(capsys.readouterr().out)
    by_source = {row["source"]: row for row in content["rows"]}
    parts = by_source["seed"]["parts"]
    assert {parts[name]["method"] for name in ("items", "interaction")} == {"BCa bootstrap"}
    assert parts["run"]["method"] == "modified large sample"
    assert parts["between_runs"]["method"] == "chi-square"
    assert by_source["batch"]["parts"]["between_runs"]["value"] == 0
    assert [each["moves_more"] for each in content["sources"]] == ["seed"]


def test_an_unknown_metric_is_refused_with_the_near_name(saved, capsys):
    assert main(["stability", *saved, "--metric", "exact_mach"]) == 2
    assert "exact_match" in capsys.readouterr().err
