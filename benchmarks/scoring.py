"""The five perplexity measures of real instruction records: tuneval against the usual way.

    TUNEVAL_TEST_DATA=/path/to/data python benchmarks/scoring.py [--records 40] [--model REF]

The usual way is written as published code does it: batches of 10 in file order, padded, with all
logits; every measure on its own; the zero-shot term of one-shot validity computed again. It gets
the same prompts, token for token, and runs without gradients. Both ways take the same records in
turn, twenty at a time, so that a machine that drifts hits both alike. Printed too: what the
arithmetic that is needed would take at the float32 matmul speed measured in between, and the
memory of both. Prints last the ratio of the times; exits with 1 when it is below --lowest or a
log-perplexity differs by more than 2e-4.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from peers.measuring import matmul_speed, timed

from tuneval.data.read import read
from tuneval.models.engines.torch import TorchEngine
from tuneval.models.load import load_model
from tuneval.models.sequences import Request, distinct_inputs
from tuneval.runs.events import Event, Finished
from tuneval.scoring.config import ScoreConfig
from tuneval.scoring.encoding import PromptEncoder, prompt_encoder
from tuneval.scoring.item import ScoringItem, exercises_of
from tuneval.scoring.measured import NAME, MeasuredParts, Measurer
from tuneval.scoring.peers import Peers
from tuneval.scoring.plan import plan, score_rows
from tuneval.scoring.scorers import PERPLEXITIES, SCORERS
from tuneval.scoring.setting import Setting

FILES = ("alpaca_en_demo.json", "alpaca_zh_demo.json")
BATCH_SIZE = 10
SLICE_SIZE = 20
LARGEST_DIFFERENCE = 2e-4
SHOTS = 3
Pair = tuple[list[int], list[int]]


class UsualWay:
    """Perplexities as published scoring code computes them, on a tokenizer and a model."""

    def __init__(self, model: Any, tokenizer: Any, encoder: PromptEncoder) -> None:
        self.model = model
        self.tokenizer = tokenizer
        self.encoder = encoder
        self.lead = encoder.lead("response").tolist()
        self.n_tokens = 0

    def log_perplexities(self, pairs: Sequence[Pair]) -> list[float]:
        """Mean negative log-likelihood of each target after its context."""
        found: list[float] = []
        for first in range(0, len(pairs), BATCH_SIZE):
            found += self._batch(pairs[first : first + BATCH_SIZE])
        return found

    def _batch(self, pairs: Sequence[Pair]) -> list[float]:
        width = max(len(context) + len(target) for context, target in pairs)
        input_ids = torch.zeros((len(pairs), width), dtype=torch.long)
        attention_mask = torch.zeros((len(pairs), width), dtype=torch.long)
        labels = torch.full((len(pairs), width), -100)
        for row, (context, target) in enumerate(pairs):
            n = len(context) + len(target)
            input_ids[row, :n] = torch.tensor([*context, *target])
            attention_mask[row, :n] = 1
            labels[row, len(context) : n] = input_ids[row, len(context) : n]
        self.n_tokens += input_ids.numel()
        with torch.no_grad():
            logits = self.model(input_ids=input_ids, attention_mask=attention_mask).logits
        shift_logits = logits[:, :-1].contiguous()
        shift_labels = labels[:, 1:].contiguous()
        losses = F.cross_entropy(
            shift_logits.view(-1, shift_logits.size(-1)), shift_labels.view(-1), reduction="none"
        ).view(shift_labels.shape)
        mask = shift_labels != -100
        sums = (losses * mask).double().sum(-1)
        return [float(value) for value in sums / mask.sum(-1)]

    def scores(
        self, items: Sequence[ScoringItem], peers: dict[str, list[ScoringItem]]
    ) -> dict[str, list[float]]:
        """Log-perplexities behind the five measures, each computed on its own."""
        prompts = [self._prompt(item) for item in items]
        responses = [self._response(item) for item in items]
        reversed_ = [self._reversed(item) for item in items]
        shown = [(item, peer) for item in items for peer in peers[item.id]]
        return {
            "prompt": self.log_perplexities(prompts),
            "response": self.log_perplexities(responses),
            "ifd given": self.log_perplexities([self._same_part(pair) for pair in responses]),
            "ifd alone": self.log_perplexities([self._alone(pair) for pair in responses]),
            "r_ifd given": self.log_perplexities([self._same_part(pair) for pair in reversed_]),
            "r_ifd alone": self.log_perplexities([self._alone(pair) for pair in reversed_]),
            "zero-shot": self.log_perplexities([self._response(peer) for _, peer in shown]),
            "one-shot": self.log_perplexities([self._shown(*pair) for pair in shown]),
        }

    def _prompt(self, item: ScoringItem) -> Pair:
        context, _ = self._response(item)
        start = max(1, len(self.encoder.bos))
        return context[:start], context[start:]

    def _response(self, item: ScoringItem) -> Pair:
        (turn,) = self.encoder.responses(item)
        return turn.context.tolist(), turn.target.tolist()

    def _reversed(self, item: ScoringItem) -> Pair:
        (turn,) = self.encoder.instructions(item)
        return turn.context.tolist(), turn.target.tolist()

    def _shown(self, shot: ScoringItem, peer: ScoringItem) -> Pair:
        (turn,) = self.encoder.one_shot(shot, peer)
        return turn.context.tolist(), turn.target.tolist()

    def _same_part(self, pair: Pair) -> Pair:
        context, target = pair
        n = 0 if self.lead else 1
        return context + target[:n], target[n:]

    def _alone(self, pair: Pair) -> Pair:
        _, target = pair
        n = 0 if self.lead else 1
        return self.lead + target[:n], target[n:]


class Ours:
    """The same through tuneval's plan, engine and store, as `tuneval score` goes."""

    def __init__(self, model: Any, encoder: PromptEncoder, items: Sequence[ScoringItem]) -> None:
        self.config = ScoreConfig(measures=PERPLEXITIES, shots=SHOTS)
        self.setting = Setting(tokenizer=encoder.tokenizer, prompts=encoder)
        self.scorers = [SCORERS.load(name)(self.config) for name in PERPLEXITIES]
        for scorer in self.scorers:
            scorer.begin(items, self.setting)
        self.engine = TorchEngine(model)
        self.folder = tempfile.TemporaryDirectory()
        measurer = Measurer("benchmark", "float32", "torch")
        self.measured = MeasuredParts(Path(self.folder.name) / NAME, measurer)
        self.computed = 0
        self.requests: dict[str, Request] = {}

    def scores(self, items: Sequence[ScoringItem]) -> dict[str, list[float]]:
        """Log-perplexities in the order in which the usual way gives them."""
        planned = plan(items, self.scorers, self.setting)
        keys = list(planned.requests)
        self.requests = {k: r for k, r in planned.requests.items() if k not in self.measured}
        self.engine.measure(
            list(planned.requests.values()),
            known={index for index, key in enumerate(keys) if key in self.measured},
            on_batch=lambda found: self.measured.append([(keys[i], nll) for i, nll in found]),
            report=self._count,
        )
        rows = score_rows(planned, self.scorers, self.setting, self.measured)
        parts = [
            ("prompt", "prompt_ppl", "prompt_ppl"),
            ("response", "response_ppl", "response_ppl"),
            ("ifd given", "ifd", "conditional"),
            ("ifd alone", "ifd", "unconditional"),
            ("r_ifd given", "r_ifd", "conditional"),
            ("r_ifd alone", "r_ifd", "unconditional"),
            ("zero-shot", "one_shot", "zero_shot"),
            ("one-shot", "one_shot", "one_shot"),
        ]
        return {
            title: [
                part["nll"] / part["n_tokens"]
                for row in rows
                for part in row.parts[measure]
                if part["part"] == name
            ]
            for title, measure, name in parts
        }

    def _count(self, event: Event) -> None:
        if isinstance(event, Finished):
            self.computed += int(event.values["computed"])


