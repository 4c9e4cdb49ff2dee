"""openai: what OpenAI's fine-tuning takes: messages, tools allowed, at least ten records.

Its checks as in the cookbook's "Data preparation and analysis for chat model fine-tuning", and
those that its documentation adds: `weight` is 0 or 1 and stands at assistant turns only.
"""

from __future__ import annotations

from tuneval.data.profile import Profile

OPENAI = Profile(
    name="openai",
    about="OpenAI's fine-tuning: one conversation on each line, at least ten of them.",
    formats=("messages",),
    rules=("roles", "order", "empty", "tool_calls", "few_rows", "weights", "extra_keys"),
    json_lines=True,
)
