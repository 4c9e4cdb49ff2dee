"""Asking for help is quick: nothing heavy is imported, and little is."""

from __future__ import annotations

import os
import resource
import subprocess
import sys
from pathlib import Path

import pytest

HEAVY = (
    "torch", "transformers", "peft", "accelerate", "tokenizers", "safetensors", "datasets",
    "numpy", "scipy", "pydantic", "rich", "yaml", "fsspec", "filelock", "matplotlib", "jieba",
    "nltk", "jinja2",
)  # fmt: skip
# Help of one command and the list of runs may import click, yaml or pydantic, but no engine.
ENGINES = ("torch", "transformers", "peft", "accelerate", "datasets", "matplotlib", "jieba", "nltk")
LIMIT = 4.0

IMPORTED = """
import sys
from tuneval.cli.main import main
status = main(sys.argv[1:])
print("\\nIMPORTED", *sorted({name.partition(".")[0] for name in sys.modules}))
sys.exit(status)
"""


def imported_by(*arguments: str, folder: Path | None = None) -> set[str]:
    """The top-level modules that a command line has imported when it is done."""
    done = subprocess.run(
        [sys.executable, "-c", IMPORTED, *arguments],
        check=True,
        capture_output=True,
        text=True,
        cwd=folder,
        env=os.environ | {"PYTHONIOENCODING": "utf-8"},
    )
    return set(done.stdout.rpartition("\nIMPORTED ")[2].split())


def cpu_seconds(*command: str) -> float:
    """User and system time of one process and its children."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


@pytest.mark.parametrize("option", ["--help", "--version"])
def test_help_and_version_import_nothing_heavy(option: str) -> None:
    assert not imported_by(option) & {*HEAVY, "click"}


@pytest.mark.parametrize("arguments", [("runs", "--help"), ("env", "--help"), ("runs", "list")])
def test_light_commands_import_no_engine(arguments: tuple[str, ...], tmp_path: Path) -> None:
    assert not imported_by(*arguments, folder=tmp_path) & set(ENGINES)


def test_help_costs_at_most_four_times_bare_python() -> None:
    # The smallest of several interleaved runs: other work on the machine only ever adds time.
    script = Path(sys.executable).with_name("tuneval")
    pairs = [
        (
            cpu_seconds(sys.executable, "-c", "pass"),
            cpu_seconds(str(script), "--help")
            if script.exists()
            else cpu_seconds(sys.executable, "-m", "tuneval", "--help"),
        )
        for _ in range(12)
    ]
    bare, helped = (min(times) for times in zip(*pairs, strict=True))
    assert helped <= LIMIT * bare, (
        f"`tuneval --help` takes {helped * 1000:.0f} ms of CPU, bare Python {bare * 1000:.0f} ms"
    )
