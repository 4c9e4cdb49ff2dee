"""Checks of how an answer is built: lengths, lists, sections, formats."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from typing import Any

from tuneval.evaluation.instructions.counting import (
    HAN,
    Relation,
    filled_lines,
    holds,
    n_sentences,
    n_words,
)

_BULLET = re.compile(r"^\s*(?:\*(?!\*)|-|•)\s*\S.*$", re.MULTILINE)
_NUMBERED = re.compile(r"^\s*(\d+)[.、)）]\s*\S.*$", re.MULTILINE)
_HIGHLIGHT = re.compile(r"\*\*([^\n*]+)\*\*|\*([^\n*]+)\*")
_TITLE = re.compile(r"<<([^\n<>]+)>>")
_FENCE = re.compile(r"^```(?:json)?\s*(.*?)\s*```$", re.DOTALL | re.IGNORECASE)
_ROW = re.compile(r"^\s*\|(.+)\|\s*$", re.MULTILINE)
_RULE = re.compile(r"^[\s|:-]+$")


def has_words(answer: str, num_words: int, relation: Relation) -> bool:
    """So many words; a Chinese character is one."""
    return holds(n_words(answer), relation, num_words)


def has_characters(answer: str, num_characters: int, relation: Relation) -> bool:
    """So many characters, blanks and line breaks not counted."""
    return holds(len(re.sub(r"\s", "", answer)), relation, num_characters)


def has_sentences(answer: str, num_sentences: int, relation: Relation) -> bool:
    """So many sentences."""
    return holds(n_sentences(answer), relation, num_sentences)


def has_lines(answer: str, num_lines: int, relation: Relation) -> bool:
    """So many lines that are not blank."""
    return holds(len(filled_lines(answer)), relation, num_lines)


def has_even_lines(answer: str, num_characters: int) -> bool:
    """Every line has just so many Chinese characters, as verse does."""
    counts = {len(re.findall(f"[{HAN}]", line)) for line in filled_lines(answer)}
    return counts == {num_characters}


def has_paragraphs(answer: str, num_paragraphs: int) -> bool:
    """Just so many paragraphs, parted by `***`."""
    return _parts(answer, r"\s?\*\*\*\s?") == num_paragraphs


def has_blank_line_paragraphs(answer: str, num_paragraphs: int) -> bool:
    """Just so many paragraphs, parted by blank lines."""
    return len(_paragraphs(answer)) == num_paragraphs


def begins_paragraph(answer: str, num_paragraphs: int, nth_paragraph: int, first_word: str) -> bool:
    """Of just so many paragraphs, parted by blank lines, the nth begins with the word."""
    paragraphs = _paragraphs(answer)
    if len(paragraphs) != num_paragraphs or not 1 <= nth_paragraph <= num_paragraphs:
        return False
    text = paragraphs[nth_paragraph - 1].lstrip("'\"“‘").lower()
    wanted = first_word.lower()
    is_whole = not re.match(r"[a-z0-9]", text[len(wanted) : len(wanted) + 1])
    return text.startswith(wanted) and (is_whole or not wanted.isascii())


def has_bullets(answer: str, num_bullets: int) -> bool:
    """Just so many lines that begin with `*`, `-` or `•`."""
    return len(_BULLET.findall(answer)) == num_bullets


def has_numbered_list(answer: str, num_items: int) -> bool:
    """Lines numbered from 1 to just so many, in order."""
    return [int(n) for n in _NUMBERED.findall(answer)] == list(range(1, num_items + 1))


def has_highlights(answer: str, num_highlights: int) -> bool:
    """At least so many stretches in `*…*` or `**…**`."""
    found = [strong or soft for strong, soft in _HIGHLIGHT.findall(answer)]
    return sum(bool(text.strip()) for text in found) >= num_highlights


def has_sections(answer: str, section_spliter: str, num_sections: int) -> bool:
    """At least so many sections, each with the word and its number: `Section 1`."""
    heads = re.findall(rf"{re.escape(section_spliter.strip())}\s?\d+", answer)
    return len(heads) >= num_sections


def has_placeholders(answer: str, num_placeholders: int) -> bool:
    """At least so many places to fill in square brackets."""
    return len(re.findall(r"\[[^\[\]\n]+\]", answer)) >= num_placeholders


def has_title(answer: str) -> bool:
    """A title in `<<…>>`."""
    return any(title.strip() for title in _TITLE.findall(answer))


def has_two_responses(answer: str) -> bool:
    """Two different answers, parted by `******`."""
    parts = [part.strip() for part in answer.split("******")]
    inner = [part for n, part in enumerate(parts) if part or 0 < n < len(parts) - 1]
    return len(inner) == 2 and all(inner) and inner[0] != inner[1]


def is_json(answer: str) -> bool:
    """All of it is JSON, in a fence or bare."""
    return _json(answer) is not None


def has_json_keys(answer: str, keys: Sequence[str]) -> bool:
    """All of it is a JSON object with just these keys."""
    found = _json(answer)
    return found is not None and isinstance(found[0], dict) and set(found[0]) == set(keys)


def has_table(answer: str, num_columns: int, num_rows: int) -> bool:
    """A Markdown table with just so many columns, and so many rows below its head."""
    rows = _ROW.findall(answer)
    if len(rows) < 2 or not _RULE.match(rows[1]):
        return False
    widths = {len(row.split("|")) for row in rows}
    return widths == {num_columns} and len(rows) - 2 == num_rows


def _parts(answer: str, divider: str) -> int:
    """How many parts; -1 where one between others is blank."""
    parts = [part.strip() for part in re.split(divider, answer)]
    if not all(parts[1:-1]):
        return -1
    return sum(bool(part) for part in parts)


def _paragraphs(answer: str) -> list[str]:
    return [part.strip() for part in re.split(r"\n\s*\n", answer) if part.strip()]


def _json(answer: str) -> tuple[Any] | None:
    """The value in a tuple of one: null is a value too."""
    text = answer.strip()
    fenced = _FENCE.match(text)
    try:
        return (json.loads(fenced.group(1) if fenced else text),)
    except (ValueError, RecursionError):
        return None
