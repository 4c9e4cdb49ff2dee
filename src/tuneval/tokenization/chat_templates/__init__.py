"""Named chat templates for tokenizers that carry none, as Jinja texts.

They use the variables transformers' `apply_chat_template` gives: `messages`,
`add_generation_prompt`, `bos_token`, `eos_token`.
"""

from __future__ import annotations

from importlib.resources import files

CHAT_TEMPLATES = ("alpaca", "chatml", "plain")


def chat_template_text(name: str) -> str:
    """The Jinja text of a built-in template."""
    return files(__name__).joinpath(f"{name}.jinja").read_text(encoding="utf-8")
