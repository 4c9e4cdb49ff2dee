"""Metrics of texts against the libraries themselves, their papers' examples, and brute force."""

from __future__ import annotations

import math
import random
import time
from collections import Counter
from functools import cache
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import sacrebleu
from answers import answer, answers, difference, result, value
from hypothesis import given, settings
from hypothesis import strategies as st
from rouge_score.rouge_scorer import RougeScorer

from tuneval.errors import MissingPackageError, UsageError
from tuneval.evaluation.items import Item
from tuneval.evaluation.metric import Unscored
from tuneval.evaluation.metrics import load_metric
from tuneval.evaluation.metrics.generation import meteor as meteor_module
from tuneval.evaluation.metrics.generation.chrf import chrf_counts, chrf_of_sums
from tuneval.evaluation.metrics.generation.corpus_bleu import bleu_counts, bleu_of_sums
from tuneval.evaluation.metrics.generation.meteor import meteor
from tuneval.evaluation.metrics.generation.rouge_words import rouge_words
from tuneval.evaluation.metrics.generation.token_f1 import token_f1
from tuneval.evaluation.metrics.generation.words import tokens, words

ENGLISH = ["the cat sat on the mat", "The cat sat on a mat.", "a dog", "mat the on sat", "", "cat"]
CHINESE = ["猫坐在垫子上", "一只猫坐在垫子上。", "狗", "今天天气很好", "", "猫"]
PAIRS = st.lists(
    st.tuples(st.sampled_from(ENGLISH), st.sampled_from(ENGLISH)), min_size=1, max_size=6
)
CHINESE_PAIRS = st.lists(
    st.tuples(st.sampled_from(CHINESE), st.sampled_from(CHINESE)), min_size=1, max_size=6
)


def spoken(texts: list[str | None]) -> list[Item]:
    """Answers to which there is no reference."""
    return [answer(text) for text in texts]


def in_corpus(metric: Any, pairs: list[tuple[str, str]]) -> float:
    said, true = (list(side) for side in zip(*pairs, strict=True))
    return float(metric.corpus_score(said, [true]).score)


@given(PAIRS)
def test_sacrebleu_of_a_set_is_sacrebleus_corpus_score(pairs: list[tuple[str, str]]) -> None:
    sums = np.sum([bleu_counts(*pair, tokenizer="13a") for pair in pairs], axis=0, dtype=float)
    assert bleu_of_sums(sums) == pytest.approx(in_corpus(sacrebleu.BLEU(), pairs), abs=1e-9)


@given(CHINESE_PAIRS)
def test_sacrebleu_splits_chinese_as_its_own_tokenizer(pairs: list[tuple[str, str]]) -> None:
    sums = np.sum([bleu_counts(*pair, tokenizer="zh") for pair in pairs], axis=0, dtype=float)
    expected = in_corpus(sacrebleu.BLEU(tokenize="zh"), pairs)
    assert bleu_of_sums(sums) == pytest.approx(expected, abs=1e-9)


@given(PAIRS | CHINESE_PAIRS)
def test_chrf_of_a_set_is_sacrebleus_corpus_score(pairs: list[tuple[str, str]]) -> None:
    sums = np.sum([chrf_counts(*pair) for pair in pairs], axis=0, dtype=float)
    assert chrf_of_sums(sums) == pytest.approx(in_corpus(sacrebleu.CHRF(), pairs), abs=1e-9)


def test_the_tokenizer_follows_the_language_of_the_reference() -> None:
    assert bleu_counts("猫坐下", "猫站起") == bleu_counts("猫坐下", "猫站起", tokenizer="zh")
    assert bleu_counts("x, y", "x, z") == bleu_counts("x, y", "x, z", tokenizer="13a")
    assert bleu_counts("猫坐下", "猫站起")[2] == 1
    assert bleu_counts("猫坐下", "猫站起", tokenizer="13a")[2] == 0


