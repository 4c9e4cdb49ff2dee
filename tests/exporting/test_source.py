"""What may be named, and which texts a model is compared on."""

from __future__ import annotations

import json
import shutil

import peft
import pytest

from tuneval.errors import DataError, ModelError
from tuneval.exporting.config import ExportConfig
from tuneval.exporting.merging import refuse_unmergeable
from tuneval.exporting.prompts import TICKETS, find_prompts
from tuneval.exporting.source import find_source
from tuneval.models import methods
from tuneval.models.load import model_hash
from tuneval.runs.events import Warned
from tuneval.tokenization import load_template


def test_a_run_is_named_by_its_id_latest_or_its_folder(runs_here):
    hashes = set()
    for text in (runs_here.name, "latest", f"run:{runs_here.name}", str(runs_here)):
        source = find_source(text)
        assert source.run == runs_here
        assert source.training == runs_here
        hashes.add(source.hash)
    assert hashes == {model_hash(str(runs_here))}


def test_its_adapter_folder_leads_to_the_run(tuned_run, tiny_llama_folder):
    source = find_source(str(tuned_run / "adapter"))
    assert source.run == tuned_run
    assert (source.method, source.template) == ("lora", "chatml")
    assert source.base == str(tiny_llama_folder)
    assert source.root.text == str(tiny_llama_folder)


def test_one_of_several_trainings_knows_its_run(tuned_run, tmp_path):
    run = tmp_path / "several"
    (run / "training").mkdir(parents=True)
    shutil.copy(tuned_run / "run.json", run)
    shutil.copytree(tuned_run / "steps", run / "steps")
    (run / "steps" / "train.json").rename(run / "steps" / "one.json")
    one = run / "training" / "one"
    shutil.copytree(tuned_run / "adapter", one / "adapter")
    shutil.copy(tuned_run / "model_reference.json", one)
    source = find_source(f"run:{run}:one")
    assert (source.run, source.training) == (run, one)


def test_the_root_is_the_model_below_every_training(tuned_run, tiny_llama_folder, tmp_path):
    upper = shutil.copytree(tuned_run / "adapter", tmp_path / "upper")
    note = json.loads((upper / "tuneval.json").read_text())
    (upper / "tuneval.json").write_text(json.dumps(note | {"base": str(tuned_run / "adapter")}))
    source = find_source(str(upper))
    assert source.base == str(tuned_run / "adapter")
    assert source.root.text == str(tiny_llama_folder)
    assert len(source.folders.adapters) == 2


STUCK = [
    method
    for name in methods.__all__
    if isinstance(method := getattr(methods, name), type)
    and issubclass(method, methods.TuningMethod)
    and method.saved_as == "adapter"
    and method.cannot_merge
]


@pytest.mark.parametrize("method", STUCK, ids=lambda method: method.__name__)
def test_a_method_that_cannot_be_merged_says_why(
    method, tiny_llama_folder, tmp_path, adapter_on, lora
):
    folder = adapter_on(tiny_llama_folder, lora)
    kind = method.model_fields["kind"].default
    note = {"base": str(tiny_llama_folder), "method": {"kind": kind}}
    (folder / "tuneval.json").write_text(json.dumps(note))
    with pytest.raises(ModelError) as caught:
        refuse_unmergeable(find_source(str(folder)))
    assert caught.value.what == f"{kind} cannot be merged into the model: {method.cannot_merge}."


def test_what_peft_merges_is_not_refused(tiny_llama_folder, adapter_on):
    config = peft.IA3Config(
        task_type="CAUSAL_LM", target_modules=["k_proj"], feedforward_modules=[]
    )
    refuse_unmergeable(find_source(str(adapter_on(tiny_llama_folder, config))))


@pytest.fixture
def prompts_of(tiny_llama):
    def get(source, config=ExportConfig(), template="chatml"):  # noqa: B008
        events = []
        shape = template and load_template(tiny_llama.tokenizer, template)
        found = find_prompts(config, source, tiny_llama.tokenizer, shape, events.append)
        return found, events

    return get


def test_prompts_come_from_the_runs_data_as_the_model_reads_them(
    prompts_of, tuned_run, sums, tiny_llama
):
    found, events = prompts_of(find_source(str(tuned_run)))
    assert found.file == str(sums)
    assert len(found.ids) == 8
    assert events == []
    texts = [tiny_llama.tokenizer.decode(ids) for ids in found.ids]
    assert texts[0].startswith("<|im_start|>user\nWhat is 0 plus 0?<|im_end|>")
    assert "What is 35 plus 35?" in texts[-1]


def test_lost_data_is_told_and_what_tuneval_brings_stands_in(prompts_of, tuned_run, tmp_path):
    run = shutil.copytree(tuned_run, tmp_path / "run")
    resolved = (run / "resolved.yaml").read_text().replace("sums.jsonl", "gone.jsonl")
    (run / "resolved.yaml").write_text(resolved)
    found, events = prompts_of(find_source(str(run)))
    assert found.file == TICKETS
    assert max(map(len, found.ids)) == 256
    assert any("cannot be read" in e.message for e in events if isinstance(e, Warned))


def test_a_file_of_texts_and_a_model_without_a_template_will_do(
    prompts_of, tiny_llama_folder, tmp_path, tiny_llama
):
    texts = tmp_path / "texts.jsonl"
    texts.write_text("".join(json.dumps({"text": f"It is {n}."}) + "\n" for n in range(3)))
    config = ExportConfig(prompts=str(texts))
    source = find_source(str(tiny_llama_folder))
    found, _ = prompts_of(source, config, template=None)
    assert [tiny_llama.tokenizer.decode(ids) for ids in found.ids] == [
        "It is 0.", "It is 1.", "It is 2."
    ]  # fmt: skip
    plain, _ = prompts_of(source, template=None)
    assert "Sort this customer message" in tiny_llama.tokenizer.decode(plain.ids[0])


def test_an_asked_for_file_without_a_prompt_is_refused(prompts_of, tiny_llama_folder, tmp_path):
    pairs = tmp_path / "pairs.jsonl"
    row = {"prompt": "Say it.", "chosen": "yes", "rejected": "no"}
    pairs.write_text(json.dumps(row) + "\n")
    with pytest.raises(DataError, match="No item can be a prompt"):
        prompts_of(find_source(str(tiny_llama_folder)), ExportConfig(prompts=str(pairs)))
