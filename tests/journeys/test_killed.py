"""`kill -9` at any moment loses at most the item in hand, and changes no result.

On a small random model with every test, and on the real one with `make test-all`.
"""

from __future__ import annotations

import hashlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tuneval.evaluation.asking.answered import MEASURED
from tuneval.files import read_jsonl

RECIPE = """\
name: small
model: {model}
template: chatml
data: {{file: {data}, held_out: 0.4}}
steps:
  - {{kind: check}}
  - kind: train
    method: {{kind: lora, rank: 4, dropout: 0.1}}
    duration: {{steps: 60}}
    optimizer: {{learning_rate: 1.0e-3}}
    batches: {{max_length: 256}}
    record: {{save_steps: 10}}
  - {{kind: evaluate, name: after, model: trained, metrics: [exact_match], max_new_tokens: 48}}
"""


def write_recipe(folder: Path, model: Path | str) -> Path:
    rows = []
    for number in range(60):
        question = f"What is {number} plus {number * 7 % 13}?"
        answer = f"It is {number + number * 7 % 13}."
        rows.append({"instruction": question, "input": "", "output": answer})
    data = folder / "sums.json"
    data.write_text(json.dumps(rows), encoding="utf-8")
    recipe = folder / "small.yaml"
    recipe.write_text(RECIPE.format(model=model, data=data), encoding="utf-8")
    return recipe


def start(recipe: Path, runs: Path) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "tuneval", "run", str(recipe), "--json"],
        env={**os.environ, "TUNEVAL_RUNS": str(runs), "PYTHONHASHSEED": "random"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def finish(process: subprocess.Popen[str]) -> dict:
    out, err = process.communicate(timeout=400)
    assert process.returncode == 0, err
    return json.loads(out)


def kill_when(process: subprocess.Popen[str], ready: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 300
    while not ready():
        assert process.poll() is None, f"ended before it was killed: {process.communicate()[1]}"
        assert time.monotonic() < deadline, "never came to the place to kill it"
        time.sleep(0.002)
    process.send_signal(signal.SIGKILL)
    process.communicate()  # waits, and closes the pipes


def lines_of(runs: Path, pattern: str) -> int:
    (path, *_) = [*runs.glob(pattern), None]
    return len(path.read_bytes().splitlines()) if path else 0


def digest(folder: Path) -> dict[str, str]:
    """Hash of every weight file; the configuration must be equal too."""
    names = ["adapter_model.safetensors", "adapter_config.json"]
    return {n: hashlib.sha256((folder / "adapter" / n).read_bytes()).hexdigest() for n in names}


@pytest.fixture(
    scope="module",
    params=[
        "tiny",
        pytest.param("bundled:smollm2-135m", marks=[pytest.mark.slow, pytest.mark.journey]),
    ],
)
def recipe(request, tmp_path_factory, tiny_llama_folder) -> Path:
    model = tiny_llama_folder if request.param == "tiny" else request.param
    return write_recipe(tmp_path_factory.mktemp("recipe"), model)


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory, recipe) -> Path:
    outcome = finish(start(recipe, tmp_path_factory.mktemp("undisturbed")))
    return Path(outcome["folder"])


def items_of(folder: Path) -> list[dict]:
    """The items, without what the clock and the drivers say of them."""
    text = (folder / "evaluation" / "after" / "items.jsonl").read_text(encoding="utf-8")
    items = [json.loads(line) for line in text.splitlines()]
    for item in items:
        item["fields"] = {
            k: v for k, v in item["fields"].items() if k not in (*MEASURED, "train_seconds")
        }
    return items


@pytest.mark.timeout(900)
def test_killed_in_training_and_in_evaluation_it_ends_as_if_undisturbed(
    recipe, undisturbed, tmp_path
):
    first = start(recipe, tmp_path)
    kill_when(first, lambda: lines_of(tmp_path, "*/trainer_log.jsonl") >= 23)
    second = start(recipe, tmp_path)
    kill_when(
        second, lambda: lines_of(tmp_path, "*/evaluation/after/generated_predictions.jsonl") >= 3
    )
    outcome = finish(start(recipe, tmp_path))
    folder = Path(outcome["folder"])

    assert [p.name for p in tmp_path.iterdir()] == [folder.name], "one run, continued"
    assert digest(folder) == digest(undisturbed)
    steps = [row["current_steps"] for row in read_jsonl(folder / "trainer_log.jsonl")]
    assert steps == list(range(1, 61))
    items = items_of(folder)
    assert len({item["id"] for item in items}) == len(items)
    assert items == items_of(undisturbed)


@pytest.mark.timeout(120)
def test_run_again_everything_is_skipped(recipe, undisturbed):
    outcome = finish(start(recipe, undisturbed.parent))
    assert outcome["cached"] == ["check", "train", "after"]
    assert Path(outcome["folder"]) == undisturbed
