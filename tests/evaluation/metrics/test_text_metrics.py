"""ROUGE and BLEU against the packages that LLaMA-Factory calls, digit for digit."""

from __future__ import annotations

import json
import logging
import os
import random
import subprocess
import sys
import warnings
from functools import cache
from itertools import combinations
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from tuneval.errors import TunevalError
from tuneval.evaluation.metrics.generation import texts
from tuneval.evaluation.metrics.generation.bleu import bleu
from tuneval.evaluation.metrics.generation.lcs import lcs_length
from tuneval.evaluation.metrics.generation.rouge import rouge
from tuneval.evaluation.metrics.generation.segment import forget_segments, segment
from tuneval.evaluation.metrics.generation.texts import score_pair, score_texts

PIECES = [
    "今天天气真好", "我们一起去公园散步吧", "他来到了网易杭研大厦", "人工智能", "訂單編號", "齾",
    "的", "了", "Where is my order?", "AT&T", "v1.2.3-beta", "100%", "e-mail", "naïve café",
    "ORDER_7", "3.14", "。", "！", "？", "?", "，", "、", "“", "”", "‘", "’", "。”",
    "？’", "…", "……", "…………", ".",
    "......", ".......", "............", "......”", "x......y", "\n", "\n\n", "。\n\n", "? \n",
    " ", "  ", " \n ", "\t", "\r\n", "\u3000", "\xa0", "\u2028", "\x1c", "😀", "\ud83d", "\x00", "",
]  # fmt: skip
NASTY_TEXTS = st.lists(st.sampled_from(PIECES) | st.text(max_size=4), max_size=12).map("".join)


@cache
def packages() -> tuple[Any, Any, Any, Any]:
    with warnings.catch_warnings():  # of packages that are older than this Python
        warnings.simplefilter("ignore")
        import jieba
        from nltk.translate.bleu_score import SmoothingFunction, sentence_bleu
        from rouge_chinese import Rouge

        jieba.setLogLevel(logging.WARNING)
        return jieba, Rouge, sentence_bleu, SmoothingFunction


def reference_scores(prediction: str, reference: str) -> dict[str, float]:
    """The procedure as it stands in LLaMA-Factory, with the packages' own functions."""
    jieba, rouge_class, sentence_bleu, smoothing = packages()
    hypothesis, target = list(jieba.cut(prediction)), list(jieba.cut(reference))
    if not " ".join(hypothesis).split() or not " ".join(target).split():
        scores = dict.fromkeys(("rouge-1", "rouge-2", "rouge-l"), 0.0)
    else:
        values = rouge_class().get_scores(" ".join(hypothesis), " ".join(target))[0]
        scores = {name: round(value["f"] * 100, 4) for name, value in values.items()}
    for order in range(1, 5):
        value = sentence_bleu(
            [list(reference)],
            list(prediction),
            weights=(1 / order,) * order,
            smoothing_function=smoothing().method3,
        )
        scores[f"bleu-{order}"] = round(value * 100, 4)
    return scores


def real_answers(name: str, n: int) -> list[str]:
    folder = os.environ.get("TUNEVAL_TEST_DATA")
    if not folder:
        pytest.skip("TUNEVAL_TEST_DATA names no folder of real data")
    records = json.loads((Path(folder) / "instruct" / name).read_text(encoding="utf-8"))
    return [record["output"] for record in records[:n]]


def edited(text: str, seed: int) -> str:
    """A text near `text`: pieces dropped, doubled, and moved."""
    dice = random.Random(seed)
    pieces = [text[i : i + 7] for i in range(0, len(text), 7)]
    kept = [piece * dice.choice((0, 1, 1, 1, 1, 2)) for piece in pieces]
    if len(kept) > 3:
        at = dice.randrange(len(kept))
        kept.insert(dice.randrange(len(kept)), kept.pop(at))
    return "".join(kept)


@pytest.mark.parametrize("name", ["alpaca_zh_demo.json", "alpaca_en_demo.json"])
def test_scores_of_real_answers_equal_the_packages(name: str) -> None:
    answers = real_answers(name, 60)
    pairs = [(edited(text, seed), text) for seed, text in enumerate(answers[:40])]
    pairs += list(zip(answers[40:50], answers[50:60], strict=True))
    assert score_texts(pairs) == [reference_scores(*pair) for pair in pairs]


@settings(max_examples=300)
@given(NASTY_TEXTS, NASTY_TEXTS)
@example("", "")
@example("。。。", "！？")
@example("他说：“好。”……然后......走了", "他说“好”。\n\n \n然后......。走了")
@example("。\n \n。x", "。 。\n\nx")
def test_scores_of_nasty_texts_equal_the_packages(prediction: str, reference: str) -> None:
    assert score_pair(prediction, reference) == reference_scores(prediction, reference)


