"""Marks of chat templates inside a text: a tokenizer makes real control tokens of them."""

from __future__ import annotations

import re
from collections.abc import Iterator

from tuneval.data.draft import Draft
from tuneval.data.finding import Finding, clip
from tuneval.data.rule import Rule

_find_token = re.compile(
    r"<\|[A-Za-z][\w.-]{0,38}\|>"  # ChatML, Qwen, Llama 3, GLM, Phi, GPT: <|im_end|>, <|user|> …
    r"|<｜[\w▁ ]{1,40}｜>"  # DeepSeek
    r"|</?(?:s|bos|eos|pad|unk|sop|eop|start_of_turn|end_of_turn|tool_call|tool_response)>"
    r"|<</?SYS>>|\[/?(?:INST|SYSTEM_PROMPT|AVAILABLE_TOOLS|TOOL_RESULTS|TOOL_CALLS)\]"  # Mistral
    r"|\[[gs]MASK\]|<reserved_\d+>|<\[SEP\]>"
).search
_find_heading = re.compile(
    r"^\#{2,3} ?(?:Instruction|Response|Input|Human|Assistant|User"
    r"|指令|回答|回复|输入|问|答) ?[:：]",
    re.MULTILINE,
).search


class TemplateTokens(Rule):
    """template_tokens.present (warning), template_tokens.heading (info)"""

    def see(self, draft: Draft) -> Iterator[Finding]:
        """One finding of each kind for each turn."""
        for turn in draft.turns:
            content = turn.content
            if not content:
                continue
            if found := template_token(content):
                yield draft.finding(
                    "template_tokens.present",
                    f"{turn.path} holds {clip(found)}: where a tokenizer knows it, it becomes a "
                    "control token, and the conversation breaks there.",
                    mend="remove it; of a rendered conversation make turns",
                    path=turn.path,
                    severity="warning",
                )
            if found := template_heading(content):
                yield draft.finding(
                    "template_tokens.heading",
                    f"{turn.path} holds {clip(found)}, the heading of a prompt template.",
                    mend="if the text is a rendered prompt, make turns of it",
                    path=turn.path,
                    severity="info",
                )


def template_token(text: str) -> str | None:
    """The first control token of a chat template in a text."""
    found = _find_token(text) if "<" in text or "[" in text else None
    return found[0] if found else None


def template_heading(text: str) -> str | None:
    """The first heading of a prompt template in a text."""
    found = _find_heading(text) if "##" in text else None
    return found[0] if found else None
