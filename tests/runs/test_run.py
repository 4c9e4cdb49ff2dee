from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from tuneval import __version__, files
from tuneval.errors import RunError
from tuneval.runs.events import Event, Warned
from tuneval.runs.find import find_by_key, find_run, list_runs, runs_root
from tuneval.runs.run import Run

KEY = "a1b2c3d4e5f6"
HOLD = """
import sys
from tuneval.runs.run import Run
with Run.open(sys.argv[1]).exclusive():
    print("held", flush=True)
    sys.stdin.read()
"""


def test_a_new_run_is_a_folder_with_its_manifest(tmp_path: Path) -> None:
    run = Run.create(tmp_path / "runs", "LoRA small/中", KEY, model="m", parents=("p",))
    assert re.fullmatch(r"\d{4}-\d\d-\d\d_\d{4}_LoRA-small-中_a1b2c3", run.id)
    manifest = Run.open(run.folder).manifest
    assert (manifest.id, manifest.key, manifest.status) == (run.id, KEY, "running")
    assert (manifest.model, manifest.parents) == ("m", ("p",))
    assert manifest.tuneval_version == __version__
    assert manifest.created.endswith("+00:00")


def test_runs_of_the_same_minute_do_not_collide(tmp_path: Path) -> None:
    ids = {Run.create(tmp_path, "same", KEY).id for _ in range(4)}
    assert len(ids) == 4
    assert {path.name for path in tmp_path.iterdir()} == ids
    assert all(Run.open(tmp_path / run_id).manifest.id == run_id for run_id in ids)


def test_an_update_keeps_the_rest_and_refuses_unknown_fields(tmp_path: Path) -> None:
    run = Run.create(tmp_path, "a", KEY, model="m")
    assert run.update(status="done").model == "m"
    assert run.manifest.status == "done"
    with pytest.raises(RunError, match="statsu"):
        run.update(statsu="done")
    with pytest.raises(RunError, match="status"):
        run.update(status="finished")


def test_a_step_is_done_only_for_the_key_it_was_done_for(tmp_path: Path) -> None:
    run = Run.create(tmp_path, "a", KEY)
    assert not run.is_step_done("train", "k1")
    assert run.step_result("train") is None
    run.mark_step("train", "k1", {"loss": 0.5})
    run.mark_step("evaluate-tuned", "k2", {})
    assert run.is_step_done("train", "k1")
    assert not run.is_step_done("train", "k2")
    assert run.step_result("train") == {"loss": 0.5}
    assert run.finished_steps() == ["train", "evaluate-tuned"]


@pytest.mark.parametrize("name", ["", "../escape", "a/b", ".hidden"])
def test_a_step_name_cannot_leave_the_run(tmp_path: Path, name: str) -> None:
    with pytest.raises(RunError):
        Run.create(tmp_path, "a", KEY).mark_step(name, "k", {})


def test_a_second_process_is_told_who_works_in_the_run(tmp_path: Path) -> None:
    run = Run.create(tmp_path, "a", KEY)
    worker = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(run.folder)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert worker.stdout is not None
    with worker:
        assert worker.stdout.readline() == "held\n"
        assert run.is_held()
        assert run.status == "running"
        with (
            pytest.raises(RunError, match=f"process {worker.pid} on"),
            run.exclusive(timeout_seconds=0),
        ):
            pass
        worker.kill()
    assert not run.is_held()
    assert run.status == "interrupted"
    with run.exclusive():
        assert run.status == "running"
    assert not run.path(".holder.json").exists()


def test_a_damaged_run_is_left_out_with_a_warning(tmp_path: Path) -> None:
    good = Run.create(tmp_path, "good", KEY)
    bad = Run.create(tmp_path, "bad", KEY)
    (bad.folder / "run.json").write_text("{")
    (tmp_path / "not-a-run").mkdir()
    told: list[Event] = []
    assert list_runs(tmp_path, report=told.append) == [good]
    assert [type(event) for event in told] == [Warned]
    with pytest.raises(RunError, match="damaged"):
        Run.open(bad.folder)
    files.write_json(bad.folder / "run.json", {"id": "x"})
    with pytest.raises(RunError, match=r"name: .*created: ") as caught:
        Run.open(bad.folder)
    assert caught.value.where.endswith("run.json")


def test_a_run_is_found_by_latest_id_part_and_folder(tmp_path: Path) -> None:
    first = Run.create(tmp_path, "first", "111111aaaa")
    second = Run.create(tmp_path, "second", "222222bbbb")
    assert list_runs(tmp_path) == [second, first]
    assert find_run("latest", tmp_path) == second
    assert find_run(first.id, tmp_path) == first
    assert find_run("111111", tmp_path) == first
    assert find_run(str(first.folder), tmp_path / "elsewhere") == first
    assert find_by_key(tmp_path, "111111aaaa") == first
    assert find_by_key(tmp_path, "111111") is None


def test_an_unclear_name_is_answered_with_the_choices(tmp_path: Path) -> None:
    with pytest.raises(RunError, match="no runs yet"):
        find_run("latest", tmp_path)
    first, second = (Run.create(tmp_path, name, KEY) for name in ("first", "second"))
    with pytest.raises(RunError, match="2 runs") as caught:
        find_run("a1b2c3", tmp_path)
    assert first.id in caught.value.mend
    with pytest.raises(RunError) as caught:
        find_run(second.id.replace("second", "secnod"), tmp_path)
    assert second.id in caught.value.mend
    with pytest.raises(RunError, match="no run ''"):
        find_run("", tmp_path)


def test_the_folder_of_runs_can_be_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("TUNEVAL_RUNS", raising=False)
    assert runs_root() == Path("runs")
    monkeypatch.setenv("TUNEVAL_RUNS", "/elsewhere")
    assert runs_root() == Path("/elsewhere")
