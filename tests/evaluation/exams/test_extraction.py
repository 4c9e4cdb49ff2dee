"""What the extractors read in answers, theirs and those of the benchmarks' scripts."""

from __future__ import annotations

import json
import re

import pytest

from tuneval.errors import UsageError
from tuneval.evaluation import extraction
from tuneval.evaluation.extraction import EXTRACTORS, extract, load_extractor
from tuneval.evaluation.extraction.letters import letter_set
from tuneval.evaluation.extraction.maths import last_boxed, maths_form, parsed
from tuneval.evaluation.extraction.numbers import number_form


def read(name, answer):
    found = extract(name, answer, item_id="x")
    return found["strict"], found["lenient"], found.get("official")


@pytest.mark.parametrize(
    ("answer", "strict", "lenient"),
    [
        ("B", "B", "B"),
        (" (B). ", "B", "B"),
        ("Ｂ。", "B", "B"),
        ("The answer is B.", "B", "B"),
        ("Answer: (C)", "C", "C"),
        ("The answer is therefore option D", "D", "D"),
        ("答案是B", "B", "B"),
        ("正确答案：Ｃ。", "C", "C"),
        ("所以应选择 D", "D", "D"),
        ("故选A。", "A", "A"),
        ("不选A，选B", "B", "B"),
        ("\\boxed{C}", "C", "C"),
        ("\\boxed{\\text{C}}", "C", "C"),
        ("**Answer: E**", "E", "E"),
        ("The answer is A. No, the answer is B.", None, "B"),
        ("B. 土地", None, "B"),
        ("A car is a machine, and C fits.", None, "C"),
        ("Because of gravity.", None, None),
        ("我不知道", None, None),
        ("", None, None),
        ("A is wrong, so is C; D remains", None, "A"),
        ("<think>The answer is A</think>The answer is B", "B", "B"),
        ("The answer is Apple", None, None),
        ("选项A错误，选项C正确", None, "C"),
        ("The correct answer is B. Option A is incorrect, and option C is wrong.", "B", "B"),
        ("Option A is wrong. Option B is right.", "B", "B"),
        ("Option B fits, while option C is not right.", "B", "B"),
        ("My choice is B", "B", "B"),
        ("**Answer**: B", "B", "B"),
        ("**答案**：B", "B", "B"),
        ("Answer = B", "B", "B"),
        ("\\boxed{\\mathrm{B}}", "B", "B"),
        ("The answer is A or B", None, "A"),
        ("答案是A、C", None, "A"),
        ("A because it holds", None, "A"),
        ("<think>The answer is A, or", None, None),
    ],
)
def test_one_letter(answer, strict, lenient):
    assert read("letter", answer)[:2] == (strict, lenient)


@pytest.mark.parametrize(
    ("answer", "strict", "lenient"),
    [
        ("AC", "AC", "AC"),
        ("C, A", "AC", "AC"),
        ("A、B和D", "ABD", "ABD"),
        ("The answers are B and C.", "BC", "BC"),
        ("答案是DBA。", "ABD", "ABD"),
        ("答案：A。C是错的", "A", "A"),
        ("A and C are right because they hold", None, "AC"),
        ("the answer is A, then the answer is AB", None, "AB"),
        ("nothing", None, None),
        ("A、B、D均正确", None, "ABD"),
        ("A, B, D all hold", None, "ABD"),
    ],
)
def test_several_letters(answer, strict, lenient):
    assert read("letters", answer)[:2] == (strict, lenient)


@pytest.mark.parametrize(
    ("answer", "strict", "lenient"),
    [
        ("18", "18", "18"),
        ("$1,234.50", "1234.5", "1234.5"),
        ("\\boxed{1{,}000}", "1000", "1000"),
        (".5", "0.5", "0.5"),
        ("–4", "-4", "-4"),
        ("It covers 12 m².", None, "12"),
        ("It covers 12 m^2.", None, "12"),
        ("one of 1,2,3", None, "3"),
        ("USD12", None, "12"),
        ("She has 3 + 4 = 7.\n#### 7", "7", "7"),
        ("The answer is 1,000,000.", "1000000", "1000000"),
        ("答案是１２", "12", "12"),
        ("so \\boxed{-0.50}", "-0.5", "-0.5"),
        ("first 3, then 12 apples", None, "12"),
        ("pages 3-5", None, "5"),
        ("#### 7, or rather #### 8", None, "8"),
        ("none", None, None),
    ],
)
def test_numbers(answer, strict, lenient):
    assert read("number", answer)[:2] == (strict, lenient)


def test_numbers_have_one_form():
    assert [number_form(x) for x in ("007", "1,200.00", "-0", "12%", "1e3", "x", "NaN")] == [
        "7",
        "1200",
        "0",
        "12",
        "1000",
        "x",
        "NaN",
    ]


