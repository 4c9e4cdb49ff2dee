from __future__ import annotations

import json
import tracemalloc
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from tuneval.data.describe import describe
from tuneval.data.description.facts import Description
from tuneval.data.description.totals import TokenCount, TokenCounter
from tuneval.data.example import Example, Item, Text
from tuneval.errors import DataError, UsageError

ROOT = Path(__file__).parents[2]
TICKETS = ROOT / "examples" / "support-tickets" / "tickets.jsonl"


def row(question: str, answer: str = "yes", **more: Any) -> dict[str, Any]:
    """A conversation."""
    turns = [{"role": "user", "content": question}, {"role": "assistant", "content": answer}]
    return {"messages": turns} | more


def described(folder: Path, rows: list[dict[str, Any]], **how: Any) -> Description:
    """The description of these rows."""
    path = folder / "set.jsonl"
    path.write_text("".join(json.dumps(r) + "\n" for r in rows))
    return describe(path, **how)


def count_item(item: Item) -> TokenCount:
    """Five tokens around every record, one for each word; the answer's carry loss."""
    if isinstance(item, Text):
        raise DataError("no template for this")
    assert isinstance(item, Example)
    total = 5 + sum(len(m.content.split()) for m in item.messages)
    trained = sum(len(m.content.split()) for m in item.messages if m.is_trained)
    return TokenCount(total, trained, total)


COUNTER = TokenCounter("toy", "plain", count_item, lambda text: len(text.split()))


@pytest.fixture(scope="module")
def tickets() -> Description:
    """The shipped set."""
    return describe(TICKETS, by="language")


def test_records_groups_and_copies_are_counted(tmp_path: Path) -> None:
    rows = [
        row("a", group="g"),
        row("a", group="h"),
        row("a", "no"),
        row("b", group="g"),
        row("a", "no"),
    ]
    found = described(tmp_path, rows)
    assert (found.n_records, found.kinds) == (5, {"conversation": 5})
    assert (found.groups.n, found.groups.largest, found.groups.n_ungrouped) == (2, 2, 2)
    assert (found.n_repeats, found.n_reasked) == (2, 1)
    assert found.format == "messages"


def test_lengths_are_those_of_records_and_of_each_role(tickets: Description) -> None:
    rows = [json.loads(line) for line in TICKETS.read_text("utf-8").splitlines()]
    texts = {
        role: [m["content"] for r in rows for m in r["messages"] if m["role"] == role]
        for role in ("system", "user", "assistant")
    }
    assert [r.role for r in tickets.roles] == list(texts)
    for role in tickets.roles:
        lengths = sorted(map(len, texts[role.role]))
        assert (role.lengths.total, role.lengths.max) == (sum(lengths), lengths[-1])
        assert role.lengths.median == lengths[241]  # the 242nd of 484
        assert (role.n_turns, role.n_records) == (484, 484)
    assert tickets.lengths == tickets.characters
    assert tickets.unit == "characters"
    assert tickets.turns is not None
    assert (tickets.turns.min, tickets.turns.max) == (2, 2)  # the system turn is none


def test_labels_tags_and_parts_are_those_of_the_set(tickets: Description) -> None:
    rows = [json.loads(line) for line in TICKETS.read_text("utf-8").splitlines()]
    labels = [json.loads(r["messages"][-1]["content"]) for r in rows]
    assert [c.name for c in tickets.labels] == ["label.intent", "label.product", "label.urgency"]
    for counts in tickets.labels:
        field = counts.name.removeprefix("label.")
        assert dict(counts.counts) == Counter(label[field] for label in labels)
    assert [(c.name, dict(c.counts)) for c in tickets.tags] == [
        ("language", {"en": 324, "zh": 160})
    ]
    assert [(p.value, p.n_records) for p in tickets.parts] == [("en", 324), ("zh", 160)]
    assert tickets.languages["prompt"]["zh"] == 160
    assert set(tickets.languages["prompt"]) == {"zh", "en", "latin"}


def test_short_answers_that_come_again_are_labels(tmp_path: Path) -> None:
    rows = [row(str(i), "spam" if i % 4 == 0 else "ham") for i in range(20)]
    (counts,) = described(tmp_path, rows).labels
    assert (counts.name, counts.counts) == ("label", (("ham", 15), ("spam", 5)))


@pytest.mark.parametrize(
    "answers",
    [[f"answer {i}" for i in range(20)], ["a long answer " * 10] * 20],
    ids=["all different", "long"],
)
def test_other_answers_are_no_labels(tmp_path: Path, answers: list[str]) -> None:
    assert described(tmp_path, [row("q", answer) for answer in answers]).labels == ()


def test_a_tag_with_too_many_values_is_only_counted(tmp_path: Path) -> None:
    rows = [row("q", tags={"nr": i, "topics": ["a", "b"][: 1 + i % 2]}) for i in range(1001)]
    nr, topics = described(tmp_path, rows).tags
    assert (nr.n, nr.n_different, nr.counts) == (1001, None, ())
    assert topics.counts == (("a", 1001), ("b", 500))


def test_words_are_counted_in_chinese_as_well(tmp_path: Path) -> None:
    found = described(tmp_path, [{"text": "我爱 PyTorch 框架, two words"}])
    assert found.words is not None
    assert found.words.total == 2 + 1 + 2 + 1 + 2  # the comma stands alone after a character
    assert [role.role for role in found.roles] == ["text"]
    assert found.turns is not None


