from __future__ import annotations

import json
import os
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tuneval.data.example import Example, Message, Source
from tuneval.scoring.config import ScoreConfig
from tuneval.scoring.item import ScoringItem, exercises_of
from tuneval.scoring.reasons import Unscored
from tuneval.scoring.scorers.format import FAULTS, FormatFaults, format_faults
from tuneval.scoring.setting import Setting

PROMPT = "Please explain."
LONG = "The causes of the war were many. " * 7

FAULTY = {
    "code": ["Use this:\n```python\nprint(1)\n"],
    "json": [
        '{"name": "Li Wei", "age": 3,}',
        '[{"a": 1}, {"a": NaN}]',
        '{"name": "Li Wei", "age": 3',
        "Here it is:\n```json\n{'name': 1}\n```",
    ],
    "bracket": ["It is large (by any measure.", "他喜欢读书（尤其是小说。", "Read 《红楼梦 first."],
    "quote": ['He said "no and left.', "他说：“不去了。", '1. "So it is!”\n2. "No."'],
    "table": [
        "| a | b |\n| 1 | 2 |\n| 3 | 4 |",
        "| a | b |\n|---|---|---|\n| 1 | 2 |",
        "| a | b |\n|---|---|\n| 1 | 2 | 3 |",
        "|---|---|\n| 1 | 2 |",
    ],
    "numbering": ["1. a\n2. b\n3. c\n1. d", "1. a\n2. b\n2. c", "1、甲\n2、乙\n1、丙"],
    "cut_off": [LONG + "The great powers had formed alli", LONG + "\n1. Tea.\n2."],
    "refusal": ["As an AI language model, I cannot feel anything.", "很抱歉，我无法提供帮助。"],
    "template": ["Yes.<|im_end|>", "Sure.\n### Response:\nYes.", "[INST] Why? [/INST]"],
    "html": ["Yes,&nbsp;it is.", "<p>It is.</p>", 'See <a href="x.html">this</a>.'],
    "encoding": ["The cafÃ© is open.", "发挥了重要作\ufffd\ufffd。", "锟斤拷"],
    "unseen": ["Yes\x07.", "an in\u200bvisible space"],
}

SOUND = [
    "B",
    "42",
    "Use this:\n```python\nprint('(')\n```",
    '{"name": "Li Wei", "age": 3}',
    '{"a": 1}\n{"a": 2}',
    '[{"a": 1}] is a list with one object.',
    "[Your Name]\n[Your Address]",
    "[1] Smith, J. (2019). Wars.",
    "a) tea\nb) coffee\nIt holds for x in [0, 1) and (0, 1].",
    "That is bad :( but so it is.",
    "Look for '(' in the line, or for `[`.",
    "$$f(x) = \\left\\{\\begin{array}{c} 1 \\\\ 0 \\end{array}\\right.$$",
    'A board of 6" by 4" was cut.',
    "“The first paragraph.\n“The second one.”",
    "他说：“不去了。”",
    "| a | b |\n|---|:-:|\n| 1 | 2 |\n| 3 |",
    "a | b\n--- | ---\n1 | 2",
    "| a | b |\n|---|---|\n| `x|y` | x<br>y |",
    "+----+----+\n| a  | b  |\n+----+----+\n| 1  | 2  |\n+----+----+",
    "1. a\n2. b\n\nMore:\n1. c\n2. d",
    "1. a\n   1. b\n   2. c\n2. d",
    "1. a\n1. b\n1. c",
    "3. a\n2. b\n1. c",
    "1. a\n3. b\n5. c",
    "1.5 litres\n1.5 metres\n1.2 pounds",
    "If a < b and b > c, then AT&T.",
    "```html\n<p>It is.</p>\n```",
    "<!DOCTYPE html>\n<html><p>It is.</p></html>",
    "The café “Zoë” is open — 24 hours.",
    "👩‍👩‍👧 and 🏴󠁧󠁢󠁥󠁮󠁧󠁿",
]


def score(*turns: str) -> float | Unscored:
    roles = ("user", "assistant")
    messages = tuple(Message(roles[place % 2], text) for place, text in enumerate(turns))
    example = Example(messages, Source("data.jsonl", 1))
    item = ScoringItem(example, exercises_of(example))
    return FormatFaults(ScoreConfig()).combine(item, (), Setting())


