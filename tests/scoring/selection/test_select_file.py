"""The written sets: whole, byte for byte, every record in one of them, and a card that says how."""

from __future__ import annotations

import errno
import json
import os
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scored import conversation, score_row, write_scores, write_set

from tuneval import files
from tuneval.data.example import Example
from tuneval.data.read import read
from tuneval.data.taken_out import original_of
from tuneval.errors import DataError, StorageError, UsageError
from tuneval.runs.events import Event, Started, Warned
from tuneval.runs.run import Run
from tuneval.scoring.row import ScoreRow
from tuneval.scoring.scores import Scores
from tuneval.scoring.select import Form, Selected, select_file
from tuneval.scoring.selection.config import config_from

NAMES = ["card.md", "chosen.jsonl", "random.jsonl", "rejected.jsonl", "selection.json"]


def score(number: int, example: Example) -> ScoreRow:
    """Every seventh without a value, the others from 0.1 to 1.5."""
    ifd: float | str = "truncated" if number % 7 == 6 else 0.1 + number % 15 / 10
    task = example.tags.get("topic")
    return score_row(example.id, task=task, ifd=ifd, response_tokens=float(5 + number % 3))


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """Sixty conversations, two of which stand there twice."""
    records = [conversation(f"{n}?", f"№ {n}.", topic="ab"[n % 3 == 0]) for n in range(60)]
    return write_set(tmp_path / "set.jsonl", [*records, records[3], records[7]])


@pytest.fixture
def scores(tmp_path: Path, data: Path) -> Scores:
    return write_scores(tmp_path / "scores", data, score)


def select(scores: Scores, to: Path, **config: Any) -> Selected:
    return select_file(config_from(**config), scores, to=to)


def lines(path: Path) -> list[bytes]:
    return path.read_bytes().splitlines(keepends=True)


def rejected(folder: Path) -> list[dict[str, Any]]:
    return files.read_jsonl(folder / "rejected.jsonl")


def test_every_record_is_in_one_file_and_stands_as_it_stood(
    scores: Scores, data: Path, tmp_path: Path
) -> None:
    done = select(scores, tmp_path / "out", keep=["ifd < 1"], by="ifd", top="20%", quota="task")
    assert sorted(path.name for path in done.folder.iterdir()) == NAMES
    chosen = lines(done.folder / "chosen.jsonl")
    out = [original_of(row) for row in rejected(done.folder)]
    assert len(chosen) == 12
    assert Counter(chosen) + Counter(out) == Counter(lines(data))
    everything = lines(data)
    assert [everything.index(line) for line in chosen] == sorted(map(everything.index, chosen))


def test_each_rejected_record_says_where_it_stood_and_why(scores: Scores, tmp_path: Path) -> None:
    done = select(scores, tmp_path / "out", keep=["ifd < 1"], by="ifd", top="5")
    rows = rejected(done.folder)
    assert Counter(row["reason"] for row in rows) == done.account["reasons"]
    assert done.account["reasons"].keys() == {
        "below_top", "duplicate", "keep:ifd < 1", "unscored:ifd:truncated",
    }  # fmt: skip
    (first, second) = (row for row in rows if row["reason"] == "duplicate")
    assert first["where"].endswith("set.jsonl:61")
    ranks = sorted(row["rank"] for row in rows if row["reason"] == "below_top")
    assert ranks == list(range(6, 6 + len(ranks)))
    assert second.keys() == {"id", "where", "reason", "original"}


