from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tuneval.data.diff import diff
from tuneval.data.difference.facts import Difference
from tuneval.data.difference.fields import word_pieces
from tuneval.errors import DataError

WORDS = ["parcel", "watch", "router", "stopped", "working", "after", "update", "last", "week"]


def row(question: str, answer: str = "b", **more: Any) -> dict[str, Any]:
    """A conversation."""
    turns = [{"role": "user", "content": question}, {"role": "assistant", "content": answer}]
    return {"messages": turns} | more


def long_row(seed: int, **more: Any) -> dict[str, Any]:
    """A conversation of many words that is like no other one."""
    chosen = random.Random(seed)
    return row(
        " ".join(f"{chosen.choice(WORDS)}{chosen.randrange(100)}" for _ in range(30)), **more
    )


def compared(
    folder: Path, old: list[dict[str, Any]], new: list[dict[str, Any]], **how: Any
) -> Difference:
    """What differs between these rows."""
    for name, rows in (("old", old), ("new", new)):
        (folder / f"{name}.jsonl").write_text("".join(json.dumps(r) + "\n" for r in rows))
    return diff(folder / "old.jsonl", folder / "new.jsonl", **how)


def numbers(found: Difference) -> dict[str, int]:
    """The counts that are not 0."""
    names = ("unchanged", "changed", "added", "removed", "moved")
    return {name: n for name in names if (n := getattr(found, f"n_{name}"))}


def places(found: Difference) -> list[tuple[int, int]]:
    """Old and new line of each changed record."""
    return [
        (int(c.old_where.rpartition(":")[2]), int(c.new_where.rpartition(":")[2]))
        for c in found.changed
    ]


items = st.lists(
    st.builds(
        row,
        st.sampled_from(
            ["q1", "q2", "why is the sky so blue today", "why is the sky so red today"]
        ),
        st.sampled_from(["yes", "no"]),
        group=st.sampled_from(["g1", "g2"]),
        id=st.integers(0, 3),
        tags=st.sampled_from([{}, {"topic": "x"}]),
    ),
    min_size=1,
    max_size=8,
)


@settings(deadline=None, max_examples=60)
@given(items)
def test_a_set_does_not_differ_from_itself(
    tmp_path_factory: pytest.TempPathFactory, rows: list[dict[str, Any]]
) -> None:
    found = compared(tmp_path_factory.mktemp("same"), rows, rows)
    assert numbers(found) == {"unchanged": len(rows)}
    assert found.exit_status() == 0


@settings(deadline=None, max_examples=80)
@given(items, items)
def test_looked_at_from_the_other_side_it_is_mirrored(
    tmp_path_factory: pytest.TempPathFactory, a: list[dict[str, Any]], b: list[dict[str, Any]]
) -> None:
    folder = tmp_path_factory.mktemp("mirror")
    there, back = compared(folder, a, b), compared(folder, b, a)
    assert (there.n_added, there.n_removed) == (back.n_removed, back.n_added)
    assert (there.n_unchanged, there.n_moved) == (back.n_unchanged, back.n_moved)
    assert there.changed_by == back.changed_by
    assert sorted(places(there)) == sorted((old, new) for new, old in places(back))
    n_paired = there.n_unchanged + there.n_moved + there.n_changed
    assert (n_paired + there.n_removed, n_paired + there.n_added) == (len(a), len(b))


def test_added_and_removed_records_are_told(tmp_path: Path) -> None:
    found = compared(tmp_path, [row("a"), row("b")], [row("b"), row("c"), row("b")])
    assert numbers(found) == {"unchanged": 1, "added": 2, "removed": 1}
    assert [s.where for s in found.added] == [f"{tmp_path}/new.jsonl:{n}" for n in (2, 3)]
    assert [dict(s.value) for s in found.removed] == [row("a")]
    assert found.exit_status() == 1


def test_another_answer_to_the_same_prompt_is_a_change(tmp_path: Path) -> None:
    found = compared(tmp_path, [row("a", "yes sir"), row("b")], [row("a", "no sir"), row("b")])
    assert numbers(found) == {"unchanged": 1, "changed": 1}
    assert found.changed_by == {"prompt": 1}
    (change,) = found.changed
    assert [(f.path, f.old, f.new) for f in change.fields] == [
        ("messages[1].content", "yes sir", "no sir")
    ]


def test_another_group_or_tag_is_a_change(tmp_path: Path) -> None:
    old, new = row("a", group="g", tags={"x": 1}), row("a", tags={"x": 2, "y": [1]})
    found = compared(tmp_path, [old], [new])
    assert found.changed_by == {"content": 1}
    fields = {f.path: (f.old, f.new) for f in found.changed[0].fields}
    assert fields == {"group": ("g", None), "tags.x": ("1", "2"), "tags.y": (None, "[1]")}


def test_another_system_turn_everywhere_is_one_change_a_record(tmp_path: Path) -> None:
    system = {"role": "system", "content": "Be brief."}
    old = [row(str(i)) for i in range(3000)]
    new = [{"messages": [system, *each["messages"]]} for each in old]
    found = compared(tmp_path, old, new, limit=2)
    assert found.changed_by == {"question": 3000}
    assert (len(found.changed), found.n_changed) == (2, 3000)


