"""The rules `duplicates` and `near_duplicates`, and what they remember with."""

from __future__ import annotations

import json
import pickle
import random
import time
import tracemalloc
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path

import pytest

from tuneval.data.draft import Draft
from tuneval.data.example import Source
from tuneval.data.finding import Finding
from tuneval.data.likeness import shelf as shelf_module
from tuneval.data.likeness.places import Places
from tuneval.data.likeness.shelf import Shelf
from tuneval.data.read import drafts
from tuneval.data.rule import Rule
from tuneval.data.rules.duplicates import Duplicates
from tuneval.data.rules.near_duplicates import NearDuplicates
from tuneval.data.validate import check

RULES = (Duplicates, NearDuplicates)
LONG = "My camera arrived with a scratch on the lens and the box was open when I got it. "


def chat(asked: str, answered: str, **more: str) -> dict[str, object]:
    turns = [{"role": "user", "content": asked}, {"role": "assistant", "content": answered}]
    return {"messages": turns} | more


def write(path: Path, rows: Sequence[object]) -> Path:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


def mixed(n: int) -> list[dict[str, object]]:
    """Records of all sorts: copies, near copies, conflicts, most of them none of these."""
    draw = random.Random(5)
    words = ["".join(draw.choices("abcdefgh", k=6)) for _ in range(3000)]
    rows: list[dict[str, object]] = []
    for number in range(n):
        asked, answered = " ".join(draw.choices(words, k=25)), " ".join(draw.choices(words, k=40))
        if number % 5 == 1:
            asked, answered = draw.choice(rows)["pair"]  # type: ignore[misc]
        if number % 10 == 1:
            asked = asked.replace(asked.split()[9], "other")
        if number % 15 == 1:
            answered = " ".join(draw.choices(words, k=40))
        rows.append({"pair": (asked, answered)})
    return [chat(*row["pair"]) for row in rows]  # type: ignore[misc]


def whole(rule: type[Rule], items: Sequence[Draft]) -> list[Finding]:
    """What the rule says of all records, seen by one object."""
    one = rule()
    assert [found for item in items for found in one.see(item)] == []
    return list(one.finish())


@pytest.mark.parametrize("rule", RULES)
def test_parts_merged_say_the_same_as_the_whole(rule: type[Rule], tmp_path: Path) -> None:
    file = write(tmp_path / "data.jsonl", mixed(400))
    items = [item for item in drafts(file).items if isinstance(item, Draft)]
    expected = whole(rule, items)
    assert len(expected) > 20
    for cuts in ([0, 400], [0, 1, 2, 200, 400], [0, 0, 133, 399, 400, 400]):
        parts = []
        for begin, end in pairwise(cuts):
            part = rule().anew()
            for item in items[begin:end]:
                list(part.see(item))
            parts.append(pickle.loads(pickle.dumps(part)))
        for later in parts[1:]:
            parts[0].merge(later)
        assert list(parts[0].finish()) == expected


@pytest.mark.parametrize("workers", [1, 2])
def test_the_check_says_the_same_with_any_number_of_processes(tmp_path: Path, workers: int) -> None:
    file = write(tmp_path / "data.jsonl", mixed(300))
    names = ["duplicates", "near_duplicates"]
    report = check(file, rules=names, workers=workers, keep=None)
    one = check(file, rules=names, workers=1, keep=None)
    assert report.findings == one.findings
    assert {f.rule for f in report.findings} == {
        "duplicates.exact",
        "duplicates.conflicting_answers",
        "near_duplicates.pair",
    }


def test_a_pair_in_two_files_of_a_folder_names_the_file(tmp_path: Path) -> None:
    write(tmp_path / "a.jsonl", [chat("Who?", "Me."), chat(LONG, "x")])
    write(tmp_path / "b.jsonl", [chat("Who?", "Me."), chat(LONG + "!", "x"), chat("Who?", "You.")])
    found = {f.rule: f for f in check(tmp_path, rules=["duplicates", "near_duplicates"]).findings}
    assert len(found) == 3
    for finding, line in zip(found.values(), (1, 1, 2), strict=True):
        assert f"{tmp_path / 'a.jsonl'}:{line}" in finding.what
        assert finding.where.startswith(f"{tmp_path / 'b.jsonl'}:")
        assert finding.example_id is not None


def test_findings_name_both_texts_and_the_similarity(tmp_path: Path) -> None:
    rows = [chat(LONG, "return"), chat(LONG.replace("arrived", "came"), "return")]
    (found,) = check(write(tmp_path / "f.jsonl", rows), rules=["near_duplicates"]).findings
    assert "nearly the same as line 1 (similarity 0.82)" in found.what
    assert "'My camera came with" in found.what
    assert "there 'My camera arrived with" in found.what


