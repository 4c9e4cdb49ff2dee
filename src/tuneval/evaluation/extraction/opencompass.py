"""OpenCompass' readings: opencompass/utils/text_postprocessors.py."""

from __future__ import annotations

import re
from dataclasses import replace

from tuneval.evaluation.extraction.letters import LETTER, LETTERS

_SOURCE = "https://github.com/open-compass/opencompass, utils/text_postprocessors.py"
_X = "([ABCDE])"
# In this order, first match wins; the last two are its "cushion".
_OPTION = tuple(
    re.compile(pattern)
    for pattern in (
        rf"答案是?\s?{_X}",
        rf"答案是?\s?：{_X}",
        rf"答案是?\s?:{_X}",
        rf"答案应该?是\s?{_X}",
        rf"答案应该?选\s?{_X}",
        rf"答案为\s?{_X}",
        rf"答案选\s?{_X}",
        rf"选择?\s?{_X}",
        rf"只有选?项?\s?{_X}\s?是?对",
        rf"只有选?项?\s?{_X}\s?是?错",
        rf"只有选?项?\s?{_X}\s?不?正确",
        rf"只有选?项?\s?{_X}\s?错误",
        rf"说法不?对选?项?的?是\s?{_X}",
        rf"说法不?正确选?项?的?是\s?{_X}",
        rf"说法错误选?项?的?是\s?{_X}",
        rf"{_X}\s?是正确的",
        rf"{_X}\s?是正确答案",
        rf"选项\s?{_X}\s?正确",
        rf"所以答\s?{_X}",
        rf"1.\s?{_X}[.。$]?$",
        r"所以\s?([ABCDE][.。$]?$)",
        r"所有\s?([ABCDE][.。$]?$)",
        rf"[\s，：:,]{_X}[。，,\.]?$",
        rf"[\s，,：:][故即]{_X}[。\.]?$",
        rf"[\s，,：:]因此{_X}[。\.]?$",
        rf"[是为。]\s?{_X}[。\.]?$",
        rf"因此\s?{_X}[。\.]?$",
        rf"显然\s?{_X}[。\.]?$",
        r"答案是\s?(\S+)(?:。|$)",
        r"答案应该是\s?(\S+)(?:。|$)",
        r"答案为\s?(\S+)(?:。|$)",
        rf"[Tt]he answer is {_X}",
        rf"[Tt]he answer is option {_X}",
        rf"[Tt]he correct answer is {_X}",
        rf"[Tt]he correct answer is option {_X}",
        rf"[Tt]he answer to the question is {_X}",
        rf"^选项\s?{_X}",
        rf"^{_X}\s?选?项",
        r"(\s|^)[ABCDE][\s。，,：:\.$]",
        r"(\s|^)[ABCDE](\s|$)",
        r"1.\s?(.*?)$",
        rf"{_X}:",
        r"[ABCDE]",
    )
)


def first_capital(text: str) -> str | None:
    """The first capital letter of any script: "Because B" gives B, "Choose C" gives C."""
    return next((sign for sign in text if sign.isupper()), None)


def first_option(text: str) -> str | None:
    """The first of A to E in what the first fitting pattern matches."""
    for pattern in _OPTION:
        found = pattern.search(text)
        letter = next((x for x in "ABCDE" if found and x in found.group(0)), None)
        if letter is not None:
            return letter
    return None


def first_capitals(text: str) -> str | None:
    """The first run of A to D without anything between: of "A, C" the A alone."""
    found = re.search("[A-D]+", text)
    return found.group(0) if found else None


FIRST_CAPITAL = replace(
    LETTER,
    name="first_capital",
    summary="one option; officially the first capital letter",
    source=_SOURCE,
    official=first_capital,
    faults=("any capital counts: of `The answer is B` it reads T",),
)
FIRST_OPTION = replace(
    LETTER,
    name="first_option",
    summary="one option; officially by the first fitting of 43 patterns",
    source=_SOURCE,
    official=first_option,
    faults=("the earliest pattern counts, not the last statement", "`不选A` is read as A"),
)
FIRST_CAPITALS = replace(
    LETTERS,
    name="first_capitals",
    summary="several options; officially the first run of capitals A to D",
    source=_SOURCE,
    official=first_capitals,
    faults=("`A, C` is read as A", "`CA` is not AC"),
)
