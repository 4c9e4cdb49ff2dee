"""Changes of Chinese characters: the wrong one of the same sound, the other script."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from typing import Any

from tuneval.evaluation.robustness.edits import Edit
from tuneval.evaluation.robustness.perturbation import (
    Perturbation,
    PerturbationAbout,
    everywhere,
    of_share,
)
from tuneval.evaluation.robustness.perturbations.layout import HAN
from tuneval.extras import require

_RUN = re.compile(f"[{HAN}]+")
_NUMERALS = frozenset("零〇一二三四五六七八九十百千万亿两半几第加减乘除")


def _homophones(text: str) -> Iterator[Edit]:
    for run in _RUN.finditer(text):
        for at, (character, sound) in enumerate(
            zip(run.group(), _sounds(run.group()), strict=True), run.start()
        ):
            if character not in _NUMERALS:
                yield Edit(at, at + 1, _others(character, sound))


@cache
def _others(character: str, sound: str) -> tuple[str, ...]:
    return tuple(c for c in _characters_by_sound().get(sound, "") if c != character)


@cache
def _characters_by_sound() -> dict[str, str]:
    """The common characters, without numerals, by their most usual reading."""
    by_sound: dict[str, str] = {}
    for character in _common_characters():
        if character not in _NUMERALS:
            (sound,) = _sounds(character)
            by_sound[sound] = by_sound.get(sound, "") + character
    return by_sound


def _common_characters() -> str:
    """The 3,755 characters of the first level of GB 2312, in rows 16 to 55."""
    rows = (bytes([row, cell]) for row in range(0xB0, 0xD8) for cell in range(0xA1, 0xFF))
    return b"".join(rows).decode("gb2312", errors="ignore")


def _sounds(run: str) -> list[str]:
    """The reading of each character, tone included, as the words around it have it: "hang2"."""
    pinyin = require("pypinyin", extra="eval", why="to find characters of the same sound")
    sounds: list[str] = pinyin.lazy_pinyin(
        run, style=pinyin.Style.TONE3, neutral_tone_with_five=True, errors=list
    )
    return sounds


def _other_script(text: str) -> Iterator[Edit]:
    """Characters that have another form: to traditional, or back where traditional ones stand."""
    simplified = _converted("t2s", text)
    converted = simplified if simplified != text else _converted("s2t", text)
    for at, (before, after) in enumerate(zip(text, converted, strict=True)):
        if before != after:
            yield Edit(at, at + 1, (after,))


def _converted(direction: str, text: str) -> str:
    """Character by character where words of the dictionary would change the length."""
    convert = _converter(direction).convert
    whole: str = convert(text)
    return whole if len(whole) == len(text) else "".join(map(_first(convert), text))


def _first(convert: Any) -> Any:
    return lambda character: convert(character)[:1] or character


@cache
def _converter(direction: str) -> Any:
    opencc = require("opencc", extra="eval", why="to write Chinese in the other script")
    return opencc.OpenCC(direction)


HOMOPHONES = Perturbation(
    about=PerturbationAbout(
        name="homophones",
        summary="characters replaced by a common one of the same sound and tone; numerals stay",
        languages=("zh",),
        source="slips of pinyin input; readings of pypinyin, characters of GB 2312's first level",
        argument="share of the characters",
        default="0.1",
    ),
    make=of_share(lambda text: list(_homophones(text))),
)
TRADITIONAL_SIMPLIFIED = Perturbation(
    about=PerturbationAbout(
        name="traditional_simplified",
        summary="simplified characters in traditional form; where traditional ones stand, back",
        languages=("zh",),
        source="CLEVA (Li et al. 2023), as in HELM; OpenCC's tables s2t and t2s",
    ),
    make=everywhere(lambda text: list(_other_script(text))),
)
