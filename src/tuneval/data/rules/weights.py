"""`weight` as OpenAI has it: at assistant turns only, and no other key for the same thing."""

from __future__ import annotations

from collections.abc import Iterator

from tuneval.data.draft import Draft
from tuneval.data.finding import Finding
from tuneval.data.rule import Rule


class Weights(Rule):
    """weights.not_assistant, weights.train (that a weight is 0 or 1 is seen to while reading)"""

    marks = ()

    def see(self, draft: Draft) -> Iterator[Finding]:
        """One error for each message with a weight or switch that OpenAI refuses."""
        messages = (draft.record.value or {}).get("messages")
        for number, message in enumerate(messages if isinstance(messages, list) else ()):
            if not isinstance(message, dict):
                continue
            path = f"messages[{number}]"
            if message.get("weight") is not None and message.get("role") != "assistant":
                yield draft.finding(
                    "weights.not_assistant",
                    f"{path} has a weight and is no assistant turn.",
                    mend="remove the weight",
                    path=f"{path}.weight",
                )
            if message.get("train") is not None:
                yield draft.finding(
                    "weights.train",
                    f"{path} has the key 'train', which only tuneval knows.",
                    mend="write 'weight': 0 or 1 at an assistant turn",
                    path=f"{path}.train",
                )