def test_a_key_names_a_record_whatever_became_of_it(tmp_path: Path) -> None:
    old = [row("a", id=1), row("b", id=2), row("c", id=3)]
    new = [row("b", id=1), row("b", id=2), row("zzz", "other", id=3)]
    assert places(compared(tmp_path, old, new)) == [(1, 1), (3, 3)]
    assert numbers(compared(tmp_path, old, new)) == {"unchanged": 1, "changed": 2}
    assert numbers(compared(tmp_path, old, new, key="nothing")) == {
        "unchanged": 1,
        "added": 2,
        "removed": 2,
    }


def test_renumbering_the_keys_changes_nothing(tmp_path: Path) -> None:
    old = [row(str(i), id=i) for i in range(9)]
    new = [row(str(i + 1), id=i) for i in range(8)]
    assert numbers(compared(tmp_path, old, new)) == {"unchanged": 8, "removed": 1}


def test_a_tag_can_be_the_key(tmp_path: Path) -> None:
    old, new = row("a", tags={"nr": "x"}), row("b", tags={"nr": "x"})
    assert compared(tmp_path, [old], [new], key="nr").changed_by == {"key": 1}


def test_a_reworded_question_is_found_by_its_likeness(tmp_path: Path) -> None:
    old = [long_row(i) for i in range(20)]
    new = json.loads(json.dumps(old))
    new[7]["messages"][0]["content"] += " and thank you"
    new.insert(0, new.pop(12))
    found = compared(tmp_path, old, new)
    assert numbers(found) == {"unchanged": 18, "changed": 1, "moved": 1}
    assert found.changed_by == {"near": 1}
    assert places(found) == [(8, 9)]
    assert 0.8 < (found.changed[0].similarity or 0) < 1


def test_only_records_of_one_group_are_near(tmp_path: Path) -> None:
    old, new = long_row(1, group="g"), long_row(1, group="h")
    new["messages"][0]["content"] += " x"
    assert numbers(compared(tmp_path, [old], [new])) == {"added": 1, "removed": 1}


def test_groups_that_both_sets_have_are_kept_apart(tmp_path: Path) -> None:
    old = [long_row(1, group="g"), long_row(2, group="h")]
    new = json.loads(json.dumps(old))
    for each, group in zip(new, "hg", strict=True):
        each["messages"][0]["content"] += " x"
        each["group"] = group
    assert numbers(compared(tmp_path, old, new)) == {"added": 2, "removed": 2}


def test_each_record_is_paired_with_the_nearest_one(tmp_path: Path) -> None:
    base = long_row(1)["messages"][0]["content"]
    found = compared(
        tmp_path, [row(base), row(f"{base} one")], [row(f"{base} one two"), row(f"{base} x")]
    )
    assert sorted(places(found)) == [(1, 2), (2, 1)]


def test_too_many_to_compare_are_counted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tuneval.data.diff.MOST_COMPARED", 2)
    old, new = [long_row(i) for i in range(3)], [long_row(i + 9) for i in range(2)]
    assert compared(tmp_path, old, new).n_not_compared == 5
    assert compared(tmp_path, old[:2], new).n_not_compared == 0


def test_as_few_as_possible_have_moved(tmp_path: Path) -> None:
    rows = [row(str(i)) for i in range(10)]
    new = [rows[9], *rows[:4], rows[5], rows[6], rows[4], rows[7], rows[8]]
    found = compared(tmp_path, rows, new)
    assert numbers(found) == {"unchanged": 8, "moved": 2}
    assert [m.old_where.rpartition(":")[2] for m in found.moved] == ["10", "5"]
    assert (found.exit_status(), found.exit_status(ignore_order=True)) == (1, 0)


def test_the_format_makes_no_difference(tmp_path: Path) -> None:
    old = [row(str(i), tags={"n": i}) for i in range(5)]
    new = [{"instruction": str(i), "output": "b", "tags": {"n": i}} for i in range(5)]
    assert compared(tmp_path, old, new).exit_status() == 0


def test_texts_and_preferences_are_compared(tmp_path: Path) -> None:
    found = compared(tmp_path, [{"text": "a b c d e f"}], [{"text": "a b c d e g"}])
    assert found.changed[0].fields[0].path == "text"
    pair = {"prompt": "p", "chosen": "c", "rejected": "r"}
    found = compared(tmp_path, [pair], [pair | {"chosen": "r", "rejected": "c"}])
    paths = [field.path for field in found.changed[0].fields]
    assert paths == ["chosen[0].content", "rejected[0].content"]


def test_sets_of_different_kinds_are_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="different kinds"):
        compared(tmp_path, [{"text": "a"}], [row("a")])


def test_words_are_marked_and_chinese_characters_are_words() -> None:
    def marked(old: str, new: str) -> str:
        marks = {"both": "{}", "old": "[-{}-]", "new": "{{+{}+}}"}
        return "".join(marks[p.kind].format(p.text) for p in word_pieces(old, new))

    assert marked("the red watch", "the blue watch") == "the [-red-]{+blue+} watch"
    assert marked("手表坏了", "手表好了") == "手表[-坏-]{+好+}了"
    assert marked("", "new") == "{+new+}"
    assert marked("entirely other", "words here: 1, 2") == "[-entirely other-]{+words here: 1, 2+}"


@given(st.text(max_size=40), st.text(max_size=40))
def test_pieces_hold_both_texts(old: str, new: str) -> None:
    pieces = word_pieces(old, new)
    assert "".join(p.text for p in pieces if p.kind != "new") == old
    assert "".join(p.text for p in pieces if p.kind != "old") == new
