"""A file checked in parts, by several processes or one: the report is the same."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path
from typing import Any

import pytest

from tuneval.data.checking import examination, parts, processes
from tuneval.data.draft import Draft
from tuneval.data.finding import Finding
from tuneval.data.profiles import PROFILES
from tuneval.data.rule import Rule
from tuneval.data.rules import RULES
from tuneval.data.validate import check
from tuneval.errors import TunevalError, UsageError

WORDS = [*"abcdefgh你好的是吗", "camera", "order", "price", "when", "how", "train", "learn"]
FAULTY = [
    b"",
    b"  ",
    b"{",
    b"[1]",
    b'{"messages": []}',
    b'{"messages": [{"role": "user", "content": "a"}], "messages": 1}',
    b'{"messages": [{"role": "usr", "content": "a"}, {"role": "assistant", "content": "\\ufffd"}]}',
    b'{"instruction": "a", "output": "b"}',
    b'{"messages": [{"role": "user", "content": "\xff"}]}',
    b"\xef\xbb\xbf" + b'{"messages": [{"role": "user", "content": "a"}], "odd": 1}',
]


def made(seed: int, n_lines: int) -> bytes:
    """A file of that many lines: good ones, some of them twice, and some with every fault."""
    chance = random.Random(seed)

    def text() -> str:
        return " ".join(chance.choices(WORDS, k=chance.randint(1, 12)))

    lines: list[bytes] = []
    for _ in range(n_lines):
        kind = chance.random()
        if kind < 0.2 and lines:
            lines.append(chance.choice(lines))
        elif kind < 0.4 and lines:
            lines.append(chance.choice(FAULTY))
        else:
            roles = ["system"] * chance.randint(0, 1)
            roles += ["user", "assistant"] * chance.randint(1, 3)
            row: dict[str, Any] = {"messages": [{"role": r, "content": text()} for r in roles]}
            if chance.random() < 0.2:
                row["key" + str(chance.randint(1, 5))] = 1
            lines.append(json.dumps(row, ensure_ascii=chance.random() < 0.5).encode())
    content = chance.choice([b"", b"\xef\xbb\xbf"])
    for number, line in enumerate(lines):
        content += line + (b"\r\n" if seed % 2 and number > n_lines // 2 else b"\n")
    return content if chance.random() < 0.5 else content[:-1]


def report(file: Path, **options: Any) -> str:
    """The whole report as text, every byte of it."""
    return json.dumps(check(file, **options).as_dict(), ensure_ascii=False)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "data.jsonl"


@pytest.fixture
def tiny_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    """Parts of a few hundred bytes, read in blocks that are smaller still."""
    monkeypatch.setattr(parts, "PART_BYTES", 300)
    monkeypatch.setattr(parts, "BLOCK_BYTES", 80)
    monkeypatch.setattr("tuneval.data.containers.json_lines.BLOCK_BYTES", 100)


@pytest.mark.parametrize("seed", range(12))
def test_parts_show_what_the_whole_shows(
    file: Path, seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    file.write_bytes(made(seed, 60))
    for options in ({"profile": "everyday"}, {"profile": "trl-chat"}, {"rules": list(RULES)}):
        whole = report(file, **options)
        with monkeypatch.context() as small:
            small.setattr(parts, "PART_BYTES", 200 + 100 * seed)
            small.setattr(parts, "BLOCK_BYTES", 50 + 10 * seed)
            small.setattr("tuneval.data.containers.json_lines.BLOCK_BYTES", 100)
            assert report(file, **options) == whole
        with monkeypatch.context() as streamed:
            streamed.setattr(examination.Examination, "_said_of_lines", lambda self: None)
            assert report(file, **options) == whole


@pytest.mark.usefixtures("tiny_parts")
def test_processes_show_what_one_shows(file: Path) -> None:
    file.write_bytes(made(99, 150))
    one = report(file, workers=1)
    assert "duplicates.exact" in one
    assert "unused_keys.not_read" in one
    for n_workers in (2, 3):
        assert report(file, workers=n_workers) == one
    assert report(file, profile="trl-chat", workers=2) == report(file, profile="trl-chat")


@pytest.mark.usefixtures("tiny_parts")
@pytest.mark.parametrize("workers", [1, 2])
def test_every_finding_is_told_in_order_and_a_bounded_number_kept(file: Path, workers: int) -> None:
    file.write_bytes(b'{"messages": []}\n' + b"{\n\n" * 60)
    told: list[Finding] = []
    found = check(file, rules=[], keep=5, on_finding=told.append, workers=workers)
    assert [f.where.rpartition(":")[2] for f in told] == [str(n) for n in range(1, 122)]
    assert found.counts == {"error": 61, "warning": 60, "info": 0}
    assert len(found.findings) == 11
    assert (found.n_findings, found.findings_left_out) == (121, 110)
    assert list(found.findings) == told[:11]
    assert [(g.rule, g.count, len(g.findings)) for g in found.by_rule()] == [
        ("json.truncated", 60, 5),
        ("shape.no_turns", 1, 1),
        ("file.blank_line", 60, 5),
    ]
    assert found.as_dict()["findings_left_out"] == 110
    assert check(file, rules=[], keep=None, workers=workers).findings == tuple(told)


@pytest.mark.usefixtures("tiny_parts")
@pytest.mark.parametrize("workers", [1, 2])
def test_progress_goes_up_to_the_size_of_the_file(file: Path, workers: int) -> None:
    file.write_bytes(made(7, 40))
    size = file.stat().st_size
    told: list[tuple[int, int]] = []
    check(file, rules=[], workers=workers, progress=lambda *now: told.append(now))
    assert len(told) > 5
    assert [done for done, _ in told] == sorted({done for done, _ in told})
    assert {total for _, total in told} == {size}
    assert told[-1][0] == size


@pytest.mark.usefixtures("tiny_parts")
def test_keys_that_are_themselves_data_are_told_together(file: Path) -> None:
    turns = '"messages": [{"role": "user", "content": "a"}, {"role": "assistant", "content": "b"}]'
    file.write_text("".join(f'{{"key{n}": 1, "every": 1, {turns}}}\n' for n in range(1100)))
    found = check(file, rules=["unused_keys"])
    counts = {group.rule: group.count for group in found.by_rule()}
    assert counts == {"unused_keys.not_read": 1000, "unused_keys.many": 1}
    assert "records with it: 1100" in found.findings[1].what
    assert found.findings[-1].where == f"{file}:1000"


class Collects(Rule):
    """Speaks at the end and cannot be merged."""

    def __init__(self) -> None:
        self.n_seen = 0

    def see(self, draft: Draft) -> tuple[()]:
        """Count."""
        self.n_seen += 1
        return ()

    def finish(self) -> list[Finding]:
        """How many."""
        what = f"{self.n_seen} seen."
        return [Finding(rule="collects.all", severity="info", where="f:1", what=what, mend="-")]


@pytest.mark.usefixtures("tiny_parts")
def test_a_rule_that_cannot_be_merged_sees_the_whole_file(file: Path) -> None:
    file.write_bytes(made(3, 40))
    found = check(file, rules=[], and_rules=[Collects()], workers=2)
    assert found.findings[-1].what == f"{found.n_records} seen."


def test_a_small_file_starts_no_process(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(examination, "in_processes", None)
    file.write_bytes(made(1, 20))
    check(file)


RULES_OF_A_PLUGIN = """
    import os, signal
    from tuneval.data.rule import Rule

    class Dies(Rule):
        def see(self, draft):
            os.kill(os.getpid(), signal.SIGKILL)

    class Fails(Rule):
        def see(self, draft):
            raise KeyError("a fault of the rule")
