"""Words, sentences and paragraphs of an answer, in English and Chinese."""

from __future__ import annotations

import re
from typing import Literal

Relation = Literal["less than", "at least", "exactly"]

HAN = r"\u3400-\u4dbf\u4e00-\u9fff"
_WORD = re.compile(rf"[{HAN}]|[^\W{HAN}]+")
_ABBREVIATION = re.compile(r"\b(?:Mr|Mrs|Ms|Dr|Prof|St|vs|etc|e\.g|i\.e|No)\.$", re.IGNORECASE)
_END = re.compile(r"[.!?]+[\"'”’)\]]*(?=\s|$)|[。！？…]+[”’」』）]*|\n+")


def holds(count: int, relation: Relation, wanted: int) -> bool:
    """Whether a count is as wanted."""
    if relation == "less than":
        return count < wanted
    return count >= wanted if relation == "at least" else count == wanted


def words_of(text: str) -> list[str]:
    """Runs of letters and digits; every Chinese character is one."""
    return _WORD.findall(text)


def n_words(text: str) -> int:
    """How many words, or Chinese characters."""
    return len(words_of(text))


def n_sentences(text: str) -> int:
    """Stretches with a word in them, up to a full stop or the end of a line."""
    parts, start = 0, 0
    for end in _END.finditer(text):
        if _ABBREVIATION.search(text[: end.start() + 1]):
            continue
        parts += bool(_WORD.search(text[start : end.start()]))
        start = end.end()
    return parts + bool(_WORD.search(text[start:]))


def filled_lines(text: str) -> list[str]:
    """The lines that are not blank, without the blanks around them."""
    return [line.strip() for line in text.splitlines() if line.strip()]


def count_of(keyword: str, text: str) -> int:
    """How often a keyword stands in a text, in capitals or not, as a part of words too."""
    return len(re.findall(re.escape(keyword), text, re.IGNORECASE))


def has_word(word: str, text: str) -> bool:
    """Whether a word stands there by itself; Chinese words need no gap."""
    before = r"\b" if word[:1].isascii() and word[:1].isalnum() else ""
    after = r"\b" if word[-1:].isascii() and word[-1:].isalnum() else ""
    return re.search(before + re.escape(word) + after, text, re.IGNORECASE) is not None
