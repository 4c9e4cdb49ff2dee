"""The next token: the likeliest one, or one drawn at random in a way that can be repeated."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch

from tuneval.models.precision import refuse_nan


@dataclass(frozen=True, slots=True)
class Sampling:
    """Temperature 0 is greedy. `top_p` keeps the fewest tokens that have this much probability."""

    temperature: float = 0.0
    top_p: float = 1.0


def choose_tokens(
    logits: torch.Tensor, samplings: Sequence[Sampling], dice: Sequence[torch.Generator]
) -> torch.Tensor:
    """One token id for each row of logits (B, V), (B,) int64. Row i is drawn with `dice[i]`.

    Raises ModelError where logits are NaN.
    """
    largest, tokens = logits.max(-1)
    refuse_nan(bool(largest.isnan().any()))
    for sampling in set(samplings):
        if sampling.temperature > 0:
            rows = [row for row, own in enumerate(samplings) if own == sampling]
            drawn = _draw(logits[rows], sampling, [dice[row] for row in rows])
            tokens[rows] = drawn.to(tokens.device)
    return tokens


def _draw(
    logits: torch.Tensor, sampling: Sampling, dice: Sequence[torch.Generator]
) -> torch.Tensor:
    probabilities = (logits.double() / sampling.temperature).softmax(-1).cpu()
    # Stable: which of equal ones comes first must not depend on the batch.
    ordered, ids = probabilities.sort(dim=-1, descending=True, stable=True)
    above = ordered.cumsum(-1) - ordered
    ordered = torch.where(above < sampling.top_p, ordered, 0.0)
    picks = [
        torch.multinomial(row, 1, generator=die) for row, die in zip(ordered, dice, strict=True)
    ]
    return ids.gather(1, torch.stack(picks))[:, 0]


def dice_seeds(prompts: Sequence[Sequence[int] | npt.NDArray[np.int32]], seed: int) -> list[int]:
    """A seed for each prompt, from `seed`, the prompt's ids and how often they came before.

    What is drawn for a prompt is the same in whatever batch or order it runs.
    """
    seen: dict[bytes, int] = {}
    seeds = []
    for prompt in prompts:
        key = np.array(prompt, dtype=np.int32).tobytes()
        count = seen[key] = seen.get(key, 0) + 1
        digest = hashlib.sha256(f"{seed}:{count}:".encode() + key).digest()
        seeds.append(int.from_bytes(digest[:7], "big"))
    return seeds
