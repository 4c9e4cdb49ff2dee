from __future__ import annotations

import os
import random
import subprocess
import sys
import time
from itertools import combinations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tuneval.data.duplicates import (
    Pair,
    compared,
    conflicting_answers,
    exact_duplicates,
    near_duplicates,
)
from tuneval.data.example import (
    Example,
    Item,
    Message,
    Preference,
    Source,
    Text,
    ToolCall,
    UnpairedPreference,
)
from tuneval.data.likeness.shingles import hash_shingles
from tuneval.errors import UsageError

SYSTEM = "Sort this customer message for the support desk. Answer with JSON only. " * 5
EN = "Tracking says my camera was handed over at two o'clock, but nobody rang here all day."
ZH = "我上周在你们网店买的智能手表充不进电了，换了两根充电线都没用，麻烦尽快处理一下。"


def example(line: int, asked: str, answered: str, system: str = SYSTEM) -> Example:
    """A conversation that shares a long system turn with all the others."""
    turns = (Message("system", system), Message("user", asked), Message("assistant", answered))
    return Example(turns, Source("f", line))


def user(text: str) -> Message:
    return Message("user", text)


def assistant(text: str) -> Message:
    return Message("assistant", text)


def places(pairs: list[Pair]) -> list[tuple[int, int]]:
    """The pairs by their line numbers."""
    return [(pair.first.source.line, pair.second.source.line) for pair in pairs]


def lines(*items: Item, threshold: float = 0.8) -> list[tuple[int, int]]:
    """The near pairs by their line numbers."""
    return places(near_duplicates(items, threshold))


@pytest.mark.parametrize(
    ("text", "changed"),
    [
        (EN, EN.replace("nobody", "no one")),
        (EN, EN.replace("camera", "camrea")),
        (EN, EN.upper() + "!"),
        (EN, "  " + EN.replace(" ", "  ")),
        (ZH, ZH.replace("两根", "三根")),
        (ZH, ZH.replace("，", ",")),
        (ZH, ZH + "谢谢"),
    ],
)
def test_a_few_changed_characters_make_a_near_duplicate(text: str, changed: str) -> None:
    assert lines(example(1, text, "delivery"), example(2, changed, "delivery")) == [(1, 2)]


@pytest.mark.parametrize(
    ("text", "other"),
    [
        (EN, "Tracking shows that the parcel with my new watch is still in the sorting centre."),
        (ZH, "我上个月在你们实体店买的摄像头连不上网，重启了三次路由器还是不行，请问怎么办？"),
        ("What is 2+2?", "What is 2-2?"),
        ("Write a poem about cats.", "Write a poem about dogs."),
        ("把灯打开", "把灯关上"),
    ],
)
def test_other_texts_are_no_near_duplicates(text: str, other: str) -> None:
    assert lines(example(1, text, "delivery"), example(2, other, "delivery")) == []


def test_a_shared_system_turn_makes_nothing_alike() -> None:
    assert lines(example(1, EN, "delivery"), example(2, ZH, "technical")) == []


def test_different_system_turns_hide_no_near_duplicate() -> None:
    assert lines(example(1, EN, "delivery", "Be brief."), example(2, EN, "delivery")) == [(1, 2)]


def test_one_long_answer_to_two_questions_is_no_duplicate() -> None:
    answer = "I am an assistant and I was made to help you with your questions. " * 5
    assert lines(example(1, "Who are you?", answer), example(2, "What can you do?", answer)) == []


def test_one_question_with_two_long_answers_is_no_duplicate() -> None:
    assert lines(example(1, "Tell me more.", EN), example(2, "Tell me more.", ZH)) == []


def test_exact_duplicates_are_not_near_ones_too() -> None:
    same = [example(line, EN, "delivery") for line in (1, 2, 3)]
    assert places(exact_duplicates(same)) == [(1, 2), (1, 3)]
    assert lines(*same, example(4, EN + "!", "delivery")) == [(1, 4)]


def test_keep_first_gives_each_example_once_with_the_earliest() -> None:
    alike = [example(i, EN + "!" * i, "delivery") for i in range(6)]
    assert len(near_duplicates(alike)) == 15
    pairs = near_duplicates(alike, keep="first")
    assert places(pairs) == [(0, i) for i in range(1, 6)]


@pytest.mark.parametrize("threshold", [0, 0.01, -1, 1.1, float("nan")])
def test_an_impossible_threshold_is_refused(threshold: float) -> None:
    with pytest.raises(UsageError):
        near_duplicates([], threshold)