def test_sums_of_many_resamples_are_scored_row_by_row() -> None:
    random_sums = np.random.default_rng(5).integers(0, 9, (3, 4, 10)).astype(float)
    random_sums[..., 2:6] = np.minimum(random_sums[..., 2:6], random_sums[..., 6:])
    rows = bleu_of_sums(random_sums)
    for place in np.ndindex(3, 4):
        row = random_sums[place]
        expected = sacrebleu.BLEU.compute_bleu(
            [int(n) for n in row[2:6]], [int(n) for n in row[6:]], int(row[0]), int(row[1]), "exp"
        )
        assert rows[place] == pytest.approx(expected.score, abs=1e-9)


@pytest.mark.parametrize("name", ["sacrebleu", "chrf"])
def test_corpus_scores_have_an_interval_and_a_paired_difference(name: str) -> None:
    true = ["the cat sat on the mat", "a dog barked at the moon", "rain fell all day long"] * 8
    good = answers([text.replace("the", "a") for text in true], true)
    bad = answers([" ".join(reversed(text.split())) for text in true], true)
    estimate = result(name, good).estimate
    assert estimate.low < estimate.value < estimate.high
    paired = difference(name, bad, good)
    assert paired.difference.value == pytest.approx(estimate.value - value(name, bad))
    assert paired.p_value < 0.01
    assert value(name, answers(true, true)) == pytest.approx(100)


def test_an_unknown_tokenizer_is_answered_with_the_near_one() -> None:
    with pytest.raises(UsageError) as caught:
        load_metric("sacrebleu:13")
    assert "'13a'" in caught.value.mend


PIECES = st.lists(
    st.sampled_from(["The", "cat's", "cat", "sat,", "on", "U.S.", "1998", "naïve", "-", "mat"]),
    max_size=9,
).map(" ".join)


@given(PIECES, PIECES)
def test_rouge_of_words_is_googles(prediction: str, reference: str) -> None:
    scorer = RougeScorer(["rouge1", "rouge2", "rougeL"], use_stemmer=False)
    expected = scorer.score(reference, prediction)
    for variant in "12l":
        found = rouge_words(prediction, reference, variant=variant)
        key = f"rouge{variant.upper()}"
        assert found == pytest.approx(100 * expected[key].fmeasure)


def test_rouge_of_words_counts_chinese_characters() -> None:
    assert rouge_words("我买了iPhone", "我买iPhone", variant="1") == pytest.approx(600 / 7)
    assert value("rouge_words", answers(["一二三"], ["三一二"])) == pytest.approx(400 / 6)
    with pytest.raises(UsageError, match="no ROUGE-3"):
        load_metric("rouge_words:3")


@pytest.mark.parametrize(
    ("prediction", "score"),
    [
        ("the cat sat on the mat", 0.9977),  # one chunk of six words
        ("the cat was sat on the mat", 0.9654),  # two chunks; six of seven words match
        ("on the mat sat the cat", 0.5000),  # six chunks
    ],
)
def test_meteor_of_the_worked_examples_that_are_commonly_shown(
    prediction: str, score: float
) -> None:
    assert meteor(prediction, "the cat sat on the mat") == pytest.approx(score, abs=5e-5)


WORDS = ["a", "b", "cat", "Cats", "car", "auto", "cars", "run", "running", "runs", ",", "猫", "Ab"]
SAID = st.lists(st.sampled_from(WORDS), max_size=12).map(" ".join)


@given(SAID, SAID)
@settings(max_examples=300)
def test_meteor_is_nltks(prediction: str, reference: str) -> None:
    from nltk.translate.meteor_score import single_meteor_score

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(meteor_module, "_wordnet", SmallWordNet)
        words_of = meteor_module._words
        for stages, wordnet in (("stem", NoSynonyms()), ("wordnet", SmallWordNet())):
            expected = single_meteor_score(
                words_of(reference), words_of(prediction), wordnet=wordnet
            )
            assert meteor(prediction, reference, stages=stages) == pytest.approx(expected)


def test_meteor_of_long_texts_takes_no_longer_than_they_are() -> None:
    """What nltk 3.9 took a minute for: no word of either stands in the other."""
    long, other = (" ".join(f"{side}{n}" for n in range(20_000)) for side in "xy")
    began = time.process_time()
    assert meteor(long, other) == 0.0
    assert time.process_time() - began < 20


def test_meteor_matches_stems_and_no_synonyms_by_default() -> None:
    same_stem = meteor("running", "runs")
    assert same_stem == pytest.approx(0.5)  # one word, one chunk: half is lost to the penalty
    assert meteor("car", "automobile") == 0.0
    assert meteor("", "a") == meteor("a", "") == 0.0


