"""C-Eval's readings: code/evaluator_series/evaluators/chatgpt.py and llama.py."""

from __future__ import annotations

import re
import string
from collections.abc import Sequence
from dataclasses import replace

from tuneval.evaluation.extraction.extractor import Extractor, Reading
from tuneval.evaluation.extraction.letters import LETTER

_SOURCE = "https://github.com/hkust-nlp/ceval, code/evaluator_series"
_OPTION = r"\s?选?项?\s?([A-D])"
_ZERO_SHOT = tuple(
    re.compile(pattern)
    for pattern in (
        "^选([A-D])",
        "^选项([A-D])",
        *(
            said + _OPTION
            for said in ("答案是", "答案为", "答案应为", "答案选", "答案是:", "答案应该是:")
        ),
        r"正确的一项是\s?([A-D])",
        *(
            said + _OPTION
            for said in (
                "答案为:",
                "答案应为:",
                "答案:",
                "答案是：",
                "答案应该是：",
                "答案为：",
                "答案应为：",
                "答案：",
            )
        ),
    )
)
_COT = ("答案是(.+?)。", "答案为(.+?)。", "选项(.+?)是正确的。")
_COT_TEXT = tuple(
    re.compile(pattern)
    for pattern in (
        r"答案是?\s?([ABCD])",
        r"答案是?\s?：([ABCD])",
        r"答案是?\s?:([ABCD])",
        r"答案应该?是\s?([ABCD])",
        r"答案应该?选\s?([ABCD])",
        r"答案为\s?([ABCD])",
        r"选择\s?([ABCD])",
        r"只有选?项?\s?([ABCD])\s?是?对",
        r"只有选?项?\s?([ABCD])\s?是?错",
        r"只有选?项?\s?([ABCD])\s?不?正确",
        r"只有选?项?\s?([ABCD])\s?错误",
        r"说法不?对选?项?的?是\s?([ABCD])",
        r"说法不?正确选?项?的?是\s?([ABCD])",
        r"说法错误选?项?的?是\s?([ABCD])",
        r"([ABCD])\s?是正确的",
        r"([ABCD])\s?是正确答案",
        r"选项\s?([ABCD])\s?正确",
        r"所以答\s?([ABCD])",
        r"1.\s?([ABCD])[.。$]?$",
        r"所以\s?([ABCD][.。$]?$)",
        r"所有\s?([ABCD][.。$]?$)",
        r"[\s，：:,]([ABCD])[。，,\.]?$",
        r"[\s，,：:][故即]([ABCD])[。\.]?$",
        r"[\s，,：:]因此([ABCD])[。\.]?$",
        r"[是为。]\s?([ABCD])[。\.]?$",
        r"因此\s?([ABCD])[。\.]?$",
        r"显然\s?([ABCD])[。\.]?$",
        r"1.\s?(.*?)$",
        r"答案是\s?(\S+)(?:。|$)",
        r"答案应该是\s?(\S+)(?:。|$)",
        r"答案为\s?(\S+)(?:。|$)",
    )
)
_REASONING = "让我们一步一步思考"


def few_shot(text: str) -> str | None:
    """The whole answer, without ASCII punctuation and case; a letter only if it is nothing else."""
    return _normalised(text).upper() or None


def zero_shot(text: str) -> str | None:
    """The first sign where it is A to D, else the last find of the first pattern that fits."""
    said = text.strip()
    if said[:1] in tuple("ABCD"):
        return said[0]
    found = _first_finds(_ZERO_SHOT, said)
    return found[-1] if found else None


def cot(text: str) -> str | None:
    """What stands after the last 答案是 (else 答案为, else 选项) up to the full stop."""
    found = _first_finds([re.compile(pattern) for pattern in _COT], text)
    return _normalised(found[-1]).upper() if found else None


def cot_text(text: str) -> str | None:
    """The first find of the first of 31 patterns that fits, in the reasoning up to the next one."""
    reasoning = text.split(_REASONING)[0]
    whole = f"{_REASONING}，\n1.{reasoning}"
    for pattern in _COT_TEXT:
        found = pattern.search(whole)
        if found:
            return found.group(1)
    return None


def _first_finds(patterns: Sequence[re.Pattern[str]], text: str) -> list[str]:
    return next((found for pattern in patterns if (found := pattern.findall(text))), [])


def _normalised(text: str) -> str:
    """As its exact match compares: lower case, no ASCII punctuation, single blanks."""
    bare = text.lower().translate(str.maketrans("", "", string.punctuation))
    return " ".join(bare.split())


def _extractor(
    name: str,
    summary: str,
    official: Reading,
    *faults: str,
) -> Extractor:
    return replace(
        LETTER, name=name, summary=summary, source=_SOURCE, official=official, faults=faults
    )


FEW_SHOT = _extractor(
    "ceval_few_shot",
    "one option; officially the whole answer must be the letter",
    few_shot,
    "`B。` is wrong, for only ASCII punctuation is ignored",
)
ZERO_SHOT = _extractor(
    "ceval_zero_shot",
    "one option; officially the first sign, else 17 patterns",
    zero_shot,
    "an answer that begins with a word such as `Dear` is read as D",
)
COT = _extractor(
    "ceval_cot",
    "one option after reasoning; officially the last 答案是…。",
    cot,
    "an answer without the full stop 。 is not found",
)
COT_TEXT = _extractor(
    "ceval_cot_text",
    "one option after reasoning that a text goes on with; officially 31 patterns",
    cot_text,
    "an early mention such as `选择A` beats the final answer",
    "`1.\\s?(.*?)$` reads the rest of a line as the answer",
    "where the script also takes the right option's text, only letters are compared here",
)
