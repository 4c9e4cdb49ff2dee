"""`tuneval export` as a person types it."""

from __future__ import annotations

import json

import pytest
from click.testing import CliRunner

from tuneval.cli.export import export
from tuneval.errors import UsageError


def run(*arguments: object) -> str:
    result = CliRunner().invoke(export, list(map(str, arguments)), catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return result.stdout


def test_what_was_written_and_how_near_it_is_is_shown(tiny_llama_folder, tmp_path):
    told = run(tiny_llama_folder, "--to", tmp_path / "out", "--dtype", "bfloat16")
    assert "the files, bfloat16" in told
    n_files = len(list((tmp_path / "out").iterdir()))
    assert f"{n_files} files, " in told
    assert str(tmp_path / "out") in told


def test_json_is_export_json_with_the_folder(tiny_llama_folder, tmp_path):
    out = tmp_path / "out"
    run(tiny_llama_folder, "--to", out)
    told = run(tiny_llama_folder, "--to", out, "--replace", "--shard-size", "2 MB", "--json")
    noted = json.loads((out / "export.json").read_text())
    assert json.loads(told) == {"folder": str(out), **noted}
    assert sum(name.endswith(".safetensors") for name in noted["files"]) > 2


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (("--dtype", "float8"), "dtype: Input should be 'auto', 'float32'"),
        (("--shard-size", "2GiB"), "shard_size: write a size such as 500MB or 2GB"),
        (("--adapter",), "no adapter to export"),
    ],
)
def test_a_mistake_is_told_by_its_field(tiny_llama_folder, tmp_path, given, said):
    with pytest.raises(UsageError, match=said):
        run(tiny_llama_folder, "--to", tmp_path / "out", *given)
    assert not (tmp_path / "out").exists()
