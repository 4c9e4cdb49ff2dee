"""`kill -9` at any moment costs at most the forward pass in hand, and changes no number."""

from __future__ import annotations

import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tuneval import files
from tuneval.scoring.config import ScoreConfig
from tuneval.scoring.score import Meter
from tuneval.scoring.score_file import ToScore, score_file
from tuneval.scoring.scores import Scores

OPTIONS = ["--task", "task", "--shots", "2", "--token-budget", "192", "--device", "cpu"]
CONFIG = ScoreConfig(task="task", shots=2, token_budget=192)


def records() -> list[dict[str, str]]:
    """60 short ones of two tasks, one with half of a text that the model reads in parts."""
    rows = []
    for n in range(60):
        task, question = ("sum", f"What is {n} plus {n * 7 % 13}?")
        answer = f"It is {n + n * 7 % 13}." + " It is a number." * (n % 4)
        if n % 3 == 0:
            task, question, answer = "order", f"Where is my order {n}?", f"It is {n} days old."
        more = "Please, I want it back." if n % 5 == 0 else ""
        rows.append({"instruction": question, "input": more, "output": answer, "task": task})
    return rows


def write(path: Path, rows: list[dict[str, str]]) -> Path:
    text = "".join(json.dumps(row) + "\n" for row in rows)
    path.write_text(text, encoding="utf-8")
    return path