@dataclass
class Totals:
    """What is added up over the slices."""

    usual_seconds: float = 0.0
    our_seconds: float = 0.0
    needed_seconds: float = 0.0
    difference: float = 0.0
    usual_mebibytes: float = 0.0
    our_mebibytes: float = 0.0
    ratios: list[float] = field(default_factory=list)


def read_items(count: int, encoder: PromptEncoder) -> list[ScoringItem]:
    """So many records of each file; a language is a task.

    Those of one token are passed over: where nothing predicts it, the usual way divides by 0.
    """
    folder = os.environ.get("TUNEVAL_TEST_DATA")
    if not folder:
        sys.exit("TUNEVAL_TEST_DATA names no folder; instruct/alpaca_en_demo.json is read from it")
    items: list[ScoringItem] = []
    for name in FILES:
        examples = read(Path(folder) / "instruct" / name)
        found = (ScoringItem(example, exercises_of(example), name) for example in examples)
        items += islice((item for item in found if _is_defined(item, encoder)), count)
    return items


def _is_defined(item: ScoringItem, encoder: PromptEncoder) -> bool:
    turns = [*encoder.responses(item), *encoder.instructions(item)]
    return all(len(turn.target) > 1 for turn in turns)


def peers_of(items: Sequence[ScoringItem]) -> dict[str, list[ScoringItem]]:
    """The sampled peers of each item, those that tuneval samples."""
    by_id = {item.id: item for item in items}
    pools = Peers(((item.id, item.task) for item in items), seed=ScoreConfig().seed)
    return {
        item.id: [by_id[peer] for peer in pools.of(item.id, item.task, limit=SHOTS)]
        for item in items
    }


