from __future__ import annotations

import subprocess
import sys

import pytest

from tuneval.errors import ModelError, RunError
from tuneval.models.reference import parse_reference
from tuneval.runs.run import Run


def test_a_bundled_name_is_known_or_the_near_one_is_told():
    assert parse_reference("bundled:smollm2-135m").kind == "bundled"
    with pytest.raises(ModelError, match="no bundled model called 'smolm2-135m'") as caught:
        parse_reference("bundled:smolm2-135m")
    assert "did you mean 'smollm2-135m'" in caught.value.mend


def test_a_folder_is_named_by_its_absolute_path(tiny_llama_folder, monkeypatch):
    monkeypatch.chdir(tiny_llama_folder.parent)
    reference = parse_reference("tiny-llama")
    assert (reference.kind, reference.text) == ("folder", str(tiny_llama_folder))
    assert parse_reference(reference.text) == reference


def test_a_folder_without_a_model_says_which_one_in_it_has_one(tiny_llama_folder):
    with pytest.raises(ModelError, match="holds no model") as caught:
        parse_reference(str(tiny_llama_folder.parent))
    assert "tiny-llama" in caught.value.mend


def test_a_path_that_is_not_there_tells_the_near_one(tiny_llama_folder):
    with pytest.raises(ModelError, match="There is no model at") as caught:
        parse_reference(str(tiny_llama_folder.parent / "tiny-lama"))
    assert str(tiny_llama_folder) in caught.value.mend


def test_a_gguf_file_is_known_by_its_first_bytes(tmp_path):
    good, bad = tmp_path / "a.gguf", tmp_path / "b.gguf"
    good.write_bytes(b"GGUF\x03\x00\x00\x00")
    bad.write_bytes(b"<html>not found</html>")
    assert parse_reference(str(good)).kind == "gguf"
    with pytest.raises(ModelError, match="not a model") as caught:
        parse_reference(str(bad))
    assert caught.value.mend == "get it again"


@pytest.mark.parametrize("text", ["gpt2", "owner/name-1.5B", "hub:owner/name"])
def test_other_names_are_hub_ids(text, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    reference = parse_reference(text)
    assert (reference.kind, reference.location) == ("hub", text.removeprefix("hub:"))


@pytest.mark.parametrize("text", ["", "a/b/c", "two words", "s3:bucket", "-x/y"])
def test_what_can_name_nothing_is_refused_with_the_forms_that_can(text):
    with pytest.raises(ModelError, match="names no model") as caught:
        parse_reference(text)
    assert "bundled:NAME" in caught.value.mend


def test_a_run_is_named_by_its_id_where_runs_are_kept(tmp_path, monkeypatch):
    monkeypatch.setenv("TUNEVAL_RUNS", str(tmp_path))
    run = Run.create(tmp_path, "tune", "abcdef123456", command="tuneval train")
    expected = ("run", str(run.folder), f"run:{run.id}")
    for text in ("run:latest", f"run:{run.folder}", f"run:{run.id}", str(run.folder)):
        found = parse_reference(text)
        assert (found.kind, found.location, found.text) == expected
    with pytest.raises(RunError, match="There is no run 'nothing'"):
        parse_reference("run:nothing")


def test_the_latest_model_is_of_the_newest_run_that_has_trained(several, tmp_path):
    Run.create(tmp_path, "evaluation", "fedcba654321")
    assert parse_reference("run:latest:top").text == f"run:{several.id}:top"


def test_a_run_elsewhere_is_named_by_its_folder(tmp_path, monkeypatch):
    monkeypatch.setenv("TUNEVAL_RUNS", str(tmp_path / "home"))
    run = Run.create(tmp_path / "away", "tune", "abcdef123456", command="tuneval train")
    assert parse_reference(f"run:{run.folder}").text == f"run:{run.folder}"


@pytest.fixture
def several(tmp_path, monkeypatch):
    """A run at home that has trained `top` and `random`, and not yet finished `all`."""
    monkeypatch.setenv("TUNEVAL_RUNS", str(tmp_path))
    run = Run.create(tmp_path, "tune", "abcdef123456")
    for name in ("top", "random"):
        run.path("training", name).mkdir(parents=True)
        run.path("training", name, "model_reference.json").write_text('{"kind": "adapter"}')
    run.path("training", "all").mkdir()
    return run


def test_one_of_several_models_of_a_run_is_named_after_the_run(several):
    folder = several.path("training", "top")
    expected = ("run", str(folder), f"run:{several.id}:top")
    for text in (f"run:{several.id}:top", "run:latest:top", f"run:{several.folder}:top"):
        found = parse_reference(text)
        assert (found.kind, found.location, found.text) == expected
        assert parse_reference(found.text) == found
    assert parse_reference(str(folder)).text == f"run:{several.id}:top"


def test_one_of_several_models_can_be_taken_out_of_its_run(several, tmp_path):
    taken = several.path("training", "top").rename(tmp_path / "taken")
    found = parse_reference(str(taken))
    assert (found.kind, found.location, found.text) == ("run", str(taken), str(taken))


@pytest.mark.parametrize(("name", "mend"), [("tpo", "'top'"), ("all", "known: random, top")])
def test_a_model_that_a_run_did_not_finish_is_told_with_those_it_did(several, name, mend):
    with pytest.raises(ModelError, match=f"no trained model called '{name}'") as caught:
        parse_reference(f"run:latest:{name}")
    assert mend in caught.value.mend


def test_a_run_of_one_model_has_no_names_for_it(several):
    for note in several.folder.glob("training/*/model_reference.json"):
        note.unlink()
    with pytest.raises(ModelError) as caught:
        parse_reference("run:latest:top")
    assert caught.value.mend == f"the run's own model is run:{several.id}"


def test_naming_a_model_and_its_method_imports_no_torch():
    program = (
        "import sys, tuneval.models, tuneval.models.methods, tuneval.models.load\n"
        "from tuneval.models.reference import parse_reference\n"
        "parse_reference('bundled:smollm2-135m')\n"
        "print({'torch', 'transformers', 'peft', 'huggingface_hub'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert done.stdout == "set()\n", done.stderr
