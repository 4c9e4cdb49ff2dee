"""The model card beside the trained weights."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from tuneval.training.probe import HeldOut

CARD = """---
base_model: {base}
library_name: {library}
tags:
- tuneval
- {method}
---

# {name}

Fine-tuned from `{base}` with tuneval {version}, method `{method}`, on {examples} examples
({trained_tokens} trained tokens of {tokens}; {truncated} truncated, {unusable} unusable).

| | |
| --- | --- |
| trainable parameters | {trainable:,} of {total:,} ({share:.2%}) |
| steps | {steps} |
| mean training loss | {loss:.4f} nats per trained token |
| training time | {seconds:.0f} s |
{probed}{taken}
| chat template hash | `{template_hash}` |
| data hash | `{data_hash}` |

## Configuration

```json
{config}
```
"""


def probed(held_out: HeldOut | None) -> str:
    """The row of the card for the probe; empty where there was none."""
    if held_out is None:
        return ""
    perplexity = "" if held_out.perplexity is None else f", perplexity {held_out.perplexity:.4g}"
    return (
        f"| loss of {held_out.examples} held-out examples | {held_out.loss:.4f} nats per token"
        f"{perplexity}; the weights are of step {held_out.step} |\n"
    )


def taken(flops: float, peak_memory_bytes: int | None, energy_joules: float | None) -> str:
    """Rows of the card for what a training took; only for what is known."""
    rows = [f"| floating-point operations | {flops:.3g} |"]
    if peak_memory_bytes is not None:
        rows.append(f"| peak memory | {peak_memory_bytes / 2**30:.2f} GiB |")
    if energy_joules is not None:
        rows.append(f"| energy | {energy_joules / 3600:.3g} Wh |")
    return "\n".join(rows)


def model_card(facts: Mapping[str, Any], config: Mapping[str, Any]) -> str:
    """The card's Markdown from the run's own numbers."""
    return CARD.format(**facts, config=json.dumps(config, indent=2, ensure_ascii=False))