"""


@pytest.fixture
def plugin(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """A module with rules, where other processes find it too."""
    (tmp_path / "plugin").mkdir()
    (tmp_path / "plugin" / "bad_rules.py").write_text(textwrap.dedent(RULES_OF_A_PLUGIN))
    monkeypatch.syspath_prepend(str(tmp_path / "plugin"))
    import bad_rules  # type: ignore[import-not-found, unused-ignore]

    yield bad_rules
    del sys.modules["bad_rules"]


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch) -> list[subprocess.Popen[bytes]]:
    """Every process that was started."""
    all_of_them = []

    class Watched(subprocess.Popen):  # type: ignore[type-arg]
        def __init__(self, *arguments: Any, **options: Any) -> None:
            super().__init__(*arguments, **options)
            all_of_them.append(self)

    monkeypatch.setattr(processes.subprocess, "Popen", Watched)
    return all_of_them


@pytest.mark.usefixtures("tiny_parts")
def test_a_process_that_dies_is_one_clear_error(
    file: Path, plugin: Any, started: list[Any]
) -> None:
    file.write_bytes(made(5, 30))
    with pytest.raises(TunevalError, match="was ended by signal 9") as caught:
        check(file, rules=[], and_rules=[plugin.Dies()], workers=2)
    assert caught.value.where == str(file)
    assert "workers=1" in caught.value.mend
    assert len(started) == 2
    assert all(process.poll() is not None for process in started)


@pytest.mark.usefixtures("tiny_parts")
def test_what_a_rule_raises_is_raised_here(file: Path, plugin: Any, started: list[Any]) -> None:
    file.write_bytes(made(5, 30))
    with pytest.raises(KeyError, match="a fault of the rule") as caught:
        check(file, rules=[], and_rules=[plugin.Fails()], workers=2)
    assert "bad_rules.py" in "".join(caught.value.__notes__)
    assert all(process.poll() is not None for process in started)


@pytest.mark.usefixtures("tiny_parts")
def test_who_stops_listening_leaves_no_process(file: Path, started: list[Any]) -> None:
    file.write_bytes(b'{"messages": []}\n' * 200)

    def stop(finding: Finding) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        check(file, rules=[], on_finding=stop, workers=2)
    assert len(started) == 2
    assert all(process.poll() is not None for process in started)


def test_rules_of_a_script_stay_in_its_process(
    file: Path, monkeypatch: pytest.MonkeyPatch, started: list[Any]
) -> None:
    file.write_bytes(made(5, 30))
    monkeypatch.setattr(Collects, "__module__", "__main__")
    check(file, rules=[], and_rules=[Collects()], workers=2)
    assert started == []


SCRIPT = """
    import sys, time
    from tuneval.data.checking import parts, processes
    from tuneval.data.validate import check

    parts.PART_BYTES = parts.BLOCK_BYTES = 300
    started = []

    class Watched(processes.subprocess.Popen):
        def __init__(self, *arguments, **options):
            super().__init__(*arguments, **options)
            started.append(self.pid)

    processes.subprocess.Popen = Watched

    def wait(finding):
        print(*started, flush=True)
        time.sleep(60)

    check(sys.argv[1], workers=2, on_finding=wait)
