"""trl-chat: what a set of conversations must keep to for TRL's SFTTrainer, and to be learnt from.

TRL itself checks almost nothing; these are the seven rules that providers of chat fine-tuning
(SiliconFlow word for word) ask for, with what would make TRL stop or train on nonsense.
"""

from __future__ import annotations

from tuneval.data.profile import Profile

TRL_CHAT = Profile(
    name="trl-chat",
    about="Chat fine-tuning with TRL's SFTTrainer: one conversation on each line.",
    formats=("messages",),
    rules=("roles", "tool_roles", "order", "empty", "extra_keys", "encoding"),
    json_lines=True,
)