def test_the_account_adds_up(scores: Scores, data: Path, tmp_path: Path) -> None:
    done = select(scores, tmp_path / "out", keep=["ifd < 1"], by="ifd", top="20%", quota="task")
    account = files.read_json(done.folder / "selection.json")
    assert account == json.loads(json.dumps(done.account))
    counts = account["counts"]
    assert (counts["records"], counts["examples"]) == (62, 60)
    assert counts["chosen"] + counts["rejected"] == 62
    assert sum(account["reasons"].values()) == counts["rejected"]
    left = [stage["left"] for stage in account["funnel"]]
    out = [sum(stage["rejected"].values()) for stage in account["funnel"]]
    assert left == [62, 60, left[2], 12]
    assert [a - b for a, b in zip(left, out[1:], strict=False)] == left[1:]
    assert account["strata"]["a"]["chosen"] == account["strata"]["a"]["random"]
    assert account["scores"]["data_hash"] == account["data_hash"]
    for name, file in account["files"].items():
        assert files.sha256_file(done.folder / name) == file["sha256"]
        assert len(lines(done.folder / name)) == file["records"]
    before, after = (account["measures"]["ifd"][of]["mean"] for of in ("all", "chosen"))
    examples = {example.id: example for example in read(data)}
    values = [row.scores["ifd"] for row in scores.rows if row.scores["ifd"] is not None]
    assert before["value"] == pytest.approx(np.mean(values))
    assert before["low"] < before["value"] < before["high"]
    assert (before["n"], after["n"]) == (len(values), 12)
    assert len(examples) == 60


def test_the_card_tells_source_funnel_and_what_is_disputed(scores: Scores, tmp_path: Path) -> None:
    config = config_from(keep=["ifd < 1"], by="ifd", top="80%", quota="task")
    done = select_file(config, scores, to=tmp_path / "out", command="tuneval select …")
    card = (done.folder / "card.md").read_text("utf-8")
    for text in (
        "# 32 examples chosen from",
        "Asked for were 48 examples; 32 could be had.",
        "`bundled:smollm2-135m`, hash `0123456789abcdef`",
        "`instruction`, hash `fedcba9876543210`",
        "| Ratios | of perplexity |",
        "tuneval select …",
        "| distinct examples | 60 | 2 duplicate |",
        "- `unscored:ifd:truncated`: no value of ifd: the prompt leaves no room",
        "## By task",
        "| ifd | all | 0.7",
        "The papers (Cherry, Superfiltering) leave out",
        'load_dataset("json", data_files="chosen.jsonl"',
    ):
        assert text in card, text


def test_a_measure_of_its_own_keeps_its_own_words(scores: Scores, tmp_path: Path) -> None:
    scores.card["measures"]["ifd"]["own_reasons"] = {"truncated": ["cut away", "wait"]}
    done = select(scores, tmp_path / "out", keep=["ifd < 1"])
    assert done.account["meanings"]["unscored:ifd:truncated"] == "no value of ifd: cut away"


def test_the_baseline_is_a_file_of_records_or_none(scores: Scores, tmp_path: Path) -> None:
    done = select(scores, tmp_path / "a", by="ifd", top="10")
    assert len(list(read(done.folder / "random.jsonl"))) == 10
    done = select(scores, tmp_path / "b", by="ifd", top="10", random_baseline=False)
    assert not (done.folder / "random.jsonl").exists()


def test_a_copy_is_in_no_set_twice(scores: Scores, tmp_path: Path) -> None:
    done = select_file(config_from(), scores, to=tmp_path / "out")
    for name in ("chosen.jsonl", "random.jsonl"):
        assert len(lines(done.folder / name)) == len(set(lines(done.folder / name))) == 60


def test_records_that_have_no_scores_are_out_and_told(
    scores: Scores, data: Path, tmp_path: Path
) -> None:
    with data.open("a", encoding="utf-8") as file:
        file.write(json.dumps(conversation("new?")) + "\n")
    events: list[Event] = []
    config = config_from(by="ifd", top="100%")
    done = select_file(config, scores, to=tmp_path / "out", report=events.append)
    assert done.account["reasons"]["not_scored"] == 1
    assert done.account["size"]["offered"] == 60
    assert next(e.message for e in events if isinstance(e, Warned)).startswith(
        "1 of 63 records have"
    )
    assert "Scored when its hash was" in (done.folder / "card.md").read_text("utf-8")