def test_every_kind_has_examples() -> None:
    assert list(FAULTY) == list(FAULTS)


@pytest.mark.parametrize(
    ("kind", "response"),
    [(kind, response) for kind, responses in FAULTY.items() for response in responses],
)
def test_a_fault_is_found_and_counts_once(kind: str, response: str) -> None:
    assert format_faults(PROMPT, response) == [kind]
    assert score(PROMPT, response) == 1


@pytest.mark.parametrize("response", SOUND)
def test_what_is_sound_has_none(response: str) -> None:
    assert format_faults(PROMPT, response) == []
    assert score(PROMPT, response) == 0


@pytest.mark.parametrize(
    ("prompt", "response", "faults"),
    [
        ("Return the person as JSON.", "Here:\n{name: 1}", ["json"]),
        ("Return the person as JSON.", 'Here:\n{"name": 1}\nThat is all.', []),
        ("请用JSON格式输出。", "姓名：李伟", ["json"]),
        ("Convert the JSON file to XML, please.", "A file: no object.", []),
        ("What are the merits of data in JSON?", "It is short.", []),
        ("使用JSON的好处是什么？", "它很简单。", []),
        ("What is JSON?", "It is a format. An object begins with {.", ["bracket"]),
        ("Give an example of HTML.", "<p>It is.</p>", []),
        ("Solve it.\n|1| |3|\n| |2| |", "|1|2|3|\n|3|2|1|", []),
    ],
)
def test_the_prompt_says_what_is_meant(prompt: str, response: str, faults: list[str]) -> None:
    assert format_faults(prompt, response) == faults


def test_kinds_are_counted_over_all_turns_and_each_once() -> None:
    two = "It is large (by any measure.\x07"
    assert score(PROMPT, two) == 2
    assert score(PROMPT, two, PROMPT, "Small (by none.", PROMPT, "<p>Yes.</p>") == 3


def test_what_is_not_there_has_a_reason() -> None:
    assert score(PROMPT) == Unscored("no_response")
    assert score(PROMPT, " \n") == Unscored("empty_response")
    assert score(PROMPT, "", PROMPT, "Yes.") == 0


pieces = st.sampled_from(
    ["(", "]", "“", '"', "|", "|---|\n", "\n", "1. ", "```", "~~~", "json\n", "{", "<p>", "&lt;",
     "<|im_end|>", "\ud800", "\x00", "\\", "Ã©", "a", "好", " ", ":("]
)  # fmt: skip


@given(st.text(max_size=40), st.lists(st.text(max_size=10) | pieces, max_size=20).map("".join))
def test_any_text_has_a_number_of_faults(prompt: str, response: str) -> None:
    faults = format_faults(prompt, response)
    assert len(set(faults)) == len(faults) <= len(FAULTS)


@pytest.mark.parametrize(
    "piece",
    [
        *("a", "(", "[{", "|", "|-|\n", "1. a\n", "<a ", '"', "“\n", "`", "```\n", "\\", "-"),
        *("Ã©", "浣犲ソ", " \t", '{"\n]\n', '{"a":', "[[1],"),
    ],
)
def test_a_megabyte_of_anything_takes_seconds_at_most(piece: str) -> None:
    start = time.process_time()
    format_faults("as JSON", piece * (10**6 // len(piece)) + "x")
    assert time.process_time() - start < 5


real = Path(os.environ.get("TUNEVAL_TEST_DATA", "/nowhere")) / "instruct"


@pytest.mark.skipif(not real.is_dir(), reason="TUNEVAL_TEST_DATA does not name real data files")
@pytest.mark.parametrize(
    ("name", "places"),
    [
        # Found by reading: a cut-off table, a quotation closed by another mark, cut-off ends.
        ("alpaca_en_demo.json", [44, 124, 179, 345, 463, 688, 730]),
        # An open code block, cut-off ends, an open bracket.
        ("alpaca_zh_demo.json", [43, 391, 492, 806, 946, 989]),
    ],
)
def test_faults_of_the_real_sets_are_those_a_reader_finds(name: str, places: list[int]) -> None:
    found = []
    for place, row in enumerate(json.loads((real / name).read_bytes())):
        prompt = row["instruction"] + "\n" + row["input"]
        if set(format_faults(prompt, row["output"])) - {"refusal"}:
            found.append(place)
    assert found == places
