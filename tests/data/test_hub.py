"""Sets by name. The hub is a folder here: `datasets` itself is real, and so are its errors."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tuneval.data import hub
from tuneval.data.origin import origin
from tuneval.data.read import drafts, read, read_items
from tuneval.errors import DataError, StorageError, TunevalError, UsageError

datasets = pytest.importorskip("datasets")
ALPACA = [{"instruction": f"q{i}", "input": "", "output": f"a{i}"} for i in range(6)]


@pytest.fixture
def at_the_hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder that stands for the hub: organisation/name/files."""
    folder = tmp_path / "hub"
    monkeypatch.setattr(hub, "_AT_THE_HUB", f"{folder}/")
    monkeypatch.setattr(datasets.config, "HF_DATASETS_CACHE", tmp_path / "cache")
    return folder


def put(place: Path, *rows: dict[str, Any]) -> None:
    """A file of JSON lines."""
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows))


def answers(location: str) -> list[str | None]:
    """The answers of a set, in order."""
    return [example.answer for example in read(location)]


def refusal(location: str) -> TunevalError:
    """The error that reading a set ends in."""
    with pytest.raises(TunevalError) as caught:
        list(read_items(location))
    return caught.value


def test_a_known_set_is_read_with_its_mapping(at_the_hub: Path) -> None:
    row = {"kind": "poem", "input": "写诗", "target": "床前明月光"}
    put(at_the_hub / "YeungNLP" / "firefly-train-1.1M" / "train.jsonl", row)
    (example,) = read("hub:firefly")
    assert [m.content for m in example.messages] == ["写诗", "床前明月光"]
    assert str(example.source) == "hub:YeungNLP/firefly-train-1.1M@train:row 1"
    assert answers("hub:YeungNLP/firefly-train-1.1M") == ["床前明月光"]


def test_any_other_set_is_read_by_its_own_format(at_the_hub: Path) -> None:
    chat = [{"role": "user", "content": "Hi"}, {"role": "assistant", "content": "Hello!"}]
    call = {"type": "function", "function": {"name": "now", "arguments": "{}"}}
    calling = [chat[0], {"role": "assistant", "content": None, "tool_calls": [call]}]
    put(at_the_hub / "org" / "name" / "train.jsonl", {"messages": chat}, {"messages": calling})
    first, second = read("hub:org/name")
    assert first.answer == "Hello!"
    assert [call.name for call in second.messages[1].tool_calls] == ["now"]
    assert second.source.place == "row 2"


def test_splits_subsets_and_parts(at_the_hub: Path) -> None:
    folder = at_the_hub / "org" / "name"
    put(folder / "one" / "train.jsonl", *ALPACA)
    put(folder / "two" / "test.jsonl", *ALPACA[:1])
    configs = [{"config_name": name, "data_dir": name} for name in ("one", "two")]
    (folder / "README.md").write_text(f"---\nconfigs: {json.dumps(configs)}\n---\n")
    assert answers("hub:org/name:one") == [f"a{i}" for i in range(6)]
    assert answers("hub:org/name:two@test") == ["a0"]
    assert answers("hub:org/name:one@train[:2]") == ["a0", "a1"]
    assert [e.source.line for e in read("hub:org/name:one@train[-1:]")] == [6]
    assert "hub:org/name:one@train" in str(next(read("hub:org/name:one")).source)
    for location, said in (
        ("hub:org/name", "Config name is missing"),
        ("hub:org/name:three", "BuilderConfig 'three' not found. Available: ['one', 'two']"),
        ("hub:org/name:one@dev", "Bad split: dev. Available splits: ['train']"),
    ):
        error = refusal(location)
        assert isinstance(error, UsageError)
        assert said in error.what


def test_a_known_set_has_subsets_too(at_the_hub: Path) -> None:
    folder = at_the_hub / "m-a-p" / "COIG-CQIA"
    put(folder / "zhihu" / "train.jsonl", *ALPACA)
    put(folder / "douban" / "train.jsonl", *ALPACA[3:])
    configs = [{"config_name": name, "data_dir": name} for name in ("zhihu", "douban")]
    (folder / "README.md").write_text(f"---\nconfigs: {json.dumps(configs)}\n---\n")
    assert answers("hub:coig_cqia:douban@train[:1]") == ["a3"]


def test_a_set_of_some_files_of_a_repository(at_the_hub: Path) -> None:
    row = {"trans_instruction": "翻译", "trans_input": "hello", "trans_output": "你好"}
    put(at_the_hub / "BAAI" / "COIG" / "translated_instructions.jsonl", row)
    (example,) = read("hub:coig_translated")
    assert [m.content for m in example.messages] == ["翻译\nhello", "你好"]
    assert str(example.source) == "hub:BAAI/COIG/translated_instructions.jsonl:row 1"
    assert "from files" in refusal("hub:coig_translated@test").what


def test_columns_of_pictures_are_left_aside(at_the_hub: Path) -> None:
    picture = {"bytes": b"no picture", "path": None}
    table = datasets.Dataset.from_list(
        [row | {"image": picture, "more": [picture]} for row in ALPACA[:2]]
    )
    table = table.cast_column("image", datasets.Image())
    table = table.cast_column("more", datasets.List(datasets.Image()))
    (at_the_hub / "org" / "name").mkdir(parents=True)
    table.to_parquet(at_the_hub / "org" / "name" / "train.parquet")
    assert answers("hub:org/name") == ["a0", "a1"]


def test_a_registry_leads_to_the_hub(at_the_hub: Path, tmp_path: Path) -> None:
    put(at_the_hub / "org" / "name" / "train.jsonl", *({"q": r["instruction"]} | r for r in ALPACA))
    entry = {"hf_hub_url": "org/name", "split": "train[1:5]", "num_samples": 2}
    registry = tmp_path / "dataset_info.json"
    registry.write_text(
        json.dumps({"mine": entry | {"columns": {"prompt": "q", "response": "output"}}})
    )
    found = answers(f"{registry}#mine")
    assert len(found) == 2
    assert set(found) < {"a1", "a2", "a3", "a4"}