def test_nothing_is_like_nothing() -> None:
    assert near_duplicates([]) == []
    assert lines(example(1, "", ""), example(2, " ", "\n"), example(3, "", " ")) == []
    assert lines(Text("", Source("f", 1)), Text("  ", Source("f", 2))) == []


@pytest.mark.parametrize("text", ["a", "你", "?", "🙂"])
def test_texts_of_one_character_are_compared(text: str) -> None:
    assert lines(example(1, text, "x", "s"), example(2, text, "x", "t")) == [(1, 2)]
    assert lines(example(1, text, "x"), example(2, "b", "x")) == []


def test_plain_texts_are_compared_as_a_whole() -> None:
    texts = [EN, ZH, EN.replace("camera", "camrea"), ZH + "谢谢"]
    items = [Text(text, Source("f", line)) for line, text in enumerate(texts)]
    assert lines(*items) == [(0, 2), (1, 3)]


def test_chosen_and_rejected_are_two_answers() -> None:
    long, other = EN * 2, "Nothing of the kind was ever said by anybody in this whole house. " * 3

    def preference(line: int, asked: str, chosen: str, rejected: str) -> Preference:
        source = Source("f", line)
        return Preference((user(asked),), (assistant(chosen),), (assistant(rejected),), source)

    first = preference(1, EN, long, other)
    assert lines(first, preference(2, EN, long + "!", other)) == [(1, 2)]
    assert lines(first, preference(2, EN, other, long)) == []
    assert lines(first, preference(2, ZH, long, other)) == []
    assert places(conflicting_answers([first, preference(2, EN, other, long)])) == [(1, 2)]
    assert conflicting_answers([first, preference(2, EN, long, EN)]) == []


def test_desired_and_undesired_completions_are_not_alike_but_in_conflict() -> None:
    def unpaired(line: int, completion: str, label: bool) -> UnpairedPreference:
        return UnpairedPreference((user(EN),), (assistant(completion),), label, Source("f", line))

    long = ZH * 2
    assert lines(unpaired(1, long, True), unpaired(2, long + "。", True)) == [(1, 2)]
    assert lines(unpaired(1, long, True), unpaired(2, long + "。", False)) == []
    assert places(conflicting_answers([unpaired(1, long, True), unpaired(2, long, False)])) == [
        (1, 2)
    ]
    assert conflicting_answers([unpaired(1, long, True), unpaired(2, EN, False)]) == []


def test_the_first_other_answer_to_a_question_is_named() -> None:
    rows = [("a", "yes"), ("b", "yes"), ("a", "no"), ("a", "yes"), ("b", "no")]
    examples = [example(line, *row) for line, row in enumerate(rows)]
    assert places(conflicting_answers(examples)) == [(0, 2), (1, 4)]


def test_what_asks_nothing_contradicts_nothing() -> None:
    unanswered = [Example((user("a"),), Source("f", 1)), Example((user("a"),), Source("f", 2))]
    texts = [Text("a", Source("f", 3)), Text("b", Source("f", 4))]
    assert conflicting_answers([*unanswered, *texts]) == []
    assert places(exact_duplicates([*unanswered, *texts])) == [(1, 2)]


def test_other_calls_and_other_tools_are_other_answers_and_other_questions() -> None:
    def calling(line: int, city: str, *tools: dict[str, str]) -> Example:
        call = ToolCall("weather", f'{{"city": "{city}"}}')
        turns = (user("How is it?"), Message("assistant", "", tool_calls=(call,)))
        return Example(turns, Source("f", line), tools=tools)

    here, there, with_tools = (
        calling(1, "Rome"),
        calling(2, "Paris"),
        calling(3, "Oslo", {"n": "w"}),
    )
    assert places(conflicting_answers([here, there, with_tools])) == [(1, 2)]
    assert compared(here) == ("How is it?", '\nweather {"city": "Rome"}')


def test_tool_answers_are_part_of_what_is_asked() -> None:
    turns = (user("How?"), Message("tool", "21 degrees"), assistant("Warm."), user("And?"))
    assert compared(Example(turns, Source("f", 1))) == ("How?\n21 degrees\nAnd?", "Warm.")


# Texts of few different letters, so that some of them are alike.
texts = st.text(alphabet="ab你", min_size=0, max_size=12)


