from __future__ import annotations

import csv
import json
import os
import pickle
import time
from collections.abc import Sequence
from pathlib import Path

import pytest

from tuneval.data.finding import Finding
from tuneval.data.likeness.units import units
from tuneval.data.read import drafts
from tuneval.data.rules.contamination import Contamination
from tuneval.data.validate import check
from tuneval.errors import DataError, UsageError

TEST_DATA = os.environ.get("TUNEVAL_TEST_DATA")
needs_test_data = pytest.mark.skipif(
    not TEST_DATA, reason="TUNEVAL_TEST_DATA does not name a folder of real data files"
)
EN = (
    "Natalia sold clips to forty-eight of her friends in April, and then she sold half as many "
    "clips in May. How many clips did Natalia sell altogether in April and May?"
)
ZH = (
    "娜塔莉亚四月份向四十八位朋友卖出了发夹，五月卖出的数量是四月的一半。"
    "请问她四月和五月这两个月一共卖了多少个发夹？"
)
OTHER = "The quick brown fox jumps over the lazy dog while everybody else is fast asleep at home."


def chat(asked: str, answered: str = "Seventy-two.", **more: str) -> dict[str, object]:
    turns = [{"role": "user", "content": asked}, {"role": "assistant", "content": answered}]
    system = [{"role": "system", "content": more["system"]}] if more else []
    return {"messages": system + turns}


def write(path: Path, rows: Sequence[object]) -> str:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return str(path)


