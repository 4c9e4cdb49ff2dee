"""Published figures of people's votes and judges' verdicts, computed again from the votes."""

from __future__ import annotations

import csv
import json
import math
import os
from collections import Counter
from pathlib import Path

import pytest
from sklearn.metrics import precision_recall_fscore_support

from tuneval.statistics.agreement import cohen_kappa, fleiss_kappa, krippendorff_alpha
from tuneval.statistics.bradley_terry import Game, bradley_terry
from tuneval.statistics.classes import macro_f1
from tuneval.statistics.mcnemar import mcnemar

TIE = 0
SCORES = {0: 0.5, 1: 1.0, 2: 0.0}


def folder(name: str) -> Path:
    root = os.environ.get("TUNEVAL_TEST_DATA")
    if not root or not (Path(root) / name).is_dir():
        pytest.skip(f"TUNEVAL_TEST_DATA names no folder with {name}")
    return Path(root) / name


@pytest.fixture(scope="module")
def pairs() -> list[dict]:
    """PandaLM's 999 pairs, each judged by three people: 0 a tie, 1 or 2 the better answer."""
    return json.loads((folder("pandalm") / "testset-v1.json").read_text(encoding="utf-8"))


def annotators(pairs) -> list[tuple[int, ...]]:
    return [tuple(pair[f"annotator{n}"] for n in (1, 2, 3)) for pair in pairs]


def majority(pairs) -> list[int]:
    return [Counter(votes).most_common(1)[0][0] for votes in annotators(pairs)]


def verdicts(name: str, field: str, *, garbage: int | None = TIE) -> list[int | None]:
    rows = json.loads((folder("pandalm") / name).read_text(encoding="utf-8"))
    said = {"0": TIE, "1": 1, "2": 2, "Tie": TIE, "garbage": garbage}
    return [said[str(row[field])] for row in sorted(rows, key=lambda r: r["idx"])]


@pytest.mark.parametrize(("a", "b", "kappa"), [(1, 2, 0.8520), (1, 3, 0.8789), (2, 3, 0.8617)])
def test_people_agree_as_the_paper_says(pairs, a, b, kappa) -> None:
    # Wang et al. (2023), "PandaLM", section 3: 0.85, 0.88, 0.86.
    found = cohen_kappa(*([pair[f"annotator{n}"] for pair in pairs] for n in (a, b)))
    assert found.value == pytest.approx(kappa, abs=5e-5)
    assert found.low < kappa < found.high


def test_three_people_agree_by_every_coefficient(pairs) -> None:
    votes = annotators(pairs)
    assert sum(len(set(each)) == 1 for each in votes) == 879
    assert Counter(majority(pairs)) == {0: 105, 1: 422, 2: 472}
    # The mean of the three kappas is 0.8642; raters with alike habits give the same otherwise.
    assert fleiss_kappa(votes, n_resamples=500).value == pytest.approx(0.8642, abs=5e-4)
    assert krippendorff_alpha(votes, n_resamples=500).value == pytest.approx(0.8642, abs=5e-4)


@pytest.mark.parametrize(
    ("name", "field", "accuracy", "macro"),
    [
        ("gpt-3.5-turbo-testset-v1.json", "gpt_result", 0.7107, (0.5879, 0.5736, 0.5755)),
        ("pandalm-7b-testset-v1.json", "pandalm_result", 0.6677, (0.5738, 0.5750, 0.5743)),
    ],
)
def test_judges_are_right_as_often_as_the_paper_says(pairs, name, field, accuracy, macro) -> None:
    # The paper's table 2: accuracy, macro precision, recall and F1 beside the majority.
    true, said = majority(pairs), verdicts(name, field)
    assert sum(map(int.__eq__, true, said)) / 999 == pytest.approx(accuracy, abs=5e-5)
    found = precision_recall_fscore_support(true, said, average="macro")[:3]
    assert found == pytest.approx(macro, abs=5e-5)
    assert macro_f1([[s] for s in said], [[t] for t in true]) == pytest.approx(macro[2], abs=5e-5)


@pytest.mark.parametrize(("garbage", "flips"), [(TIE, (154, 111)), (None, (145, 115))])
def test_the_two_judges_differ_on_many_pairs(pairs, garbage, flips) -> None:
    """As what GPT-3.5's 25 unreadable verdicts count decides between p = 0.008 and p = 0.06."""
    true = majority(pairs)
    gpt = verdicts("gpt-3.5-turbo-testset-v1.json", "gpt_result", garbage=garbage)
    panda = verdicts("pandalm-7b-testset-v1.json", "pandalm_result")
    gpt_only = sum(g == t != p for g, p, t in zip(gpt, panda, true, strict=True))
    panda_only = sum(p == t != g for g, p, t in zip(gpt, panda, true, strict=True))
    assert (gpt_only, panda_only) == flips
    assert (mcnemar(*flips).p_value < 0.05) == (garbage == TIE)


def test_strengths_by_peoples_majority(pairs) -> None:
    games = [
        Game(*pair["cmp_key"].split("_"), SCORES[vote])
        for pair, vote in zip(pairs, majority(pairs), strict=True)
    ]
    found = bradley_terry(games, clusters=[pair["motivation_app"] for pair in pairs])
    # Ties half a win, 400 points for odds of 10 to 1, geometric mean at 1000.
    assert found.ratings() == pytest.approx(
        {
            "llama-7b": 1125.8,
            "pythia-6.9b": 1012.8,
            "bloom-7b": 996.8,
            "opt-7b": 957.8,
            "cerebras-gpt-6.7B": 906.8,
        },
        abs=0.05,
    )
    assert found.difference("llama-7b", "pythia-6.9b").excludes(0.0)
    assert not found.difference("pythia-6.9b", "bloom-7b").excludes(0.0)


def test_strengths_of_59_models_equal_another_implementation() -> None:
    """The votes of LLMFAO and the ratings that evalica computed of them."""
    with (folder("votes") / "llmfao.csv").open(encoding="utf-8") as file:
        votes = list(csv.DictReader(file))
    with (folder("votes") / "llmfao-golden.csv").open(encoding="utf-8") as file:
        golden = {
            row["item"]: float(row["score"])
            for row in csv.DictReader(file)
            if row["algorithm"] == "bradley_terry"
        }
    score = {"left": 1.0, "right": 0.0, "tie": 0.5}
    found = bradley_terry(
        (Game(vote["left"], vote["right"], score[vote["winner"]]) for vote in votes),
        clusters=[vote["prompt"] for vote in votes],
    )
    abilities = [math.exp(strength) for strength in found.strengths]
    shares = dict(zip(found.names, (a / sum(abilities) for a in abilities), strict=True))
    assert shares == pytest.approx(golden, rel=1e-9)
    assert (found.n_games, found.n_independent) == (8931, 13)
    assert found.names[0] == "GPT 4"
