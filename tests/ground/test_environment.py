from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tuneval import __version__
from tuneval.environment import describe_environment


def test_environment_can_be_written_as_json_and_names_versions() -> None:
    found = json.loads(json.dumps(describe_environment(seed=7)))
    assert found["tuneval"] == __version__
    assert found["seed"] == 7
    assert found["cpu"]["count"] >= 1
    assert found["packages"]["numpy"]


def test_environment_does_not_import_torch() -> None:
    script = (
        "import sys\nfrom tuneval.environment import describe_environment\n"
        "found = describe_environment()\nassert found['determinism'] is None\n"
        "assert not {'torch', 'numpy'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", script], check=True)


def test_a_changed_file_shows_in_the_git_state(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def git(*arguments: str) -> None:
        identity = ("-c", "user.name=a", "-c", "user.email=a@example.org")
        subprocess.run(["git", *identity, *arguments], cwd=tmp_path, check=True)

    monkeypatch.chdir(tmp_path)
    git("init", "--quiet")
    (tmp_path / "a").write_text("one")
    git("add", "a")
    git("commit", "--quiet", "--message", "one")
    clean = describe_environment()["git"]
    (tmp_path / "a").write_text("two")
    changed = describe_environment()["git"]
    assert len(clean["commit"]) == 40
    assert (clean["dirty"], clean["diff_sha256"]) == (False, None)
    assert changed["commit"] == clean["commit"]
    assert changed["dirty"]
    assert len(changed["diff_sha256"]) == 64


def test_variables_outside_the_list_stay_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_TOKEN", "secret-value")
    monkeypatch.setenv("OMP_NUM_THREADS", "2")
    found = describe_environment()
    assert found["variables"]["OMP_NUM_THREADS"] == "2"
    assert "secret-value" not in json.dumps(found)
