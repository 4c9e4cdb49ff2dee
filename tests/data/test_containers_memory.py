"""Large files pass through in little memory, whatever holds them."""

from __future__ import annotations

import gzip
import json
import subprocess
import sys
from pathlib import Path

import pytest

from tuneval.data.containers.writing import open_writer

MB = 1_000_000
LIMIT_MB = 60
pytestmark = pytest.mark.skipif(
    not Path("/proc/self/status").exists(), reason="the peak of a process's memory is read in /proc"
)
ROW = {
    "messages": [
        {"role": "user", "content": "What is in the box? " * 20},
        {"role": "assistant", "content": "盒子里有一只猫。" * 25},
    ]
}

# Peak memory of a fresh process, in MB above what it has when everything is imported.
GROWTH = r"""
import re, sys
from pathlib import Path
from tuneval.data.containers import records
from tuneval.data.containers.writing import open_writer

def peak():
    # Not getrusage: a child begins with its parent's maximum there.
    return int(re.search(r"VmHWM:\s+(\d+)", Path("/proc/self/status").read_text())[1]) / 1000

small, large, copy = sys.argv[1:]

def walk(source, target):
    n = 0
    if not target:
        return sum(item.value is not None for item in records(source))
    with open_writer(target) as write:
        for item in records(source):
            write(item.value)
            n += 1
    return n

assert walk(small, copy) == 1
before = peak()
print(walk(large, copy), peak() - before)
"""


def growth_mb(folder: Path, name: str, content: bytes, small: bytes, copy: str = "") -> float:
    """By how much a process grows that reads the file, and writes it again as `copy`."""
    (folder / f"small-{name}").write_bytes(small)
    (folder / name).write_bytes(content)
    paths = [str(folder / f"small-{name}"), str(folder / name), copy and str(folder / copy)]
    done = subprocess.run(
        [sys.executable, "-c", GROWTH, *paths], check=True, capture_output=True, text=True
    )
    n_records, growth = done.stdout.split()
    assert int(n_records) > 50_000
    return float(growth)


def line() -> bytes:
    return json.dumps(ROW, ensure_ascii=False).encode()


def test_an_array_of_100_mb_is_read_in_little_memory(tmp_path: Path) -> None:
    n = 100 * MB // len(line())
    content = b"[" + b", ".join([line()] * n) + b"]"
    small = b"[" + line() + b"]"
    assert growth_mb(tmp_path, "a.json", content, small) < LIMIT_MB


def test_100_mb_of_packed_lines_are_read_in_little_memory(tmp_path: Path) -> None:
    n = 100 * MB // len(line())
    content = gzip.compress((line() + b"\n") * n, compresslevel=1)
    small = gzip.compress(line() + b"\n")
    assert growth_mb(tmp_path, "a.jsonl.gz", content, small) < LIMIT_MB


@pytest.mark.slow
@pytest.mark.parametrize("copy", ["b.json", "b.csv", "b.parquet", "b.arrow", "b.jsonl.zst"])
def test_100_mb_are_written_in_little_memory(tmp_path: Path, copy: str) -> None:
    n = 100 * MB // len(line())
    assert growth_mb(tmp_path, "a.jsonl", (line() + b"\n") * n, line() + b"\n", copy) < 100


@pytest.mark.slow
@pytest.mark.parametrize("name", ["a.csv", "a.parquet", "a.json.zst"])
def test_100_mb_of_any_kind_are_read_in_little_memory(tmp_path: Path, name: str) -> None:
    n = 100 * MB // len(line())
    for file, n_rows in ((tmp_path / name, n), (tmp_path / f"small-{name}", 1)):
        with open_writer(file) as add:
            for _ in range(n_rows):
                add(ROW)
    content = (tmp_path / name).read_bytes()
    small = (tmp_path / f"small-{name}").read_bytes()
    assert growth_mb(tmp_path, name, content, small) < 80
