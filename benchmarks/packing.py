"""Training steps on examples laid end to end, against the same examples padded to one length.

    python benchmarks/packing.py [--steps 4] [--batch-size 8] [--peer labelled|transformers]

Both sides train SmolLM2-135M-Instruct with the same LoRA, optimizer and loop on the English alpaca
demo set (`TUNEVAL_TEST_DATA/instruct`), in steps of 8 examples in a seeded order. They take turns
step by step, so that what the machine does meanwhile falls on both. tuneval lays the examples of a
step end to end, attention kept inside each, and what they all begin with stands there once. The
peer pads them on the right to the longest. With `--peer labelled` both have tuneval's loss, whose
output head runs at trained positions only, so that packing alone is measured; `transformers` is
what its models do when given labels: logits everywhere. The losses of every step have to agree
within 0.1%. The first step is left out of the timing. The ratio stands on the last line.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

LEARNING_RATE = 2e-4
TOLERANCE = 1e-3


def main() -> int:
    """Run both sides in turn; exit status 1 when a loss differs."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--steps", type=int, default=4)
    parser.add_argument("--batch-size", type=int, default=8)
    parser.add_argument("--peer", choices=("labelled", "transformers"), default="labelled")
    parser.add_argument("--model", default="bundled:smollm2-135m")
    options = parser.parse_args()
    if options.steps < 2:
        parser.error("the first step is not timed: --steps has to be 2 or more")
    if "TUNEVAL_TEST_DATA" not in os.environ:
        print("skipped: TUNEVAL_TEST_DATA is not set")
        return 0
    warnings.filterwarnings("ignore")
    os.environ.setdefault("HF_HUB_OFFLINE", "1")

    steps = steps_of(options)
    sides = {"padded": Side(options, packed=False), "packed": Side(options, packed=True)}
    for number, documents in enumerate(steps, start=1):
        for side in sides.values():
            side.step(documents)
        padded, packed = (side.losses[-1] for side in sides.values())
        seconds = ", ".join(f"{name} {side.seconds[-1]:.2f} s" for name, side in sides.items())
        print(
            f"step {number}: loss {padded:.5f} padded, {packed:.5f} packed; {seconds}", flush=True
        )

    padded, packed = sides.values()
    largest = max(abs(a - b) / a for a, b in zip(padded.losses, packed.losses, strict=True))
    agrees = largest <= TOLERANCE
    tokens = sum(len(d) for documents in steps[1:] for d in documents)
    print(f"{tokens} tokens timed, as {padded.n_tokens} padded and {packed.n_tokens} packed")
    print(
        f"largest relative difference of a loss: {largest:.2e}, {'fine' if agrees else 'TOO MUCH'}"
    )
    slow, fast = sum(padded.seconds[1:]), sum(packed.seconds[1:])
    print(
        f"ratio: {slow / fast:.2f} (packed {tokens / fast:.1f}, padded with {options.peer} logits "
        f"{tokens / slow:.1f} tokens/s)"
    )
    return 0 if agrees else 1


def steps_of(options: argparse.Namespace) -> list[list[Any]]:
    """The examples of each step, as tokens."""
    from tuneval.data.read import read
    from tuneval.models.load import load_tokenizer
    from tuneval.tokenization import encode_all, load_template
    from tuneval.training.batches import EpochSampler

    data = Path(os.environ["TUNEVAL_TEST_DATA"], "instruct", "alpaca_en_demo.json")
    template = load_template(load_tokenizer(options.model))
    tokens = encode_all(list(read(data)), template, max_length=1024).tokens
    order = list(EpochSampler(len(tokens), seed=17))
    size = options.batch_size
    return [
        [tokens[i] for i in order[start : start + size]]
        for start in range(0, options.steps * size, size)
    ]


