"""CMMLU's reading: src/mp_utils.py, extract_choice."""

from __future__ import annotations

import re
from dataclasses import replace

from tuneval.evaluation.extraction.letters import LETTER

_X = "(?P<x>[ABCD])"
_SINGLE = tuple(
    re.compile(pattern, re.MULTILINE)
    for pattern in (
        f"答案(选项)?(是|为)：? ?{_X}",
        f"答案(是|为)选项 ?{_X}",
        f"故?选择?：? ?{_X}",
        f"{_X} ?选?项(是|为)?正确",
        f"正确的?选项(是|为) ?{_X}",
        f"答案(应该)?(是|为){_X}",
        f"选项 ?{_X} ?(是|为)?正确",
        f"选择答案 ?{_X}",
        f"答案?：?{_X}",
        f"{_X}(选?项)?是?符合题意",
        f"答案选项：? ?{_X}",
        f"答案(选项)?为(.*?){_X}",
    )
)
_NEAREST = tuple(re.compile(f"{_X}(.*?){end}", re.MULTILINE) for end in ("当选", "正确"))
_WEAK = re.compile(f"[^不]是：? ?{_X}", re.MULTILINE)
_ONLY = re.compile(f"^[^ABCD]*{_X}[^ABCD]*$")


def extract_choice(text: str) -> str | None:
    """The letter found by the published rules, in their order; None where they draw one."""
    if text[:1] in tuple("ABCD"):
        return text[0]
    for pattern in _SINGLE:
        if found := pattern.search(text):
            return found["x"]
    for pattern in _NEAREST:
        if found := pattern.search(text):
            return _nearest(pattern, found)
    found = _WEAK.search(text) or _ONLY.match(text)
    return found["x"] if found else None


def _nearest(pattern: re.Pattern[str], found: re.Match[str]) -> str:
    """The last letter before the word that the pattern ends with."""
    while later := pattern.search(found[0][1:]):
        found = later
    return found["x"]


CMMLU = replace(
    LETTER,
    name="cmmlu",
    summary="one option; officially the first sign, else patterns; nothing found is wrong",
    source="https://github.com/haonan-li/CMMLU, src/mp_utils.py",
    official=extract_choice,
    faults=(
        "an answer that begins with a word such as `Because` is read as B",
        "`不选A` is read as A",
    ),
)
CMMLU_RANDOM = replace(
    CMMLU,
    name="cmmlu_random",
    summary="as cmmlu; where nothing is found a letter is drawn, as published, but by the item",
    drawn_from="ABCD",
    faults=(*CMMLU.faults, "an answer without a letter is right in one of four cases"),
)
