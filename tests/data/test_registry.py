"""The registry file: its entries, where their sets lie, and which of their records are taken."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tuneval import files
from tuneval.data.origin import origin
from tuneval.data.read import drafts, read
from tuneval.errors import DataError, StorageError, TunevalError, UsageError

Make = Callable[..., str]


def rows(n: int, start: int = 0) -> bytes:
    """That many records of alpaca as JSON lines, all different."""
    made = ({"instruction": f"q{i}", "output": f"a{i}"} for i in range(start, start + n))
    return b"".join(json.dumps(row).encode() + b"\n" for row in made)


@pytest.fixture
def entry(tmp_path: Path) -> Make:
    """Writes a registry with one entry; gives the entry's location."""

    def entry(**content: Any) -> str:
        registry = tmp_path / "dataset_info.json"
        registry.write_text(json.dumps({"my_set": content}))
        return f"{registry}#my_set"

    return entry


def refusal(location: str) -> TunevalError:
    """The error that a location ends in before anything of it is read."""
    with pytest.raises(TunevalError) as caught:
        origin(location)
    return caught.value


def answers(location: str) -> list[str | None]:
    """The answers of a set, in order."""
    return [example.answer for example in read(location)]


def said(location: str) -> list[tuple[str, str]]:
    """What is said of a set as a whole: rules and severities."""
    return [(f.rule, f.severity) for f in drafts(location).items if hasattr(f, "severity")]


def test_a_file_lies_beside_its_registry_or_below(tmp_path: Path, entry: Make) -> None:
    (tmp_path / "inner").mkdir()
    (tmp_path / "inner" / "mine.jsonl").write_bytes(rows(2))
    assert answers(entry(file_name="inner/mine.jsonl")) == ["a0", "a1"]


def test_a_folder_is_read_whole(tmp_path: Path, entry: Make) -> None:
    (tmp_path / "parts").mkdir()
    (tmp_path / "parts" / "2.jsonl").write_bytes(rows(1, start=1))
    (tmp_path / "parts" / "1.jsonl").write_bytes(rows(1))
    assert answers(entry(file_name="parts")) == ["a0", "a1"]


def test_a_registry_may_be_an_address() -> None:
    files.write_bytes("memory://data/mine.jsonl", rows(1))
    files.write_json("memory://data/dataset_info.json", {"my_set": {"file_name": "mine.jsonl"}})
    assert answers("memory://data/dataset_info.json#my_set") == ["a0"]


def test_a_local_file_goes_before_the_hub(tmp_path: Path, entry: Make) -> None:
    location = entry(hf_hub_url="org/name", script_url="s", file_name="mine.jsonl")
    with pytest.raises(StorageError, match="HF_HUB_OFFLINE"):
        answers(location)
    (tmp_path / "mine.jsonl").write_bytes(rows(1))
    assert answers(location) == ["a0"]


def test_a_cloud_file_is_read_from_its_address(entry: Make) -> None:
    files.write_bytes("memory://bucket/mine.jsonl", rows(1))
    sha1 = hashlib.sha1(rows(1)).hexdigest()
    cloud = "memory://bucket/mine.jsonl"
    assert answers(entry(cloud_file_name=cloud, file_name="not here", file_sha1=sha1)) == ["a0"]
    assert "does not match" in refusal(entry(cloud_file_name=cloud, file_sha1="0" * 40)).what


def test_no_script_of_others_is_run(entry: Make) -> None:
    error = refusal(entry(script_url="belle_multiturn", cloud_file_name="s3://bucket/x.json"))
    assert "'belle_multiturn'. No code of others is run." in error.what
    assert error.where.endswith("dataset_info.json#my_set")


def test_a_set_of_another_hub_alone_is_refused(entry: Make) -> None:
    error = refusal(entry(ms_hub_url="deepctrl/deepctrl-sft-data"))
    assert "ModelScope alone" in error.what
    assert "file_name" in error.mend


def test_a_missing_file_is_told_with_its_place(tmp_path: Path, entry: Make) -> None:
    error = refusal(entry(file_name="mine.jsonl"))
    assert str(tmp_path / "mine.jsonl") in error.what


