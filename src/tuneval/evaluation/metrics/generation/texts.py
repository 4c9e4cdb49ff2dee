"""ROUGE and BLEU of many pairs, in several processes when that pays."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor

from tuneval.errors import TunevalError
from tuneval.evaluation.items import Item
from tuneval.evaluation.kinds import PerItem
from tuneval.evaluation.kinds.per_item import lacks_texts, texts_of
from tuneval.evaluation.metric import About, Unscored
from tuneval.evaluation.metrics.generation.bleu import bleu
from tuneval.evaluation.metrics.generation.rouge import rouge

CHARACTERS_PER_WORKER = 10_000_000
"""About eight seconds of work; a worker needs one or two to start and load the dictionary."""

Texts = tuple[str, ...]
"""An answer and its references, one at least."""


def score_pair(prediction: str, *references: str) -> dict[str, float]:
    """ROUGE-1, -2, -L and BLEU-1 to -4 of an answer, 0..100, under LLaMA-Factory's keys.

    Of several references ROUGE takes the best one, each variant its own; BLEU takes all together.
    """
    found = zip(*(rouge(prediction, reference) for reference in references), strict=True)
    by_order = enumerate(bleu(prediction, *references), start=1)
    return {
        **dict(zip(("rouge-1", "rouge-2", "rouge-l"), map(max, found), strict=True)),
        **{f"bleu-{order}": value for order, value in by_order},
    }


def score_texts(pairs: Sequence[Texts], *, workers: int | None = None) -> list[dict[str, float]]:
    """`score_pair` of every answer with its references, in order.

    `workers` None takes as many processes as pay, up to the CPUs that this one may use.
    """
    n_workers = _workers_that_pay(pairs) if workers is None else min(workers, len(pairs))
    if n_workers <= 1:
        return [score_pair(*texts) for texts in pairs]
    # Every n-th pair: long texts often stand together.
    shares = [pairs[start::n_workers] for start in range(n_workers)]
    with ThreadPoolExecutor(n_workers) as threads:
        answers = list(threads.map(_score_in_a_process, shares))
    scores: list[dict[str, float]] = [{}] * len(pairs)
    for start, answer in enumerate(answers):
        scores[start::n_workers] = answer
    return scores


def grade_texts(items: Sequence[Item]) -> list[Mapping[str, float | Unscored]]:
    """`score_texts` of the items that have both texts, nothing for the others; in order."""
    pairs: dict[int, Texts] = {}
    for place, item in enumerate(items):
        if lacks_texts(item) is None:
            prediction, references = texts_of(item)
            pairs[place] = (prediction, *references)
    scores = dict(zip(pairs, score_texts(list(pairs.values())), strict=True))
    return [dict(scores.get(place, {})) for place in range(len(items))]


def _workers_that_pay(pairs: Sequence[Texts]) -> int:
    n_characters = sum(len(text) for texts in pairs for text in texts)
    affinity = getattr(os, "sched_getaffinity", None)
    n_cpus = len(affinity(0)) if affinity else os.cpu_count() or 1
    return min(n_cpus, n_characters // CHARACTERS_PER_WORKER)


def _score_in_a_process(pairs: Sequence[Texts]) -> list[dict[str, float]]:
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
    json.dump([score_pair(*texts) for texts in pairs], sys.stdout)


def _row(name: str, *, source: str, use: str, avoid: str) -> PerItem:
    about = About(
        name=name,
        family="generation",
        unit="points",
        higher_is_better=True,
        range=(0.0, 100.0),
        needs=("prediction", "reference"),
        source=source,
        use=use,
        avoid=avoid,
    )

    def score(item: Item) -> float | Unscored:
        reason = lacks_texts(item)
        if reason is not None:
            return Unscored(reason)
        prediction, references = texts_of(item)
        return score_pair(prediction, *references)[name]

    return PerItem(about=about, score=score, batch=grade_texts)


_ROUGE = (
    "Lin (2004) as LLaMA-Factory reports it: rouge_chinese 1.0.3 on words of jieba; of several "
    "references the best"
)
ROUGE_1 = _row(
    "rouge-1",
    source=_ROUGE,
    use="to see how many of the reference's words an answer has, in English and Chinese",
    avoid="as a sign that an answer is true: a negated sentence keeps nearly all its words",
)
ROUGE_2 = _row(
    "rouge-2",
    source=_ROUGE,
    use="beside ROUGE-1: pairs of words, so their order counts a little",
    avoid="for answers of a word or two: they have no pairs",
)
ROUGE_L = _row(
    "rouge-l",
    source=_ROUGE,
    use="for summaries: the longest sequence of words that both have",
    avoid="to compare with tools that segment Chinese by character: their values are higher",
)
_BLEU = (
    "Papineni et al. (2002) as LLaMA-Factory reports BLEU-4: nltk's sentence BLEU on characters, "
    "smoothed by method 3; several references count together, as in the paper"
)
BLEU_1 = _row(
    "bleu-1",
    source=_BLEU,
    use="beside BLEU-4, to see whether the characters are right though their order is not",
    avoid="alone: any text of the same characters has 100",
)
BLEU_2 = _row(
    "bleu-2",
    source=_BLEU,
    use="for short answers in Chinese, where a word is often two characters",
    avoid="beside any other tool's BLEU-2, which is mostly on words",
)
BLEU_3 = _row(
    "bleu-3",
    source=_BLEU,
    use="between BLEU-2 and BLEU-4, where a table asks for all four",
    avoid="beside any other tool's BLEU-3, which is mostly on words",
)
BLEU_4 = _row(
    "bleu-4",
    source=_BLEU,
    use="to compare with LLaMA-Factory's numbers",
    avoid="for answers under four characters, and beside any other tool's BLEU: use sacrebleu",
)


if __name__ == "__main__":
    _answer_standard_input()
