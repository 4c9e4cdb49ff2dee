"""Words of a text in any language, without a dictionary: Chinese characters are words."""

from __future__ import annotations

import re
import unicodedata

CHINESE = r"\u3400-\u4DBF\u4E00-\u9FFF\uF900-\uFAFF\U00020000-\U0003134F"
"""Character ranges of the CJK ideographs, for inside brackets of a pattern."""
_TOKEN = re.compile(rf"[{CHINESE}]|[^\W_{CHINESE}]+(?:['’][^\W_{CHINESE}]+)*|[^\w\s]|_")
_IDEOGRAPH = re.compile(f"[{CHINESE}]")


def tokens(text: str) -> list[str]:
    """Words, Chinese characters and punctuation marks in their order; blanks are left out."""
    return _TOKEN.findall(text)


def words(text: str) -> list[str]:
    """Words and Chinese characters in lower case; punctuation is left out."""
    return [token.lower() for token in tokens(text) if not is_punctuation(token)]


def has_chinese(text: str) -> bool:
    """Whether any character is a CJK ideograph."""
    return _IDEOGRAPH.search(text) is not None


def is_punctuation(text: str) -> bool:
    """Whether every character is punctuation or a symbol."""
    return all(unicodedata.category(character)[0] in "PS" for character in text)
