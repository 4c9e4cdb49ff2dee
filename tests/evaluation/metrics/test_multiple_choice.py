from __future__ import annotations

import numpy as np
import pytest
from answers import answer, result, value
from hypothesis import example, given
from hypothesis import strategies as st

from tuneval.evaluation.items import Chosen

METRICS = ["choice_accuracy", "choice_accuracy_by_characters", "choice_accuracy_by_bytes"]
LOGPROBS = st.lists(st.floats(-200, -0.01), min_size=3, max_size=3)
TEXTS = st.lists(st.text("ab对错", min_size=1, max_size=9), min_size=3, max_size=3)


@example([-2.0, -3.4, -9.0], ["a", "bb", "a"], 1)  # a blank counted as part would say 0
@given(LOGPROBS, TEXTS, st.integers(0, 2))
def test_the_three_measures_are_those_of_lm_eval(
    logprobs: list[float], texts: list[str], gold: int
) -> None:
    # As process_results of lm_eval.api.task has them.
    characters = np.array([float(len(text)) for text in texts])
    in_bytes = np.array([float(len(text.encode("utf-8"))) for text in texts])
    expected = [np.argmax(np.array(logprobs) / size) == gold for size in (1, characters, in_bytes)]
    chosen = Chosen(tuple(f" {text}" for text in texts), tuple(logprobs), (1, 1, 1), (gold,))
    assert [value(metric, [answer(chosen=chosen)]) for metric in METRICS] == expected


def test_of_equally_likely_choices_the_first_is_taken() -> None:
    chosen = Chosen((" A", " B"), (-1.0, -1.0), (1, 1), (1,))
    assert value("choice_accuracy", [answer(chosen=chosen)]) == 0.0


def test_any_of_several_right_choices_is_right() -> None:
    chosen = Chosen((" A", " B", " C"), (-3.0, -1.0, -2.0), (1, 1, 1), (0, 1))
    assert value("choice_accuracy", [answer(chosen=chosen)]) == 1.0


def test_items_without_choices_or_without_a_key_are_counted_with_their_reason() -> None:
    unknown = Chosen((" A", " B"), (-1.0, -2.0), (1, 1), ())
    items = [answer("A"), answer(chosen=unknown), answer(skipped={"chosen": "too long"})]
    found = result("choice_accuracy", items)
    assert found.estimate is None
    assert found.unscored == {"no choices": 1, "no right choice is known": 1, "too long": 1}


@pytest.mark.parametrize(("gold", "low", "high"), [(0, 0.51, 1.0), (1, 0.0, 0.49)])
def test_all_right_and_nothing_right_still_have_an_interval(
    gold: int, low: float, high: float
) -> None:
    items = [answer(chosen=Chosen((" A", " B"), (-1.0, -2.0), (1, 1), (gold,))) for _ in range(4)]
    estimate = result("choice_accuracy", items).estimate
    # Wilson (1927) for 4 of 4: z² / (n + z²) is left over.
    assert (estimate.low, estimate.high) == pytest.approx((low, high), abs=0.005)
