"""Freeze tuning with what the frozen layers compute kept on the disk, against computing it anew.

    python benchmarks/freeze_cache.py [--rows 6] [--epochs 3] [--rounds 1] [--layers 3]
    python benchmarks/freeze_cache.py --data alpaca_en_demo.json

Both sides train the last layers of SmolLM2-135M-Instruct on the same packed rows with the same
trainer, a row a step; the data are the support tickets of the examples, or a file. The first epoch
fills the cache. From the second on, a row's step is timed on both sides; the median over epochs
and rounds counts, and the sum over the rows. Beside it stands the ratio of the operations that the
trainer counted in these steps: the limit, where all operations take the same time. It is the
higher, the fewer tokens are trained, since the output head stays to be done. Losses and trained
weights have to be identical, bit for bit. The ratio stands on the last line.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import statistics
import sys
import tempfile
import time
import warnings
from collections.abc import Iterator
from pathlib import Path

LEARNING_RATE = 1e-4
TICKETS = Path(__file__).parents[1] / "examples" / "support-tickets" / "tickets.jsonl"


def main() -> int:
    """Run both sides in alternation; exit status 1 when a loss differs."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--rows", type=int, default=6)
    parser.add_argument("--epochs", type=int, default=3)
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--layers", type=int, default=3)
    parser.add_argument("--max-length", type=int, default=1024)
    parser.add_argument("--model", default="bundled:smollm2-135m")
    parser.add_argument("--data", type=Path, default=TICKETS, help="a file of conversations")
    options = parser.parse_args()
    if options.epochs < 2:
        parser.error("the first epoch fills the cache: --epochs has to be 2 or more")
    warnings.filterwarnings("ignore")
    os.environ.setdefault("HF_HUB_OFFLINE", "1")

    rows = packed_rows(options)
    trained = sum(d.n_trained for row in rows for d in row.documents)
    print(f"{len(rows)} rows, {rows.n_tokens} tokens, {trained} of them trained", flush=True)
    plain, cached = [], []
    for number in range(1, options.rounds + 1):
        for name, side, keeps in (("plain", plain, False), ("cached", cached, True)):
            side.append(Side(options, rows, keeps=keeps))
            epochs = ", ".join(f"{sum(s for _, s in e):.1f}" for e in side[-1].epochs())
            print(f"round {number} {name:<6} seconds of each epoch: {epochs}", flush=True)

    results = {(tuple(side.losses), side.weights) for side in (*plain, *cached)}
    agrees = len(results) == 1
    print(f"losses and trained weights identical: {'yes' if agrees else 'NO'}")
    whole = sum(plain[0].seconds) / sum(cached[0].seconds)
    whole_limit = sum(plain[0].operations) / sum(cached[0].operations)
    print(f"the whole first round: {whole:.2f}, by its operations {whole_limit:.2f}")
    slow, fast = later_seconds(plain), later_seconds(cached)
    limit = later_operations(plain[0]) / later_operations(cached[0])
    ratio = slow / fast
    print(
        f"operations of an epoch after the first: {later_operations(plain[0]) / 1e12:.2f}e12 "
        f"without the cache, {later_operations(cached[0]) / 1e12:.2f}e12 with it; limit {limit:.2f}"
    )
    print(
        f"ratio: {ratio:.2f}, {ratio / limit:.2f} of the limit "
        f"({slow:.2f} s against {fast:.2f} s for an epoch after the first)"
    )
    return 0 if agrees else 1


def packed_rows(options: argparse.Namespace):
    """The first rows of the data, packed."""
    from tuneval.data.read import read
    from tuneval.models.load import load_tokenizer
    from tuneval.tokenization import encode_all, load_template
    from tuneval.training.batches import Rows, make_rows

    template = load_template(load_tokenizer(options.model))
    tokens = encode_all(list(read(options.data)), template, max_length=options.max_length).tokens
    rows = make_rows(tokens, max_length=options.max_length, packing=True)
    return Rows(rows.rows[: options.rows])