@pytest.mark.parametrize(
    ("first", "second", "rule"),
    [
        ({"text": LONG}, {"text": LONG + "So."}, "near_duplicates.pair"),
        ({"text": LONG}, {"text": LONG}, "duplicates.exact"),
        (
            {"prompt": LONG, "chosen": "Yes, do.", "rejected": "No, never."},
            {"prompt": LONG, "chosen": "No, never.", "rejected": "Yes, do."},
            "duplicates.conflicting_answers",
        ),
        (
            {"prompt": LONG, "completion": "Yes, do.", "label": True},
            {"prompt": LONG, "completion": "Yes, do.", "label": False},
            "duplicates.conflicting_answers",
        ),
    ],
)
def test_every_kind_of_record_is_compared(
    tmp_path: Path, first: object, second: object, rule: str
) -> None:
    file = write(tmp_path / "f.jsonl", [first, second])
    found = check(file, rules=["duplicates", "near_duplicates"]).findings
    assert [f.rule for f in found] == [rule]
    assert found[0].where == f"{file}:2"
    assert "line 1" in found[0].what


def test_a_record_that_cannot_be_used_is_not_remembered(tmp_path: Path) -> None:
    file = tmp_path / "f.jsonl"
    file.write_text('{"messages": 1}\n{\n' + json.dumps(chat("a", "b")) + "\n{\n")
    report = check(file, rules=["duplicates", "near_duplicates"])
    assert {f.rule.partition(".")[0] for f in report.findings} == {"json", "shape"}


@pytest.mark.parametrize(("rule", "most"), [(Duplicates, 200), (NearDuplicates, 700)])
def test_little_is_remembered_of_a_record(rule: type[Rule], most: int, tmp_path: Path) -> None:
    """In bytes, for records of 440 characters; the shelf's part goes to disk when it is large."""
    items = list(drafts(write(tmp_path / "f.jsonl", mixed(2000))).items)
    tracemalloc.start()
    one = rule()
    for item in items:
        assert isinstance(item, Draft)
        list(one.see(item))
    pickled = pickle.dumps(one)
    tracemalloc.stop()
    assert len(pickled) / len(items) < most


def test_seeing_a_record_is_cheap(tmp_path: Path) -> None:
    """Several times what was measured; a slip into quadratic work shows."""
    items = [
        i for i in drafts(write(tmp_path / "f.jsonl", mixed(2000))).items if isinstance(i, Draft)
    ]
    for rule, microseconds in ((Duplicates, 200), (NearDuplicates, 500)):
        one = rule()
        started = time.process_time()
        for item in items:
            one.see(item)
        assert time.process_time() - started < microseconds * 1e-6 * len(items)


def test_a_shelf_gives_back_what_was_put_on_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shelf_module, "_IN_MEMORY", 1000)  # so that it goes to disk
    draw = random.Random(2)
    entries = [
        tuple("".join(draw.choices("ab你\n\ud800🙂", k=draw.randrange(900))) for _ in range(n % 4))
        for n in range(300)
    ]
    shelf = Shelf()
    for entry in entries:
        shelf.add(entry)
    assert len(shelf) == 300
    assert list(shelf.take(range(300))) == entries
    assert list(shelf.take([0, 7, 7, 299])) == [entries[n] for n in (0, 7, 7, 299)]
    assert list(shelf.take([])) == []
    shelf.add(("after", "reading"))
    later = Shelf()
    later.add(("later",))
    shelf.extend(pickle.loads(pickle.dumps(later)))
    shelf = pickle.loads(pickle.dumps(shelf))
    assert list(shelf.take([299, 300, 301])) == [entries[299], ("after", "reading"), ("later",)]
    assert list(shelf.take_pairs([(301, 300), (1, 301)], lambda texts: texts[0])) == [
        ("later", "after"),
        (entries[1][0], "later"),
    ]


def test_places_name_line_row_and_file() -> None:
    sources = [Source("a", 1), Source("a", 5), Source("b", 1, "row"), Source("a", 9)]
    places, later = Places(), Places()
    for source in sources[:2]:
        places.add(source)
    for source in sources[2:]:
        later.add(source)
    places.merge(pickle.loads(pickle.dumps(later)))
    assert [places[number] for number in range(4)] == sources
    assert places.named(0, beside=3) == "line 1"
    assert places.named(2, beside=2) == "row 1"
    assert places.named(2, beside=0) == "b:row 1"
