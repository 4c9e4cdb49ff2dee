"""The number that an answer comes to."""

from __future__ import annotations

import re
import unicodedata
from decimal import Decimal, InvalidOperation

from tuneval.evaluation.extraction.extractor import Extractor, Reading
from tuneval.evaluation.extraction.maths import last_boxed

_NUMBER = r"(?:(?<![\w)])[-−–])?(?:(?:\d{1,3}(?:,\d{3})+|\d+)(?:\.\d+)?|(?<![\d.])\.\d+)"
_ANY = re.compile(_NUMBER)
# Not the 2 of CO2, of 12 m^2 or of x_2.
_FREE = re.compile(rf"(?<![A-Za-z\d^_])(?<!\d\.){_NUMBER}(?!\d)")
_WHOLE = re.compile(rf"\s*[$¥€£]?\s*({_NUMBER})\s*(?:%|\.)?\s*")
_STATED = (
    re.compile(rf"####\s*\$?({_NUMBER})"),
    re.compile(rf"\\boxed\{{\s*\\?\$?\s*({_NUMBER})\s*(?:\\?%)?\s*\}}"),
    re.compile(rf"(?i:answer(?:\s+is)?)\s*:?\s*[*$¥€£]*({_NUMBER})(?![\d.,]*\d)"),
    re.compile(rf"答案(?:是|为)?\s*:?\s*[*$¥€£]*({_NUMBER})(?![\d.,]*\d)"),
)
_SUPERSCRIPT = re.compile("[⁺⁻]?[²³¹⁰⁴-⁹]+")
# lm-eval 0.4, tasks/gsm8k: the filters strict-match.
_AFTER_HASHES = re.compile(r"#### (\-?[0-9\.\,]+)")
_AFTER_WORDS = re.compile(r"The answer is (\-?[0-9\.\,]+).")


def number_form(text: str) -> str:
    """A number in one form: no thousands' commas, no noughts at its ends; other text as it is."""
    bare = (
        text.strip()
        .lstrip("$¥€£")
        .rstrip("%.")
        .replace(",", "")
        .replace("−", "-")
        .replace("–", "-")
    )
    try:
        value = Decimal(bare)
    except InvalidOperation:
        return text.strip()
    if not value.is_finite():
        return text.strip()
    return format(value.normalize() + 0, "f")


def strict_number(text: str) -> str | None:
    """The one number that the answer is or states (####, boxed, "the answer is")."""
    plain = _plain(text)
    whole = _WHOLE.fullmatch(plain)
    if whole:
        return number_form(whole.group(1))
    found = {number_form(said) for stated in _STATED for said in stated.findall(plain)}
    return found.pop() if len(found) == 1 else None


def lenient_number(text: str) -> str | None:
    """The number stated last, else the last number of all."""
    plain = _plain(text)
    stated = [(m.start(), m.group(1)) for pattern in _STATED for m in pattern.finditer(plain)]
    if stated:
        return number_form(max(stated)[1])
    numbers = _FREE.findall(plain) or _ANY.findall(plain)
    return number_form(numbers[-1]) if numbers else None


def _first_of(pattern: re.Pattern[str]) -> Reading:
    """The first find, as lm-eval compares it: without commas and a full stop at the end."""

    def reading(text: str) -> str | None:
        found = pattern.search(text)
        return found.group(1).replace(",", "").removesuffix(".") if found else None

    return reading


def _boxed_number(text: str) -> str | None:
    boxed = last_boxed(text)
    return None if boxed is None else strict_number(boxed)


def _plain(text: str) -> str:
    """The text with digits of ordinary width, without superscripts and LaTeX around commas."""
    bare = _SUPERSCRIPT.sub("", text).replace("{,}", ",").replace(",\\!", ",")
    return unicodedata.normalize("NFKC", bare)


NUMBER = Extractor(
    name="number",
    summary="a number; commas, currency and noughts at the end make no difference",
    source="tuneval",
    strict=strict_number,
    lenient=lenient_number,
    form=number_form,
)
GSM8K = Extractor(
    name="gsm8k",
    summary="a number; strictly and officially the first after ####",
    source="lm-eval 0.4, gsm8k.yaml: filter strict-match",
    strict=_first_of(_AFTER_HASHES),
    lenient=lenient_number,
    official=_first_of(_AFTER_HASHES),
    form=number_form,
    faults=("the first #### counts, whatever follows", "18.00 is not 18"),
)
GSM8K_COT = Extractor(
    name="gsm8k_cot",
    summary="a number; strictly and officially the first after `The answer is`",
    source="lm-eval 0.4, gsm8k-cot.yaml: filter strict-match",
    strict=_first_of(_AFTER_WORDS),
    lenient=lenient_number,
    official=_first_of(_AFTER_WORDS),
    form=number_form,
    faults=(
        "of an answer that ends without a full stop the last digit is lost: `is 18` gives 1",
        "`The answer is $18.` is not found",
    ),
)
BOXED_NUMBER = Extractor(
    name="boxed",
    summary="a number; strictly the one in the last \\boxed{}",
    source="tuneval",
    strict=_boxed_number,
    lenient=lenient_number,
    form=number_form,
)
