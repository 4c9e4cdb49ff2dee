"""Small conversations to learn from: additions, with answers of three lengths."""

from __future__ import annotations

from tuneval.data.example import Example, Message, Source

INSTRUCTION = Message("system", "Add the two numbers and say the sum, nothing else.")


def sums(count: int = 24, *, instructed: bool = True) -> list[Example]:
    """So many of them; `instructed` ones share a system prompt long enough to be computed once."""
    return [
        Example(
            (
                *((INSTRUCTION,) if instructed else ()),
                Message("user", f"{n} + {n * 5 % 7}"),
                Message("assistant", f"The sum is {n + n * 5 % 7}." + " Done." * (n % 3)),
            ),
            Source("sums.jsonl", n + 1),
        )
        for n in range(count)
    ]
