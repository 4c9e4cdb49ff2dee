"""Tokens per second of LoRA training: tuneval against TRL's SFTTrainer, on the same batches.

    python benchmarks/train_vs_trl.py [--steps 4] [--rounds 1] [--peer defaults|float32|fastest]
    python benchmarks/train_vs_trl.py --random-weights 24x1280 --precision bfloat16   # on a GPU

Both train SmolLM2-135M-Instruct with the same LoRA on the same token ids of the English alpaca
demo set (`TUNEVAL_TEST_DATA/instruct`), 8 examples a step in the same order, so the losses can be
compared step by step. TRL runs with its defaults: bfloat16 autocast and gradient checkpointing.
`--peer float32` takes the bfloat16 away, which makes it faster on many CPUs, `--peer fastest` the
gradient checkpointing too, which costs it memory. `--random-weights LAYERSxWIDTH` trains a Llama
of that shape with SmolLM2's tokenizer instead. Tokens are counted without padding. The first
step of every round is left out of the timing. The ratio stands on the last line.
"""

from __future__ import annotations

import argparse
import os
import statistics
import sys
import tempfile
import time
import warnings
from pathlib import Path

EXAMPLES_PER_STEP = 8
LEARNING_RATE = 2e-4
PEERS = {
    "defaults": {},
    "float32": {"bf16": False},
    "fastest": {"bf16": False, "gradient_checkpointing": False},
}


def main() -> int:
    """Run both sides in alternation; exit status 1 when the losses disagree."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--steps", type=int, default=4)
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--peer", choices=list(PEERS), default="defaults")
    parser.add_argument("--model", default="bundled:smollm2-135m")
    parser.add_argument("--random-weights", metavar="LAYERSxWIDTH")
    parser.add_argument("--precision", choices=["float32", "bfloat16"], default="float32")
    options = parser.parse_args()
    if "TUNEVAL_TEST_DATA" not in os.environ:
        print("skipped: TUNEVAL_TEST_DATA is not set")
        return 0
    warnings.filterwarnings("ignore")
    os.environ.setdefault("HF_HUB_OFFLINE", "1")

    with tempfile.TemporaryDirectory() as folder:
        if options.random_weights:
            options.model = make_model(options.random_weights, Path(folder))
        return compare(options)


def compare(options: argparse.Namespace) -> int:
    """Both sides in turn on the same tokens; the exit status."""
    from tuneval.data.read import read
    from tuneval.models.load import load_tokenizer
    from tuneval.tokenization import encode_all, load_template
    from tuneval.training.batches import EpochSampler

    data = Path(os.environ["TUNEVAL_TEST_DATA"], "instruct", "alpaca_en_demo.json")
    count = options.steps * EXAMPLES_PER_STEP
    examples = list(read(data))[:count]
    template = load_template(load_tokenizer(options.model))
    tokens = encode_all(examples, template, max_length=1024).tokens
    order = list(EpochSampler(len(tokens), seed=17))
    per_step = [
        sum(len(tokens[i]) for i in order[s : s + EXAMPLES_PER_STEP])
        for s in range(0, count, EXAMPLES_PER_STEP)
    ]
    print(f"{count} examples, {sum(per_step)} tokens, {sum(t.n_trained for t in tokens)} trained")

    ours, theirs = [], []
    for number in range(options.rounds):
        theirs.append(run_trl(options, [tokens[i] for i in order]))
        ours.append(run_tuneval(options, tokens))
        for name, side in (("TRL", theirs[-1]), ("tuneval", ours[-1])):
            print(f"round {number + 1} {name:<8} {speed(side, per_step):7.1f} tokens/s", flush=True)

    print("\nstep   TRL loss   tuneval loss")
    differences = []
    for step, (a, b) in enumerate(zip(theirs[0].losses, ours[0].losses, strict=True), start=1):
        differences.append(abs(a - b) / a)
        print(f"{step:4}   {a:8.4f}   {b:12.4f}")
    largest = max(differences)
    print(f"largest relative difference of a step's loss: {largest:.2%}")
    fast = statistics.median(speed(side, per_step) for side in ours)
    slow = statistics.median(speed(side, per_step) for side in theirs)
    rounded = options.peer == "defaults" or options.precision == "bfloat16"
    tolerance = 0.03 if rounded else 0.01  # bfloat16 rounds to 3 digits
    agrees = largest <= tolerance
    print(f"losses agree within {tolerance:.0%}: {'yes' if agrees else 'NO'}")
    print(f"ratio: {fast / slow:.2f} (tuneval {fast:.1f}, TRL {options.peer} {slow:.1f} tokens/s)")
    return 0 if agrees else 1


def make_model(shape: str, folder: Path) -> str:
    """A Llama of random weights, 64 wide heads, a quarter of them for keys, in a folder."""
    import transformers

    from tuneval.models.load import load_tokenizer

    layers, width = map(int, shape.split("x"))
    tokenizer = load_tokenizer("bundled:smollm2-135m")
    transformers.set_seed(17)
    config = transformers.LlamaConfig(
        vocab_size=len(tokenizer),
        hidden_size=width,
        intermediate_size=width * 8 // 3,
        num_hidden_layers=layers,
        num_attention_heads=width // 64,
        num_key_value_heads=width // 256,
        tie_word_embeddings=True,
        eos_token_id=tokenizer.eos_token_id,
    )
    model = transformers.LlamaForCausalLM(config)
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    print(f"a Llama of {model.num_parameters() / 1e9:.2f}B random weights")
    return str(folder)


class Clock:
    """Losses and end times of the steps of one training run."""

    def __init__(self) -> None:
        self.losses: list[float] = []
        self.ends: list[float] = []

    def callback(self):
        """A transformers callback that fills this clock."""
        from transformers import TrainerCallback

        clock = self

        class Listen(TrainerCallback):
            def on_step_end(self, args, state, control, **_):
                clock.ends.append(time.perf_counter())

            def on_log(self, args, state, control, logs=None, **_):
                if logs and "loss" in logs:
                    clock.losses.append(float(logs["loss"]))

        return Listen()


def speed(clock: Clock, tokens_per_step: list[int]) -> float:
    """Tokens without padding per second, the first step left out."""
    return sum(tokens_per_step[1:]) / (clock.ends[-1] - clock.ends[0])


def lora():
    """The same adapter for both sides, in peft's words."""
    from peft import LoraConfig

    return LoraConfig(r=8, lora_alpha=16, target_modules="all-linear", task_type="CAUSAL_LM")


