"""JSON that cannot be parsed, where an answer is JSON or should be."""

from __future__ import annotations

import re

import orjson

from tuneval.data.strict_json import JsonError, StrictDecoder
from tuneval.scoring.form.prose import json_blocks

_begins = re.compile(r"\s*\{\s*\"|\s*\[\s*[\[{]\s*[\"\[{\d]").match
# Orders, not questions about JSON.
_asks = re.compile(
    r"\b(?:return|output|respond|reply|answer|format|formatted|give|provide|convert|transform|turn"
    r"|represent|generate|create|produce|extract|print)\b[^.?!\n]{0,80}\b(?:in|as|to|into|valid|an?)"
    r" (?:valid |proper )*JSON\b(?! (?:files?|schema|string|parser|data|web)\b)"
    r"|(?:转换?[为成]|输出|返回|生成)(?:一个|有效的|合法的|标准的)?\s?JSON"
    r"|JSON\s?(?:格式|对象|数组)?来?的?(?:输出|返回|回答|回复|表示|给出)",
    re.IGNORECASE,
).search
_opens = re.compile(r"^[ \t]*[\[{]", re.MULTILINE).search
_closes = re.compile(r"[\]}][ \t]*$", re.MULTILINE).finditer


def has_broken_json(prompt: str, response: str) -> bool:
    """Whether JSON does not parse: blocks marked as JSON, an answer that begins as JSON, or one
    that the prompt wants in JSON and that has an object or array, or has none at all.
    """
    if blocks := json_blocks(response):
        return not all(map(_parses, blocks))
    text = response.strip()
    if begins_as_json(text):
        return not _parses(text) and not _goes_on_as_text(text)
    if "```" in text or "json" not in prompt.casefold() or not _asks(prompt):
        return False
    opening = _opens(text)
    if opening is None:
        return "{" not in text and "[" not in text
    end = max((match.end() for match in _closes(text, opening.start())), default=len(text))
    return not _parses(text[opening.start() : end])


def begins_as_json(text: str) -> bool:
    """Whether a text begins like an object, or a list of objects or of lists."""
    return _begins(text) is not None


def _parses(text: str) -> bool:
    """As one JSON value, or as one on each line."""
    try:
        orjson.loads(text)
    except orjson.JSONDecodeError:
        lines = [line for line in text.split("\n") if line.strip()]
        return len(lines) > 1 and all(map(_is_object, lines))
    return True


def _is_object(line: str) -> bool:
    try:
        return line.lstrip().startswith(("{", "[")) and orjson.loads(line) is not None
    except orjson.JSONDecodeError:
        return False


def _goes_on_as_text(text: str) -> bool:
    """Whether a value stands there, and then words about it."""
    try:
        end = StrictDecoder().decode(text).end
    except JsonError:
        return False
    follows = text[end:].lstrip()
    return _parses(text[:end]) and not follows.startswith(tuple(',:[]{}"'))
