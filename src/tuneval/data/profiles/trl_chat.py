"""trl-chat: what conversations must keep to for TRL's SFTTrainer, and to be learnt from.

TRL itself checks almost nothing: it decides by the columns of the set and prints any role. So
these are the seven rules that providers of chat fine-tuning ask for (SiliconFlow's, word for
word), and the keys at which TRL stops or reads something else.
"""

from __future__ import annotations

from tuneval.data.profile import Profile

_RULES = ("roles", "order", "empty", "trl_keys", "encoding")

TRL_CHAT = Profile(
    name="trl-chat",
    about="Conversations for TRL's SFTTrainer: one on each line, no tools.",
    formats=("messages",),
    rules=("tool_roles", *_RULES),
    json_lines=True,
)
TRL_CHAT_TOOLS = Profile(
    name="trl-chat-tools",
    about="The same with turns of tools.",
    formats=("messages",),
    rules=("tool_calls", *_RULES),
    json_lines=True,
)
