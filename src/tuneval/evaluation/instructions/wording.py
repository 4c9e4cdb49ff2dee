"""Checks of what an answer says: words, letters, language, how it begins and ends."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence

from tuneval.evaluation.instructions.counting import (
    HAN,
    Relation,
    count_of,
    has_word,
    holds,
    words_of,
)
from tuneval.evaluation.metric import Unscored

_SCRIPTS = {
    "zh": HAN,
    "ja": r"\u3040-\u30ff\u4e00-\u9fff",
    "ko": r"\uac00-\ud7af",
    "ru": r"\u0400-\u04ff",
    "uk": r"\u0400-\u04ff",
    "bg": r"\u0400-\u04ff",
    "ar": r"\u0600-\u06ff",
    "fa": r"\u0600-\u06ff",
    "ur": r"\u0600-\u06ff",
    "he": r"\u0590-\u05ff",
    "hi": r"\u0900-\u097f",
    "mr": r"\u0900-\u097f",
    "ne": r"\u0900-\u097f",
    "bn": r"\u0980-\u09ff",
    "pa": r"\u0a00-\u0a7f",
    "gu": r"\u0a80-\u0aff",
    "ta": r"\u0b80-\u0bff",
    "te": r"\u0c00-\u0c7f",
    "kn": r"\u0c80-\u0cff",
    "ml": r"\u0d00-\u0d7f",
    "th": r"\u0e00-\u0e7f",
    "en": "A-Za-z",
}
_KANA = re.compile(r"[\u3040-\u30ff]")
_ENGLISH = frozenset(
    ("the", "of", "and", "to", "in", "is", "a", "it", "for", "that", "as", "with", "are", "this",
     "on", "be", "by", "or", "from", "at")
)  # fmt: skip
_TITLE_CASE_WORD = re.compile(r"\w+(?:-\w+)*")


def says(answer: str, keywords: Sequence[str]) -> bool:
    """Every keyword stands in it."""
    return all(count_of(keyword, answer) for keyword in keywords)


def says_often(answer: str, keyword: str, frequency: int, relation: Relation) -> bool:
    """The keyword stands in it so often."""
    return holds(count_of(keyword, answer), relation, frequency)


def avoids(answer: str, forbidden_words: Sequence[str]) -> bool:
    """None of the words stands in it by itself."""
    return not any(has_word(word, answer) for word in forbidden_words)


def uses_letter(answer: str, letter: str, let_frequency: int, let_relation: Relation) -> bool:
    """The letter stands in it so often, in capitals or not."""
    return holds(Counter(answer.lower())[letter.lower()], let_relation, let_frequency)


def is_in_language(answer: str, language: str) -> bool | Unscored:
    """Four of five words or Chinese characters are in its script; Japanese has kana, English its
    commonest words.

    Languages in Latin script other than English cannot be told so.
    """
    script = _SCRIPTS.get(language)
    if script is None:
        return Unscored(f"the language '{language}' cannot be told by its script")
    words = [word for word in words_of(answer) if not word.isdigit()]
    n_of_script = sum(re.match(f"[{script}]", word) is not None for word in words)
    if not words or n_of_script < 0.8 * len(words):
        return False
    if language == "en":
        return _reads_as_english(answer)
    return (language == "ja") == bool(_KANA.search(answer))


def _reads_as_english(answer: str) -> bool:
    words = re.findall("[a-z]+", answer.lower())
    return len(words) < 12 or any(word in _ENGLISH for word in words)


def begins_with(answer: str, start_phrase: str) -> bool:
    """It begins with just this."""
    return answer.strip().startswith(start_phrase.strip())


def ends_with(answer: str, end_phrase: str) -> bool:
    """It ends with just this, but for capitals and a closing quote."""
    return answer.strip().strip('"').lower().endswith(end_phrase.strip().lower())


def is_quoted(answer: str) -> bool:
    """Quotation marks stand around the whole of it."""
    text = answer.strip()
    return len(text) > 1 and (text[0], text[-1]) in {('"', '"'), ("“", "”"), ("「", "」")}


def repeats(answer: str, prompt_to_repeat: str) -> bool:
    """It begins with the request, repeated."""
    return answer.strip().lower().startswith(prompt_to_repeat.strip().lower())


def is_one_of(answer: str, options: Sequence[str] = ()) -> bool:
    """One of the options stands in it; without any, IFEval's three."""
    known = options or ("My answer is yes.", "My answer is no.", "My answer is maybe.")
    return any(option in answer for option in known)


def is_upper(answer: str) -> bool:
    """English in capitals only."""
    return answer.isupper() and answer.isascii()


def is_lower(answer: str) -> bool:
    """English without any capital."""
    return answer.islower() and not re.search(f"[{HAN}]", answer)


def shouts(answer: str, capital_frequency: int, capital_relation: Relation) -> bool:
    """So many words stand in capitals only; a hyphened word is one."""
    words = [word for word in _TITLE_CASE_WORD.findall(answer) if word.isupper()]
    return holds(len(words), capital_relation, capital_frequency)


def has_no_comma(answer: str) -> bool:
    """No comma of either width, nor the Chinese mark for lists."""
    return not re.search("[,，、]", answer)


def has_no_marks(answer: str, marks: Sequence[str]) -> bool:
    """None of these marks stands in it."""
    return not any(mark in answer for mark in marks)


def has_no_digit(answer: str) -> bool:
    """No digit of either width."""
    return not any(character.isdigit() for character in answer)


def has_postscript(answer: str, postscript_marker: str) -> bool:
    """A postscript with this mark stands in it, with blanks after its stops or without."""
    marker = r"\s?".join(map(re.escape, re.findall(r"[^\s.]+\.?", postscript_marker)))
    return re.search(marker, answer, re.IGNORECASE) is not None
