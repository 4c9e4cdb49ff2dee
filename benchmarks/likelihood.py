"""Response perplexity of real instruction records: tuneval against a plain Transformers loop.

    TUNEVAL_TEST_DATA=/path/to/data python benchmarks/likelihood.py [--items 200]

The plain loop is written as people write it: batches of 10 in file order, padded, attention mask,
no gradients, all logits, cross-entropy over the response. Both ways run in turn, slice by slice, in
one process, so that a machine that drifts hits both alike. Prints last the ratio of the times, the
median of the slices; exits with 1 when it is below 2 or a log-probability differs by more than
1e-4.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F

from tuneval.models.likelihood import Request, measure_likelihood
from tuneval.models.load import load_model
from tuneval.runs.events import Event, Finished

FILES = ("alpaca_en_demo.json", "alpaca_zh_demo.json")
MAX_LENGTH = 1024
BATCH_SIZE = 10
SLICE_SIZE = 20
LOWEST_RATIO = 2.0
LARGEST_DIFFERENCE = 1e-4


@dataclass(frozen=True)
class Record:
    """Token ids of a record; the response begins at `start`."""

    ids: list[int]
    start: int


def read_records(tokenizer: Any, count: int) -> list[Record]:
    """Half English, half Chinese, each in file order, under the model's chat template."""
    folder = os.environ.get("TUNEVAL_TEST_DATA")
    if not folder:
        sys.exit("TUNEVAL_TEST_DATA names no folder; instruct/alpaca_en_demo.json is read from it")
    records = []
    for number, name in enumerate(FILES):
        share = (count + 1 - number) // len(FILES)
        rows = json.loads((Path(folder) / "instruct" / name).read_text(encoding="utf-8"))
        records += [encode(tokenizer, row) for row in rows[:share]]
    return records


def encode(tokenizer: Any, row: dict[str, str]) -> Record:
    question = "\n".join(part for part in (row["instruction"], row.get("input")) if part)
    prompt = tokenizer.apply_chat_template(
        [{"role": "user", "content": question}], add_generation_prompt=True, return_dict=False
    )
    response = tokenizer(row["output"], add_special_tokens=False).input_ids
    ids = [*prompt, *response, tokenizer.eos_token_id][:MAX_LENGTH]
    return Record(ids, min(len(prompt), len(ids) - 1))


def plain(model: Any, records: Sequence[Record], pad_id: int) -> list[np.ndarray]:
    """Response log-probabilities of each record, as a script of one's own would get them."""
    found = []
    for first in range(0, len(records), BATCH_SIZE):
        batch = records[first : first + BATCH_SIZE]
        width = max(len(record.ids) for record in batch)
        input_ids = torch.full((len(batch), width), pad_id)
        attention_mask = torch.zeros((len(batch), width), dtype=torch.long)
        labels = torch.full((len(batch), width), -100)
        for row, record in enumerate(batch):
            n = len(record.ids)
            input_ids[row, :n] = torch.tensor(record.ids)
            attention_mask[row, :n] = 1
            labels[row, record.start : n] = input_ids[row, record.start : n]
        with torch.no_grad():
            logits = model(input_ids=input_ids, attention_mask=attention_mask).logits
        shift_logits = logits[:, :-1].contiguous()
        shift_labels = labels[:, 1:].contiguous()
        losses = F.cross_entropy(
            shift_logits.view(-1, shift_logits.size(-1)), shift_labels.view(-1), reduction="none"
        ).view(shift_labels.shape)
        found += [-losses[row][shift_labels[row] != -100].numpy() for row in range(len(batch))]
    return found


def ours(model: Any, records: Sequence[Record]) -> tuple[list[np.ndarray], float]:
    """The same through the likelihood engine, and how many tokens it ran."""
    events: list[Event] = []
    requests = [
        Request(record.ids[: record.start], record.ids[record.start :]) for record in records
    ]
    found = measure_likelihood(model, requests, report=events.append)
    (last,) = [event for event in events if isinstance(event, Finished)]
    return [likelihood.logprobs for likelihood in found], last.values["computed"]


def perplexities(logprobs: Sequence[np.ndarray]) -> np.ndarray:
    """Response perplexity of each record."""
    return np.exp([-row.astype(np.float64).mean() for row in logprobs])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--items", type=int, default=200)
    items = parser.parse_args().items
    loaded = load_model("bundled:smollm2-135m", device="cpu")
    records = read_records(loaded.tokenizer, items)
    warm_up = records[:2]
    plain(loaded.model, warm_up, loaded.tokenizer.pad_token_id)
    ours(loaded.model, warm_up)

    plain_found: list[np.ndarray] = []
    our_found: list[np.ndarray] = []
    seconds: list[tuple[float, float]] = []
    computed = 0.0
    for first in range(0, len(records), SLICE_SIZE):
        part = records[first : first + SLICE_SIZE]
        start = time.perf_counter()
        plain_found += plain(loaded.model, part, loaded.tokenizer.pad_token_id)
        middle = time.perf_counter()
        answers, n_tokens = ours(loaded.model, part)
        seconds.append((middle - start, time.perf_counter() - middle))
        our_found += answers
        computed += n_tokens
        print(
            f"records {first}-{first + len(part) - 1}: "
            f"plain {seconds[-1][0]:.1f} s, tuneval {seconds[-1][1]:.1f} s",
            flush=True,
        )
    tell(records, plain_found, our_found, seconds, computed)


def tell(
    records: Sequence[Record],
    plain_found: Sequence[np.ndarray],
    our_found: Sequence[np.ndarray],
    seconds: Sequence[tuple[float, float]],
    computed: float,
) -> None:
    """The figures, the ratio last; exit status 1 when a bound is not met."""
    tokens = sum(len(record.ids) for record in records)
    responses = sum(len(record.ids) - record.start for record in records)
    padded = sum(
        len(batch) * max(len(record.ids) for record in batch)
        for batch in (records[i : i + BATCH_SIZE] for i in range(0, len(records), BATCH_SIZE))
    )
    difference = max(
        float(np.abs(a - b).max()) for a, b in zip(plain_found, our_found, strict=True)
    )
    ratios = perplexities(our_found) / perplexities(plain_found)
    plain_seconds, our_seconds = (sum(column) for column in zip(*seconds, strict=True))
    ratio = float(np.median([theirs / mine for theirs, mine in seconds]))
    print(f"{len(records)} records, {tokens} tokens, {responses} of them response")
    print(f"tokens run: plain {padded} (padded), tuneval {computed:.0f}")
    print(f"plain   {plain_seconds:8.1f} s  {tokens / plain_seconds:8.0f} tokens/s")
    print(f"tuneval {our_seconds:8.1f} s  {tokens / our_seconds:8.0f} tokens/s")
    print(f"median response perplexity {np.median(perplexities(our_found)):.4f}")
    print(f"largest difference of a perplexity, relative: {np.abs(ratios - 1).max():.1e}")
    print(f"largest difference of a log-probability: {difference:.1e} (at most 1e-4)")
    print(f"ratio of the sums {plain_seconds / our_seconds:.2f}")
    print(f"ratio {ratio:.2f} (median of {len(seconds)} slices; at least {LOWEST_RATIO:g})")
    if ratio < LOWEST_RATIO or difference > LARGEST_DIFFERENCE:
        sys.exit(1)


if __name__ == "__main__":
    main()
