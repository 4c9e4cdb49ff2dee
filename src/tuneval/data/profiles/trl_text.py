"""trl-text: plain texts for TRL's SFTTrainer: exactly one key `text`, not empty."""

from __future__ import annotations

from tuneval.data.profile import Profile

TRL_TEXT = Profile(
    name="trl-text",
    about="Plain texts for TRL's SFTTrainer: one key `text` on each line.",
    formats=("text",),
    rules=("empty", "extra_keys", "encoding"),
    json_lines=True,
)
