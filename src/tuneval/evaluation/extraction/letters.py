"""The letter of an option, or of several, in an answer in English or Chinese.

Strict: the answer is nothing but the letter (in brackets, with a full stop), or it states one
("the answer is B", "答案是B", `\\boxed{B}`) and never a different one. Lenient: the last letter
stated, else the one the answer begins with ("B. because…"), else the last that stands alone, which
an article or an initial may do by chance. An option that is merely named ("option C") is stated
where nothing else is, and where it is not called wrong.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable

from tuneval.evaluation.extraction.extractor import Extractor

_OPEN, _CLOSE = r"[\s(\[{【「“\"'*$]*", r"[\s)\]}】」”\"'*$]*"
_END = r"(?![A-Za-z])"
_RUN = r"[A-G](?:(?:\s*(?:[,，、和与及&/]|and|or)\s*|\s*)[A-G])*"
_IS = r"(?i:\s+(?:is|are|would be|should be|must be))"
_STATED = (
    rf"(?i:\banswer)s?\**{_IS}?(?i:\s+(?:therefore|thus|clearly|option|choice))?\s*[:=]?",
    rf"(?i:\b(?:choice|option))s?\**(?:{_IS}\s*:?|\s*[:=])",
    r"(?:答案|正确选项|正确的是|正确的选项)\**(?:应该|应当|应)?(?:是|为|选)?(?:选项)?\s*:?",
    r"(?<!不)(?<!可)选(?:择|项是|项为)?(?!项)\s*:?",
    r"\\boxed",
)
_TEXT = r"(?:\\(?:text(?:bf|rm)?|mathrm|mathbf))?"
_CALLED_WRONG = r"(?!\W*(?:is|are|was|were)\s+(?:not|wrong|false|in[a-z]+|un[a-z]+)\b)"


def _statements(letters: str) -> tuple[re.Pattern[str], ...]:
    """How letters are stated, and how they are merely named."""
    return (
        re.compile(rf"(?:{'|'.join(_STATED)}){_OPEN}{_TEXT}{_OPEN}({letters}){_END}"),
        re.compile(rf"(?i:\b(?:choice|option))s?{_OPEN}({letters}){_END}{_CALLED_WRONG}"),
    )


_ONE_STATED, _RUN_STATED = _statements("[A-G]"), _statements(_RUN)
# "A or B" states no one letter, and the run of "A、B、D都对" is not A、B.
_OR_ANOTHER = rf"\s*(?:[、和或与及&/]|,?\s*\b(?:and|or)\b)\s*[(（]?[A-G]{_END}"
_ONE_STATED_ALONE = tuple(
    re.compile(f"{pattern.pattern}(?!{_OR_ANOTHER})") for pattern in _ONE_STATED
)
_GOES_ON = rf"\s*(?:[,，、和或与及&/]|and|or)?\s*[A-G]{_END}"
_ONE_ALONE = re.compile(rf"{_OPEN}([A-G]){_CLOSE}[.。]?\s*")
_RUN_ALONE = re.compile(rf"{_OPEN}({_RUN}){_CLOSE}[.。]?\s*")
_FIRST = re.compile(rf"{_OPEN}([A-G]){_CLOSE}(?:[.:、]|\s|$)")
_FIRST_RUN = re.compile(rf"{_OPEN}({_RUN})(?!{_GOES_ON}){_CLOSE}(?:[.。:、]|\s|$)")
_ARTICLE = re.compile(r"\s*A\s+(?!(?:is|are|was|and|or|because|since|as)\b)[a-z]")
_STANDING = re.compile(rf"(?<![A-Za-z])(?!{_ARTICLE.pattern})([A-G])(?![A-Za-z'’])")


def strict_letter(text: str) -> str | None:
    """The one letter that the answer is or states."""
    return _strict(text, _ONE_ALONE, _ONE_STATED_ALONE)


def lenient_letter(text: str) -> str | None:
    """The letter that a kind reader takes for the answer."""
    plain = _plain(text)
    stated = _stated(plain, _ONE_STATED)
    if stated:
        return stated[-1]
    first = _FIRST.match(plain)
    if first and not _ARTICLE.match(plain):
        return first.group(1)
    standing = _STANDING.findall(plain)
    return str(standing[-1]) if standing else None


def strict_letters(text: str) -> str | None:
    """The one set of letters that the answer is or states, in the alphabet's order."""
    return _strict(text, _RUN_ALONE, _RUN_STATED)


def lenient_letters(text: str) -> str | None:
    """The set of letters that a kind reader takes for the answer, in the alphabet's order."""
    plain = _plain(text)
    stated = _stated(plain, _RUN_STATED)
    if stated:
        return letter_set(stated[-1])
    first = _FIRST_RUN.match(plain)
    if first and not _ARTICLE.match(plain):
        return letter_set(first.group(1))
    return letter_set("".join(_STANDING.findall(plain))) or None


def letter_set(text: str) -> str:
    """The letters A to G in a text, each once, in the alphabet's order."""
    return "".join(sorted({sign for sign in text if sign in "ABCDEFG"}))


def _stated(plain: str, patterns: Iterable[re.Pattern[str]]) -> list[str]:
    """What the first pattern that is found at all finds."""
    return next((found for pattern in patterns if (found := pattern.findall(plain))), [])


def _strict(text: str, alone: re.Pattern[str], patterns: Iterable[re.Pattern[str]]) -> str | None:
    plain = _plain(text)
    whole = alone.fullmatch(plain)
    if whole:
        return letter_set(whole.group(1))
    found = {letter_set(run) for run in _stated(plain, patterns)}
    return found.pop() if len(found) == 1 else None


def _plain(text: str) -> str:
    """The text with letters and punctuation of ordinary width."""
    return unicodedata.normalize("NFKC", text)


LETTER = Extractor(
    name="letter",
    summary="the letter of one option",
    source="tuneval",
    strict=strict_letter,
    lenient=lenient_letter,
)
LETTERS = Extractor(
    name="letters",
    summary="the letters of several options; their order says nothing",
    source="tuneval",
    strict=strict_letters,
    lenient=lenient_letters,
    form=letter_set,
)