class Side:
    """One training: for each step its row, its seconds, its loss and the operations in it."""

    def __init__(self, options: argparse.Namespace, rows, *, keeps: bool) -> None:
        from tuneval.training.batches import EpochSampler

        self.n_rows = len(rows)
        self.order: list[int] = []
        for epoch in range(options.epochs):
            sampler = EpochSampler(len(rows), seed=17)
            sampler.set_epoch(epoch)
            self.order += list(sampler)
        self.seconds: list[float] = []
        self.losses: list[float] = []
        self.operations: list[float] = []
        self.weights = ""
        self._train(options, rows, keeps=keeps)

    def epochs(self) -> Iterator[list[tuple[int, float]]]:
        """(row, seconds) of the steps of each epoch."""
        steps = list(zip(self.order, self.seconds, strict=True))
        return (steps[s : s + self.n_rows] for s in range(0, len(steps), self.n_rows))

    def _train(self, options: argparse.Namespace, rows, *, keeps: bool) -> None:
        import transformers

        from tuneval.models.load import load_model
        from tuneval.models.methods import FreezeConfig, attach
        from tuneval.runs.events import ignore
        from tuneval.training.config import (
            Batches,
            Epochs,
            Optimizer,
            Record,
            Schedule,
            TrainConfig,
        )
        from tuneval.training.frozen import frozen_body
        from tuneval.training.trainer import Trainer, prepare_for_packing

        transformers.set_seed(17)
        loaded = load_model(options.model)
        config = TrainConfig(
            method=FreezeConfig(layers=options.layers, cache=keeps),
            duration=Epochs(epochs=options.epochs),
            batches=Batches(max_length=options.max_length),
            optimizer=Optimizer(learning_rate=LEARNING_RATE),
            schedule=Schedule(kind="constant", warmup_ratio=0.0),
            record=Record(save_steps=10**6),
        )
        prepare_for_packing(loaded.model)
        model = attach(loaded.model, config.method)
        with tempfile.TemporaryDirectory() as folder:
            body = frozen_body(
                model, config, rows.rows, weights=loaded.hash, folder=Path(folder), report=ignore
            )
            trainer = Trainer(model, config, rows, folder=Path(folder, "checkpoints"), body=body)
            trainer.add_callback(self._clock(trainer))
            trainer.train()
        self.weights = trained_hash(model)

    def _clock(self, trainer):
        """A transformers callback that fills this side."""
        from transformers import TrainerCallback

        side = self

        class Listen(TrainerCallback):
            def on_step_begin(self, *_, **__):
                self.began, self.operations = time.perf_counter(), trainer.current_flos

            def on_step_end(self, *_, **__):
                side.seconds.append(time.perf_counter() - self.began)
                side.operations.append(trainer.current_flos - self.operations)

            def on_log(self, args, state, control, logs=None, **_):
                if logs and "loss" in logs:
                    side.losses.append(logs["loss"])

        return Listen()


def trained_hash(model) -> str:
    """SHA-256 of all trained parameters."""
    content = hashlib.sha256()
    for parameter in model.parameters():
        if parameter.requires_grad:
            content.update(parameter.detach().cpu().numpy().tobytes())
    return content.hexdigest()


def later_seconds(sides: list[Side]) -> float:
    """Seconds of an epoch after the first: the sum of the rows' medians."""
    times: dict[int, list[float]] = {}
    for side in sides:
        for epoch in list(side.epochs())[1:]:
            for row, seconds in epoch:
                times.setdefault(row, []).append(seconds)
    return sum(map(statistics.median, times.values()))


def later_operations(side: Side) -> float:
    """Operations of an epoch after the first, on average."""
    later = side.operations[side.n_rows :]
    return sum(later) / (len(later) / side.n_rows)


if __name__ == "__main__":
    sys.exit(main())