@pytest.mark.parametrize("upper", [False, True])
def test_a_file_with_the_promised_sha1_is_read(tmp_path: Path, entry: Make, upper: bool) -> None:
    (tmp_path / "mine.jsonl").write_bytes(rows(2))
    sha1 = hashlib.sha1(rows(2)).hexdigest()
    location = entry(file_name="mine.jsonl", file_sha1=sha1.upper() if upper else [sha1])
    assert answers(location) == ["a0", "a1"]


def test_a_file_with_another_sha1_is_refused_with_both_values(tmp_path: Path, entry: Make) -> None:
    (tmp_path / "mine.jsonl").write_bytes(rows(2))
    error = refusal(entry(file_name="mine.jsonl", file_sha1="a" * 40))
    assert isinstance(error, DataError)
    assert "a" * 40 in error.what
    assert hashlib.sha1(rows(2)).hexdigest() in error.what


def test_a_folder_has_a_list_of_sha1s_in_any_order(tmp_path: Path, entry: Make) -> None:
    (tmp_path / "parts").mkdir()
    parts = {"1.jsonl": rows(1), "2.jsonl": rows(1, start=1)}
    for name, content in parts.items():
        (tmp_path / "parts" / name).write_bytes(content)
    sha1s = [hashlib.sha1(content).hexdigest() for content in parts.values()]
    assert answers(entry(file_name="parts", file_sha1=sha1s[::-1])) == ["a0", "a1"]
    error = refusal(entry(file_name="parts", file_sha1=sha1s[0]))
    assert f"2.jsonl has {sha1s[1]}" in error.what
    error = refusal(entry(file_name="parts", file_sha1=[*sha1s, sha1s[0]]))
    assert f"the entry asks for {sha1s[0]}; no file is left" in error.what


@pytest.mark.parametrize("seed", [17, 3])
def test_num_samples_draws_what_llama_factory_draws_with_that_seed(
    tmp_path: Path, entry: Make, seed: int
) -> None:
    (tmp_path / "mine.jsonl").write_bytes(rows(50))
    location = entry(file_name="mine.jsonl", num_samples=10)
    found = answers(location + ("" if seed == 17 else f"?seed={seed}"))
    np.random.seed(seed)  # as it does: the global generator, a permutation, its beginning
    assert found == [f"a{i}" for i in sorted(np.random.permutation(50)[:10])]
    assert found == answers(f"{location}?seed={seed}")


def test_num_samples_above_the_size_gives_all_and_then_repeats(tmp_path: Path, entry: Make) -> None:
    (tmp_path / "mine.jsonl").write_bytes(rows(4))
    location = entry(file_name="mine.jsonl", num_samples=11)
    found = answers(location)
    np.random.seed(17)
    first = np.random.permutation(4)[:11]
    more = np.random.choice(4, 11 - len(first))
    assert found[:4] == [f"a{i}" for i in range(4)]
    assert found[4:] == [f"a{i}" for i in sorted(more)]
    assert said(location) == [("registry.sampled", "info")]


@pytest.mark.parametrize(
    ("split", "wanted"),
    [
        ("train", range(10)),
        ("train[:3]", range(3)),
        ("train[4:6]", range(4, 6)),
        ("train[-2:]", range(8, 10)),
        ("train[:25%]", range(2)),  # 2.5, rounded as `datasets` does, to the even number
        ("train[50%:-1]", range(5, 9)),
        ("train[8:20]", range(8, 10)),
    ],
)
def test_a_part_of_the_split_is_taken(
    tmp_path: Path, entry: Make, split: str, wanted: range
) -> None:
    (tmp_path / "mine.jsonl").write_bytes(rows(10))
    assert answers(entry(file_name="mine.jsonl", split=split)) == [f"a{i}" for i in wanted]


@pytest.mark.parametrize("split", ["test", "validation[:5]", "train[", "train+test", "train[a:b]"])
def test_a_file_has_no_other_split(tmp_path: Path, entry: Make, split: str) -> None:
    (tmp_path / "mine.jsonl").write_bytes(rows(1))
    assert split in refusal(entry(file_name="mine.jsonl", split=split)).what