def test_gsm8k_reads_as_lm_evals_filters_do():
    assert read("gsm8k", "so 5.\n#### 1,200.\n#### 7") == ("1200", "7", "1200")
    assert read("gsm8k", "the answer is 18") == (None, "18", None)
    assert read("gsm8k_cot", "The answer is 18.")[0] == "18"
    assert read("gsm8k_cot", "The answer is 18")[0] == "1"
    assert read("boxed", "Thus \\boxed{42} apples, not 43")[:2] == ("42", "42")


@pytest.mark.parametrize(
    ("answer", "official"),
    [("B", "B"), ("b", "B"), ("B.", "B"), (" B \n", "B"), ("B。", "B。"), ("答案是B", "答案是B")],
)
def test_ceval_few_shot_compares_the_whole_answer(answer, official):
    assert read("ceval_few_shot", answer)[2] == official


@pytest.mark.parametrize(
    ("answer", "official"),
    [
        ("Dear", "D"),
        ("选C", "C"),
        ("答案是 选项 B，答案是A", "A"),
        ("正确的一项是 D", "D"),
        ("答案应该是：C", "C"),
        ("我选C", None),
        ("", None),
    ],
)
def test_ceval_zero_shot(answer, official):
    assert read("ceval_zero_shot", answer)[2] == official


def test_ceval_reasoning():
    assert read("ceval_cot", "先看。答案是A。不对，所以答案是B。")[2] == "B"
    assert read("ceval_cot", "答案为C。选项D是正确的。")[2] == "C"
    assert read("ceval_cot", "所以答案是B")[2] is None
    assert read("ceval_cot_text", " 一加一等于二。\n所以答案是B。")[2] == "B"
    assert read("ceval_cot_text", "选择A不对\n所以答案是B。\n让我们一步一步思考，答案D")[2] == "B"
    assert read("ceval_cot_text", "先选择A看看，再选择B")[2] == "A"
    assert read("ceval_cot_text", " 没有字母")[2] == "没有字母"


@pytest.mark.parametrize(
    ("answer", "official"),
    [
        ("Because", "B"),
        ("答案是：C", "C"),
        ("故选D", "D"),
        ("A、B都不对，C当选", None),
        ("我觉得B和C里，C正确", "C"),
        ("首先是：D", "D"),
        ("只有 B 提到", "B"),
        ("有 B 也有 C", None),
        ("不知道", None),
        ("", None),
    ],
)
def test_cmmlu(answer, official):
    expected = "A" if answer.startswith("A") else official
    assert read("cmmlu", answer)[2] == expected


def test_cmmlu_takes_the_letter_nearest_to_the_word():
    assert read("cmmlu", "我看 A 和 B 不对而 C 当选")[2] == "C"


def test_cmmlu_draws_a_letter_only_under_its_name_and_by_the_item():
    drawn = [extract("cmmlu_random", "不知道", item_id=f"arts/{n}")["official"] for n in range(400)]
    again = [extract("cmmlu_random", "没有", item_id=f"arts/{n}")["official"] for n in range(400)]
    assert drawn == again
    assert all(70 < drawn.count(letter) < 130 for letter in "ABCD")
    assert extract("cmmlu_random", "故选D", item_id="x")["official"] == "D"
    assert [name for name in EXTRACTORS if load_extractor(name).drawn_from] == ["cmmlu_random"]


def test_agieval_reads_letters_with_its_known_faults():
    assert read("agieval_zero_shot", "Answer: C") == ("C", "C", "A")
    assert read("agieval_zero_shot", "Because")[2] == "B"
    assert read("agieval_zero_shot", "none here")[2] is None
    assert read("agieval_few_shot_en", "Hence the answer is not A but B")[2] == "A"
    assert read("agieval_few_shot_en", "G, surely; E")[2] == "E"
    assert read("agieval_few_shot_zh", "答案是 (G)")[2] == "G"
    assert read("agieval_cot_en", "The answer is A.\nNo.\nThe answer is therefore C\n\n")[2] == "C"
    assert read("agieval_cot_zh", "答案是 A\n答案是 B")[2] == "B"
    assert read("agieval_letters", "Because C, D")[2] == "BCD"
    assert read("agieval_letters", "G")[2] is None
    assert read("agieval_letters_cot", "A and B\nso: C\n")[2] == "C"


def test_agieval_reads_expressions():
    assert read("agieval_maths", "so $x = \\frac12$.")[2] == "\\frac{1}{2}"
    assert read("agieval_maths", "it is \\boxed{y=3} or 4")[2] == "3"
    assert read("agieval_maths", "The answer is therefore 12 apples")[2] == "12"
    assert read("agieval_maths", "between $1$ and $2$")[2] == "1$and$2"
    assert (
        read("agieval_maths_few_shot", "I think.\n答案是 $-\\frac{1}{n}$")[2] == "$-\\frac{1}{n}$"
    )
    assert read("agieval_maths_few_shot", "The answer is therefore 5.")[2] == "5."
    assert read("agieval_maths_cot", "The answer is therefore 5\nor The answer is therefore 6")[
        2
    ] == ("6")
    starts_twice = "The answer is therefore 1 The answer is therefore 2"
    assert read("agieval_maths_few_shot", starts_twice)[2] == "1Theansweristherefore2"


