"""Multiple choice on CMMLU, 5-shot: tuneval against lm-evaluation-harness and the plain loop.

    TUNEVAL_TEST_DATA=/path/to/data python benchmarks/choice_vs_lm_eval.py [--items 24]
        [--subjects agronomy arts …] [--model REF] [--lm-eval-python /path/to/python]

All get the same prompts, lm-eval's own. lm-eval runs in its own environment: that of
`--lm-eval-python`, or one that is made in tuneval's cache folder when first needed (pip, torch
of this version). The plain loop is LLaMA-Factory's evaluator: batches of 4 in file order, padded,
all logits, the last position compared over the letters. Subjects are taken in turn and who begins
changes, so that a machine that drifts hits all alike. tuneval's time is that of `answer`, with
tokenising its prompts and writing each answer to disk. The share of matmul peak is the arithmetic
that a way does by itself over what this machine's float32 matrix products could have done in its
time. What the others compute beyond what is needed bounds the ratios: it grows with the items of
a subject, and with the vocabulary (they give every position its logits). Ratios come last; the
exit status is 1 when one is below its bound, an argmax differs from lm-eval's or the loop's, or a
log-probability from lm-eval's by more than 1e-4.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Any

import torch
from peers.lm_eval_client import LmEval, lm_eval_python
from peers.measuring import Took, matmul_speed, operations, timed

from tuneval.evaluation.answering.kept import Kept
from tuneval.evaluation.answering.local import LocalRespondent
from tuneval.evaluation.config import EvaluateConfig
from tuneval.evaluation.question import Question
from tuneval.evaluation.tasks.cmmlu import Cmmlu
from tuneval.models.load import LoadedModel, load_model
from tuneval.models.sequences import Request, common_prefix, distinct_inputs
from tuneval.models.sources import sources_of

SUBJECTS = ("agronomy", "food_science", "machine_learning", "security_study")
LARGEST_DIFFERENCE = 1e-4
PLAIN_BATCH = 4


@dataclass
class Way:
    """What one way took, over all subjects; `best` and `logprobs` question by question."""

    seconds: float = 0.0
    cpu_seconds: float = 0.0
    mebibytes: float = 0.0
    operations: float = 0.0
    best: list[int] = field(default_factory=list)
    logprobs: list[list[float]] = field(default_factory=list)

    def add(self, found: list[Any], took: Took, operations: float) -> None:
        """One more subject."""
        self.seconds += took.seconds
        self.cpu_seconds += took.cpu_seconds
        self.mebibytes = max(self.mebibytes, took.mebibytes)
        self.operations += operations
        if isinstance(found[0], list):
            self.logprobs += found
            found = [row.index(max(row)) for row in found]
        self.best += found


class Peers:
    """The three ways, on the same questions."""

    def __init__(self, asked: argparse.Namespace, folder: Path) -> None:
        self.loaded = load_model(asked.model, device="cpu")
        self.respondent = LocalRespondent(self.loaded, template="chatml")
        self.folder = folder
        self.lm_eval = LmEval(
            lm_eval_python(asked.lm_eval_python),
            sources_of(asked.model).base,
            batch_size=asked.lm_eval_batch,
        )

    def ours(self, questions: Sequence[Question]) -> list[list[float]]:
        """As `tuneval evaluate` answers them: the log-probability of each choice."""
        ready = self.respondent.prepare(questions, EvaluateConfig())
        kept = Kept(self.folder / f"{len(list(self.folder.iterdir()))}.jsonl", wanted=ready.asked)
        self.respondent.answer(ready, kept=kept, stage="choices")
        return [kept.rows[question.id]["logprobs"] for question in questions]

    def harness(self, questions: Sequence[Question]) -> tuple[list[list[float]], Took]:
        """As lm-eval measures them, with what it took."""
        pairs = [(text_of(q), choice) for q in questions for choice in q.choices]
        logprobs, took = self.lm_eval.loglikelihood(pairs)
        found = iter(logprobs)
        return [[next(found) for _ in question.choices] for question in questions], took

    def plain(self, questions: Sequence[Question]) -> list[int]:
        """LLaMA-Factory's way to compare letters: the place of the likeliest."""
        tokenizer, found = self.loaded.tokenizer, []
        letters = [
            tokenizer(c, add_special_tokens=False)["input_ids"][-1] for c in questions[0].choices
        ]
        for first in range(0, len(questions), PLAIN_BATCH):
            texts = [text_of(question) for question in questions[first : first + PLAIN_BATCH]]
            batch = padded(tokenizer(texts)["input_ids"])
            with torch.inference_mode():
                logits = self.loaded.model(**batch).logits
            lengths = batch["attention_mask"].sum(-1)
            last = torch.stack([logits[row, n - 1] for row, n in enumerate(lengths)])
            found += last[:, letters].softmax(-1).argmax(-1).tolist()
        return found


def padded(rows: Sequence[Sequence[int]]) -> dict[str, torch.Tensor]:
    """Ids on the left, padding on the right."""
    ids = torch.zeros((len(rows), max(map(len, rows))), dtype=torch.long)
    mask = torch.zeros_like(ids)
    for place, row in enumerate(rows):
        ids[place, : len(row)] = torch.tensor(row)
        mask[place, : len(row)] = 1
    return {"input_ids": ids, "attention_mask": mask}


def text_of(question: Question) -> str:
    """The whole prompt of a text question."""
    parts = (question.head, *question.shots, question.prompt, question.begins)
    return "".join(str(part) for part in parts)