def test_meteor_of_chinese_is_on_words_of_jieba() -> None:
    assert meteor("我们去公园散步", "我们去公园") == pytest.approx(
        meteor("we go park walk", "we go park")
    )


class SmallWordNet:
    """In the place of nltk's corpus: one word has one synonym."""

    def ensure_loaded(self) -> None: ...

    def synsets(self, word: str) -> list[Any]:
        lemma = SimpleNamespace(name=lambda: "auto")
        return [SimpleNamespace(lemmas=lambda: [lemma])] if word == "car" else []


class NoSynonyms:
    def synsets(self, word: str) -> list[Any]:
        return []


class NoWordNet:
    def ensure_loaded(self) -> None:
        raise LookupError


def test_synonyms_count_only_when_they_are_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(meteor_module, "_wordnet", SmallWordNet)
    assert value("meteor:wordnet", answers(["car"], ["auto"])) == pytest.approx(0.5)
    assert value("meteor", answers(["car"], ["auto"])) == 0.0


def test_synonyms_without_wordnet_are_refused_with_the_way_to_get_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    meteor_module._wordnet.cache_clear()
    corpora = SimpleNamespace(wordnet=NoWordNet())
    monkeypatch.setattr(meteor_module, "require", lambda *_, **__: corpora)
    with pytest.raises(MissingPackageError, match="WordNet") as caught:
        meteor("car", "auto", stages="wordnet")
    assert "nltk.downloader wordnet" in caught.value.mend
    with pytest.raises(UsageError, match="no stage 'synonyms'"):
        load_metric("meteor:synonyms")


def squad_f1(prediction: str, reference: str) -> float:
    """As SQuAD's evaluate-v2.0.py has it, for English."""
    import re
    import string

    def normalize(text: str) -> list[str]:
        text = "".join(ch for ch in text.lower() if ch not in set(string.punctuation))
        return " ".join(re.sub(r"\b(a|an|the)\b", " ", text).split()).split()

    said, true = normalize(prediction), normalize(reference)
    shared = sum((Counter(said) & Counter(true)).values())
    if not said or not true:
        return float(said == true)
    if shared == 0:
        return 0.0
    precision, recall = shared / len(said), shared / len(true)
    return 2 * precision * recall / (precision + recall)


@given(
    st.lists(st.sampled_from(["The", "a", "cat", "cat's", "U.S.", "$1998", "-", "!"]), max_size=6),
    st.lists(st.sampled_from(["the", "an", "Cat", "cats", "US", "1998", "dog"]), max_size=6),
)
def test_token_f1_of_english_is_squads(said: list[str], true: list[str]) -> None:
    pair = " ".join(said), " ".join(true)
    assert token_f1(*pair) == pytest.approx(squad_f1(*pair))


@pytest.mark.parametrize(
    ("prediction", "reference", "expected"),
    [
        ("北京市", "北京", 0.8),  # two of three characters, two of two
        ("“北京”。", "北京", 1.0),
        ("iPhone手机", "iphone", 0.5),  # one word and two characters against one word
        ("Ａ，。", "", 0.0),
        ("。", "", 1.0),
        ("the", "a", 1.0),
    ],
)
def test_token_f1_of_chinese_is_by_character(
    prediction: str, reference: str, expected: float
) -> None:
    assert token_f1(prediction, reference) == pytest.approx(expected)


def test_words_are_characters_in_chinese_and_words_elsewhere() -> None:
    assert tokens("Don't 买iPhone15, 好吗？") == ["Don't", "买", "iPhone15", ",", "好", "吗", "？"]
    assert words("Don't 买iPhone15, 好吗？") == ["don't", "买", "iphone15", "好", "吗"]


def brute_distinct(texts: list[str], n: int) -> float:
    grams = [tuple(w[i : i + n]) for w in map(words, texts) for i in range(len(w) - n + 1)]
    return len(set(grams)) / len(grams)


TEXTS = st.lists(
    st.lists(st.sampled_from("abc"), min_size=2, max_size=5).map(" ".join), min_size=2, max_size=6
)


