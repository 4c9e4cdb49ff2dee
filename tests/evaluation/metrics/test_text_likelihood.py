from __future__ import annotations

import math
import re
from dataclasses import replace

import pytest
from answers import answer, result, value

from tuneval.evaluation.account import account_for
from tuneval.evaluation.items import Item, Read, TeacherForced

TEXTS = ["The rain fell.\nIt fell all day.", "雨下了一整天", " two  words"]
NLLS = [20.0, 15.0, 7.0]


def read(text: str, nll: float, n_tokens: int) -> Item:
    found = Read(nll, n_tokens, len(text), len(text.encode()))
    return replace(answer(), prompt=text, read=found)


def items() -> list[Item]:
    return [read(text, nll, 5) for text, nll in zip(TEXTS, NLLS, strict=True)]


def test_figures_are_ratios_of_sums_over_all_texts() -> None:
    nats, everything = sum(NLLS), "".join(TEXTS)
    assert value("text_perplexity", items()) == pytest.approx(math.exp(nats / 15))
    assert value("bits_per_character", items()) == pytest.approx(
        nats / len(everything) / math.log(2)
    )
    assert value("bits_per_byte", items()) == pytest.approx(
        nats / len(everything.encode()) / math.log(2)
    )


def test_words_are_counted_as_lm_eval_counts_them() -> None:
    n_words = sum(len(re.split(r"\s+", text)) for text in TEXTS)
    assert n_words == 7 + 1 + 3  # the blank in front makes one more, as there
    assert value("word_perplexity", items()) == pytest.approx(math.exp(sum(NLLS) / n_words))


def test_a_certain_model_needs_no_bits() -> None:
    certain = [read(text, 0.0, 4) for text in TEXTS]
    assert value("bits_per_byte", certain) == 0.0
    assert value("text_perplexity", certain) == 1.0


def test_a_text_that_was_not_read_or_not_kept_says_so() -> None:
    assert result("bits_per_byte", [answer("a", "b")]).unscored == {"the text was not read": 1}
    too_long = answer(skipped={"read": "too long"})
    assert result("text_perplexity", [too_long]).unscored == {"too long": 1}
    lost = replace(items()[0], prompt="The rain …")
    (reason,) = result("word_perplexity", [lost]).unscored
    assert "not kept" in reason
    assert result("bits_per_byte", [lost]).estimate is not None


@pytest.mark.parametrize("nll", [math.inf, math.nan, 1e308])
def test_a_likelihood_that_is_no_number_is_unscored_and_not_the_end(nll: float) -> None:
    whole, broken = items()[0], replace(items()[0], read=Read(nll, 3, 4, 5))
    for name in ("text_perplexity", "bits_per_byte"):
        found = account_for([whole, broken, whole], name, seed=1)
        assert found.estimate is not None
        assert found.estimate.n == 2
        assert found.unscored == {"its likelihood is no finite number": 1}
    response = replace(whole, teacher_forced=TeacherForced(nll, 2, 1, 1, 2, 3))
    found = account_for([response], "response_perplexity", seed=1)
    assert found.unscored == {"its likelihood is no finite number": 1}


def test_nothing_has_no_likelihood() -> None:
    item = replace(
        items()[0], read=Read(0.0, 0, 0, 0), teacher_forced=TeacherForced(0.0, 0, 0, 0, 0, 4)
    )
    assert account_for([item], "bits_per_byte", seed=1).unscored == {"the text has no token": 1}
    for name in ("token_accuracy", "token_accuracy_sample_mean", "response_perplexity"):
        assert account_for([item], name, seed=1).unscored == {"the response has no token": 1}
