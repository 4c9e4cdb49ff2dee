"""One command asks two models several tasks; killed twice on the way, it ends as if undisturbed.

On a small random model with every test; with `make test-all` on the real one and real benchmarks,
where TUNEVAL_TEST_DATA says where they are.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from tuneval.evaluation.asking.answered import MEASURED

SUBJECTS = "agronomy+arts+computer_science"


def tasks_at(folder: Path, model: str) -> list[str]:
    """Own files for the small model; benchmarks too for the real one."""
    sums = [{"instruction": f"{n} + 1?", "input": "", "output": str(n + 1)} for n in range(10)]
    named = [
        {"text": f"{n} is", "label": "even" if n % 2 == 0 else "odd", "group": n // 2}
        for n in range(12)
    ]
    paths = {}
    for name, rows in {"sums": sums, "named": named}.items():
        path = folder / f"{name}.jsonl"
        path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
        paths[name] = path
    own = [
        f"generation={paths['sums']},name=sums",
        f"classification={paths['named']},name=named",
    ]
    if model == "tiny":
        return own
    data = os.environ.get("TUNEVAL_TEST_DATA")
    if data is None:
        pytest.skip("TUNEVAL_TEST_DATA does not say where the benchmarks are")
    return [
        f"cmmlu={data}/cmmlu,subjects={SUBJECTS},limit=20,per=stratum",
        f"agieval={data}/agieval,limit=20,max_new_tokens=64",
        f"gsm8k={data}/gsm8k,limit=10",
        "capability,limit=26",
        *own,
    ]


@pytest.fixture(
    scope="module",
    params=[
        "tiny",
        pytest.param("bundled:smollm2-135m", marks=[pytest.mark.slow, pytest.mark.journey]),
    ],
)
def command(request, tmp_path_factory, tiny_llama_folder) -> list[str]:
    model = str(tiny_llama_folder) if request.param == "tiny" else request.param
    tasks = tasks_at(tmp_path_factory.mktemp("tasks"), request.param)
    words = [word for task in tasks for word in ("--task", task)]
    models = ["--model", f"first={model}", "--model", f"second={model}"]
    length = ["--max-new-tokens", "6" if request.param == "tiny" else "96"]
    return [sys.executable, "-m", "tuneval", "evaluate", *models, *words, *length, "--json"]


def start(command: list[str], runs: Path) -> subprocess.Popen[str]:
    return subprocess.Popen(
        command,
        env={**os.environ, "TUNEVAL_RUNS": str(runs), "PYTHONHASHSEED": "random"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def finish(process: subprocess.Popen[str]) -> dict[str, Any]:
    out, err = process.communicate(timeout=1500)
    assert process.returncode == 0, err
    answer: dict[str, Any] = json.loads(out)
    return answer


def kill_when(process: subprocess.Popen[str], runs: Path, pattern: str, count: int) -> None:
    """Kill it once so many answers are kept."""
    deadline = time.monotonic() + 1500
    while sum(len(path.read_bytes().splitlines()) for path in runs.glob(pattern)) < count:
        assert process.poll() is None, f"ended before it was killed: {process.communicate()[1]}"
        assert time.monotonic() < deadline, "never came to the place to kill it"
        time.sleep(0.002)
    process.send_signal(signal.SIGKILL)
    process.communicate()  # waits, and closes the pipes


def told(answer: dict[str, Any]) -> dict[str, Any]:
    """What the evaluations say, without what the clock says."""
    return {
        f"{label}/{title}": {
            name: result[name]
            for name in ("metrics", "counts", "skipped", "key", "notes", "task", "n_items")
        }
        for label, tasks in answer["evaluations"].items()
        for title, result in tasks.items()
    }


def items_of(answer: dict[str, Any]) -> dict[str, list[Any]]:
    found = {}
    for path in sorted(Path(answer["folder"]).glob("evaluation/*/*/items.jsonl")):
        rows = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
        for row in rows:
            row["fields"] = {k: v for k, v in row["fields"].items() if k not in MEASURED}
        found[f"{path.parent.parent.name}/{path.parent.name}"] = rows
    return found


@pytest.mark.timeout(3000)
def test_killed_twice_it_ends_as_if_undisturbed(command, tmp_path):
    undisturbed = finish(start([*command, "--no-cache"], tmp_path / "whole"))
    runs = tmp_path / "killed"
    command = [*command, "--no-cache"]
    kill_when(start(command, runs), runs, "*/evaluation/first/sums/answers.jsonl", 3)
    kill_when(start(command, runs), runs, "*/evaluation/second/named/answers.jsonl", 2)
    answer = finish(start(command, runs))

    assert [run.name for run in runs.iterdir()] == [Path(answer["folder"]).name], "one run"
    assert told(answer) == told(undisturbed)
    items = items_of(answer)
    assert items == items_of(undisturbed)
    for name, rows in items.items():
        assert len({row["id"] for row in rows}) == len(rows), name
        assert items[name.replace("second/", "first/")] == rows, "the same model answers the same"
    assert (Path(answer["folder"]) / "report.html").stat().st_size > 10_000
    pairs = [pair for pairs in answer["comparisons"].values() for pair in pairs.values()]
    assert all(row["verdict"] == "unclear" for pair in pairs for row in pair["rows"])
