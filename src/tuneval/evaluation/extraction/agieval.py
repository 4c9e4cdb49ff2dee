"""AGIEval's readings (src/post_process.py, math_equivalence.py), and lm-eval's version of them."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from functools import partial

from tuneval.evaluation.extraction.extractor import Extractor, Reading
from tuneval.evaluation.extraction.letters import LETTER, LETTERS, letter_set
from tuneval.evaluation.extraction.maths import (
    lenient_expression,
    maths_form,
    parsed,
    strict_expression,
)

_SOURCE = "https://github.com/ruixiangcui/AGIEval, src/post_process.py"
_STATED = {"en": re.compile("answer is .*?([A-G])"), "zh": re.compile("答案是.*?([A-G])")}
_PREFIXES = ("The answer is therefore", "答案是")


def first_letter(text: str) -> str | None:
    """The first A to F anywhere: "Answer: C" gives A, "Because" gives B."""
    return next((sign for sign in text if sign in "ABCDEF"), None)


def few_shot(language: str, text: str) -> str | None:
    """The first A to G after "answer is" or 答案是 on that line, else the first A to F anywhere."""
    found = _STATED[language].search(text)
    return found.group(1) if found else first_letter(text)


def few_shot_cot(language: str, text: str) -> str | None:
    """As `few_shot` with the words on the last line; the first A to F anywhere is of all lines."""
    found = _STATED[language].search(_last_line(text))
    return found.group(1) if found else first_letter(text)


def letters_anywhere(text: str) -> str | None:
    """Every A to F anywhere, as a set."""
    return letter_set(text.replace("G", "")) or None


def maths_zero_shot(text: str) -> str | None:
    """The expression by `parsed`, after the words that state an answer."""
    found = parsed(_after_prefix(text))
    return None if found is None else maths_form(found)


def maths_few_shot(text: str) -> str | None:
    """All that follows the words that state an answer, or all there is."""
    return maths_form(_after_prefix(text))


def maths_lm_eval(text: str) -> str:
    """As lm-eval compares: the key is parsed like an answer, and nothing equals nothing."""
    found = parsed(text)
    return "(nothing)" if found is None else maths_form(found)


def _last_line(text: str) -> str:
    return next((line for line in reversed(text.split("\n")) if line.strip()), text)


def _on_last_line(reading: Reading) -> Reading:
    return lambda text: reading(_last_line(text))


def _after_prefix(text: str) -> str:
    for prefix in _PREFIXES:
        if text.startswith(prefix):
            text = text.removeprefix(prefix).strip()
        elif prefix in text:
            text = text.rpartition(prefix)[2].strip()
    return text


def _as_set(key: str) -> str:
    """All signs of a key, each once: a full stop among them, as one key has, no answer can meet."""
    return "".join(sorted(set(key)))


def _one(name: str, summary: str, official: Reading, *faults: str) -> Extractor:
    return replace(
        LETTER, name=name, summary=summary, source=_SOURCE, official=official, faults=faults
    )


def _several(name: str, summary: str, official: Reading) -> Extractor:
    return replace(
        LETTERS,
        name=name,
        summary=summary,
        source=_SOURCE,
        official=official,
        official_key=_as_set,
        faults=("every capital counts: `Because A` is read as AB",),
    )


def _maths(
    name: str,
    summary: str,
    official: Reading,
    *faults: str,
    official_key: Callable[[str], str] | None = None,
) -> Extractor:
    return Extractor(
        name=name,
        summary=summary,
        source=_SOURCE,
        strict=strict_expression,
        lenient=lenient_expression,
        official=official,
        form=maths_form,
        official_key=official_key,
        faults=faults,
    )


_CAPITALS = "the first capital counts: `Answer: C` is read as A"
_FIRST_STATED = "the first letter after the words counts: `answer is not A but B` is read as A"
_CAPITAL_OF_ALL = "without the words on the last line the first capital of the reasoning counts"

ZERO_SHOT = _one(
    "agieval_zero_shot", "one option; officially the first of A to F", first_letter, _CAPITALS
)
FEW_SHOT_EN = _one(
    "agieval_few_shot_en",
    "one option; officially after `answer is`, else the first of A to F",
    partial(few_shot, "en"),
    _FIRST_STATED,
)
FEW_SHOT_ZH = _one(
    "agieval_few_shot_zh",
    "one option; officially after 答案是, else the first of A to F",
    partial(few_shot, "zh"),
    _FIRST_STATED,
)
COT_EN = _one(
    "agieval_cot_en",
    "one option; officially after `answer is` on the last line, else the first of A to F",
    partial(few_shot_cot, "en"),
    _FIRST_STATED,
    _CAPITAL_OF_ALL,
)
COT_ZH = _one(
    "agieval_cot_zh",
    "one option; officially after 答案是 on the last line, else the first of A to F",
    partial(few_shot_cot, "zh"),
    _FIRST_STATED,
    _CAPITAL_OF_ALL,
)
LETTERS_ANYWHERE = _several(
    "agieval_letters", "several options; officially every A to F anywhere", letters_anywhere
)
LETTERS_COT = _several(
    "agieval_letters_cot",
    "several options; officially every A to F on the last line",
    _on_last_line(letters_anywhere),
)
MATHS = _maths(
    "agieval_maths",
    "an expression; officially boxed, else between dollars, else after =, else the last number",
    maths_zero_shot,
    "of two expressions on a line it takes all from the first dollar to the last",
)
MATHS_FEW_SHOT = _maths(
    "agieval_maths_few_shot",
    "an expression; officially all that follows `The answer is therefore` or 答案是",
    maths_few_shot,
    "a full stop or a word behind the answer makes it wrong",
)
MATHS_COT = _maths(
    "agieval_maths_cot",
    "as agieval_maths_few_shot, on the last line",
    _on_last_line(maths_few_shot),
    "a full stop or a word behind the answer makes it wrong",
)
MATHS_LM_EVAL = _maths(
    "agieval_maths_lm_eval",
    "an expression; as lm-eval compares, with the key parsed like an answer",
    maths_lm_eval,
    "the key `(3,4]` becomes 4",
    "an answer without a number is right where the key has none either",
    official_key=maths_lm_eval,
)