@given(TEXTS, st.integers(1, 2))
def test_distinct_is_types_over_all_n_grams_and_its_error_leaves_each_out(
    texts: list[str], n: int
) -> None:
    items = spoken(texts)
    found = load_metric(f"distinct:{n}").left_out(items, None)
    assert found.value == pytest.approx(brute_distinct(texts, n))
    left_out = [brute_distinct(texts[:i] + texts[i + 1 :], n) for i in range(len(texts))]
    assert found.without == pytest.approx(left_out)


def test_distinct_leaves_whole_groups_out() -> None:
    texts = ["a b", "a c", "d e", "d e f"]
    found = load_metric("distinct:1").left_out(spoken(texts), ["x", "x", None, "y"])
    expected = [brute_distinct(rest, 1) for rest in (texts[2:], texts[:2] + texts[3:], texts[:3])]
    assert found.without == pytest.approx(expected)
    assert found.estimate().n_clusters == 3


def test_the_interval_of_distinct_holds_what_other_answers_would_give() -> None:
    """The expected figure of so many answers, drawn again and again, lies inside nearly always."""
    dice = random.Random(3)
    vocabulary = [f"w{n}" for n in range(60)]

    def drawn() -> list[str]:
        return [
            " ".join(dice.choices(vocabulary, [1 / (n + 1) for n in range(60)], k=8))
            for _ in range(30)
        ]

    expected = np.mean([brute_distinct(drawn(), 2) for _ in range(300)])
    metric = load_metric("distinct:2")
    inside = 0
    for _ in range(200):
        estimate = metric.estimate(spoken(drawn()), clusters=None, seed=0)
        inside += estimate.low <= expected <= estimate.high
    assert inside >= 186


def test_systems_that_repeat_themselves_are_told_apart() -> None:
    dice = random.Random(1)
    varied = [" ".join(dice.choices("abcdefghijklmnop", k=9)) for _ in range(30)]
    same = [" ".join(dice.choices("abcd", k=9)) for _ in range(30)]
    paired = difference("distinct:2", spoken(same), spoken(varied))
    expected = brute_distinct(varied, 2) - brute_distinct(same, 2)
    assert paired.difference.value == pytest.approx(expected)
    assert paired.difference.excludes(0)
    assert paired.p_value < 1e-6
    assert paired.n_higher > paired.n_lower
    alike = difference("distinct:2", spoken(same), spoken(same))
    assert (alike.p_value, alike.n_equal) == (1.0, 30)


def test_distinct_has_no_figure_without_words_and_no_interval_of_one_answer() -> None:
    assert result("distinct:2", spoken(["", "word"])).estimate is None
    assert result("distinct:1", spoken(["one answer"])).estimate.low is None
    assert result("distinct", spoken([None, "a b"])).unscored == {"not answered": 1}


def test_repetition_is_the_share_of_an_answer_that_stood_before() -> None:
    # a b | b a | a b | b a: two of four pairs are new.
    assert value("repetition:2", spoken(["a b a b a"])) == pytest.approx(0.5)
    assert value("repetition:2", spoken(["一二三四"])) == 0.0
    found = result("repetition", spoken(["too short"]))
    assert found.unscored == {"the answer has fewer than 4 words": 1}


@pytest.mark.parametrize("name", ["distinct:0", "distinct:two", "repetition:10", "distinct:²"])
def test_a_wrong_length_of_a_run_is_refused(name: str) -> None:
    with pytest.raises(UsageError, match="length of a run"):
        load_metric(name)


@cache
def package_scores() -> dict[str, list[float]]:
    """bert_score 0.3.13 on all-MiniLM-L6-v2, last layer, of the pairs below."""
    return {
        "bertscore": [0.894438, 0.669207, 0.625513, 0.649568, 1.0],
        "bertscore:idf": [0.888987, 0.667981, 0.604236, 0.625754, 1.0],
    }


SAID = [
    "The cat sat on the mat.",
    "It is freezing today",
    "Refund my order, please!",
    "a",
    "Where is my parcel?",
]
TRUE = [
    "A cat is sitting on a mat.",
    "The weather is cold today",
    "The order has been refunded.",
    "The letter a",
    "Where is my parcel?",
]