def operations(model: Any, requests: Sequence[Request], computed: int) -> float:
    """Multiplications and additions that these requests need: body, attention and head."""
    config = model.config.get_text_config()
    head = model.get_output_embeddings().weight.numel()
    body = sum(p.numel() for p in model.parameters()) - model.get_input_embeddings().weight.numel()
    inputs = distinct_inputs(requests)
    n_tokens = sum(map(len, inputs))
    rows = sum(len(_positions(item.readings)) for item in inputs)
    width = config.num_attention_heads * getattr(
        config, "head_dim", config.hidden_size // config.num_attention_heads
    )
    pairs = sum(len(item) * (len(item) + 1) / 2 for item in inputs) * computed / n_tokens
    return 2.0 * (body * computed + head * rows + 2 * config.num_hidden_layers * width * pairs)


def _positions(readings: Sequence[Any]) -> set[int]:
    return {reading.start + n for reading in readings for n in range(len(reading.targets))}


def slices(items: Sequence[ScoringItem]) -> Iterator[Sequence[ScoringItem]]:
    for first in range(0, len(items), SLICE_SIZE):
        yield items[first : first + SLICE_SIZE]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--records", type=int, default=40, help="records of each file")
    parser.add_argument("--model", default="bundled:smollm2-135m")
    parser.add_argument("--lowest", type=float, default=3.5, help="the ratio to reach")
    asked = parser.parse_args()
    loaded = load_model(asked.model, device="cpu")
    encoder = prompt_encoder(ScoreConfig(), loaded.tokenizer, longest=None)
    items = read_items(asked.records, encoder)
    peers = peers_of(items)
    usual = UsualWay(loaded.model, loaded.tokenizer, encoder)
    ours = Ours(loaded.model, encoder, items)
    usual.log_perplexities([([1], [2, 3]), ([1, 2], [3, 4])])  # first calls are slow
    matmul_speed()
    totals = Totals()
    for number, part in enumerate(slices(items)):
        compare(number, part, usual, ours, peers, totals)
    tell(totals, usual, ours, asked.lowest)


def compare(
    number: int,
    part: Sequence[ScoringItem],
    usual: UsualWay,
    ours: Ours,
    peers: dict[str, list[ScoringItem]],
    totals: Totals,
) -> None:
    """Both ways on the same records; who begins changes from slice to slice."""
    computed = ours.computed
    ways = {
        "usual": lambda: usual.scores(part, peers),
        "ours": lambda: ours.scores(part),
    }
    order = ["usual", "ours"] if number % 2 == 0 else ["ours", "usual"]
    found = {name: timed(ways[name]) for name in order}
    speed = matmul_speed()
    (expected, usual_took), (got, our_took) = found["usual"], found["ours"]
    usual_seconds, our_seconds = usual_took.seconds, our_took.seconds
    difference = max(
        float(np.abs(np.subtract(got[title], expected[title])).max()) for title in expected
    )
    needed = operations(usual.model, list(ours.requests.values()), ours.computed - computed)
    totals.usual_seconds += usual_seconds
    totals.our_seconds += our_seconds
    totals.needed_seconds += needed / speed
    totals.difference = max(totals.difference, difference)
    totals.usual_mebibytes = max(totals.usual_mebibytes, usual_took.mebibytes)
    totals.our_mebibytes = max(totals.our_mebibytes, our_took.mebibytes)
    totals.ratios.append(usual_seconds / our_seconds)
    print(
        f"records {number * SLICE_SIZE}-{number * SLICE_SIZE + len(part) - 1}: "
        f"usual {usual_seconds:.1f} s, tuneval {our_seconds:.1f} s, "
        f"ratio {usual_seconds / our_seconds:.2f}, largest difference {difference:.1e}, "
        f"matmul {speed / 1e9:.0f} GFLOP/s, needed {needed / 1e12:.2f} TFLOP",
        flush=True,
    )


def tell(totals: Totals, usual: UsualWay, ours: Ours, lowest: float) -> None:
    """The figures, the ratio last; exit status 1 when a bound is not met."""
    ratio = totals.usual_seconds / totals.our_seconds
    print(f"tokens through the model: usual {usual.n_tokens:,}, tuneval {ours.computed:,}")
    print(f"seconds: usual {totals.usual_seconds:.1f}, tuneval {totals.our_seconds:.1f}")
    print(
        f"needed arithmetic at the measured matmul speed: {totals.needed_seconds:.1f} s, "
        f"{totals.needed_seconds / totals.our_seconds:.2f} of tuneval's time"
    )
    print(
        "memory at the peak beyond what the process held before: "
        f"usual {totals.usual_mebibytes:.0f} MiB, "
        f"tuneval {totals.our_mebibytes:.0f} MiB"
    )
    print(f"largest difference of log-perplexity: {totals.difference:.1e}")
    print(f"ratios of the slices: {min(totals.ratios):.2f} to {max(totals.ratios):.2f}")
    print(f"ratio: {ratio:.2f}")
    if ratio < lowest or totals.difference > LARGEST_DIFFERENCE:
        sys.exit(1)


if __name__ == "__main__":
    main()