"""


@pytest.mark.skipif(os.name != "posix", reason="signals of a terminal")
def test_ctrl_c_ends_all_processes_at_once(file: Path, tmp_path: Path) -> None:
    file.write_bytes(made(5, 300))
    script = tmp_path / "script.py"  # without a guard: no process may run it again
    script.write_text(textwrap.dedent(SCRIPT))
    running = subprocess.Popen(
        [sys.executable, str(script), str(file)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    assert running.stdout is not None
    children = [int(pid) for pid in running.stdout.readline().split()]
    assert len(children) == 2
    os.killpg(running.pid, signal.SIGINT)
    _, complaints = running.communicate(timeout=20)
    assert complaints.count("KeyboardInterrupt") == 1, complaints
    deadline = time.monotonic() + 5
    while any(_is_there(pid) for pid in children) and time.monotonic() < deadline:
        time.sleep(0.02)
    assert not any(_is_there(pid) for pid in children)


def _is_there(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def test_no_workers_are_wrong_use(file: Path) -> None:
    file.write_bytes(made(1, 5))
    with pytest.raises(UsageError, match="0 processes"):
        check(file, workers=0)


def test_every_profile_names_rules_that_exist() -> None:
    for name in PROFILES:
        assert set(PROFILES.load(name).rules) <= set(RULES)
