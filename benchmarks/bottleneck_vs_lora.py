"""Step time of our own bottleneck adapters against peft's LoRA with about as many parameters.

    python benchmarks/bottleneck_vs_lora.py [--rows 3] [--epochs 3] [--rounds 3] [--rank 8]

Both train SmolLM2-135M-Instruct through tuneval's Trainer on the same packed rows of the English
alpaca demo set (`TUNEVAL_TEST_DATA/instruct`), in the same order, and both losses must fall: the
mean of the last epoch below that of the first. The sides take turns; a step's time is the shortest
that it took in any round, so that what else the machine does counts little, and the first step of
a round, which allocates, is left out. The ratio of the summed times stands on the last line; below
1 the bottleneck adapters are faster.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
import warnings
from dataclasses import dataclass, field
from pathlib import Path
from statistics import mean

SIDES = ("lora", "bottleneck")


@dataclass
class Round:
    """One training: seconds and loss of every step."""

    n_parameters: int = 0
    seconds: list[float] = field(default_factory=list)
    losses: list[float] = field(default_factory=list)


def main() -> int:
    """Train in alternation; exit status 1 when a loss does not fall."""
    options = parse()
    if "TUNEVAL_TEST_DATA" not in os.environ:
        print("skipped: TUNEVAL_TEST_DATA is not set")
        return 0
    warnings.filterwarnings("ignore")
    os.environ.setdefault("HF_HUB_OFFLINE", "1")
    rows = alpaca_rows(options)
    print(f"{len(rows)} rows, {rows.n_tokens} tokens, {options.epochs} epochs")
    rounds: dict[str, list[Round]] = {side: [] for side in SIDES}
    for number in range(1, options.rounds + 1):
        for side in SIDES:
            done = train(side, options, rows)
            rounds[side].append(done)
            print(
                f"round {number} {side:<10} {done.n_parameters:,} parameters, "
                f"{mean(done.seconds[1:]):.3f} s a step",
                flush=True,
            )
    falls = [loss_falls(side, rounds[side][0], len(rows)) for side in SIDES]
    lora, bottleneck = (fastest(rounds[side]) for side in SIDES)
    print(
        f"ratio: {bottleneck / lora:.3f} (step time, bottleneck {bottleneck:.3f} s, "
        f"LoRA {lora:.3f} s)"
    )
    return 0 if all(falls) else 1


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--rows", type=int, default=3)
    parser.add_argument("--max-length", type=int, default=512)
    parser.add_argument("--epochs", type=int, default=3)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--rank", type=int, default=8)
    parser.add_argument("--model", default="bundled:smollm2-135m")
    return parser.parse_args()


def alpaca_rows(options: argparse.Namespace):
    """The first full rows of the set."""
    from tuneval.data.read import read
    from tuneval.models.load import load_tokenizer
    from tuneval.tokenization import encode_all, load_template
    from tuneval.training.batches import Rows, make_rows

    data = Path(os.environ["TUNEVAL_TEST_DATA"], "instruct", "alpaca_en_demo.json")
    template = load_template(load_tokenizer(options.model))
    encoded = encode_all(list(read(data))[:200], template, max_length=options.max_length)
    rows = make_rows(encoded.tokens, max_length=options.max_length, packing=True)
    return Rows(rows.rows[: options.rows])


def train(side: str, options: argparse.Namespace, rows) -> Round:
    """All epochs from the beginning."""
    import transformers
    from transformers import TrainerCallback

    from tuneval.models.load import load_model
    from tuneval.models.methods import attach, count_parameters
    from tuneval.training.config import Epochs, Optimizer, Record, Schedule, TrainConfig
    from tuneval.training.trainer import Trainer, prepare_for_packing

    transformers.set_seed(17)
    model = load_model(options.model).model
    prepare_for_packing(model)
    method = asked_method(side, model, options.rank)
    model = attach(model, method)
    done = Round(count_parameters(model).trainable)

    class Listen(TrainerCallback):
        def on_step_begin(self, args, state, control, **_):
            self.begun = time.perf_counter()

        def on_step_end(self, args, state, control, **_):
            done.seconds.append(time.perf_counter() - self.begun)

        def on_log(self, args, state, control, logs=None, **_):
            if logs and "loss" in logs:
                done.losses.append(float(logs["loss"]))

    config = TrainConfig(
        method=method,
        duration=Epochs(epochs=options.epochs),
        optimizer=Optimizer(learning_rate=1e-3),
        schedule=Schedule(kind="constant", warmup_ratio=0.0),
        record=Record(save_steps=10**6),
    )
    with tempfile.TemporaryDirectory() as folder:
        trainer = Trainer(model, config, rows, folder=Path(folder))
        trainer.add_callback(Listen())
        trainer.train()
    return done


def asked_method(side: str, model, rank: int):
    """LoRA of the rank on every linear layer, or Houlsby adapters as close to it as they can be."""
    from tuneval.models.blocks import find_blocks, matrices
    from tuneval.models.methods import BottleneckConfig, LoraConfig

    if side == "lora":
        return LoraConfig(rank=rank)
    blocks, width = find_blocks(model), model.config.hidden_size
    shapes = [matrix.weight.shape for block in blocks for _, matrix in matrices(block.module)]
    lora_parameters = rank * sum(sum(shape) for shape in shapes)
    per_adapter = lora_parameters / (2 * len(blocks))
    return BottleneckConfig(size=round((per_adapter - width) / (2 * width + 1)))


def loss_falls(side: str, done: Round, n_rows: int) -> bool:
    """Whether the last epoch's mean loss is below the first's; prints both."""
    first, last = mean(done.losses[:n_rows]), mean(done.losses[-n_rows:])
    print(f"{side:<10} loss: first epoch {first:.4f}, last epoch {last:.4f}")
    return last < first


def fastest(rounds: list[Round]) -> float:
    """Mean over the steps but the first of the shortest time that each took."""
    return mean(min(times) for times in list(zip(*(r.seconds for r in rounds), strict=True))[1:])


if __name__ == "__main__":
    sys.exit(main())