def test_what_is_not_used_of_an_entry_is_named(tmp_path: Path, entry: Make) -> None:
    (tmp_path / "mine.jsonl").write_bytes(rows(1))
    columns = {"prompt": "instruction", "response": "output", "images": "pictures"}
    location = entry(file_name="mine.jsonl", subset="en", folder="x", columns=columns)
    assert said(location) == [
        ("registry.media", "warning"),
        ("registry.unused", "info"),
        ("registry.unused", "info"),
    ]
    assert answers(location) == ["a0"]


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ({"file_nam": "x"}, "file_nam is not known to LLaMA-Factory (did you mean 'file_name'"),
        ({"file_name": "x", "columns": {"promt": "q"}}, "columns.promt is not known"),
        ({"file_name": "x", "columns": {"promt": "q"}}, "did you mean 'prompt'"),
        ({"file_name": "x", "tags": {"user": "q"}}, "did you mean 'user_tag'"),
        ({"file_name": "x", "formatting": "chatml"}, "formatting is 'chatml'"),
        ({"file_name": "x", "num_samples": 0}, "num_samples is 0"),
        ({"file_name": "x", "ranking": "yes"}, "ranking is 'yes'"),
        ({"file_name": "x", "file_sha1": "abc"}, "file_sha1 is not a SHA-1"),
        ({"file_name": "x", "columns": None}, "columns is None"),
        ({}, "it says nowhere where the set lies"),
        ({"file_name": "x", "columns": {}}, "columns lists neither prompt nor query"),
        ({"file_name": "x", "columns": {"response": "a"}}, "neither prompt nor query"),
        ({"file_name": "x", "columns": {"prompt": "q", "kto_tag": "ok"}}, "and no response"),
        ({"file_name": "x", "formatting": "sharegpt", "columns": {}}, "columns lists no messages"),
        ({"file_name": "x", "formatting": "openai", "tags": {}}, "tags lists no assistant_tag"),
        (
            {"file_name": "x", "ranking": True, "columns": {"prompt": "q", "chosen": "c"}},
            "columns does not list both chosen and rejected",
        ),
        (
            {
                "file_name": "x",
                "ranking": True,
                "columns": {"prompt": "q", "response": "a"} | {"kto_tag": "k"},
            },
            "of which only one can be",
        ),
    ],
)
def test_an_entry_that_cannot_be_read_says_why(
    entry: Make, content: dict[str, Any], words: str
) -> None:
    error = refusal(entry(**content))
    assert isinstance(error, UsageError)
    assert words in error.what
    assert error.where.endswith("#my_set")


def test_all_faults_of_an_entry_are_told_at_once(entry: Make) -> None:
    what = refusal(entry(file_name="x", rankin=True, columns={"promt": "q"})).what
    assert "rankin" in what
    assert "columns.promt" in what


def test_an_unknown_entry_offers_near_names(entry: Make) -> None:
    location = entry(file_name="x").replace("#my_set", "#mi_set")
    assert "did you mean" in refusal(location).mend
    assert refusal(location).mend.endswith("#my_set?")


@pytest.mark.parametrize("mark", ["", "#"])
def test_a_registry_alone_names_its_entries(entry: Make, mark: str) -> None:
    registry = entry(file_name="x").removesuffix("#my_set")
    error = refusal(registry + mark)
    assert error.what == "Which entry of the registry?"
    assert error.mend.endswith("with one of: my_set")


@pytest.mark.parametrize(
    ("content", "what", "where"),
    [
        (b'{"a": {},\n "b": }', "not valid JSON", ":2"),
        (b"\xff\xfe", "not valid JSON", ""),
        (b"[" * 100_000, "not valid JSON", ""),
        (b'{"a": {},\n "a": {}}', "'a' stands twice", "lines 1, 2"),
        (b'{"a": {"ranking": true, "ranking": false}}', "'ranking' stands twice", "lines 1, 1"),
        (b'[{"ms_dataset_id": "x", "columns": {}}]', "a registry of ms-swift", ""),
        (b"[1]", "it is a list, not an object", ""),
        (b'{"a": []}', "The entry 'a' is a list, not an object.", "#a"),
    ],
)
def test_a_file_that_is_no_registry_is_refused(
    tmp_path: Path, content: bytes, what: str, where: str
) -> None:
    (tmp_path / "dataset_info.json").write_bytes(content)
    error = refusal(f"{tmp_path}/dataset_info.json#a")
    assert isinstance(error, UsageError)
    assert what in error.what
    assert where in error.where


def test_a_missing_registry_is_told() -> None:
    assert "There is no registry" in refusal("nowhere/dataset_info.json#a").what