def test_examples_that_have_gone_are_offered_no_more(
    scores: Scores, data: Path, tmp_path: Path
) -> None:
    data.write_bytes(b"".join(lines(data)[:40]))
    done = select(scores, tmp_path / "out", by="ifd", top="50%")
    assert done.account["size"]["offered"] == 40
    assert done.account["counts"]["gone"] == 20
    assert done.account["counts"]["chosen"] == 20


def test_a_set_that_changes_while_it_is_read_is_refused(
    scores: Scores, data: Path, tmp_path: Path
) -> None:
    def change(event: Event) -> None:
        if isinstance(event, Started):
            data.write_bytes(b"".join(lines(data)[:40]))

    with pytest.raises(DataError, match="changed while it was read"):
        select_file(config_from(keep=["ifd < 1"]), scores, to=tmp_path / "out", report=change)
    assert not (tmp_path / "out").exists()


def test_an_interruption_leaves_nothing_or_the_earlier_selection(
    scores: Scores, tmp_path: Path
) -> None:
    def interrupt(event: Event) -> None:
        if isinstance(event, Started):
            raise KeyboardInterrupt

    config = config_from(keep=["ifd < 1"])
    before = sorted(tmp_path.iterdir())
    with pytest.raises(KeyboardInterrupt):
        select_file(config, scores, to=tmp_path / "out", report=interrupt)
    assert sorted(tmp_path.iterdir()) == before
    earlier = select(scores, tmp_path / "out", by="ifd", top="3")
    content = {path.name: path.read_bytes() for path in earlier.folder.iterdir()}
    with pytest.raises(KeyboardInterrupt):
        select_file(config, scores, to=tmp_path / "out", report=interrupt)
    assert {path.name: path.read_bytes() for path in earlier.folder.iterdir()} == content


