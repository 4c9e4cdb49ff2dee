"""Which instructions an answer follows, as it stands or with its wrapping taken off."""

from __future__ import annotations

from collections.abc import Sequence

from tuneval.evaluation.instructions.checks import Instruction, check
from tuneval.evaluation.metric import Unscored


def followed(
    answer: str, instructions: Sequence[Instruction], *, loosely: bool = False
) -> list[bool] | Unscored:
    """Of each instruction, whether the answer follows it; Unscored where one cannot be told.

    `loosely`: it is enough that one form of the answer does: without its first line, its last
    line, or both ("Sure, here it is:"), with asterisks or without. Zhou et al. (2023).
    """
    forms = _forms(answer) if loosely else [answer]
    found = [[check(form, instruction) for form in forms] for instruction in instructions]
    for results in found:
        for result in results:
            if isinstance(result, Unscored):
                return result
    return [any(results) for results in found]


def _forms(answer: str) -> list[str]:
    lines = answer.split("\n")
    cut = ["\n".join(part).strip() for part in (lines[1:], lines[:-1], lines[1:-1])]
    return [form for text in (answer, *cut) for form in (text, text.replace("*", ""))]
