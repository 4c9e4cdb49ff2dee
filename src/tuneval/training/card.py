"""The model card beside the trained weights."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

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
| chat template hash | `{template_hash}` |
| data hash | `{data_hash}` |

## Configuration

```json
{config}
```
"""


def model_card(facts: Mapping[str, Any], config: Mapping[str, Any]) -> str:
    """The card's Markdown from the run's own numbers."""
    return CARD.format(**facts, config=json.dumps(config, indent=2, ensure_ascii=False))
