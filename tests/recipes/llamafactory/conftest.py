"""A registry with two sets, and the files that name them."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def registry(tmp_path_factory) -> Path:
    """A folder with dataset_info.json: `sums` (40 records, with its hash) and `more` (10)."""
    folder = tmp_path_factory.mktemp("data")
    entries = {}
    for name, count in (("sums", 40), ("more", 10)):
        rows = [
            {"instruction": f"What is {n} plus {count}?", "input": "", "output": f"{n + count}."}
            for n in range(count)
        ]
        path = folder / f"{name}.json"
        path.write_text(json.dumps(rows), encoding="utf-8")
        sha1 = hashlib.sha1(path.read_bytes(), usedforsecurity=False).hexdigest()
        entries[name] = {"file_name": path.name, "file_sha1": sha1}
    (folder / "dataset_info.json").write_text(json.dumps(entries), encoding="utf-8")
    return folder


@pytest.fixture
def flags(registry):
    """A small training: the fewest flags that LLaMA-Factory trains with."""
    return {
        "model_name_or_path": "bundled:smollm2-135m",
        "template": "chatml",
        "do_train": True,
        "dataset": "sums",
        "dataset_dir": str(registry),
        "output_dir": "saves/small",
    }