def start(data: Path, model: Path, folder: Path) -> subprocess.Popen[str]:
    command = ["score", str(data), "--model", str(model), "--to", str(folder), "--json", *OPTIONS]
    return subprocess.Popen(
        [sys.executable, "-m", "tuneval", *command],
        env={**os.environ, "PYTHONHASHSEED": "random"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def finish(process: subprocess.Popen[str]) -> None:
    _, err = process.communicate(timeout=400)
    assert process.returncode == 0, err


def kill_at(process: subprocess.Popen[str], folder: Path, *, n_lines: int) -> None:
    """Kill when so many passes are written down."""
    deadline = time.monotonic() + 300
    while len(lines_of(folder)) < n_lines:
        assert process.poll() is None, f"ended before it was killed: {process.communicate()[1]}"
        assert time.monotonic() < deadline, "never came to the place to kill it"
        time.sleep(0.001)
    process.send_signal(signal.SIGKILL)
    process.communicate()


def lines_of(folder: Path) -> list[bytes]:
    path = folder / "measured.jsonl"
    return path.read_bytes().splitlines() if path.exists() else []


def keys_of(folder: Path) -> list[str]:
    passes = files.read_jsonl(folder / "measured.jsonl")
    return [key for row in passes if "parts" in row for key, _, _ in row["parts"]]


def assert_as_if_undisturbed(folder: Path, undisturbed: Path) -> None:
    rows = (folder / "scores.jsonl").read_bytes()
    assert rows == (undisturbed / "scores.jsonl").read_bytes()
    ids = [row.id for row in Scores.load(folder).rows]
    assert len(ids) == len(set(ids)) == 60
    keys = keys_of(folder)
    assert len(keys) == len(set(keys))
    assert set(keys) == set(keys_of(undisturbed))
    ours, theirs = (Scores.load(f).card for f in (folder, undisturbed))
    assert {**ours, "work": None} == {**theirs, "work": None}


@pytest.fixture(scope="module")
def data(tmp_path_factory) -> Path:
    return write(tmp_path_factory.mktemp("data") / "sums.jsonl", records())


@pytest.fixture(scope="module")
def undisturbed(data, tiny_llama_folder, tmp_path_factory) -> Path:
    """The scores that one process made from beginning to end."""
    folder = tmp_path_factory.mktemp("undisturbed")
    to_score = ToScore(file=str(data), by=Meter(model=str(tiny_llama_folder), device="cpu"))
    score_file(CONFIG, to_score, folder=folder)
    assert len(lines_of(folder)) > 60
    return folder


def test_killed_in_the_middle_it_ends_as_if_undisturbed(
    data, tiny_llama_folder, undisturbed, tmp_path
):
    process = start(data, tiny_llama_folder, tmp_path)
    kill_at(process, tmp_path, n_lines=len(lines_of(undisturbed)) // 2)
    assert not (tmp_path / "scoring.json").exists()
    half = lines_of(tmp_path)
    to_score = ToScore(file=str(data), by=Meter(model=str(tiny_llama_folder), device="cpu"))
    scores = score_file(CONFIG, to_score, folder=tmp_path)
    assert_as_if_undisturbed(tmp_path, undisturbed)
    assert lines_of(tmp_path)[: len(half) - 1] == half[:-1]
    assert scores.card["work"]["tokens"] < Scores.load(undisturbed).card["work"]["tokens"]


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_killed_ten_times_at_random_moments_it_ends_as_if_undisturbed(
    data, tiny_llama_folder, undisturbed, tmp_path
):
    n_passes = len(lines_of(undisturbed))
    for moment in sorted(random.Random(4).sample(range(1, n_passes - 4), 10)):
        process = start(data, tiny_llama_folder, tmp_path)
        kill_at(process, tmp_path, n_lines=moment)
    finish(start(data, tiny_llama_folder, tmp_path))
    assert_as_if_undisturbed(tmp_path, undisturbed)
    before = {path: path.read_bytes() for path in tmp_path.glob("*.json*")}
    finish(start(data, tiny_llama_folder, tmp_path))
    assert {path: path.read_bytes() for path in tmp_path.glob("*.json*")} == before


def cut_places(raw: bytes) -> list[int]:
    """In the first line, and within, before and right after the line break of a later one."""
    source = random.Random(9)
    line = raw.index(b"\n", len(raw) // 2) + 1
    end = raw.index(b"\n", line)
    return [source.randrange(1, raw.index(b"\n")), source.randrange(line, end), end, end + 1]


@pytest.mark.parametrize("cut", range(4), ids=["header", "within", "before-break", "after-break"])
def test_a_torn_last_line_costs_that_pass_alone(
    data, tiny_llama_folder, undisturbed, tmp_path, cut
):
    raw = (undisturbed / "measured.jsonl").read_bytes()
    place = cut_places(raw)[cut]
    (tmp_path / "measured.jsonl").write_bytes(raw[:place])
    to_score = ToScore(file=str(data), by=Meter(model=str(tiny_llama_folder), device="cpu"))
    score_file(CONFIG, to_score, folder=tmp_path)
    assert_as_if_undisturbed(tmp_path, undisturbed)
    kept = raw[:place].rpartition(b"\n")[0]
    assert (tmp_path / "measured.jsonl").read_bytes().startswith(kept)


def test_a_changed_set_computes_only_what_changed(data, tiny_llama_folder, undisturbed, tmp_path):
    """3 records changed, 2 added, 1 removed, in a new run beside the old one."""
    changed = records()
    del changed[40]
    for n in (3, 20, 31):
        changed[n] = {**changed[n], "output": changed[n]["output"] + " No, it is 9."}
    changed += [
        {"instruction": f"Is {n} a number?", "input": "", "output": "Yes.", "task": "sum"}
        for n in (1, 2)
    ]
    new_data = write(tmp_path / "changed.jsonl", changed)
    root = tmp_path / "runs"
    by = Meter(model=str(tiny_llama_folder), device="cpu")
    old = score_file(CONFIG, ToScore(file=str(data), by=by), root=root)
    assert old.rows == Scores.load(undisturbed).rows
    asked = ToScore(file=str(new_data), by=by)
    new = score_file(CONFIG, asked, root=root)
    fresh = score_file(CONFIG, asked, root=tmp_path / "fresh")

    known, needed = set(keys_of(old.folder)), set(keys_of(fresh.folder))
    work = new.card["work"]
    assert work["requests"] == len(needed)
    assert work["reused"] == len(needed & known)
    assert sorted(keys_of(new.folder)) == sorted(needed)
    assert work["requests"] - work["reused"] < 0.25 * work["requests"]
    assert work["tokens"] < 0.3 * fresh.card["work"]["tokens"]
    assert [row.id for row in new.rows] == [row.id for row in fresh.rows]
    for ours, theirs in zip(new.rows, fresh.rows, strict=True):
        assert ours.scores == pytest.approx(theirs.scores, rel=1e-4)
        assert ours.reasons == theirs.reasons == {}


def test_a_folder_moved_elsewhere_goes_on_from_there(
    data, tiny_llama_folder, undisturbed, tmp_path
):
    """What is known lies in the folder alone."""
    folder = tmp_path / "copied"
    shutil.copytree(undisturbed, folder)
    (folder / "scoring.json").unlink()
    to_score = ToScore(file=str(data), by=Meter(model=str(tiny_llama_folder), device="cpu"))
    scores = score_file(CONFIG, to_score, folder=folder)
    assert scores.card["work"]["inputs"] == 0
    assert_as_if_undisturbed(folder, undisturbed)
