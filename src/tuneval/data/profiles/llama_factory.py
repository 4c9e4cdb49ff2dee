"""alpaca, sharegpt: what LLaMA-Factory reads without dropping a record."""

from __future__ import annotations

from tuneval.data.profile import Profile

ALPACA = Profile(
    name="alpaca",
    about="Records of instruction, input and output, as LLaMA-Factory reads them.",
    formats=("alpaca",),
    rules=("empty", "encoding"),
)
SHAREGPT = Profile(
    name="sharegpt",
    about="Conversations of from and value, as LLaMA-Factory reads them.",
    formats=("sharegpt",),
    rules=("roles", "order", "empty", "tool_calls", "encoding"),
)
