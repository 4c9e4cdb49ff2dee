"""Every tuning method on one job: what it trains, costs, saves, and what comes of it.

    python benchmarks/methods.py [--methods "LoRA;IA3"] [--epochs 0.5] [--write docs/methods.md]

SmolLM2-135M-Instruct learns the shipped support tickets (the split of the quickstart recipe) with
each method in turn, from the same rows in the same order; then the held-out answers are measured
by their likelihood. Every method trains in a process of its own, so that its peak memory is its
own; all are measured by the same evaluation. Learning rates are the ones in `METHODS`: a method
that moves few numbers needs a higher one. `--write` puts the table between the marks of a page.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

MODEL = "bundled:smollm2-135m"
SEED, HELD_OUT = 3, 0.25
BEGIN, END = "<!-- measured: begin -->", "<!-- measured: end -->"

# Name in the table: the method's config, and its learning rate.
METHODS: dict[str, tuple[dict[str, Any], float]] = {
    "full": ({"kind": "full"}, 1e-4),
    "freeze (last 3 layers)": ({"kind": "freeze", "layers": 3}, 3e-4),
    "LoRA": ({"kind": "lora", "rank": 16, "alpha": 32}, 1e-3),
    "rsLoRA": ({"kind": "lora", "rank": 16, "alpha": 16, "use_rslora": True}, 1e-3),
    "DoRA": ({"kind": "lora", "rank": 16, "alpha": 32, "use_dora": True}, 1e-3),
    "LoRA+": ({"kind": "lora", "rank": 16, "alpha": 32, "learning_rate_ratio": 8}, 3e-4),
    "PiSSA": ({"kind": "lora", "rank": 16, "alpha": 16, "init": "pissa_niter_4"}, 3e-4),
    "QLoRA, 8 bit": ({"kind": "qlora", "bits": 8, "rank": 16, "alpha": 32}, 1e-3),
    "QLoRA, 4 bit": ({"kind": "qlora", "bits": 4, "rank": 16, "alpha": 32}, 1e-3),
    "adapter, Houlsby": ({"kind": "bottleneck", "placement": "houlsby"}, 1e-3),
    "adapter, Pfeiffer": ({"kind": "bottleneck", "placement": "pfeiffer"}, 1e-3),
    "IA3": ({"kind": "ia3"}, 1e-2),
    "prefix tuning": ({"kind": "prefix"}, 1e-3),
    "P-tuning v2": ({"kind": "p_tuning_v2"}, 1e-2),
    "P-tuning, MLP": ({"kind": "p_tuning"}, 5e-3),
    "P-tuning, LSTM": ({"kind": "p_tuning", "encoder": "lstm"}, 2e-3),
    "prompt tuning": ({"kind": "prompt"}, 3e-2),
}


def main() -> int:
    """Measure the methods one after the other and print the table."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--methods", default=";".join(METHODS), help="names, separated by ';'")
    parser.add_argument("--epochs", type=float, default=0.5)
    parser.add_argument("--write", type=Path, help="a page whose table is replaced")
    parser.add_argument("--work", type=Path, help="keep the trained models here")
    parser.add_argument("--one", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.one is not None:
        print(json.dumps(measure_one(options)))
        return 0
    os.environ.setdefault("HF_HUB_OFFLINE", "1")
    names = options.methods.split(";")
    if unknown := [name for name in names if name not in METHODS]:
        parser.error(f"no such method: {', '.join(unknown)}; there are {'; '.join(METHODS)}")
    with tempfile.TemporaryDirectory() as temporary:
        work = options.work or Path(temporary)
        base = held_out_result(MODEL, work / "base")
        rows = []
        for name in names:
            rows.append(in_its_own_process(name, options.epochs, work))
            print(line(rows[-1]), flush=True)
    table = "\n".join([*header(base), *map(line, rows)])
    print(f"\n{table}")
    if options.write:
        put_between_marks(options.write, table)
    return 0


def in_its_own_process(name: str, epochs: float, work: Path) -> dict[str, Any]:
    """The row of a method."""
    command = [sys.executable, __file__, "--one", name, "--epochs", str(epochs)]
    done = subprocess.run(
        [*command, "--work", str(work)], stdout=subprocess.PIPE, text=True, check=True
    )
    row: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    folder = work / slug(name)
    return row | held_out_result(str(folder / row["weights"]), work / f"{slug(name)}-held-out")


def measure_one(options: argparse.Namespace) -> dict[str, Any]:
    """Train with one method; what it took."""
    from tuneval.training.config import TrainConfig
    from tuneval.training.train import train

    method, learning_rate = METHODS[options.one]
    config = TrainConfig.model_validate(
        {
            "method": method,
            "duration": {"epochs": options.epochs},
            "optimizer": {"learning_rate": learning_rate},
            "batches": {"max_length": 512, "batch_size": 2},
            "record": {"save_steps": 10**6},
            "seed": SEED,
        }
    )
    folder = options.work / slug(options.one)
    folder.mkdir(parents=True)
    result = train(config, model=MODEL, examples=sides().train, folder=folder)
    weights = folder / result.weights
    files = [path for path in weights.iterdir() if path.suffix in (".safetensors", ".bin")]
    return {
        "name": options.one,
        "learning_rate": learning_rate,
        "trainable": result.trainable_parameters,
        "share": result.trainable_parameters / result.total_parameters,
        "tokens_per_second": result.tokens_per_second,
        "peak_mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
        "saved_mib": sum(path.stat().st_size for path in files) / 2**20,
        "weights": result.weights,
    }


def held_out_result(model: str, folder: Path) -> dict[str, Any]:
    """Likelihood of the held-out answers, with intervals."""
    from tuneval.evaluation.config import EvaluateConfig
    from tuneval.evaluation.evaluate import evaluate

    config = EvaluateConfig(generate=False)
    result = evaluate(config, model=model, examples=sides().held_out, folder=folder, name="held")
    found = {}
    for metric in ("response_perplexity", "token_accuracy"):
        estimate = result.metrics[metric].estimate
        found[metric] = (estimate.value, estimate.low, estimate.high)
    return found


def sides():
    """The split of the quickstart recipe."""
    from tuneval import files
    from tuneval.data.read import read
    from tuneval.data.split import split

    examples = list(read(files.shipped("examples/support-tickets/tickets.jsonl")))
    return split(examples, held_out=HELD_OUT, by="group", seed=SEED)


def header(base: dict[str, Any]) -> list[str]:
    columns = [
        "method", "trained", "share", "learning rate", "tokens/s", "peak memory",
        "held-out perplexity", "token accuracy", "saved",
    ]  # fmt: skip
    untuned = ["*untuned*", "", "", "", "", "", *measured(base), ""]
    return [row_of(columns), row_of(["---"] * len(columns)), row_of(untuned)]


def line(row: dict[str, Any]) -> str:
    return row_of(
        [
            row["name"],
            f"{row['trainable']:,}",
            f"{row['share']:.3%}",
            f"{row['learning_rate']:g}",
            f"{row['tokens_per_second']:.0f}",
            f"{row['peak_mib']:,.0f} MiB",
            *measured(row),
            f"{row['saved_mib']:.2f} MiB",
        ]
    )


def measured(row: dict[str, Any]) -> list[str]:
    perplexity, accuracy = row["response_perplexity"], row["token_accuracy"]
    return [
        "{:.3f} [{:.3f}, {:.3f}]".format(*perplexity),
        "{:.1f}% [{:.1f}, {:.1f}]".format(*(100 * value for value in accuracy)),
    ]


def row_of(cells: list[str]) -> str:
    return "| " + " | ".join(cells) + " |"


def slug(name: str) -> str:
    return "".join(c if c.isalnum() else "-" for c in name)


def put_between_marks(page: Path, table: str) -> None:
    """Replace what stands between the page's marks."""
    text = page.read_text(encoding="utf-8")
    before, _, rest = text.partition(BEGIN)
    _, _, after = rest.partition(END)
    page.write_text(f"{before}{BEGIN}\n\n{table}\n\n{END}{after}", encoding="utf-8")


if __name__ == "__main__":
    sys.exit(main())
