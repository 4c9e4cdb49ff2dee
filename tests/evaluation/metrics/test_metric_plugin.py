"""The metric that docs/plugins.md shows, installed as a package is, and used by its name."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

PAGE = (Path(__file__).parents[3] / "docs" / "plugins.md").read_text(encoding="utf-8")


@pytest.fixture(scope="module", name="installed")
def _installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of packages that holds the page's module and its entry point."""
    folder = tmp_path_factory.mktemp("packages")
    module = re.search(r"`(\w+)\.py`, in a package of your own:\n\n```python\n(.*?)```", PAGE, re.S)
    points = re.search(r"\[project\.entry-points\.\"(tuneval\.metric)\"\]\n(.*?)```", PAGE, re.S)
    assert module
    assert points
    (folder / f"{module[1]}.py").write_text(module[2], encoding="utf-8")
    card = folder / "answer_style-0.1.0.dist-info"
    card.mkdir()
    (card / "METADATA").write_text("Metadata-Version: 2.1\nName: answer-style\nVersion: 0.1.0\n")
    (card / "entry_points.txt").write_text(f"[{points[1]}]\n{points[2].replace(chr(34), '')}")
    return folder


def tuneval(*arguments: str, packages: Path, folder: Path) -> Any:
    """What the command answers in JSON with the packages on the path."""
    done = subprocess.run(
        [sys.executable, "-m", "tuneval", *arguments, "--json"],
        capture_output=True,
        encoding="utf-8",
        cwd=folder,
        env=os.environ | {"PYTHONPATH": str(packages), "TUNEVAL_RUNS": str(folder / "runs")},
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_it_is_listed_with_its_row(installed: Path, tmp_path: Path) -> None:
    row = tuneval("metrics", "brief", packages=installed, folder=tmp_path)
    assert (row["family"], row["use"]) == ("generation", "where answers have to fit")
    names = [each["name"] for each in tuneval("metrics", packages=installed, folder=tmp_path)]
    assert "brief" in names


def test_it_grades_answers_from_a_file(installed: Path, tmp_path: Path) -> None:
    rows = [("short", "longer"), ("longer", "short"), ("x", "")]
    (tmp_path / "p.jsonl").write_text(
        "".join(json.dumps({"prediction": p, "reference": r}) + "\n" for p, r in rows)
    )
    code = (
        "from pathlib import Path; from tuneval.evaluation.config import config_from;"
        "from tuneval.evaluation.predictions import Predictions, evaluate_predictions;"
        "done = evaluate_predictions(config_from(metrics=('brief',)),"
        " Predictions(file='p.jsonl', name='p'), folder=Path('out'));"
        "found = done.result.metrics['brief']; print(found.estimate, dict(found.unscored))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        encoding="utf-8",
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": str(installed)},
        check=True,
    )
    assert done.stdout.startswith("50.0% [")
    assert "{'the reference is empty': 1}" in done.stdout


def test_without_the_package_there_is_no_such_metric(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "tuneval", "metrics", "brief"],
        capture_output=True,
        encoding="utf-8",
        cwd=tmp_path,
        check=False,
    )
    assert done.returncode == 2
    assert "There is no metric called 'brief'" in done.stderr