class Sets:
    """A training set and evaluation sets in a folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.train = str(folder / "train.jsonl")

    def findings(self, train: Sequence[object], *evaluation: Sequence[object]) -> list[Finding]:
        names = [write(self.folder / f"eval{n}.jsonl", rows) for n, rows in enumerate(evaluation)]
        report = check(
            write(Path(self.train), train), rules=[], and_rules=[Contamination(names)], keep=None
        )
        return list(report.findings)

    def kinds(self, train: Sequence[object], *evaluation: Sequence[object]) -> list[str]:
        """What is found at the records, without the summary."""
        found = self.findings(train, *evaluation)
        return [f.rule.partition(".")[2] for f in found if f.rule != "contamination.summary"]


@pytest.fixture
def sets(tmp_path: Path) -> Sets:
    return Sets(tmp_path)


@pytest.mark.parametrize("text", [EN, ZH])
def test_the_same_question_is_an_error_with_both_places(sets: Sets, text: str) -> None:
    train = [chat(OTHER), chat(text, "something else")]
    found, summary = sets.findings(train, [chat("Another?"), chat(text, "72")])
    assert (found.rule, found.severity) == ("contamination.exact", "error")
    assert found.where == f"{sets.train}:2"
    assert found.path == "messages[0].content"
    assert "eval0.jsonl:2 (messages[0].content)" in found.what
    assert text[:15].lower() in found.what
    assert (summary.rule, summary.severity) == ("contamination.summary", "info")
    assert "Of its 2 items 1 were found, 1 of them whole; 1 are too short" in summary.what


@pytest.mark.parametrize(
    ("text", "changed"),
    [
        (EN, EN.upper()),
        (EN, EN.replace(",", "").replace("?", "!").replace(" ", "  \n")),
        (EN, EN.replace("forty-eight", "forty eight")),
        (EN, "".join(chr(ord(c) + 0xFEE0) if "!" <= c <= "~" else c for c in EN)),
        (ZH, ZH.replace("，", ", ").replace("？", "?")),
        (ZH, " ".join(ZH)),
        (ZH, ZH.replace("。", "\n")),
    ],
)
def test_case_punctuation_spacing_and_width_hide_nothing(
    sets: Sets, text: str, changed: str
) -> None:
    assert changed != text
    assert sets.kinds([chat(changed)], [chat(text, "72")]) == ["exact"]


@pytest.mark.parametrize("text", [EN, ZH])
def test_a_question_inside_a_longer_text_is_an_error(sets: Sets, text: str) -> None:
    inside = f"Solve this problem step by step.\n\n### {text} 请一步一步地思考。 {OTHER}"
    found = sets.findings([chat(OTHER), chat("Hello.", inside)], [chat(text)])[0]
    assert (found.rule, found.severity) == ("contamination.contained", "error")
    assert (found.where, found.path) == (f"{sets.train}:2", "messages[1].content")


@pytest.mark.parametrize(("text", "kept"), [(EN, 0.6), (ZH, 0.6)])
def test_a_part_of_a_question_is_a_warning_with_its_share(
    sets: Sets, text: str, kept: float
) -> None:
    part = text[: int(len(text) * kept)]
    found = sets.findings([chat(f"{part} and so on")], [chat(text)])[0]
    assert (found.rule, found.severity) == ("contamination.ngram", "warning")
    n = 13 if text == EN else 20
    whole, common = (len(units(t)) - n + 1 for t in (text, part))
    shares = {f"({(common - cut) / whole:.0%})" for cut in (0, 1)}  # the last word may be cut
    assert any(share in found.what for share in shares)


def test_a_few_words_in_common_are_nothing(sets: Sets) -> None:
    part = " ".join(EN.split()[:12])
    assert sets.kinds([chat(f"{part} or perhaps not so")], [chat(EN)]) == []
    assert sets.kinds([chat(ZH[:15] + "还是不知道")], [chat(ZH)]) == []
    long = f"{EN} {OTHER} {' '.join(f'word{n}' for n in range(300))}"
    quotation = " ".join(long.split()[:20])
    assert sets.kinds([chat(f"He said: {quotation}")], [chat(long)]) == []


@pytest.mark.parametrize(
    ("text", "close"),
    [
        ("Who wrote the play about the prince of Denmark?", "Who wrote the play about the king?"),
        ("丹麦王子的那部戏剧到底是谁写的", "丹麦王子的那部戏剧到底好看吗"),
    ],
)
def test_short_questions_count_only_whole(sets: Sets, text: str, close: str) -> None:
    assert sets.kinds([chat(f"Tell me: {text}")], [chat(text)]) == ["contained"]
    assert sets.kinds([chat(close)], [chat(text)]) == []


def test_very_short_questions_count_only_when_equal(sets: Sets) -> None:
    evaluation = [
        chat("What is two plus two?"),
        chat("Hi.", "Hello!"),
        chat("法国的首都是哪里", "巴黎"),
    ]
    assert sets.kinds([chat("what is TWO plus two", "5")], evaluation) == ["exact"]
    assert sets.kinds([chat("Now tell me: what is two plus two?")], evaluation) == []
    assert sets.kinds([chat("法国的首都是哪里？", "里昂")], evaluation) == ["exact"]
    assert sets.kinds([chat("Hi.", "Hello!")], evaluation) == []
    summary = sets.findings([chat("Hi.", "Hello!")], evaluation)[-1]
    assert "1 are too short to be looked for" in summary.what


def test_a_short_question_counts_with_its_answer(sets: Sets) -> None:
    item = chat("Sum it.", "Nine and six is fifteen.")
    assert sets.kinds([item], [item]) == ["exact"]
    assert sets.kinds([chat("Sum it.", "No.")], [item]) == []


def test_the_answer_alone_is_a_warning(sets: Sets) -> None:
    found = sets.findings([chat("Say something.", EN)], [chat("What did she ask?", EN)])[0]
    assert (found.rule, found.severity) == ("contamination.answer", "warning")


def test_a_near_copy_of_a_short_question_is_a_warning(sets: Sets) -> None:
    short = "Please tell me who it was that wrote the great play Hamlet."
    train = [chat(OTHER), chat(short.replace("great", "grand")), chat(short)]
    exact, near, summary = sets.findings(train, [chat(short)])
    assert (exact.where, near.where) == (f"{sets.train}:3", f"{sets.train}:2")
    assert (near.rule, near.severity) == ("contamination.near", "warning")
    assert "similarity 0.8" in near.what
    assert near.path == "messages[0].content"
    assert "1 were found, 1 of them whole" in summary.what
    assert sets.kinds([chat(short.replace("who it was", "where he was"))], [chat(short)]) == []


def test_a_system_turn_is_looked_at_and_not_looked_for(sets: Sets) -> None:
    assert sets.kinds([chat("Go on.", system=f"Example: {EN}")], [chat(EN)]) == ["contained"]
    evaluation = [chat("What did she ask in May?", system=EN)]
    assert sets.kinds([chat("Go on.", system=EN)], evaluation) == []


def test_what_many_items_share_is_a_form_of_words(sets: Sets) -> None:
    names = ["Rome", "Oslo", "Lima", "Kyiv", "Bern", "Male", "Suva", "Riga", "Doha", "Baku", "Bonn"]
    evaluation = [chat(f"{OTHER} Now where is the town of {name}?") for name in names]
    train = [chat(f"{OTHER} That is all that I have to say, so please go on with your own story.")]
    assert sets.kinds(train, evaluation) == []
    assert sets.kinds(train, evaluation[:10]) == ["ngram"]
    assert sets.kinds([chat(f"{OTHER} Now where is the town of Riga?")], evaluation) == ["exact"]


def test_what_repeats_itself_says_nothing(sets: Sets) -> None:
    noughts = "0.0 " * 30
    assert sets.kinds([chat(f"Again {noughts}")], [chat(f"Which is it? {noughts}")]) == []
    assert sets.kinds([chat("哈" * 30)], [chat("笑一下" + "哈" * 25)]) == []


def test_the_best_of_several_items_is_named_and_the_others_counted(sets: Sets) -> None:
    first = [chat(EN.replace("May", "June")), chat(EN)]
    (found, *summaries) = sets.findings([chat(EN)], first, [chat(EN + " And in March?")])
    assert "eval0.jsonl:2 " in found.what
    assert "2 more items" in found.what
    assert [s.where.rpartition("/")[2] for s in summaries] == ["eval0.jsonl", "eval1.jsonl"]
    assert "Of its 2 items 2 were found, 1 of them whole." in summaries[0].what
    assert "Of its 1 items 1 were found, 0 of them whole." in summaries[1].what


def test_every_kind_of_training_record_is_looked_at(sets: Sets) -> None:
    evaluation = [chat(EN)]
    for train in (
        {"text": f"{OTHER} {EN}"},
        {"instruction": "Solve it.", "input": EN, "output": "72"},
        {"prompt": EN, "chosen": "Seventy-two.", "rejected": "Seventy."},
        {"prompt": OTHER, "chosen": OTHER, "rejected": f"You ask: {EN}"},
    ):
        assert sets.kinds([train] * 3, evaluation) in (["contained"] * 3, ["exact"] * 3), train


def test_benchmark_files_of_any_keys_are_read(sets: Sets, tmp_path: Path) -> None:
    gsm = [
        {"question": EN, "answer": "48/2 = 24 clips in May and 48+24 = 72 in both months #### 72"}
    ]
    turns = [{"id": 7, "turns": [OTHER, EN], "deep": {"label": None}}]
    for rows, path in ((gsm, "question"), (turns, "turns[1]")):
        found, summary = sets.findings([chat(EN)], rows)
        assert found.rule == "contamination.exact"
        assert f"({path})" in found.what
        assert "too short" not in summary.what
    choice = ["", "Question", "A", "B", "C", "D", "Answer"]
    rows = [choice, ["0", "在农业生产中最主要的是", "农业生产工具", "土地", "劳动力", "资金", "B"]]
    with open(tmp_path / "mmlu.csv", "w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows(rows)
    train = [
        chat("在农业生产中最主要的是\nA. 农业生产工具\nB. 土地\nC. 劳动力\nD. 资金\n答案：", "B")
    ]
    report = check(
        write(tmp_path / "train.jsonl", train),
        rules=[],
        and_rules=[Contamination([tmp_path / "mmlu.csv"])],
    )
    assert report.findings[0].rule == "contamination.contained"


def test_held_out_records_that_stand_in_training_are_found(sets: Sets) -> None:
    held_out = [chat(EN, "72"), chat(ZH, "72"), chat(OTHER, "Yes.")]
    train = [chat(f"{OTHER} {n}") for n in range(3)] + held_out[:2]
    assert sets.kinds(train, held_out) == ["contained"] * 3 + ["exact"] * 2


def test_a_clean_set_gets_a_summary_alone(sets: Sets) -> None:
    (summary,) = sets.findings([chat(OTHER)], [chat(EN), chat(ZH)])
    assert "Of its 2 items 0 were found" in summary.what
    assert summary.where.endswith("eval0.jsonl")


def test_parts_in_other_processes_find_the_same(sets: Sets, tmp_path: Path) -> None:
    write(tmp_path / "eval.jsonl", [chat(EN), chat(ZH), chat(OTHER)])
    rule = Contamination([tmp_path / "eval.jsonl"])
    nearly = chat(ZH[:14] + "某" + ZH[15:32] + "某" + ZH[33:])
    train = [chat(OTHER), nearly, chat(EN), chat(f"{ZH}谢谢"), nearly, {"text": 1}]
    items = list(drafts(write(tmp_path / "train.jsonl", train)).items)

    one = rule.anew()
    expected = [found for item in items for found in one.see(item)] + list(one.finish())

    sent = pickle.loads(pickle.dumps(rule))
    first, second = sent.anew(), sent.anew()
    found = [f for item in items[:3] for f in first.see(item)]
    found += [f for item in items[3:] for f in second.see(item)]
    first, second = (pickle.loads(pickle.dumps(part)) for part in (first, second))
    first.merge(second)
    assert found + list(first.finish()) == expected
    assert [f.rule for f in expected].count("contamination.near") == 2
    assert len(pickle.dumps(second)) < 2000  # without the index
    assert [f.rule for f in rule.finish()] == ["contamination.summary"]


def test_the_check_says_the_same_with_any_number_of_processes(tmp_path: Path) -> None:
    evaluation = write(tmp_path / "eval.jsonl", [chat(EN), chat(ZH)])
    train = write(tmp_path / "train.jsonl", [chat(OTHER), chat(EN), chat(ZH + "谢谢")])
    reports = [
        check(train, rules=["duplicates"], and_rules=[Contamination([evaluation])], workers=workers)
        for workers in (1, 2)
    ]
    assert reports[0].findings == reports[1].findings
    assert len(reports[0].findings) == 3


def test_very_long_texts_are_looked_through_in_portions(sets: Sets) -> None:
    filling = "".join(f"w{n} " for n in range(170_000))  # a border of portions cuts the question
    for length in (999_900, 1_000_000):
        text = filling[:length] + " " + EN + filling[length:]
        assert len(text) > 1_000_000
        assert sets.kinds([chat("Read this.", text)], [chat(EN)]) == ["contained"]
    summary = sets.findings([chat("Read.", filling)], [chat(filling)])[-1]
    assert "1 were found" in summary.what


def test_bad_use_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError):
        Contamination([])
    with pytest.raises(UsageError):
        Contamination([tmp_path / "nosuch.jsonl"])
    with pytest.raises(UsageError):
        Contamination([write(tmp_path / "eval.jsonl", [chat(EN)])], words=4)
    (tmp_path / "empty.jsonl").write_text("")
    with pytest.raises(DataError):
        Contamination([tmp_path / "empty.jsonl"])


def test_lengths_of_ngrams_can_be_chosen(sets: Sets, tmp_path: Path) -> None:
    evaluation = write(tmp_path / "eval.jsonl", [chat(EN)])
    train = write(tmp_path / "train.jsonl", [chat(f"So {' '.join(EN.split()[:10])} or so it is.")])
    for words, expected in ((8, 1), (13, 0)):
        report = check(train, rules=[], and_rules=[Contamination([evaluation], words=words)])
        assert len(report.findings) - 1 == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Don't panic: it's 3.5%!", ["don", "t", "panic", "it", "s", "3", "5"]),
        ("用GPT-4写诗", ["用", "gpt", "4", "写", "诗"]),
        ("ＡＢＣ　ｄｅｆ", ["abc", "def"]),
        ("สวัสดี", list("สวัสดี")),
        ("नमस्ते दुनिया", ["नमस्ते", "दुनिया"]),
        ("\ud83d \U0001f642 ...", []),
        ("", []),
    ],
)
def test_units_are_words_and_single_signs(text: str, expected: list[str]) -> None:
    found = units(text)
    assert [found.text[a:b] for a, b in zip(found.starts, found.ends, strict=True)] == expected


def test_ngrams_are_the_same_wherever_they_stand() -> None:
    some, others = units("a b c d e f", "c"), units("x", "C, D; e! c")
    found, elsewhere = some.ngrams(3), others.ngrams(3)
    assert found[2] == elsewhere[1]
    assert len({*found.tolist(), *elsewhere.tolist()}) == 5 + 3 - 1
    assert (some.bounds.tolist(), others.bounds.tolist()) == ([0, 6, 7], [0, 1, 5])
    assert [len(some.ngrams(n)) for n in (7, 8, 20)] == [1, 0, 0]


def test_equal_texts_have_equal_codes() -> None:
    some, others = units("a b", "c", ""), units("x", "A, b!", "c")
    assert some.codes()[0] == others.codes()[1]
    assert some.codes()[1] == others.codes()[2]
    assert some.code(2) == units("a b c").code(1) != some.code(1)


@needs_test_data
@pytest.mark.parametrize("name", ["alpaca_en_demo.json", "alpaca_zh_demo.json", "kto_en_demo.json"])
def test_real_training_sets_are_not_contaminated_with_unrelated_benchmarks(name: str) -> None:
    folder = Path(TEST_DATA or "")
    benchmarks = [
        folder / "gsm8k" / "test.jsonl",
        folder / "mt_bench" / "question.jsonl",
        folder / "agieval" / "logiqa-zh.jsonl",
        folder / "agieval" / "aqua-rat.jsonl",
    ]
    report = check(folder / "instruct" / name, rules=[], and_rules=[Contamination(benchmarks)])
    assert {f.rule for f in report.findings} == {"contamination.summary"}
    assert len(report.findings) == len(benchmarks)


@needs_test_data
@pytest.mark.parametrize(
    ("file", "key", "space", "changed"),
    [
        ("gsm8k/test.jsonl", "question", " ", "whatever"),
        ("agieval/logiqa-zh.jsonl", "passage", "", "某"),
    ],
)
def test_near_copies_of_questions_are_found(
    tmp_path: Path, file: str, key: str, space: str, changed: str
) -> None:
    """Every 30th word, or sign of a Chinese text, is another one."""
    path = Path(TEST_DATA or "", file)
    rows = [json.loads(line)[key] for line in path.read_text(encoding="utf-8").split("\n")[:100]]
    words = [row.split() if space else list(row) for row in dict.fromkeys(rows) if row]
    copies = [[w if n % 30 != 7 else changed for n, w in enumerate(row)] for row in words]
    train = write(tmp_path / "train.jsonl", [chat(space.join(row)) for row in copies])
    report = check(train, rules=[], and_rules=[Contamination([path])], keep=None)
    found = [f for f in report.findings if f.severity != "info"]
    assert len({f.where for f in found}) >= 0.98 * len(words) > 60


@needs_test_data
def test_planted_benchmark_items_are_all_found(tmp_path: Path) -> None:
    gsm8k = Path(TEST_DATA or "", "gsm8k", "test.jsonl")
    rows = [json.loads(line) for line in gsm8k.read_text(encoding="utf-8").split("\n")[:200]]
    train = [chat(f"Q: {row['question'].upper()}\nA:", row["answer"]) for row in rows]
    rule = Contamination([gsm8k])
    started = time.process_time()
    report = check(write(tmp_path / "train.jsonl", train), rules=[], and_rules=[rule], keep=None)
    assert time.process_time() - started < 5
    at = [f.where.rpartition(":")[2] for f in report.findings if f.severity == "error"]
    assert at == [str(line) for line in range(1, 201)]
    for line, found in enumerate(report.findings[:200], start=1):
        assert f"test.jsonl:{line} " in found.what
