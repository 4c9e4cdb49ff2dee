"""BLEU and ROUGE of 300 real pairs: tuneval against jieba + rouge_chinese + nltk, one by one.

    python benchmarks/metrics.py [--rounds 3]

The pairs, from `TUNEVAL_TEST_DATA/instruct`: 100 times an English and 100 times a Chinese answer
against the next one of the alpaca demo sets (no text twice), and 100 times the chosen against the
rejected answer of dpo_zh_demo. The peer is the procedure as LLaMA-Factory runs it, with the
packages' own functions. Both use one process, both have their dictionary loaded, and tuneval's
caches of words are emptied before every round. Times are the best of the rounds, taken in
alternation. All 1,200 scores must agree to 4 decimals. The ratio stands on the last line.
"""

from __future__ import annotations

import argparse
import json
import logging
import os
import sys
import time
import warnings
from collections.abc import Callable
from pathlib import Path

PAIRS_PER_SET = 100

Pairs = list[tuple[str, str]]
Scores = list[dict[str, float]]


def main() -> int:
    """Score all sets in both ways; exit status 1 when a score disagrees."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    if "TUNEVAL_TEST_DATA" not in os.environ:
        print("skipped: TUNEVAL_TEST_DATA is not set")
        return 0
    sets = read_pairs(Path(os.environ["TUNEVAL_TEST_DATA"], "instruct"))
    peer, ours = load_peer(), load_ours()

    total_peer = total_ours = 0.0
    n_different = 0
    for name, pairs in sets.items():
        peer_times, our_times = [], []
        for _ in range(options.rounds):
            peer_seconds, peer_scores = timed(peer, pairs)
            our_seconds, our_scores = timed(ours, pairs)
            peer_times.append(peer_seconds)
            our_times.append(our_seconds)
            n_different += sum(a != b for a, b in zip(peer_scores, our_scores, strict=True))
        total_peer += min(peer_times)
        total_ours += min(our_times)
        characters = sum(len(text) for pair in pairs for text in pair) / (2 * len(pairs))
        print(
            f"{name:24} {len(pairs)} pairs of {characters:4.0f} characters:"
            f" packages {min(peer_times):6.3f} s, tuneval {min(our_times):6.3f} s,"
            f" ratio {min(peer_times) / min(our_times):5.1f}"
        )
    n_pairs = sum(map(len, sets.values()))
    print(f"{n_pairs} pairs, {n_different} with a score that differs in the 4th decimal or before")
    print(f"all together: packages {total_peer:.3f} s, tuneval {total_ours:.3f} s")
    print(f"ratio {total_peer / total_ours:.1f}")
    return 1 if n_different else 0


def read_pairs(folder: Path) -> dict[str, Pairs]:
    """(prediction, reference) of the three sets."""

    def records(name: str) -> list[dict]:
        return json.loads((folder / name).read_text(encoding="utf-8"))

    def neighbours(name: str) -> Pairs:
        answers = [record["output"] for record in records(name)[: 2 * PAIRS_PER_SET]]
        return list(zip(answers[::2], answers[1::2], strict=True))

    preferences = records("dpo_zh_demo.json")[:PAIRS_PER_SET]
    return {
        "alpaca_en, neighbours": neighbours("alpaca_en_demo.json"),
        "alpaca_zh, neighbours": neighbours("alpaca_zh_demo.json"),
        "dpo_zh, rejected-chosen": [
            (record["rejected"]["value"], record["chosen"]["value"]) for record in preferences
        ],
    }


def load_peer() -> Callable[[Pairs], Scores]:
    """The packages, one pair after the other."""
    started = time.perf_counter()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import jieba
        from nltk.translate.bleu_score import SmoothingFunction, sentence_bleu
        from rouge_chinese import Rouge
    jieba.setLogLevel(logging.WARNING)
    jieba.initialize()
    print(f"packages: imported and dictionary loaded in {time.perf_counter() - started:.2f} s")

    def score(prediction: str, reference: str) -> dict[str, float]:
        hypothesis, target = list(jieba.cut(prediction)), list(jieba.cut(reference))
        if not " ".join(hypothesis).split() or not " ".join(target).split():
            scores = {"rouge-1": 0.0, "rouge-2": 0.0, "rouge-l": 0.0}
        else:
            values = Rouge().get_scores(" ".join(hypothesis), " ".join(target))[0]
            scores = {name: round(value["f"] * 100, 4) for name, value in values.items()}
        bleu = sentence_bleu(
            [list(reference)], list(prediction), smoothing_function=SmoothingFunction().method3
        )
        return {**scores, "bleu-4": round(bleu * 100, 4)}

    return lambda pairs: [score(*pair) for pair in pairs]


def load_ours() -> Callable[[Pairs], Scores]:
    """`score_texts` in this one process, nothing remembered from the round before."""
    started = time.perf_counter()
    from tuneval.evaluation.metrics.generation.rouge import forget_words
    from tuneval.evaluation.metrics.generation.segment import forget_segments, load_dictionary
    from tuneval.evaluation.metrics.generation.texts import score_texts

    load_dictionary()
    print(f"tuneval: imported and dictionary loaded in {time.perf_counter() - started:.2f} s")

    def score(pairs: Pairs) -> Scores:
        forget_segments()
        forget_words()
        return score_texts(pairs, workers=1)

    return score


def timed(score: Callable[[Pairs], Scores], pairs: Pairs) -> tuple[float, Scores]:
    """Seconds taken, and the scores."""
    started = time.perf_counter()
    scores = score(pairs)
    return time.perf_counter() - started, scores


if __name__ == "__main__":
    sys.exit(main())
