"""Several right answers to one item: each metric's own way with them, or the best of them."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
import sacrebleu
from answers import answer, difference, result, value
from hypothesis import example, given
from hypothesis import strategies as st

from tuneval.evaluation.items import Item
from tuneval.evaluation.kinds.per_item import references_of
from tuneval.evaluation.metrics.generation import bertscore
from tuneval.evaluation.metrics.generation.bleu import bleu
from tuneval.evaluation.metrics.generation.chrf import chrf_counts, chrf_of_sums
from tuneval.evaluation.metrics.generation.corpus_bleu import bleu_counts, bleu_of_sums
from tuneval.evaluation.metrics.generation.texts import score_pair, score_texts

ENGLISH = ["the cat sat on the mat", "The cat sat on a mat.", "a dog", "mat the on sat", "", "cat"]
TEXTS = st.sampled_from(ENGLISH) | st.text(alphabet="ab c", max_size=9)
SEVERAL = st.lists(TEXTS, min_size=1, max_size=4)


def said(prediction: str, *references: str, **fields: Any) -> Item:
    """An answer, and all that would be right; the first is the label, as in a file."""
    return answer(prediction, references[0], references=list(references), **fields)


@pytest.mark.parametrize("metric", ["exact_match", "token_f1", "rouge_words", "meteor"])
def test_the_best_of_the_references_counts(metric: str) -> None:
    best = value(metric, [answer("the cat sat", "the cat sat")])
    assert value(metric, [said("the cat sat", "a dog", "the cat sat", "cats")]) == best
    other = value(metric, [answer("the cat sat", "a dog")])
    assert value(metric, [said("the cat sat", "a dog", "birds")]) == other < best


def test_each_rouge_takes_its_own_best_reference() -> None:
    prediction, references = "a b c d", ("a b x y", "d c b a")
    found = score_pair(prediction, *references)
    alone = [score_pair(prediction, reference) for reference in references]
    for name in ("rouge-1", "rouge-2", "rouge-l"):
        assert found[name] == max(one[name] for one in alone)
    assert alone[0]["rouge-2"] > alone[1]["rouge-2"]
    assert alone[0]["rouge-1"] < alone[1]["rouge-1"]


@given(st.text(alphabet="ab c", max_size=9), SEVERAL)
@example("abcd", ["abc", "abcde"])
def test_bleu_of_characters_is_nltks_of_several_references(
    prediction: str, references: list[str]
) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from nltk.translate.bleu_score import SmoothingFunction, sentence_bleu

        expected = [
            sentence_bleu(
                list(map(list, references)),
                list(prediction),
                weights=(1 / order,) * order,
                smoothing_function=SmoothingFunction().method3,
            )
            for order in range(1, 5)
        ]
    assert bleu(prediction, *references) == tuple(round(one * 100, 4) for one in expected)


def sacre(metric: Any, rows: Sequence[tuple[str, list[str]]]) -> float:
    """The package's own corpus score; None stands where an item has fewer references."""
    most = max(len(references) for _, references in rows)
    streams = [[r[n] if n < len(r) else None for _, r in rows] for n in range(most)]
    return float(metric.corpus_score([prediction for prediction, _ in rows], streams).score)


@given(st.lists(st.tuples(TEXTS, SEVERAL), min_size=1, max_size=5))
def test_corpus_scores_are_sacrebleus_of_several_references(
    rows: list[tuple[str, list[str]]],
) -> None:
    sums = np.sum([bleu_counts(p, *r, tokenizer="13a") for p, r in rows], axis=0, dtype=float)
    assert bleu_of_sums(sums) == pytest.approx(sacre(sacrebleu.BLEU(), rows), abs=1e-9)
    sums = np.sum([chrf_counts(p, *r) for p, r in rows], axis=0, dtype=float)
    assert chrf_of_sums(sums) == pytest.approx(sacre(sacrebleu.CHRF(), rows), abs=1e-9)


@pytest.mark.parametrize("metric", ["sacrebleu", "chrf", "bleu-4", "bleu-1", "rouge-l"])
def test_figures_take_every_reference_of_an_item(metric: str) -> None:
    items = [said("the cat sat on the mat", "a dog", "the cat sat on the mat"), said("x y", "x y")]
    alone = [answer(item.predict, item.label) for item in items]
    assert value(metric, items) > value(metric, alone)
    assert difference(metric, alone, items).difference.value == pytest.approx(
        value(metric, items) - value(metric, alone)
    )


def test_chinese_in_any_reference_takes_the_chinese_tokenizer() -> None:
    assert bleu_counts("猫坐下", "cat", "猫站起") == bleu_counts(
        "猫坐下", "cat", "猫站起", tokenizer="zh"
    )


def test_bertscore_takes_the_best_reference_and_idf_counts_all(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked: list[list[str]] = []

    class Letters:
        """A token for each letter; two are alike when they are the same letter."""

        def token_ids(self, texts: Sequence[str]) -> list[list[int]]:
            asked.append(list(texts))
            return [[ord(letter) - 97 for letter in text] for text in texts]

        def token_states(self, texts: Sequence[str]) -> list[Any]:
            from tuneval.models.encoder import TokenStates

            return [
                TokenStates(
                    ids=np.array(ids),
                    states=np.eye(26, dtype=np.float32)[ids],
                    is_text=np.ones(len(ids), dtype=bool),
                )
                for ids in self.token_ids(texts)
            ]

    monkeypatch.setattr(bertscore, "_encoder", lambda name: Letters())
    items = [said("ab", "xy", "abc"), said("cd", "cd"), said("e", "x", "y", "z")]
    assert [i.grades["bertscore"] for i in graded("bertscore", items)] == [
        pytest.approx(0.8), 1.0, 0.0,
    ]  # fmt: skip
    asked.clear()
    graded("bertscore:idf", items)
    assert asked[0] == ["xy", "abc", "cd", "x", "y", "z"]


def graded(metric: str, items: Sequence[Item]) -> list[Item]:
    from tuneval.evaluation.grade import grade

    return grade(items, [metric])


def test_a_field_that_is_no_list_of_texts_leaves_the_one_reference() -> None:
    for wrong in ("right", [], [1, None], {"a": 1}, None):
        assert references_of(answer("x", "right", references=wrong)) == ("right",)
    assert references_of(answer("x", references=["a", "b", "a"])) == ("a", "b")
    assert references_of(answer("x")) == ()
    assert result("exact_match", [answer("b", references=["a", "b"])]).estimate.value == 1.0


def test_several_references_are_scored_in_several_processes_too() -> None:
    rows = [("a b", "a", "a b"), ("c d", "c x")]
    assert score_texts(rows, workers=2) == [score_pair(*row) for row in rows]