class Side:
    """A model in training: the losses and seconds of its steps. `n_tokens` counts from the 2nd."""

    def __init__(self, options: argparse.Namespace, *, packed: bool) -> None:
        import torch
        import transformers

        from tuneval.models.load import load_model
        from tuneval.models.methods import LoraConfig, attach
        from tuneval.training.batches import Collate
        from tuneval.training.loss import NextTokenLoss
        from tuneval.training.trainer import prepare_for_packing

        transformers.set_seed(17)
        loaded = load_model(options.model)
        if packed:
            prepare_for_packing(loaded.model)
        model = attach(loaded.model, LoraConfig()).train()
        self.device = next(model.parameters()).device
        self.collate = collate_rows(Collate()) if packed else pad
        if packed:
            self.loss = NextTokenLoss(model)
        elif options.peer == "labelled":
            self.loss = NextTokenLoss(model, PaddedBody(model))
        else:
            self.loss = model_loss(model)
        trained = [p for p in model.parameters() if p.requires_grad]
        self.optimizer = torch.optim.AdamW(trained, lr=LEARNING_RATE, fused=True)
        self.losses: list[float] = []
        self.seconds: list[float] = []
        self.n_tokens = 0

    def step(self, documents: Sequence[Any]) -> None:
        """Forward, backward and the optimizer's step on these examples."""
        import torch

        started = time.perf_counter()
        inputs = {
            name: value.to(self.device) if isinstance(value, torch.Tensor) else value
            for name, value in self.collate(documents).items()
        }
        loss = self.loss(**inputs) / inputs["labels"].numel()
        loss.backward()
        self.optimizer.step()
        self.optimizer.zero_grad()
        self.n_tokens += inputs["input_ids"].numel() if self.losses else 0
        self.losses.append(loss.item())  # waits for a GPU
        self.seconds.append(time.perf_counter() - started)


def collate_rows(collate):
    """The examples of a step as one row, as our trainer lays them."""
    from tuneval.training.batches import Row

    return lambda documents: collate([Row(tuple(documents))])


def pad(documents: Sequence[Any]) -> dict[str, Any]:
    """The examples of a step as the rows of a matrix, padded on the right.

    `target_positions` (2, K) are the rows and columns whose output predicts `labels` (1, K).
    """
    import numpy as np
    import torch

    shape = len(documents), max(map(len, documents))
    ids, mask, targets = (np.zeros(shape, dtype=np.int64) for _ in range(3))
    for row, document in enumerate(documents):
        ids[row, : len(document)] = document.ids
        mask[row, : len(document)] = 1
        targets[row, 1 : len(document)] = document.loss_mask[1:]
    rows, columns = targets.nonzero()
    return {
        "input_ids": torch.from_numpy(ids),
        "attention_mask": torch.from_numpy(mask),
        "target_positions": torch.from_numpy(np.stack([rows, columns - 1])),
        "labels": torch.from_numpy(ids[rows, columns])[None],
    }


class PaddedBody:
    """A model on padded rows; its head runs at the labelled positions only."""

    def __init__(self, model: Any) -> None:
        self.decoder = model.get_base_model().get_decoder()

    def hidden(self, inputs: Mapping[str, Any]):
        """Last hidden states at the target positions, (K, D)."""
        states = self.decoder(
            input_ids=inputs["input_ids"],
            attention_mask=inputs["attention_mask"],
            use_cache=False,
        ).last_hidden_state
        return states[tuple(inputs["target_positions"])]


def model_loss(model: Any):
    """The summed loss of a model of transformers that is given labels."""
    import torch

    def loss(*, input_ids, attention_mask, target_positions, labels):
        rows, columns = target_positions
        everywhere = torch.full_like(input_ids, -100)
        everywhere[rows, columns + 1] = labels[0]
        return model(
            input_ids=input_ids,
            attention_mask=attention_mask,
            labels=everywhere,
            num_items_in_batch=1,  # its sum, not its mean
            use_cache=False,
        ).loss

    return loss


if __name__ == "__main__":
    sys.exit(main())
