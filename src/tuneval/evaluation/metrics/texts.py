"""ROUGE and BLEU of many pairs, in several processes when that pays."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

from tuneval.errors import TunevalError
from tuneval.evaluation.metrics.bleu import bleu_4
from tuneval.evaluation.metrics.rouge import rouge

CHARACTERS_PER_WORKER = 10_000_000
"""About eight seconds of work; a worker needs one or two to start and load the dictionary."""

TextPair = tuple[str, str]


def score_pair(prediction: str, reference: str) -> dict[str, float]:
    """ROUGE-1, -2, -L and BLEU-4 of one pair, 0..100, under LLaMA-Factory's keys."""
    values = rouge(prediction, reference)
    return {
        "rouge-1": values.rouge_1,
        "rouge-2": values.rouge_2,
        "rouge-l": values.rouge_l,
        "bleu-4": bleu_4(prediction, reference),
    }


def score_texts(pairs: Sequence[TextPair], *, workers: int | None = None) -> list[dict[str, float]]:
    """`score_pair` of every (prediction, reference), in order.

    `workers` None takes as many processes as pay, up to the CPUs that this one may use.
    """
    n_workers = _workers_that_pay(pairs) if workers is None else min(workers, len(pairs))
    if n_workers <= 1:
        return [score_pair(prediction, reference) for prediction, reference in pairs]
    # Every n-th pair: long texts often stand together.
    shares = [pairs[start::n_workers] for start in range(n_workers)]
    with ThreadPoolExecutor(n_workers) as threads:
        answers = list(threads.map(_score_in_a_process, shares))
    scores: list[dict[str, float]] = [{}] * len(pairs)
    for start, answer in enumerate(answers):
        scores[start::n_workers] = answer
    return scores


def _workers_that_pay(pairs: Sequence[TextPair]) -> int:
    n_characters = sum(len(prediction) + len(reference) for prediction, reference in pairs)
    affinity = getattr(os, "sched_getaffinity", None)
    n_cpus = len(affinity(0)) if affinity else os.cpu_count() or 1
    return min(n_cpus, n_characters // CHARACTERS_PER_WORKER)


def _score_in_a_process(pairs: Sequence[TextPair]) -> list[dict[str, float]]:
    # A fresh interpreter that runs this module: a fork could inherit the locks of torch's
    # threads, and multiprocessing's other ways would run the caller's script again.
    search_path = os.pathsep.join(folder for folder in sys.path if folder)
    done = subprocess.run(
        [sys.executable, "-m", __name__],
        input=json.dumps(pairs),
        env={**os.environ, "PYTHONPATH": search_path},
        capture_output=True,
        encoding="ascii",
        errors="backslashreplace",
        check=False,
    )
    if done.returncode:
        raise TunevalError(
            f"A process that scores texts ended with status {done.returncode}.",
            where=done.stderr.strip()[-500:],
            mend="see the message; workers=1 scores without further processes",
        )
    scores: list[dict[str, float]] = json.loads(done.stdout)
    return scores


def _answer_standard_input() -> None:
    pairs = json.load(sys.stdin)
    json.dump([score_pair(prediction, reference) for prediction, reference in pairs], sys.stdout)


if __name__ == "__main__":
    _answer_standard_input()