def test_opencompass_readings():
    assert read("first_capital", "The answer is B") == ("B", "B", "T")
    assert read("first_capital", "答案 Ｂ")[2] == "Ｂ"
    assert read("first_option", "不选A，应该选C")[2] == "A"
    assert read("first_option", "The answer is option E")[2] == "E"
    assert read("first_option", "lower case only")[2] is None
    assert read("first_capitals", "A, C")[2] == "A"
    assert read("first_capitals", "选CA")[2] == "CA"


def test_hendrycks_normaliser_agrees_with_lm_evals_copy_on_real_expressions(real_data):
    """Every answer and every expression in the solutions of the MATH questions at hand."""
    theirs = pytest.importorskip("lm_eval.tasks.agieval.utils", reason="lm-eval is not installed")
    texts = {"", ".5", "\\frac", "\\sqrt", "3/4", "a/b", "1/2/3", "x = 5", "abc=5", "\\frac1{72}"}
    texts |= {"\\frac12", "\\frac{1}2", "\\sqrt2x", "5\\text{ cm}", "\\text{ a}\\text{ b}", " .5"}
    lines = (real_data / "agieval" / "math.jsonl").read_text(encoding="utf-8").splitlines()
    for row in map(json.loads, lines):
        texts.add(row["answer"])
        texts.update(re.findall(r"\$([^$]+)\$", row["other"]["solution"]))
    assert len(texts) > 5_000
    for text in texts:
        try:
            expected = theirs._strip_string(text)
        except (AssertionError, IndexError):
            expected = text
        assert maths_form(text) == expected, text


def test_expressions_are_found_where_lm_eval_finds_them(real_data):
    theirs = pytest.importorskip("lm_eval.tasks.agieval.utils", reason="lm-eval is not installed")
    lines = (real_data / "agieval" / "math.jsonl").read_text(encoding="utf-8").splitlines()
    rows = [json.loads(line) for line in lines]
    texts = [row["other"]["solution"] for row in rows] + [row["answer"] for row in rows]
    texts += ["\\boxed{open", "\\boxed 5", "no number", "x =", "$$", "a = 5.", "\\boxed{a}}"]
    for text in texts:
        assert parsed(text) == theirs.parse_math_answer(text), text
    extractor = load_extractor("agieval_maths_lm_eval")
    for row, other in zip(rows, [*rows[1:], rows[0]], strict=True):
        for answer in (row["other"]["solution"], other["answer"], "no idea"):
            ours = extractor.official(answer) == extractor.official_key(row["answer"])
            assert ours == theirs.is_equiv(answer, row["answer"]), (answer, row["answer"])


def test_the_last_box_is_read_with_its_braces():
    assert last_boxed("a \\boxed{1} b \\boxed{\\frac{1}{2}} c}") == "\\frac{1}{2}"
    assert last_boxed("\\boxed{1") is None
    assert last_boxed("{1}") is None
    assert read("maths", "Thus $\\boxed{\\dfrac12}$.") == ("\\frac{1}{2}", "\\frac{1}{2}", None)
    assert read("maths", "the answer is $3$; the answer is $4$")[:2] == (None, "3$;theansweris$4")
    assert read("maths", "maybe 7")[:2] == (None, "7")
    assert read("maths", "no")[:2] == (None, None)


@pytest.mark.parametrize("name", list(EXTRACTORS))
def test_every_extractor_is_named_as_its_row_and_reads_a_plain_key(name):
    extractor = load_extractor(name)
    assert extractor.name == name
    assert extractor.summary
    keys = {"letters": "AC", "agieval_letters": "AC", "first_capitals": "AC", "number": "12"}
    key = extractor.form(keys.get(name, "12" if "maths" in name else "B"))
    if name in ("gsm8k", "gsm8k_cot", "boxed") or name.startswith("pandalm"):
        return
    assert extractor.strict(f"The answer is {key}.") in (key, None)
    assert extractor.strict(key) in (key, None)
    assert extractor.read("", item_id="x")["strict"] is None


def test_sets_of_letters_are_in_the_alphabets_order():
    assert letter_set("C、A。") == "AC"
    assert load_extractor("agieval_letters").form("DB") == "BD"


def test_an_unknown_extractor_gets_the_near_name():
    with pytest.raises(UsageError, match="no extractor called 'leter'") as refused:
        extract("leter", "", item_id="x")
    assert "letter" in refused.value.mend
    assert len(extraction.catalog()) == len(EXTRACTORS)


def test_agieval_looks_for_the_words_on_the_last_line_and_for_a_capital_in_all_lines():
    reasoned = "Both C and D are left.\nSo it is D."
    assert read("agieval_cot_en", reasoned)[2] == "B"
    assert read("agieval_cot_en", "The answer is A?\nThe answer is therefore D")[2] == "D"
    assert read("agieval_cot_zh", "先看C。\n所以选D")[2] == "C"
    assert read("agieval_cot_zh", "先看C。\n答案是D")[2] == "D"