def test_tokens_are_the_models_when_it_counts(tmp_path: Path) -> None:
    rows = [row("one two three", "four"), row("w " * 507), row("w " * 506)]
    found = described(tmp_path, rows, counter=COUNTER)
    assert found.tokens is not None
    assert (found.unit, found.tokens.total) == ("tokens", 9 + 513 + 512)
    assert (found.tokens.trained, found.tokens.longer_than[512]) == (3, 1)
    assert found.tokens.trained_share == 3 / 1034
    assert found.lengths is not None
    assert (found.lengths.max, found.lengths.min) == (513, 9)
    assert [(r.role, r.lengths.total) for r in found.roles] == [("user", 1016), ("assistant", 3)]


def test_records_that_the_template_refuses_are_counted_with_the_reason(tmp_path: Path) -> None:
    found = described(tmp_path, [{"text": "a"}, {"text": "b"}], counter=COUNTER)
    assert found.tokens is not None
    assert found.tokens.n_uncounted == 2
    assert found.tokens.first_uncounted == f"{tmp_path}/set.jsonl:1  no template for this"
    assert (found.lengths, found.n_records) == (None, 2)


def test_the_ends_show_the_shortest_and_the_longest_with_their_places(tmp_path: Path) -> None:
    lengths = [5, 1, 9, 3, 9, 7, 1]
    found = described(tmp_path, [{"text": "x" * n} for n in lengths])
    assert [(s.length, s.where[-1]) for s in found.shortest] == [(1, "2"), (1, "7"), (3, "4")]
    assert [(s.length, s.where[-1]) for s in found.longest] == [(9, "3"), (9, "5"), (7, "6")]
    assert found.longest[0].says == "x" * 9


def test_of_equally_long_records_the_first_are_shown(tmp_path: Path) -> None:
    found = described(tmp_path, [{"text": f"{i}"} for i in range(6)])
    assert [s.says for s in found.shortest] == [s.says for s in found.longest] == ["0", "1", "2"]


def test_broken_records_are_counted_and_left_out(tmp_path: Path) -> None:
    path = tmp_path / "set.jsonl"
    good = json.dumps(row("q"))
    bad = json.dumps({"messages": [{"role": "assisiant", "content": "x"}]})
    path.write_text(f"{good}\n{{\n{bad}\n{good}\n")
    found = describe(path)
    assert (found.n_records, found.unusable.n) == (2, 2)
    assert [reason.split("  ")[0] for reason in found.unusable.reasons] == [
        f"{path}:2",
        f"{path}:3",
    ]


def test_a_set_without_a_readable_record_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "set.jsonl"
    path.write_text("{\n{\n")
    with pytest.raises(DataError, match="No record can be read"):
        describe(path)


def test_a_set_that_breaks_off_is_not_described_in_silence(tmp_path: Path) -> None:
    path = tmp_path / "set.json"
    path.write_text(f"[{json.dumps(row('q'))},\n{json.dumps(row('r'))}\n")
    found = describe(path)
    assert found.n_records == 2
    assert len(found.unusable.reasons) == 1


def test_an_unknown_tag_to_look_by_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="did you mean 'topic'"):
        described(tmp_path, [row("q", tags={"topic": "x"})], by="topics")


def test_tools_and_calls_are_counted(tmp_path: Path) -> None:
    call = {"type": "function", "function": {"name": "f", "arguments": {"x": 1}}}
    turns = [
        {"role": "user", "content": "q"},
        {"role": "assistant", "content": "", "tool_calls": [call]},
        {"role": "tool", "content": "1"},
        {"role": "assistant", "content": "a"},
    ]
    tools = [{"name": "f", "parameters": {}}]
    found = described(tmp_path, [{"messages": turns, "tools": tools}, row("q")])
    assert (found.n_with_tools, found.n_tool_calls) == (1, 1)
    assert [(r.role, r.n_turns, r.n_records) for r in found.roles] == [
        ("user", 2, 2),
        ("assistant", 3, 2),
        ("tool", 1, 1),
    ]
    assert 'f({"x": 1})' in found.longest[0].says


def test_a_preference_counts_with_both_answers(tmp_path: Path) -> None:
    found = described(tmp_path, [{"prompt": "ab", "chosen": "cde", "rejected": "f"}])
    assert found.characters is not None
    assert (found.kinds, found.characters.total) == ({"preference": 1}, 6)


def test_files_of_a_folder_are_counted(tmp_path: Path) -> None:
    folder = tmp_path / "many"
    folder.mkdir()
    for name, n in (("a", 1), ("b", 3)):
        lines = [json.dumps(row(f"{name}{i}")) for i in range(n)]
        (folder / f"{name}.jsonl").write_text("\n".join(lines))
    counts = dict(describe(folder).files.counts)
    assert counts == {f"{folder}/a.jsonl": 1, f"{folder}/b.jsonl": 3}


def test_the_answer_is_json(tickets: Description) -> None:
    content = json.loads(json.dumps(tickets.as_dict()))
    assert content["n_records"] == 484
    assert content["labels"][0]["counts"]["technical"] == 76
    assert content["lengths"]["p95"] == 472


def test_memory_does_not_grow_with_the_texts(tmp_path: Path) -> None:
    def peak(n_records: int) -> int:
        path = tmp_path / f"{n_records}.jsonl"
        texts = (f"{number} " + "x" * 40_000 for number in range(n_records))
        path.write_text("".join(json.dumps({"text": text}) + "\n" for text in texts))
        tracemalloc.start()
        describe(path)
        _, most = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        return most

    peak(1)  # what is kept for good: compiled patterns, the table of scripts
    assert abs(peak(300) - peak(150)) < 400_000  # 6 MB of texts more