@settings(max_examples=200)
@given(NASTY_TEXTS)
def test_scores_of_a_text_with_an_edited_self_equal_the_packages(text: str) -> None:
    pair = (edited(text, len(text)), text)
    assert score_pair(*pair) == reference_scores(*pair)


@settings(max_examples=300)
@given(NASTY_TEXTS | st.text(st.characters(min_codepoint=0x4E00, max_codepoint=0x9FFF)))
def test_segments_equal_jieba(text: str) -> None:
    assert segment(text) == list(packages()[0].cut(text))


@pytest.mark.parametrize("name", ["alpaca_zh_demo.json", "alpaca_en_demo.json"])
def test_segments_of_real_answers_equal_jieba(name: str) -> None:
    jieba = packages()[0]
    for text in real_answers(name, 200):
        assert segment(text) == list(jieba.cut(text))


def test_words_added_to_jieba_change_no_measurement() -> None:
    jieba = packages()[0]
    before = segment("我买了灵犀手环三代")
    jieba.add_word("灵犀手环三代")
    try:
        forget_segments()
        assert "灵犀手环三代" in jieba.lcut("我买了灵犀手环三代")
        assert segment("我买了灵犀手环三代") == before
    finally:
        jieba.del_word("灵犀手环三代")


@pytest.mark.parametrize(
    ("length", "score"),
    [(1, 35.3553), (2, 59.4604), (3, 84.0896), (4, 100.0), (5, 100.0)],
)
def test_bleu_of_a_perfect_short_answer_keeps_the_known_quirk(length: int, score: float) -> None:
    # The quirk of sentence_bleu with method 3 on characters: 2^-(k(k+1)/2)/4 for k missing orders.
    assert bleu("甲乙丙丁戊"[:length], "甲乙丙丁戊"[:length])[3] == score


def test_rouge_of_a_perfect_answer_is_100_and_of_one_word_has_no_bigram() -> None:
    assert rouge("我们 走 吧", "我们 走 吧") == (100.0, 100.0, 100.0)
    assert rouge("退款", "退款") == (100.0, 0.0, 100.0)


@pytest.mark.parametrize("blank", ["", " ", "\n\n", "\u3000"])
def test_blank_texts_score_zero(blank: str) -> None:
    assert set(score_pair(blank, "answer").values()) == {0.0}
    assert rouge("answer", blank) == (0.0, 0.0, 0.0)


SHORT_SEQUENCES = st.text("abc", max_size=9)


@given(SHORT_SEQUENCES, SHORT_SEQUENCES)
def test_lcs_equals_trying_every_subsequence(first: str, second: str) -> None:
    def is_subsequence(part: tuple[str, ...]) -> bool:
        letters = iter(second)
        return all(letter in letters for letter in part)

    longest = max(
        n for n in range(len(first) + 1) if any(map(is_subsequence, combinations(first, n)))
    )
    assert lcs_length(first, second) == longest


@given(st.lists(st.integers(0, 30), max_size=200), st.lists(st.integers(0, 30), max_size=200))
def test_lcs_equals_the_table(first: list[int], second: list[int]) -> None:
    row = [0] * (len(second) + 1)
    for item in first:
        diagonal = 0
        for at, other in enumerate(second, start=1):
            above = row[at]
            row[at] = diagonal + 1 if item == other else max(above, row[at - 1])
            diagonal = above
    assert lcs_length(first, second) == row[-1]
    assert lcs_length(second, first) == row[-1]


def test_several_processes_give_the_same_scores_in_the_same_order() -> None:
    pairs = [
        (f"订单{i}的退款没有到账\ud83d", f"Refund {i} of 订单 has not arrived") for i in range(7)
    ]
    assert score_texts(pairs, workers=2) == [score_pair(*pair) for pair in pairs]
    assert score_texts([], workers=3) == []


def test_small_jobs_stay_in_one_process() -> None:
    assert texts._workers_that_pay([("short", "short")] * 100) == 0


def test_a_failing_process_is_one_clear_error(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: Any, **__: Any) -> subprocess.CompletedProcess[str]:
        return subprocess.CompletedProcess([], 1, "", "MemoryError")

    monkeypatch.setattr(subprocess, "run", fail)
    with pytest.raises(TunevalError, match="status 1") as caught:
        score_texts([("a", "b"), ("c", "d")], workers=2)
    assert "MemoryError" in caught.value.where


def test_importing_the_metrics_loads_neither_jieba_nor_torch() -> None:
    code = (
        "import sys; from tuneval.evaluation.metrics import METRICS as rows;"
        "list(map(rows.load, rows));"
        "print(sorted({'jieba', 'torch', 'nltk', 'rouge_chinese', 'scipy'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_segmenting_says_nothing_on_the_terminal() -> None:
    code = (
        "from tuneval.evaluation.metrics.generation.segment import segment; segment('安静地工作')"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout + done.stderr == ""