def test_what_is_in_the_cache_is_read_without_the_hub(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(tmp_path / "name" / "train.jsonl", *ALPACA)
    cache = tmp_path / "cache"
    datasets.load_dataset(str(tmp_path / "name"), split="train", cache_dir=str(cache))
    (made,) = (cache / "name").glob("*/*/*/")
    shutil.copytree(made, cache / "org___name" / "default" / "0.0.0" / made.name)
    monkeypatch.setattr(datasets.config, "HF_DATASETS_CACHE", cache)
    assert answers("hub:org/name") == [f"a{i}" for i in range(6)]


@pytest.mark.parametrize("location", ["hub:belle_1m", "hub:coig_exam"])
def test_offline_says_what_where_and_how_to_mend(location: str, tmp_path: Path) -> None:
    environment = os.environ | {"HF_HUB_OFFLINE": "1", "HF_HOME": str(tmp_path)}
    done = subprocess.run(
        [sys.executable, "-m", "tuneval", "data", "check", location],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert done.stdout == ""
    what, where, mend = done.stderr.strip().splitlines()
    assert "HF_HUB_OFFLINE forbids to ask it" in what
    assert where.startswith("  where: hub:")
    copy = f"{location}=FILE"
    assert mend.endswith(f"get the set elsewhere and read the copy: {copy}")


@pytest.mark.parametrize(
    ("said", "kind", "words"),
    [
        ("Dataset 'a/b' is a gated dataset on the Hub.", StorageError, "accepted its terms"),
        ("Dataset 'a/b' doesn't exist on the Hub or", UsageError, "has no set 'org/name'"),
        ("Couldn't reach 'a/b' on the Hub (ConnectError)", StorageError, "cannot be reached"),
    ],
)
def test_refusals_of_the_hub(
    monkeypatch: pytest.MonkeyPatch, said: str, kind: type[TunevalError], words: str
) -> None:
    def fail(*_: Any, **__: Any) -> None:
        raise datasets.exceptions.DatasetNotFoundError(said)

    monkeypatch.setattr(datasets, "load_dataset", fail)
    error = refusal("hub:org/name")
    assert type(error) is kind
    assert words in error.what
    assert error.mend


def test_a_set_made_by_a_script_is_refused(at_the_hub: Path) -> None:
    put(at_the_hub / "org" / "name" / "train.jsonl", *ALPACA)
    (at_the_hub / "org" / "name" / "name.py").write_text("raise SystemExit")
    error = refusal("hub:org/name")
    assert "no code of others is run" in error.what
    assert "hub:org/name=FILE" in error.mend


def test_a_set_that_is_no_table_is_told_as_such(at_the_hub: Path) -> None:
    folder = at_the_hub / "org" / "name"
    folder.mkdir(parents=True)
    (folder / "train.jsonl").write_text('{"a": 1}\n{"a": [\n')
    error = refusal("hub:org/name")
    assert isinstance(error, DataError)
    assert error.mend.endswith("hub:org/name=FILE")


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """A copy of a known set, in its raw shape."""
    file = tmp_path / "copy.json"
    file.write_text(json.dumps([{"input": "写诗", "target": "床前", "kind": "poem"}], indent=1))
    return file


def test_a_copy_is_read_with_the_known_mapping_and_true_lines(copy: Path) -> None:
    (example,) = read(f"hub:firefly={copy}")
    assert example.answer == "床前"
    assert str(example.source) == f"{copy}:2"
    (example,) = read(f"hub:YeungNLP/firefly-train-1.1M={copy}")
    assert example.answer == "床前"


def test_the_text_of_a_copy_of_pictures_is_read_with_a_warning(tmp_path: Path) -> None:
    turns = [
        {"role": "user", "content": "<image>What?"},
        {"role": "assistant", "content": "A cat."},
    ]
    put(tmp_path / "copy.jsonl", {"messages": turns, "images": ["1.jpg"]})
    items = list(drafts(f"hub:mllm_demo={tmp_path}/copy.jsonl").items)
    assert [getattr(item, "rule", None) for item in items] == ["registry.media", None]


@pytest.mark.parametrize(
    ("location", "what", "mend"),
    [
        ("hub:bele_1m", "There is no known set 'bele_1m'.", "did you mean 'belle_1m'"),
        ("hub:coig", "There is no known set 'coig'.", "'coig_exam'"),
        ("hub:", "There is no known set ''.", "hub:organisation/name"),
        ("hub:rlaif_v", "rlaif_v is a set of images; tuneval reads text.", "hub:rlaif_v=FILE"),
        ("hub:deepctrl", "not on the Hugging Face hub", "hub:deepctrl=FILE"),
        ("hub:identity", "not on the Hugging Face hub", "hub:identity=FILE"),
        ("hub:coig_counterfactual", "comes as an archive", "hub:coig_counterfactual=FOLDER"),
        ("hub:belle_1m=", "A copy is named by itself", "hub:belle_1m=FILE"),
        ("hub:belle_1m@test=x.json", "A copy is named by itself", "hub:belle_1m=FILE"),
        ("hub:belle_1m=none.json", "There is no file none.json.", ""),
        ("hub:belle_1m@train[", "The split 'train[' cannot be understood.", "train[:1000]"),
    ],
)
def test_names_that_lead_nowhere(location: str, what: str, mend: str) -> None:
    with pytest.raises(UsageError) as caught:
        origin(location)
    assert what in caught.value.what
    assert mend in caught.value.mend
