"""Profiles: whose rules to check by. One file a profile, one row of the catalog.

`everyday` is the one without a name on the command line: every rule. Plugins add rows through
the entry-point group `tuneval.profile`.
"""

from __future__ import annotations

from tuneval.catalog import Catalog

PROFILES = Catalog(
    "profile",
    {
        "everyday": "tuneval.data.profiles.everyday:EVERYDAY",
        "trl-chat": "tuneval.data.profiles.trl_chat:TRL_CHAT",
        "trl-chat-tools": "tuneval.data.profiles.trl_chat:TRL_CHAT_TOOLS",
        "trl-text": "tuneval.data.profiles.trl_text:TRL_TEXT",
        "openai": "tuneval.data.profiles.openai:OPENAI",
        "alpaca": "tuneval.data.profiles.llama_factory:ALPACA",
        "sharegpt": "tuneval.data.profiles.llama_factory:SHAREGPT",
        "preference": "tuneval.data.profiles.preference:PREFERENCE",
    },
)
