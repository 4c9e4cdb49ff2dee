"""An answer without its code: what Markdown sets apart is written by other rules."""

from __future__ import annotations

import re

_block = re.compile(r"^[ \t]*(```|~~~).*?(?:^[ \t]*\1[ \t]*$|\Z)", re.DOTALL | re.MULTILINE)
_in_line = re.compile(r"``[^\n]*?``|`[^`\n]+`")
_tagged = re.compile(
    r"^[ \t]*(?:```|~~~)[ \t]*json[ \t]*\n(.*?)(?:^[ \t]*(?:```|~~~)[ \t]*$|\Z)",
    re.DOTALL | re.MULTILINE | re.IGNORECASE,
)


def prose(text: str) -> str:
    """The text with an empty code span where code stood. An open block reaches to the end."""
    if "`" in text or "~~~" in text:
        text = _in_line.sub("``", _block.sub("``", text))
    return text


def json_blocks(text: str) -> list[str]:
    """What stands in blocks that are marked as JSON."""
    return _tagged.findall(text) if "```" in text or "~~~" in text else []