def test_a_full_disk_leaves_no_half_set(
    scores: Scores, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(path: Any, content: Any) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(files, "write_json", full)  # the last file of all
    before = sorted(tmp_path.iterdir())
    with pytest.raises(StorageError, match="No space left"):
        select(scores, tmp_path / "out", keep=["ifd < 1"])
    assert sorted(tmp_path.iterdir()) == before


def test_a_selection_takes_the_place_of_an_earlier_one_and_of_nothing_else(
    scores: Scores, tmp_path: Path
) -> None:
    folder = tmp_path / "out"
    select_file(config_from(by="ifd", top="3"), scores, to=folder, form=Form(".json"))
    assert (folder / "chosen.json").exists()
    select(scores, folder, by="ifd", top="4", random_baseline=False)
    assert sorted(path.name for path in folder.iterdir()) == [n for n in NAMES if "random" not in n]
    (folder / "notes.txt").write_text("mine")
    with pytest.raises(UsageError, match=r"something else: notes\.txt"):
        select(scores, folder, by="ifd", top="5")
    assert (folder / "notes.txt").read_text() == "mine"
    with pytest.raises(UsageError, match="is a file"):
        select(scores, folder / "notes.txt", by="ifd", top="5")


def test_the_set_itself_is_never_overwritten(tmp_path: Path) -> None:
    data = write_set(tmp_path / "sets" / "chosen.jsonl", [conversation(f"{n}?") for n in range(9)])
    scores = write_scores(tmp_path / "scores", data, score)
    content = data.read_bytes()
    for to in (data.parent, data.parent / "inside"):
        scores.card["data"] = str(data if to == data.parent else data.parent)
        with pytest.raises(UsageError):
            select(scores, to, by="ifd", top="3")
    assert data.read_bytes() == content
    assert [path.name for path in data.parent.iterdir()] == ["chosen.jsonl"]


def test_nothing_left_is_an_error_that_says_what_took_it(scores: Scores, tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"52 keep:ifd < 0"):
        select(scores, tmp_path / "out", keep=["ifd < 0"])
    assert not (tmp_path / "out").exists()


def test_other_containers_and_formats_are_written(scores: Scores, tmp_path: Path) -> None:
    config = config_from(by="ifd", top="5")
    done = select_file(config, scores, to=tmp_path / "out", form=Form(".parquet", "sharegpt"))
    assert done.chosen == tmp_path / "out" / "chosen.parquet"
    found = {example.id for example in read(done.chosen)}
    plain = select(scores, tmp_path / "plain", by="ifd", top="5")
    assert found == {example.id for example in read(plain.chosen)}
    with pytest.raises(UsageError, match="does not say what to write"):
        select_file(config, scores, to=tmp_path / "x", form=Form(".docx"))


def test_records_of_an_array_and_of_another_encoding_keep_their_text(tmp_path: Path) -> None:
    records = [{"instruction": f"{n}?", "input": "", "output": "ü"} for n in range(4)]
    data = tmp_path / "set.json"
    data.write_text(json.dumps(records, indent=1, ensure_ascii=False), encoding="utf-8")
    scores = write_scores(tmp_path / "scores", data, score)
    done = select(scores, tmp_path / "out", by="ifd", top="1")
    found = [json.loads(original_of(row)) for row in rejected(done.folder)]
    assert found + files.read_jsonl(done.chosen) == records


def test_a_field_of_the_records_can_be_named(scores: Scores, tmp_path: Path) -> None:
    done = select(scores, tmp_path / "out", keep=['field["topic"] == "b"'])
    assert len(lines(done.chosen)) == 20
    assert done.account["reasons"]['keep:field["topic"] == "b"'] == 40


def test_a_set_that_has_moved_is_found_where_it_is_said_to_be(
    scores: Scores, data: Path, tmp_path: Path
) -> None:
    moved = data.rename(tmp_path / "moved.jsonl")
    config = config_from(by="ifd", top="5")
    with pytest.raises(UsageError, match=r"set\.jsonl"):
        select_file(config, scores, to=tmp_path / "out")
    done = select_file(config, scores, to=tmp_path / "out", data=moved)
    assert done.account["data"] == str(moved)
    scores.card["data"] = None
    with pytest.raises(UsageError, match="--data"):
        select_file(config, scores, to=tmp_path / "out")


def test_without_a_folder_it_is_a_run_that_is_found_again(scores: Scores, tmp_path: Path) -> None:
    run_of_scores = Run.create(tmp_path / "runs", "score", "abcdef")
    Path(scores.folder / "scores.jsonl").rename(run_of_scores.path("scores.jsonl"))
    Path(scores.folder / "scoring.json").rename(run_of_scores.path("scoring.json"))
    scores = Scores.load(run_of_scores.folder)
    config = config_from(by="ifd", top="5")
    done = select_file(config, scores, root=tmp_path / "runs", command="tuneval select …")
    run = Run.open(done.folder.parent)
    assert "_select_" in run.id
    manifest = run.manifest
    assert (manifest.status, manifest.parents, manifest.model) == (
        "done", (run_of_scores.id,), "bundled:smollm2-135m",
    )  # fmt: skip
    events: list[Event] = []
    again = select_file(config, scores, root=tmp_path / "runs", report=events.append)
    assert (again.folder, again.account, events) == (done.folder, done.account, [])
    other = select_file(config_from(by="ifd", top="6"), scores, root=tmp_path / "runs")
    assert other.folder != done.folder


def test_a_run_that_fails_says_so_and_goes_on(scores: Scores, tmp_path: Path) -> None:
    def interrupt(event: Event) -> None:
        raise KeyboardInterrupt

    config = config_from(by="ifd", top="5")
    with pytest.raises(KeyboardInterrupt):
        select_file(config, scores, root=tmp_path / "runs", report=interrupt)
    (run,) = map(Run.open, (tmp_path / "runs").iterdir())
    assert run.manifest.status == "interrupted"
    assert not run.path("selection").exists()
    done = select_file(config, scores, root=tmp_path / "runs")
    assert done.folder == run.path("selection")
    with pytest.raises(DataError):
        select_file(config_from(keep=["ifd < 0"]), scores, root=tmp_path / "runs")
    failed = [r for r in map(Run.open, (tmp_path / "runs").iterdir()) if r.id != run.id]
    assert [r.manifest.status for r in failed] == ["failed"]