def run_trl(options: argparse.Namespace, tokens) -> Clock:
    """SFTTrainer on ready-made ids and completion masks, in the given order."""
    import torch
    import transformers
    from datasets import Dataset
    from trl import SFTConfig, SFTTrainer

    from tuneval.models.load import load_model

    transformers.set_seed(17)
    loaded = load_model(options.model)
    rows = Dataset.from_list(
        [
            {"input_ids": t.ids.tolist(), "completion_mask": t.loss_mask.astype(int).tolist()}
            for t in tokens
        ]
    )
    clock = Clock()
    with tempfile.TemporaryDirectory() as folder:
        config = SFTConfig(
            output_dir=folder,
            max_steps=options.steps,
            per_device_train_batch_size=EXAMPLES_PER_STEP,
            learning_rate=LEARNING_RATE,
            lr_scheduler_type="constant",
            train_sampling_strategy="sequential",
            logging_steps=1,
            save_strategy="no",
            report_to="none",
            disable_tqdm=True,
            completion_only_loss=True,
            use_cpu=not torch.cuda.is_available(),  # without it bfloat16 is refused on a CPU
            **PEERS[options.peer],
        )
        trainer = SFTTrainer(
            model=loaded.model,
            args=config,
            train_dataset=rows,
            processing_class=loaded.tokenizer,
            peft_config=lora(),
            callbacks=[clock.callback()],
        )
        trainer.train()
    return clock


def run_tuneval(options: argparse.Namespace, tokens) -> Clock:
    """Our trainer; one row an example, so that every step has the peer's examples."""
    import peft
    import transformers

    from tuneval.models.load import load_model
    from tuneval.training.batches import make_rows
    from tuneval.training.config import (
        Arithmetic,
        Batches,
        Optimizer,
        Record,
        Schedule,
        Steps,
        TrainConfig,
    )
    from tuneval.training.trainer import Trainer, prepare_for_packing

    transformers.set_seed(17)
    loaded = load_model(options.model, dtype=options.precision)
    config = TrainConfig(
        duration=Steps(steps=options.steps),
        batches=Batches(batch_size=EXAMPLES_PER_STEP, packing=False),
        optimizer=Optimizer(learning_rate=LEARNING_RATE),
        schedule=Schedule(kind="constant", warmup_ratio=0.0),
        precision=Arithmetic(kind=options.precision),
        record=Record(save_steps=10**6),
    )
    prepare_for_packing(loaded.model)
    clock = Clock()
    with tempfile.TemporaryDirectory() as folder:
        model = peft.get_peft_model(loaded.model, lora())
        rows = make_rows(tokens, max_length=1024, packing=False)
        trainer = Trainer(model, config, rows, folder=Path(folder))
        trainer.add_callback(clock.callback())
        trainer.train()
    return clock


if __name__ == "__main__":
    sys.exit(main())