@given(st.lists(st.tuples(texts, texts), max_size=25), st.sampled_from([0.3, 0.5, 2 / 3, 0.8, 1.0]))
@settings(max_examples=100, deadline=None, derandomize=True)
def test_every_pair_is_true_and_hardly_one_is_missing(
    rows: list[tuple[str, str]], threshold: float
) -> None:
    examples = list({(q, a): example(i, q, a) for i, (q, a) in enumerate(rows)}.values())
    asked = hash_shingles([compared(e)[0] for e in examples])
    answered = hash_shingles([compared(e)[1] for e in examples])

    def alike(a: set[object], b: set[object]) -> float:
        return len(a & b) / len(a | b) if a | b else 0.0

    questions = [set(asked.distinct(n).tolist()) for n in range(len(examples))]
    wholes = [
        question | {("answer", piece) for piece in answered.distinct(n).tolist()}
        for n, question in enumerate(questions)
    ]
    expected = {
        (examples[a].source.line, examples[b].source.line): alike(wholes[a], wholes[b])
        for a, b in combinations(range(len(examples)), 2)
        if alike(wholes[a], wholes[b]) >= threshold - 1e-9
        and (
            not questions[a] | questions[b] or alike(questions[a], questions[b]) >= threshold - 1e-9
        )
    }
    found = near_duplicates(examples, threshold)
    assert {pair: expected.get(pair) for pair in places(found)} == {
        (p.first.source.line, p.second.source.line): pytest.approx(p.similarity) for p in found
    }
    assert len(expected) - len(found) <= len(expected) // 100
    first = dict(map(reversed, places(near_duplicates(examples, threshold, keep="first"))))
    later = {pair[1] for pair in places(found)}
    assert first.keys() <= later
    assert len(first) >= len(later) - len(later) // 100
    assert set(first.items()) <= {(b, a) for a, b in expected}


def test_results_do_not_change_from_process_to_process() -> None:
    script = (
        "import random; draw = random.Random(1)\n"
        "from tuneval.data.duplicates import near_duplicates\n"
        "from tuneval.data.example import Source, Text\n"
        "rows = [''.join(draw.choices('ab你', k=30)) for _ in range(200)]\n"
        "texts = [Text(row, Source('f', line)) for line, row in enumerate(rows)]\n"
        "print([(p.first, p.second) for p in near_duplicates(texts, 0.5)])"
    )
    outputs = {
        subprocess.run(
            [sys.executable, "-c", script],
            env=os.environ | {"PYTHONHASHSEED": seed, "PYTHONPATH": os.pathsep.join(sys.path)},
            capture_output=True,
            check=True,
        ).stdout
        for seed in ("1", "2")
    }
    assert len(outputs) == 1
    assert len(outputs.pop()) > 20


def test_ten_thousand_copies_of_one_text_take_seconds() -> None:
    alike = [example(i, f"{EN} {EN[::-1]} {i}", "delivery") for i in range(10_000)]
    started = time.process_time()
    pairs = near_duplicates(alike, keep="first")
    assert time.process_time() - started < 20
    assert len(pairs) == 9999
    assert sum(pair.first is alike[0] for pair in pairs) > 9900


def test_near_copies_in_a_crowd_of_one_template_are_found() -> None:
    """1,500 texts that share two thirds of their words: all meet, and hardly one is near."""
    draw = random.Random(4)
    words = ["".join(draw.choices("abcdefghijklmnop", k=6)) for _ in range(5000)]
    template = " ".join(draw.choices(words, k=60))
    own = [draw.choices(words, k=12) for _ in range(1500)]
    copied = [(n, n + 700 + draw.randrange(90)) for n in range(0, 700, 20)]
    for n, later in copied:
        own[later] = [*own[n][:-1], "another"]
    texts = [Text(f"{template} {' '.join(row)}", Source("f", n)) for n, row in enumerate(own)]
    started = time.process_time()
    found = {(b, a) for a, b in places(near_duplicates(texts, 0.8, keep="first"))}
    assert time.process_time() - started < 20
    assert len(found) < 200
    assert {later for later, _ in found} >= {later for _, later in copied}


def test_texts_of_nothing_cost_nothing() -> None:
    blank = [Text(" " * n, Source("f", n)) for n in range(20_000)]
    started = time.process_time()
    assert near_duplicates(blank, keep="first") == []
    assert time.process_time() - started < 6


def test_three_thousand_records_of_one_template_take_seconds_not_minutes() -> None:
    rows = [
        example(i, f"Please add {i * 7919 % 1000} and {i * 104729 % 1000} for me.", str(i))
        for i in range(3000)
    ]
    started = time.process_time()
    near_duplicates(rows, keep="first")
    assert time.process_time() - started < 20