def read_questions(subjects: Sequence[str], items: int) -> list[list[Question]]:
    """So many questions of each subject, as lm-eval asks them."""
    data = os.environ.get("TUNEVAL_TEST_DATA")
    if not data:
        sys.exit("TUNEVAL_TEST_DATA names no folder; cmmlu/ is read from it")
    tasks = [
        Cmmlu(path=f"{data}/cmmlu", protocol="lm-eval", shots=5, subjects=(subject,))
        for subject in subjects
    ]
    return [list(task.load().questions[:items]) for task in tasks]


def arithmetic(name: str, batch: int, loaded: LoadedModel, questions: Sequence[Question]) -> float:
    """Multiplications and additions: of tuneval what cannot be avoided, each token once after
    all that came before it; of the others what their batches hold, padding included.
    """
    ids = [loaded.tokenizer(text_of(question))["input_ids"] for question in questions]
    if name == "tuneval":
        inputs = [item.ids for item in distinct_inputs([Request(row, [0]) for row in ids])]
        shared = [0, *(common_prefix(a, b) for a, b in pairwise(inputs))]
        new = [len(row) - known for row, known in zip(inputs, shared, strict=True)]
        return operations(loaded.model, lengths=list(map(len, inputs)), new=new, rows=len(inputs))
    lengths = [len(row) for row in ids]
    if name == "lm-eval":
        lengths.sort(reverse=True)
    batches = [lengths[i : i + batch] for i in range(0, len(lengths), batch)]
    padded_to = [max(some) for some in batches for _ in some]
    return operations(loaded.model, lengths=padded_to, new=padded_to, rows=sum(padded_to))


def measure(name: str, way: Way, peers: Peers, questions: Sequence[Question], batch: int) -> None:
    """One way on the questions of one subject."""
    needed = arithmetic(name, batch, peers.loaded, questions)
    match name:
        case "lm-eval":
            way.add(*peers.harness(questions), needed)
        case "plain loop":
            way.add(*timed(lambda: peers.plain(questions)), needed)
        case _:
            way.add(*timed(lambda: peers.ours(questions)), needed)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--items", type=int, default=24, help="questions of each subject")
    parser.add_argument("--subjects", nargs="+", default=SUBJECTS)
    parser.add_argument("--model", default="bundled:smollm2-135m")
    parser.add_argument("--lm-eval-python", help="an environment that has lm-eval")
    parser.add_argument("--lm-eval-batch", type=int, default=8)
    parser.add_argument("--lowest", type=float, default=5.0, help="the ratio to lm-eval to reach")
    parser.add_argument("--lowest-plain", type=float, default=10.0, help="that to the plain loop")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        peers = Peers(asked, Path(folder))
        (first, *_), *_ = subjects = read_questions(asked.subjects, asked.items)
        batches = {"lm-eval": asked.lm_eval_batch, "plain loop": PLAIN_BATCH, "tuneval": 0}
        for name, batch in batches.items():  # first calls are slow
            measure(name, Way(), peers, [first], batch)
        ways = {name: Way() for name in batches}
        speeds = []
        for number, questions in enumerate(subjects):
            for name in list(ways) if number % 2 == 0 else list(ways)[::-1]:
                measure(name, ways[name], peers, questions, batches[name])
            speeds.append(matmul_speed())
            told = ", ".join(f"{name} {way.seconds:.1f} s" for name, way in ways.items())
            print(f"{questions[0].tags['subject']}: so far {told}", flush=True)
        peers.lm_eval.close()
    tell(ways, sum(speeds) / len(speeds), asked)


def tell(ways: dict[str, Way], speed: float, asked: argparse.Namespace) -> None:
    """The figures, the ratios last; exit status 1 when a bound is not met."""
    ours, harness, plain = ways["tuneval"], ways["lm-eval"], ways["plain loop"]
    print(f"{len(ours.best)} questions of {len(asked.subjects)} subjects, {asked.model}")
    print(f"matmul: {speed / 1e9:.0f} GFLOP/s on {torch.get_num_threads()} threads")
    for name, way in ways.items():
        print(
            f"{name}: {way.seconds:.1f} s, {way.cpu_seconds:.1f} s of CPU, "
            f"{len(way.best) / way.seconds:.2f} items/s, "
            f"{way.operations / way.seconds / speed:.2f} of matmul peak, "
            f"{way.mebibytes:.0f} MiB at the peak beyond the model"
        )
    more = {name: way.operations / ours.operations for name, way in ways.items()}
    print("arithmetic, times what is needed: " + ", ".join(f"{n} {r:.2f}" for n, r in more.items()))
    difference = max(
        abs(a - b)
        for one, other in zip(ours.logprobs, harness.logprobs, strict=True)
        for a, b in zip(one, other, strict=True)
    )
    differing = sum(a != b for a, b in zip(ours.best, harness.best, strict=True))
    also = sum(a != b for a, b in zip(ours.best, plain.best, strict=True))
    print(f"largest difference of a log-probability from lm-eval's: {difference:.1e}")
    print(f"another argmax than lm-eval: {differing} items; than the plain loop: {also} items")
    by_cpu = {name: way.cpu_seconds / ours.cpu_seconds for name, way in ways.items()}
    print(
        f"ratios of CPU seconds: lm-eval {by_cpu['lm-eval']:.2f}, loop {by_cpu['plain loop']:.2f}"
    )
    to_plain = plain.seconds / ours.seconds
    print(f"ratio to the plain loop: {to_plain:.2f}")
    ratio = harness.seconds / ours.seconds
    print(f"ratio: {ratio:.2f}")
    if (
        ratio < asked.lowest
        or to_plain < asked.lowest_plain
        or differing
        or also
        or difference > LARGEST_DIFFERENCE
    ):
        sys.exit(1)


if __name__ == "__main__":
    main()
