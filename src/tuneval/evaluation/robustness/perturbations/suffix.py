"""Words after the question that say nothing about it."""

from __future__ import annotations

import re
from collections.abc import Iterator

from tuneval.evaluation.robustness.edits import Edit
from tuneval.evaluation.robustness.perturbation import (
    Change,
    Perturbation,
    PerturbationAbout,
    everywhere,
)
from tuneval.evaluation.robustness.perturbations.layout import HAN

_ENGLISH = (
    "and true is true " * 5,
    "and false is not true " * 5,
    "as the sky is above and the ground is below and true is true ",
)
_CHINESE = ("并且真就是真，" * 5, "并且假不是真，" * 5, "因为天在上而地在下，真就是真，")


def _suffix(argument: str) -> Change:
    own = (argument,) if argument else None

    def edits(text: str) -> Iterator[Edit]:
        if not text.strip():
            return
        is_chinese = re.search(f"[{HAN}]", text) is not None
        end = len(text.rstrip())
        options = own or (_CHINESE if is_chinese else _ENGLISH)
        gap = "" if is_chinese else " "
        yield Edit(end, end, tuple(gap + option.rstrip(" ，") for option in options))

    return everywhere(lambda text: list(edits(text)))("")


ADVERSARIAL_SUFFIX = Perturbation(
    about=PerturbationAbout(
        name="adversarial_suffix",
        summary="a tautology after the question, or a text of your own",
        languages=("en", "zh"),
        source="stress tests of Naik et al. (2018), as in PromptRobust (Zhu et al. 2023); "
        "a suffix optimised against a model (Zou et al. 2023) is given as the argument",
        argument="text",
    ),
    make=_suffix,
)
