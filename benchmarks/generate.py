"""Answers to 200 real prompts: tuneval against plain transformers in batches of 8.

    TUNEVAL_TEST_DATA=/path/to/data python benchmarks/generate.py [--prompts 200] [--new 128]
        [--model REF]

The prompts are those of the English and the Chinese alpaca demo set in turn, through the model's
chat template; both sides get the same ids and are greedy. The plain way takes them in file order,
eight at a time, padded on the left, with `model.generate`. Prompts are taken a hundred at a time by
both sides, and who begins changes, so that a machine that drifts hits both alike; tuneval has all
the fewer prompts to fill its places from. Where answers differ, the first token that does is
looked at with the model alone on the text before it: a tie is one whose two candidates lie within
--tie nats. The ratio stands on the last line; the exit status is 1 when it is below --lowest,
fewer than 99 of 100 answers are the same, or one that differs is no tie.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from itertools import chain
from pathlib import Path

import torch
from peers.measuring import Took, timed

from tuneval.data.read import read
from tuneval.models.generation import generate
from tuneval.models.load import LoadedModel, load_model
from tuneval.tokenization import Template, load_template

FILES = ("alpaca_en_demo.json", "alpaca_zh_demo.json")
BATCH_SIZE = 8
SLICE_SIZE = 100
LEAST_SAME = 0.99
Ids = tuple[int, ...]


def read_prompts(template: Template, count: int) -> list[list[int]]:
    """Prompts as ids, the files in turn."""
    folder = os.environ.get("TUNEVAL_TEST_DATA")
    if not folder:
        sys.exit("TUNEVAL_TEST_DATA names no folder; instruct/alpaca_en_demo.json is read from it")
    sets = [read(Path(folder) / "instruct" / name) for name in FILES]
    examples = list(chain.from_iterable(zip(*sets, strict=False)))[:count]
    return [template.encode_prompt(example.prompt, example.tools) for example in examples]


def plain(
    loaded: LoadedModel, prompts: Sequence[list[int]], stop_ids: Sequence[int], new: int
) -> list[Ids]:
    """What transformers says, a batch at a time, without the tokens that end a turn."""
    said: list[Ids] = []
    for first in range(0, len(prompts), BATCH_SIZE):
        batch = prompts[first : first + BATCH_SIZE]
        width = max(map(len, batch))
        ids = torch.full((len(batch), width), stop_ids[0])
        mask = torch.zeros_like(ids)
        for row, prompt in enumerate(batch):
            ids[row, width - len(prompt) :] = torch.tensor(prompt)
            mask[row, width - len(prompt) :] = 1
        found = loaded.model.generate(
            input_ids=ids,
            attention_mask=mask,
            max_new_tokens=new,
            do_sample=False,
            eos_token_id=list(stop_ids),
            pad_token_id=stop_ids[0],
        )
        said += [_up_to_stop(row, stop_ids) for row in found[:, width:].tolist()]
    return said


def _up_to_stop(ids: Sequence[int], stop_ids: Sequence[int]) -> Ids:
    end = next((place for place, token in enumerate(ids) if token in stop_ids), len(ids))
    return tuple(ids[:end])


def ours(
    loaded: LoadedModel, prompts: Sequence[list[int]], stop_ids: Sequence[int], new: int
) -> list[Ids]:
    """What tuneval's engine says."""
    found = generate(loaded.model, prompts, stop_ids=stop_ids, max_new_tokens=new)
    return [completion.ids for completion in found]


def margin(
    loaded: LoadedModel, prompt: list[int], one: Ids, other: Ids, stop_ids: Sequence[int]
) -> float:
    """Nats between the two candidates where answers part, by the model alone on what is before."""
    parted = next(
        (n for n, pair in enumerate(zip(one, other, strict=False)) if pair[0] != pair[1]),
        min(len(one), len(other)),
    )
    ids = torch.tensor([[*prompt, *one[:parted]]])
    with torch.no_grad():
        logprobs = loaded.model(input_ids=ids).logits[0, -1].double().log_softmax(-1)

    def of(said: Ids) -> float:
        ends = [parted] if parted < len(said) else []
        tokens = [said[place] for place in ends] or list(stop_ids)
        return max(float(logprobs[token]) for token in tokens)

    return abs(of(one) - of(other))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--prompts", type=int, default=200)
    parser.add_argument("--new", type=int, default=128, help="new tokens at most")
    parser.add_argument("--model", default="bundled:smollm2-135m")
    parser.add_argument("--tie", type=float, default=1e-3, help="nats that count as a tie")
    parser.add_argument("--lowest", type=float, default=1.7, help="the ratio to reach")
    asked = parser.parse_args()
    loaded = load_model(asked.model, device="cpu")
    template = load_template(loaded.tokenizer)
    prompts = read_prompts(template, asked.prompts)
    ways = {"plain": plain, "tuneval": ours}
    said: dict[str, list[Ids]] = {name: [] for name in ways}
    took: dict[str, list[Took]] = {name: [] for name in ways}
    for way in ways.values():
        way(loaded, prompts[:1], template.stop_ids, 2)  # first calls are slow
    for number, first in enumerate(range(0, len(prompts), SLICE_SIZE)):
        part = prompts[first : first + SLICE_SIZE]
        for name in list(ways) if number % 2 == 0 else list(ways)[::-1]:
            way = ways[name]
            found, taken = timed(lambda: way(loaded, part, template.stop_ids, asked.new))  # noqa: B023
            said[name] += found
            took[name].append(taken)
        told = ", ".join(f"{name} {took[name][-1].seconds:.1f} s" for name in ways)
        print(f"prompts {first}-{first + len(part) - 1}: {told}", flush=True)
    differing = [
        (index, margin(loaded, prompts[index], *pair, template.stop_ids))
        for index, pair in enumerate(zip(said["plain"], said["tuneval"], strict=True))
        if pair[0] != pair[1]
    ]
    tell(said, took, differing, asked)


def tell(
    said: dict[str, list[Ids]],
    took: dict[str, list[Took]],
    differing: Sequence[tuple[int, float]],
    asked: argparse.Namespace,
) -> None:
    """The figures, the ratio last; exit status 1 when a bound is not met."""
    seconds = {name: sum(taken.seconds for taken in all_) for name, all_ in took.items()}
    cpu = {name: sum(taken.cpu_seconds for taken in all_) for name, all_ in took.items()}
    n_prompts = len(said["plain"])
    print(f"{n_prompts} prompts, at most {asked.new} new tokens, {asked.model}")
    for name, answers in said.items():
        n_tokens = sum(map(len, answers))
        memory = max(taken.mebibytes for taken in took[name])
        print(
            f"{name}: {seconds[name]:.1f} s, {cpu[name]:.1f} s of CPU, "
            f"{n_tokens / seconds[name]:.1f} tokens/s, {memory:.0f} MiB beyond the model"
        )
    same = 1 - len(differing) / n_prompts
    print(f"same answers: {same:.1%}")
    for index, nats in differing:
        print(f"prompt {index}: answers part where two tokens lie {nats:.1e} nats apart")
    ratio = seconds["plain"] / seconds["tuneval"]
    print(f"ratio of CPU seconds: {cpu['plain'] / cpu['tuneval']:.2f}")
    print(f"ratio: {ratio:.2f}")
    is_explained = all(nats <= asked.tie for _, nats in differing)
    if ratio < asked.lowest or same < LEAST_SAME or not is_explained:
        sys.exit(1)


if __name__ == "__main__":
    main()
