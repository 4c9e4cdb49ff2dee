"""Perturbed copies of questions: what may change, and that the copies are always the same."""

from __future__ import annotations

import csv
import json
import os
from dataclasses import replace
from pathlib import Path

import pytest

from tuneval.data.example import Message
from tuneval.errors import UsageError
from tuneval.evaluation.question import Question
from tuneval.evaluation.robustness.families import ORIGINAL, PERTURBATION
from tuneval.evaluation.robustness.perturb import perturb
from tuneval.evaluation.robustness.perturbations import PERTURBATIONS

STEM = "However, which of these planets often has the largest number of moons"
EXAM = f"{STEM}?\nA. Saturn\nB. Neptune\nC. Mercury\nD. Venus\nAnswer:"


def question(prompt: str, **fields: object) -> Question:
    values = {"id": "q1", "source": "file:1", "way": "generate", "prompt": prompt, **fields}
    return Question(**values)  # type: ignore[arg-type]


def copy_of(asked: Question, name: str) -> str:
    (copy,) = perturb([asked], [name], seed=17).questions
    assert isinstance(copy.prompt, str)
    return copy.prompt


def test_a_copy_says_what_it_is_and_shares_all_but_the_prompt() -> None:
    asked = question(EXAM, way="choose", choices=(" A", " B"), gold=(0,), group="p", head="Head\n")
    (copy,) = perturb([asked], ["typos"], seed=17).questions
    assert copy.id == "q1~typos"
    assert copy.fields == {PERTURBATION: "typos", ORIGINAL: "q1"}
    assert copy.prompt != asked.prompt
    assert replace(copy, id="q1", prompt=asked.prompt, fields={}) == asked


@pytest.mark.parametrize("name", PERTURBATIONS)
def test_options_and_what_follows_them_never_change(name: str) -> None:
    texts = {
        EXAM: EXAM[len(STEM) + 1 :],
        "题目：下列关于细胞膜的说法，正确的是哪一项？\nA. 没有\nB. 很大\n答案是：": (
            "\nA. 没有\nB. 很大\n答案是："
        ),
        f"Q: {STEM}? Answer Choices: (A)The first (B)The second\nA: Among A through B, the": (
            " Answer Choices: (A)The first (B)The second\nA: Among A through B, the"
        ),
        f"{STEM}?\n选项：(A)开心的人 (B)高兴的人": "\n选项：(A)开心的人 (B)高兴的人",
    }
    for text, tail in texts.items():
        for copy in perturb([question(text)], [name], seed=1).questions:
            assert isinstance(copy.prompt, str)
            assert copy.prompt.endswith(tail)


@pytest.mark.parametrize(
    "kept",
    [
        "$\\frac{three}{four}$",
        "\\boxed{seven}",
        "`return value`",
        "```\nprint(house)\n```",
        "https://example.org/Some/Path",
        '"The Great Wall"',
        "“重要的词”",
        "《红楼梦》",
        "<answer>",
        "{placeholder}",
        "____",
        "H2O",
        "12,500",
        "speed = distance / time",
        "DNA",
    ],
)
@pytest.mark.parametrize("name", ["typos:1", "case", "spacing:1", "homophones:1", "synonyms:1"])
def test_what_the_answer_hangs_on_is_kept(kept: str, name: str) -> None:
    text = f"Therefore please discover 重要的方法 near {kept} and explain important 方法 Quickly"
    assert kept in copy_of(question(text), name)


@pytest.mark.parametrize("name", ["typos:1", "case", "homophones:1", "traditional_simplified"])
def test_no_place_where_the_key_is_written_changes(name: str) -> None:
    text = "Charles Babbage designed 分析机 Engines; 它们 在 历史 上 很 重要 because 发动机 Matters"
    asked = question(
        text,
        reference="Charles Babbage",
        fields={"rule": {"any_of": ["分析机", "历史"]}},
        choices=("Engines",),
    )
    copy = copy_of(asked, name)
    assert "Charles Babbage" in copy
    assert "分析机 Engines" in copy
    assert "历史" in copy


def test_a_long_text_among_the_fields_is_no_key() -> None:
    passage = "The whole passage stands among the fields of this question as well. " * 2
    asked = question(passage, fields={"passage": passage.strip()})
    assert copy_of(asked, "typos") != passage


def test_a_key_of_one_letter_blocks_no_words() -> None:
    text = "Select another idea"
    copy = copy_of(question(text, reference="a"), "typos:1")
    assert all(x != y for x, y in zip(text, copy, strict=True) if x != " ")


