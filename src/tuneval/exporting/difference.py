"""How far two forms of a model are apart in what they say."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

LAST_POSITIONS = 32


@dataclass(frozen=True, slots=True)
class Difference:
    """Two models on the same tokens: |a − b| over all logits of all positions compared.

    `largest_logit` is the largest |a|, to see the difference against. `same_choice` counts the
    positions where both find the same next token likeliest.
    """

    largest: float
    mean: float
    largest_logit: float
    same_choice: int
    positions: int
    prompts: int

    @property
    def relative(self) -> float:
        """The largest difference as a part of the largest logit."""
        return self.largest / self.largest_logit if self.largest_logit else self.largest

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        return asdict(self)


def logits_of(model: Any, prompts: Sequence[Sequence[int]]) -> list[Any]:
    """Logits at the last 32 positions of each prompt, (≤32, V) float32 on the CPU, in its order."""
    import torch

    found = []
    with torch.inference_mode():
        for prompt in prompts:
            ids = torch.tensor([list(prompt)], device=model.device)
            out = model(input_ids=ids, attention_mask=torch.ones_like(ids), use_cache=False)
            found.append(out.logits[0, -LAST_POSITIONS:].float().cpu())
    return found


def difference(a: Sequence[Any], b: Sequence[Any]) -> Difference:
    """What `logits_of` two models differ by. A number that is none makes `largest` NaN."""
    import torch

    gaps = [(left - right).abs() for left, right in zip(a, b, strict=True)]
    count = sum(gap.numel() for gap in gaps)
    same = [(left.argmax(-1) == right.argmax(-1)) for left, right in zip(a, b, strict=True)]
    return Difference(
        largest=float(torch.stack([gap.max() for gap in gaps]).max()),
        mean=sum(float(gap.double().sum()) for gap in gaps) / count,
        largest_logit=float(torch.stack([left.abs().max() for left in a]).max()),
        same_choice=sum(int(equal.sum()) for equal in same),
        positions=sum(len(equal) for equal in same),
        prompts=len(gaps),
    )
