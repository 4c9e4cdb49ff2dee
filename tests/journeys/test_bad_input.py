"""What a person does wrong ends in one clear message, a status that is not 0, and no traceback."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tuneval.files import shipped

GOOD = {"instruction": "Say hello.", "input": "", "output": "Hello."}


def tuneval(*arguments: str, runs: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "tuneval", *arguments],
        env={**os.environ, "TUNEVAL_RUNS": str(runs), "HF_HUB_OFFLINE": "1"},
        capture_output=True,
        text=True,
        timeout=200,
    )


def assert_one_clear_message(result, *words: str) -> None:
    assert result.returncode not in (0, None)
    assert "Traceback" not in result.stdout + result.stderr
    for word in words:
        assert word in result.stderr, result.stderr


def rows(count: int) -> list[str]:
    return [json.dumps({**GOOD, "output": f"Hello {n}."}) for n in range(count)]


@pytest.fixture
def broken_at_17(tmp_path) -> Path:
    lines = rows(20)
    lines[16] = '{"instruction": "x", "output": '
    path = tmp_path / "broken.jsonl"
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


@pytest.mark.parametrize("command", ["check", "train"])
def test_broken_json_is_named_with_its_line(broken_at_17, tmp_path, command):
    words = ["data", "check"] if command == "check" else ["train"]
    result = tuneval(*words, str(broken_at_17), runs=tmp_path / "runs")
    assert result.returncode == 1
    assert "broken.jsonl:17" in result.stdout + result.stderr
    assert "Traceback" not in result.stdout + result.stderr


def test_a_missing_file_names_the_near_one(tmp_path):
    (tmp_path / "train.jsonl").write_text(rows(1)[0])
    result = tuneval("data", "check", str(tmp_path / "trian.jsonl"), runs=tmp_path)
    assert_one_clear_message(result, "trian.jsonl", "where:", "mend:", "train.jsonl")
    assert result.returncode == 2


def test_a_folder_without_data_is_told(tmp_path):
    result = tuneval("data", "check", str(tmp_path), runs=tmp_path)
    assert_one_clear_message(result, "no data file", str(tmp_path))


def test_utf16_is_told(tmp_path):
    path = tmp_path / "wide.jsonl"
    path.write_bytes("\n".join(rows(3)).encode("utf-16"))
    result = tuneval("data", "check", str(path), runs=tmp_path)
    assert result.returncode == 1
    assert "UTF-16" in result.stdout + result.stderr


def test_an_empty_file_is_told(tmp_path):
    path = tmp_path / "empty.jsonl"
    path.write_bytes(b"")
    result = tuneval("data", "check", str(path), runs=tmp_path)
    assert result.returncode == 1
    assert "empty" in result.stdout + result.stderr


def test_a_wrong_field_in_a_recipe_is_told_with_line_and_near_name(tmp_path):
    text = shipped("recipes/quickstart.yaml").read_text(encoding="utf-8")
    path = tmp_path / "mine.yaml"
    path.write_text(text.replace("learning_rate:", "learning_rte:"), encoding="utf-8")
    result = tuneval("run", str(path), runs=tmp_path)
    assert_one_clear_message(result, "learning_rte", "line", "did you mean 'learning_rate'")
    assert result.returncode == 2
    assert not (tmp_path / "runs").exists()


def test_an_unknown_model_offline_says_what_to_do(tmp_path):
    path = tmp_path / "good.jsonl"
    path.write_text("\n".join(rows(4)), encoding="utf-8")
    for name, words in (
        ("nobody/no-such-model", ["HF_HUB_OFFLINE"]),
        ("bundled:smollm3", ["smollm2-135m"]),
        ("./no-such-folder", ["no-such-folder"]),
    ):
        result = tuneval("train", str(path), "--model", name, runs=tmp_path / "runs")
        assert_one_clear_message(result, "mend:", *words)


def start_training(folder: Path, model: Path, runs: Path, steps: int) -> subprocess.Popen[str]:
    data = folder / "good.jsonl"
    data.write_text("\n".join(rows(40)), encoding="utf-8")
    options = [f"duration={{steps: {steps}}}", "batches.max_length=128", "record.save_steps=5"]
    return subprocess.Popen(
        [
            *(sys.executable, "-m", "tuneval", "train", str(data), "--model", str(model)),
            *(part for option in options for part in ("--set", option)),
        ],
        env={**os.environ, "TUNEVAL_RUNS": str(runs)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        # A job in the background inherits an ignored Ctrl-C from some shells.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )


def test_ctrl_c_says_how_to_go_on_and_keeps_what_is_done(tmp_path, tiny_llama_folder):
    runs = tmp_path / "runs"
    process = start_training(tmp_path, tiny_llama_folder, runs, 2000)
    deadline = time.monotonic() + 120
    while not list(runs.glob("*/checkpoints/*/complete.json")):
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < deadline
        time.sleep(0.01)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "Interrupted" in err
    assert "again" in err
    assert "Traceback" not in out + err
    (manifest,) = runs.glob("*/run.json")
    assert json.loads(manifest.read_text())["status"] == "interrupted"
    assert not list(runs.glob("*/adapter"))


@pytest.fixture
def small_disk(tmp_path):
    """A real file system of 600 kB; needs the right to mount."""
    place = tmp_path / "disk"
    place.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=600k", "tmpfs", str(place)], capture_output=True
    )
    if mounted.returncode != 0:
        pytest.skip("a small file system cannot be mounted here")
    yield place
    subprocess.run(["umount", str(place)], check=True)


def test_a_full_disk_is_told_and_nothing_is_left_half_written(
    tmp_path, tiny_llama_folder, small_disk
):
    process = start_training(tmp_path, tiny_llama_folder, small_disk / "runs", 30)
    out, err = process.communicate(timeout=120)
    assert process.returncode == 1
    assert "disk is full" in err
    assert "mend:" in err
    assert "Traceback" not in out + err
    assert not list(small_disk.glob("runs/*/adapter"))
    for checkpoint in small_disk.glob("runs/*/checkpoints/checkpoint-*"):
        assert (checkpoint / "complete.json").exists()
    for manifest in small_disk.glob("runs/*/run.json"):
        json.loads(manifest.read_text())