def test_the_line_where_the_answer_begins_stays() -> None:
    assert copy_of(question("Explain gravity.\nFinal answer:"), "adversarial_suffix").endswith(
        "\nFinal answer:"
    )
    assert copy_of(question("Explain gravity.\nA: The answer is"), "typos:1").endswith(
        "\nA: The answer is"
    )


def test_of_a_chat_the_last_user_turn_changes() -> None:
    turns = (
        Message("system", "Please answer briefly"),
        Message("user", "Which planet is largest?"),
        Message("assistant", "Jupiter, the largest"),
        Message("user", "Review: wonderful lovely film", input="wonderful lovely film"),
    )
    asked = replace(question(""), prompt=turns)
    (copy,) = perturb([asked], ["typos:1"], seed=17).questions
    assert isinstance(copy.prompt, tuple)
    assert copy.prompt[:3] == turns[:3]
    assert copy.prompt[3].content.startswith("Review: ")
    assert copy.prompt[3].content != turns[3].content
    assert copy.prompt[3].input is None


def test_a_later_turn_follows_the_copy_of_the_one_before() -> None:
    first = replace(question(""), prompt=(Message("user", "Describe the mountains"),))
    then = replace(first, id="q2", prompt=(Message("user", "12?"),), after="q1")
    copies = perturb([first, then], ["typos"], seed=17).questions
    assert [(copy.id, copy.after) for copy in copies] == [
        ("q1~typos", None),
        ("q2~typos", "q1~typos"),
    ]


def test_unchanged_questions_are_left_out_and_counted() -> None:
    questions = [
        question("Which planets are large?", id="en"),
        question("哪些行星很大？", id="zh"),
        question("A text whose likelihood is measured", id="read", way="read"),
    ]
    made = perturb(questions, ["typos", "homophones", "typos"], seed=17)
    assert [copy.id for copy in made.questions] == ["en~typos", "zh~homophones"]
    assert made.unchanged == {"typos": 2, "homophones": 2}
    assert made.notes[0] == "typos: 1 questions changed, 2 left as they were"


def test_a_copy_depends_on_seed_name_and_id_alone() -> None:
    questions = [question(EXAM, id=str(n)) for n in range(30)]
    made = {copy.id: copy.prompt for copy in perturb(questions, ["typos"], seed=17).questions}
    some = perturb(questions[7:9], ["case", "typos"], seed=17).questions
    assert all(made[copy.id] == copy.prompt for copy in some if copy.id.endswith("~typos"))
    assert len(set(made.values())) > 20
    other = perturb(questions, ["typos"], seed=18).questions
    assert [copy.prompt for copy in other] != list(made.values())


def test_an_unknown_perturbation_is_refused_with_the_near_name() -> None:
    with pytest.raises(UsageError) as caught:
        perturb([], ["synonym"], seed=1)
    assert "'synonyms'" in caught.value.mend


def test_real_exam_questions_keep_numbers_options_and_key() -> None:
    folder = os.environ.get("TUNEVAL_TEST_DATA")
    if folder is None:
        pytest.skip("TUNEVAL_TEST_DATA is not set: no exam files to read")
    questions = [*_cmmlu(Path(folder)), *_sat(Path(folder))]
    names = ["typos", "homophones", "traditional_simplified", "spacing", "punctuation"]
    made = perturb(questions, names, seed=17)
    assert made.unchanged["homophones"] < 0.6 * len(questions)
    originals = {asked.id: asked for asked in questions}
    for copy in made.questions:
        before = str(originals[copy.fields[ORIGINAL]].prompt)
        after = str(copy.prompt)
        digits = [[c for c in text if c.isdigit()] for text in (before, after)]
        assert digits[0] == digits[1]
        options = [text[text.rindex("\nA. ") :] for text in (before, after)]
        assert options[0] == options[1]


def _cmmlu(folder: Path) -> list[Question]:
    path = sorted((folder / "cmmlu" / "test").glob("*.csv"))[0]
    with path.open(encoding="utf-8") as lines:
        rows = list(csv.DictReader(lines))[:60]
    return [
        question(
            f"题目：{row['Question']}\n"
            + "\n".join(f"{letter}. {row[letter]}" for letter in "ABCD")
            + "\n答案是：",
            id=f"cmmlu-{n}",
            reference=row["Answer"],
        )
        for n, row in enumerate(rows)
    ]


def _sat(folder: Path) -> list[Question]:
    lines = (folder / "agieval" / "sat-math.jsonl").read_text(encoding="utf-8").splitlines()[:60]
    rows = [json.loads(line) for line in lines]
    return [
        question(
            row["question"]
            + "".join(f"\n{option[1]}. {option[3:]}" for option in row["options"])
            + "\nAnswer:",
            id=f"sat-{n}",
            reference=row["label"],
        )
        for n, row in enumerate(rows)
    ]
