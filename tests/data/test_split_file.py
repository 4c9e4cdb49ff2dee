from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from tuneval import files
from tuneval.data.cutting.division import Division, halves
from tuneval.data.fingerprint import data_hash
from tuneval.data.read import read, read_items
from tuneval.data.split import split
from tuneval.data.split_file import split_file
from tuneval.errors import DataError, UsageError

THREE = {"train": 0.6, "valid": 0.2, "test": 0.2}


def row(number: int, **more: Any) -> dict[str, Any]:
    """A conversation, three of them to a group."""
    turns = [{"role": "user", "content": str(number)}, {"role": "assistant", "content": "b"}]
    return {"messages": turns, "group": f"g{number // 3}"} | more


def write(path: Path, rows: list[dict[str, Any]]) -> Path:
    """The rows as JSON lines."""
    path.write_text("".join(json.dumps(each) + "\n" for each in rows))
    return path


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """Records of which every fifth group is rare."""
    kinds = [{"kind": "rare" if i // 3 % 5 == 0 else "common"} for i in range(300)]
    return write(tmp_path / "all.jsonl", [row(i, tags=kinds[i]) for i in range(300)])


def lines(folder: Path) -> dict[str, list[bytes]]:
    """The lines of each part."""
    return {path.stem: path.read_bytes().splitlines(True) for path in folder.glob("*.jsonl")}


def test_files_hold_the_two_sides_and_an_account(source: Path, tmp_path: Path) -> None:
    done = split_file(source, tmp_path / "out", Division(parts=halves(0.25)))
    train, held = (list(read(tmp_path / "out" / f"{n}.jsonl")) for n in ("train", "held_out"))
    sides = split(read(source), 0.25)
    assert [e.id for e in train] == [e.id for e in sides.train]
    assert [e.id for e in held] == [e.id for e in sides.held_out]
    account = json.loads((tmp_path / "out" / "split.json").read_text())
    assert account == done.as_dict()
    assert account["train"]["examples"] == len(train)
    assert account["train"]["keys"] == len({e.group for e in train})
    assert account["held_out"]["data_hash"] == data_hash(held)
    assert account["share"] == len(held) / 300
    assert account["asked"] == 0.25


def test_lines_are_kept_byte_for_byte(tmp_path: Path) -> None:
    odd = b'{ "messages":[{"role":"user","content":"\\u00e9 1.50"},{"role":"assistant",'
    odd += b'"content":"b"}],  "x": 1.50}'
    source = tmp_path / "all.jsonl"
    source.write_bytes(b"".join(odd.replace(b"1.50", b"%d" % i) + b"\r\n" for i in range(40)))
    split_file(source, tmp_path / "out")
    found = [line for side in lines(tmp_path / "out").values() for line in side]
    assert sorted(found) == sorted(source.read_bytes().replace(b"\r\n", b"\n").splitlines(True))


def test_records_keep_their_format(tmp_path: Path) -> None:
    rows = [{"instruction": str(i), "output": "b", "more": [i]} for i in range(40)]
    source = tmp_path / "all.json"
    source.write_text(json.dumps(rows, indent=1))
    split_file(source, tmp_path / "out")
    found = [json.loads(line) for side in lines(tmp_path / "out").values() for line in side]
    assert sorted(found, key=str) == sorted(rows, key=str)


def test_another_format_can_be_asked_for(tmp_path: Path) -> None:
    rows = [{"instruction": str(i), "output": "b"} for i in range(40)]
    split_file(write(tmp_path / "a.jsonl", rows), tmp_path / "out", to="messages")
    assert all("messages" in json.loads(line) for line in lines(tmp_path / "out")["train"])


@pytest.mark.parametrize(
    "rows",
    [
        [{"text": f"text {i}"} for i in range(40)],
        [
            {
                "prompt": [{"role": "user", "content": str(i)}],
                "chosen": [{"role": "assistant", "content": "good"}],
                "rejected": [{"role": "assistant", "content": "bad"}],
            }
            for i in range(40)
        ],
    ],
    ids=["text", "preference"],
)
def test_items_of_every_kind_are_parted(rows: list[dict[str, Any]], tmp_path: Path) -> None:
    source = write(tmp_path / "all.jsonl", rows)
    split_file(source, tmp_path / "out")
    found = [i.id for n in ("train", "held_out") for i in read_items(tmp_path / f"out/{n}.jsonl")]
    assert sorted(found) == sorted(i.id for i in read_items(source))


@pytest.mark.parametrize("exact", [False, True])
def test_several_parts_share_the_groups_out(source: Path, tmp_path: Path, exact: bool) -> None:
    division = Division(parts=THREE, stratify="kind", exact=exact)
    split_file(source, tmp_path / "out", division)
    parts = {name: [json.loads(r) for r in side] for name, side in lines(tmp_path / "out").items()}
    groups = {name: {r["group"] for r in side} for name, side in parts.items()}
    assert sum(map(len, parts.values())) == 300
    assert len(set.union(*groups.values())) == sum(map(len, groups.values())) == 100


def test_exact_parts_meet_the_shares_in_every_stratum(source: Path, tmp_path: Path) -> None:
    # 20 rare and 80 common groups of 3 records: 60 %, 20 % and 20 % of either are whole groups.
    done = split_file(source, tmp_path / "out", Division(parts=THREE, stratify="kind", exact=True))
    assert {n: part.examples for n, part in done.parts.items()} == {
        "train": 180,
        "valid": 60,
        "test": 60,
    }
    assert done.strata == {
        "rare": {"train": 36, "valid": 12, "test": 12},
        "common": {"train": 144, "valid": 48, "test": 48},
    }


def test_small_strata_together_meet_the_share(tmp_path: Path) -> None:
    # Fifty strata of two: none can give a tenth, all together have to give ten records.
    rows = [row(3 * i, tags={"kind": str(i // 2)}) for i in range(100)]
    source = write(tmp_path / "all.jsonl", rows)
    division = Division(parts={"train": 0.9, "test": 0.1}, stratify="kind", exact=True)
    done = split_file(source, tmp_path / "out", division)
    assert done.parts["test"].examples == 10
    assert max(counts["test"] for counts in done.strata.values()) == 1


def test_an_exact_share_ends_at_the_nearest_group(tmp_path: Path) -> None:
    rows = [row(i, group=f"g{i // 10}") for i in range(100)]
    source = write(tmp_path / "all.jsonl", rows)
    for share, nearest in ((0.26, 30), (0.24, 20)):
        division = Division(parts=halves(share), exact=True)
        done = split_file(source, tmp_path / "out", division)
        assert done.parts["held_out"].examples == nearest


def test_an_exact_split_moves_few_when_the_set_grows(tmp_path: Path) -> None:
    rows = [row(3 * i) for i in range(1100)]
    division = Division(parts=halves(0.2), exact=True)
    split_file(write(tmp_path / "a.jsonl", rows[:1000]), tmp_path / "a", division)
    split_file(write(tmp_path / "b.jsonl", rows), tmp_path / "b", division)
    small, large = (set(lines(tmp_path / name)["held_out"]) for name in "ab")
    assert (len(small), len(large)) == (200, 220)
    kept = {json.dumps(each).encode() + b"\n" for each in rows[:1000]}
    assert len((small ^ large) & kept) < 40


def test_a_stable_split_only_counts_strata(source: Path, tmp_path: Path) -> None:
    plain = split_file(source, tmp_path / "a", Division(parts=THREE))
    done = split_file(source, tmp_path / "b", Division(parts=THREE, stratify="kind"))
    assert lines(tmp_path / "a") == lines(tmp_path / "b")
    assert plain.strata == {}
    found = Counter(
        (json.loads(line)["tags"]["kind"], name)
        for name, side in lines(tmp_path / "b").items()
        for line in side
    )
    assert {(k, n): c for k, row in done.strata.items() for n, c in row.items() if c} == found


def test_a_group_counts_as_its_first_record_does(tmp_path: Path) -> None:
    rows = [row(i, tags={"kind": "first" if i % 3 == 0 else "later"}) for i in range(60)]
    source = write(tmp_path / "all.jsonl", rows)
    division = Division(parts=halves(0.5), stratify="kind", exact=True)
    done = split_file(source, tmp_path / "out", division)
    assert done.n_groups_of_several_strata == 20
    assert done.strata["first"] == {"train": 10, "held_out": 10}
    assert done.strata["later"] == {"train": 20, "held_out": 20}


def test_an_unknown_tag_is_refused_with_the_near_one(source: Path, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="did you mean 'kind'"):
        split_file(source, tmp_path / "out", Division(stratify="kin"))
    assert not (tmp_path / "out").exists()


def test_copies_in_several_parts_are_reported(tmp_path: Path) -> None:
    rows = [row(0, group=f"g{i}") for i in range(40)]
    source = write(tmp_path / "all.jsonl", rows)
    done = split_file(source, tmp_path / "out")
    copy = next(read(source))
    assert (done.n_on_both_sides, done.on_both_sides) == (1, (copy.id,))
    assert split_file(source, tmp_path / "out", Division(by="group")).n_on_both_sides == 1


def test_a_split_never_overwrites_its_source(source: Path, tmp_path: Path) -> None:
    train = source.rename(tmp_path / "train.jsonl")
    before = train.read_bytes()
    with pytest.raises(UsageError, match="overwrite"):
        split_file(train, tmp_path)
    assert train.read_bytes() == before


def test_a_file_that_a_folder_only_links_to_is_not_overwritten(tmp_path: Path) -> None:
    folder = tmp_path / "many"
    folder.mkdir()
    real = write(tmp_path / "train.jsonl", [row(i) for i in range(60)])
    (folder / "linked.jsonl").symlink_to(real)
    before = real.read_bytes()
    with pytest.raises(UsageError, match="overwrite"):
        split_file(folder, tmp_path)
    assert real.read_bytes() == before


def test_parts_are_not_put_into_the_folder_that_is_read(source: Path, tmp_path: Path) -> None:
    folder = tmp_path / "many"
    folder.mkdir()
    source.rename(folder / "all.jsonl")
    with pytest.raises(UsageError, match="the folder that is read"):
        split_file(folder, folder / "sides")


def test_an_empty_part_is_refused_and_nothing_written(tmp_path: Path) -> None:
    source = write(tmp_path / "all.jsonl", [row(0)])
    with pytest.raises(DataError, match="leaves no"):
        split_file(source, tmp_path / "out")
    assert list(tmp_path.iterdir()) == [source]


def test_a_broken_record_leaves_the_earlier_split_as_it_was(source: Path, tmp_path: Path) -> None:
    split_file(source, tmp_path / "out")
    before = lines(tmp_path / "out")
    source.write_text(source.read_text() + "{\n")
    with pytest.raises(DataError, match=r"all.jsonl:301"):
        split_file(source, tmp_path / "out", Division(seed=1))
    assert lines(tmp_path / "out") == before
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == [
        "held_out.jsonl",
        "split.json",
        "train.jsonl",
    ]


def test_parts_can_be_written_to_an_address(source: Path) -> None:
    account = split_file(source, "memory://sides/here")
    held = list(read("memory://sides/here/held_out.jsonl"))
    assert account.parts["held_out"].examples == len(held) > 0
    assert json.loads(files.open_text("memory://sides/here/split.json").read()) == account.as_dict()
    with pytest.raises(UsageError, match="overwrite"):
        split_file("memory://sides/here/train.jsonl", "memory://sides/here")
