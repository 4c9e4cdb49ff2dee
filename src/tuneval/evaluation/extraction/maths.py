"""A mathematical expression as an answer, and when two of them count as the same.

Same: equal after the normaliser of Hendrycks et al. 2021 (MATH, math_equivalence.py), which
AGIEval and others took over. It compares the writing, not the value: 0.5 is \\frac{1}{2}, and
1/2 too, but 0.25 is not 1/4.
"""

from __future__ import annotations

import re

from tuneval.evaluation.extraction.extractor import Extractor

_PLAINER = (
    ("\n", ""),
    ("\\!", ""),
    ("\\\\", "\\"),
    ("tfrac", "frac"),
    ("dfrac", "frac"),
    ("\\left", ""),
    ("\\right", ""),
    ("^{\\circ}", ""),
    ("^\\circ", ""),
    ("\\$", ""),
)
_UNIT = "\\text{ "
_HALF = "\\frac{1}{2}"
_NUMBER = re.compile(r"(?:\$)?\d+(?:\.\d+)?(?![\w\d])")
_DOLLARS = re.compile(r"\$(.*)\$")
_STATED = re.compile(r"(?:(?i:answer\s+is)|答案(?:是|为))\s*[:：]?\s*\$([^$\n]+)\$")


def maths_form(text: str) -> str:
    """The text as Hendrycks' normaliser writes it; as it stands where that fails."""
    try:
        return _normalised(text)
    except (IndexError, ValueError):
        return text


def last_boxed(text: str) -> str | None:
    """What stands in the last \\boxed{…}, braces matched; None where that is not whole."""
    start = text.rfind("\\boxed") + len("\\boxed")
    if start < len("\\boxed") or not text.startswith("{", start):
        return None
    depth = 0
    for place in range(start, len(text)):
        depth += (text[place] == "{") - (text[place] == "}")
        if depth == 0:
            return text[start + 1 : place]
    return None


def parsed(text: str) -> str | None:
    """An answer's expression as AGIEval's parse_math_answer finds it.

    That is the last \\boxed{…}; else what stands between the first and the last dollar of a line;
    else what follows the last =; else the last number. Of an equation the right-hand side.
    """
    if "\\boxed" in text:
        boxed = last_boxed(text)
        return None if boxed is None else _right_side(boxed)
    in_dollars = _DOLLARS.findall(text)
    if in_dollars and (found := _right_side(in_dollars[-1])):
        return found
    if "=" in text:
        # As published, a backslash and an n, not a line break, end the answer.
        return text.split("=")[-1].lstrip(" ").rstrip(".").split("\\n")[0]
    numbers = _NUMBER.findall(text)
    return numbers[-1] if numbers else None


def strict_expression(text: str) -> str | None:
    """The last \\boxed{…}, else what is stated between dollars; never a guess."""
    boxed = last_boxed(text)
    if boxed is not None:
        return maths_form(boxed)
    stated = {maths_form(said) for said in _STATED.findall(text)}
    return stated.pop() if len(stated) == 1 else None


def lenient_expression(text: str) -> str | None:
    """The strict reading where it finds one, else the first that AGIEval's rules give."""
    strict = strict_expression(text)
    found = parsed(text) if strict is None else None
    return maths_form(found) if found else strict


def _right_side(expression: str) -> str:
    return expression.split("=")[-1].lstrip(" ") if "=" in expression else expression


def _normalised(text: str) -> str:
    for old, new in _PLAINER:
        text = text.replace(old, new)
    text = _without_unit(text).replace("\\%", "")
    text = text.replace(" .", " 0.").replace("{.", "{0.")
    if text.startswith("."):
        text = "0" + text
    sides = text.split("=")
    if len(sides) == 2 and len(sides[0]) <= 2:
        text = sides[1]
    text = _fractions_braced(_roots_braced(text).replace(" ", ""))
    return _slash_as_fraction(_HALF if text == "0.5" else text)


def _without_unit(text: str) -> str:
    """The text before a unit. Raises ValueError for several, as the original fails then."""
    before, *units = text.split(_UNIT)
    if len(units) > 1:
        raise ValueError("several units")
    return before


def _roots_braced(text: str) -> str:
    """`\\sqrt3` as `\\sqrt{3}`. Raises IndexError where a root has nothing under it."""
    before, *roots = text.split("\\sqrt")
    return before + "".join(
        "\\sqrt" + (root if root[0] == "{" else f"{{{root[0]}}}{root[1:]}") for root in roots
    )


def _fractions_braced(text: str) -> str:
    """`\\frac12` as `\\frac{1}{2}`. Raises IndexError where a fraction has nothing behind it."""
    before, *fractions = text.split("\\frac")
    braced = before
    for part in fractions:
        if part[0] == "{":
            braced += "\\frac" + part
        elif len(part) < 2:
            return text
        else:
            below = part[1:] if part[1] == "{" else f"{{{part[1]}}}{part[2:]}"
            braced += f"\\frac{{{part[0]}}}{below}"
    return braced


def _slash_as_fraction(text: str) -> str:
    """`3/4` as `\\frac{3}{4}`: two whole numbers, written as Python writes them."""
    sides = text.split("/")
    if len(sides) != 2:
        return text
    try:
        above, below = map(int, sides)
    except ValueError:
        return text
    return f"\\frac{{{above}}}{{{below}}}" if text == f"{above}/{below}" else text


MATHS = Extractor(
    name="maths",
    summary="an expression, compared as Hendrycks' normaliser writes it",
    source="https://github.com/hendrycks/math, math_equivalence.py",
    strict=strict_expression,
    lenient=lenient_expression,
    form=maths_form,
)