@pytest.mark.parametrize("name", ["bertscore", "bertscore:idf"])
def test_bertscore_equals_the_package_bert_score(name: str) -> None:
    from encoders import minilm

    from tuneval.evaluation.grade import grade

    minilm()
    graded = grade(answers(SAID, TRUE), [name])
    assert [item.grades[name] for item in graded] == pytest.approx(package_scores()[name], abs=2e-6)


def plain_bertscore(encoder: Any, said: str, true: str, weights: dict[int, float]) -> float:
    """The formula of Zhang et al. (2020), one text at a time, word for word."""
    import torch

    def states(text: str) -> tuple[list[int], Any]:
        ids = encoder.tokenizer(text)["input_ids"]
        with torch.no_grad():
            hidden = encoder.model(input_ids=torch.tensor([ids])).last_hidden_state[0]
        return ids, torch.nn.functional.normalize(hidden, dim=-1)

    special = {encoder.tokenizer.cls_token_id, encoder.tokenizer.sep_token_id}

    def mean(ours: tuple[list[int], Any], theirs: tuple[list[int], Any]) -> float:
        above = below = 0.0
        for token, state in zip(*ours, strict=True):
            weight = 0.0 if token in special else weights.get(token, 1.0)
            above += weight * max(float(state @ other) for other in theirs[1])
            below += weight
        return above / below

    ours, theirs = states(said), states(true)
    precision, recall = mean(ours, theirs), mean(theirs, ours)
    return 2 * precision * recall / (precision + recall)


def test_bertscore_on_another_encoder_is_the_formula_token_by_token(tmp_path: Any) -> None:
    from encoders import tiny_bert

    from tuneval.evaluation.grade import grade
    from tuneval.models.embeddings import load_encoder

    folder = str(tiny_bert(tmp_path / "bert"))
    encoder = load_encoder(folder, device="cpu")
    said, true = ["abc def", "order", "我的订单"], ["abd", "orders please", "订单在哪里"]
    name = f"bertscore:{folder}"
    found = [item.grades[name] for item in grade(answers(said, true), [name])]
    expected = [plain_bertscore(encoder, *pair, {}) for pair in zip(said, true, strict=True)]
    assert found == pytest.approx(expected, abs=1e-5)
    name = f"bertscore:idf:{folder}"
    ids = [set(encoder.tokenizer(text)["input_ids"]) for text in true]
    every = range(len(encoder.tokenizer))
    idf = {token: math.log(4 / (1 + sum(token in each for each in ids))) for token in every}
    found = [item.grades[name] for item in grade(answers(said, true), [name])]
    expected = [plain_bertscore(encoder, *pair, idf) for pair in zip(said, true, strict=True)]
    assert found == pytest.approx(expected, abs=1e-5)


def test_bertscore_of_a_blank_answer_is_zero_and_idf_of_one_item_is_not_defined(
    tmp_path: Any,
) -> None:
    from encoders import tiny_bert

    folder = str(tiny_bert(tmp_path / "bert"))
    plain, weighted = load_metric(f"bertscore:{folder}"), load_metric(f"bertscore:idf:{folder}")
    (blank,) = answers([""], ["abc"])
    assert plain.score(blank) == 0.0
    (item,) = answers(["abc"], ["abc"])
    assert plain.score(item) == pytest.approx(1.0, abs=1e-6)
    assert isinstance(weighted.score(item), Unscored)
    assert result(f"bertscore:{folder}", answers([None], ["abc"])).unscored == {"not answered": 1}


def test_signs_that_squads_script_keeps_are_words() -> None:
    for said, true in [
        ("😀", "😢"),
        ("5€", "5"),
        ("20°", "20"),
        ("😀", "😀"),
        ("$5", "5"),
        ("~", "~"),
    ]:
        assert token_f1(said, true) == squad_f1(said, true)
    assert token_f1("＋5～", "5") == 1.0


def test_the_interval_of_many_grades_stays_within_the_range() -> None:
    items = [answer("no", "yes") for _ in range(2_400)] + [answer("yes", "yes")]
    found = result("token_f1", items).estimate
    assert found is not None
    assert found.method == "Student t"
    assert found.low == 0.0
    assert found.high > found.value
