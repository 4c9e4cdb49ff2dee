"""Words replaced by others of the same meaning, from a list that comes with the package."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from importlib.resources import files

import yaml

from tuneval.evaluation.robustness.edits import Edit
from tuneval.evaluation.robustness.perturbation import (
    Perturbation,
    PerturbationAbout,
    of_share,
)
from tuneval.evaluation.robustness.perturbations.layout import HAN

LIST_NAME, ONLY_PUT_IN = "synonyms.yaml", "~"
_ARTICLE = re.compile(r"\b(?:a|an) $", re.IGNORECASE)

Groups = Sequence[Sequence[str]]


@cache
def synonyms(language: str) -> Mapping[str, tuple[str, ...]]:
    """The other words of each word's group, in the list's order. No word is in two groups."""
    content = (files(__package__) / LIST_NAME).read_text(encoding="utf-8")
    groups: Groups = yaml.safe_load(content)[language]
    return {
        word: tuple(w.removeprefix(ONLY_PUT_IN) for w in group if w != word)
        for group in groups
        for word in group
        if not word.startswith(ONLY_PUT_IN)
    }


@cache
def _english() -> re.Pattern[str]:
    longest_first = sorted(synonyms("en"), key=len, reverse=True)
    return re.compile(rf"(?<![\w'’-])(?:{'|'.join(longest_first)})(?![\w'’-])", re.IGNORECASE)


def _edits(text: str) -> Iterator[Edit]:
    yield from _english_edits(text)
    if re.search(f"[{HAN}]", text):
        yield from _chinese_edits(text)


def _english_edits(text: str) -> Iterator[Edit]:
    for match in _english().finditer(text):
        word = match.group()
        options: Sequence[str] = synonyms("en")[word.lower()]
        if _ARTICLE.search(text[: match.start()]):
            options = [o for o in options if _has_vowel(o) == _has_vowel(word)]
        if word[0].isupper():
            options = [option[0].upper() + option[1:] for option in options]
        yield Edit(*match.span(), tuple(options))


def _has_vowel(word: str) -> bool:
    """Whether "an" stands before it; no word of the list has a silent h or begins as "use"."""
    return word[0].lower() in "aeiou"


def _chinese_edits(text: str) -> Iterator[Edit]:
    """Whole words only: 对 in 对于 is no word."""
    from tuneval.evaluation.metrics.generation.segment import segment

    start = 0
    for word in segment(text):
        if word in synonyms("zh"):
            yield Edit(start, start + len(word), synonyms("zh")[word])
        start += len(word)


SYNONYMS = Perturbation(
    about=PerturbationAbout(
        name="synonyms",
        summary="words replaced by another of the same meaning and form",
        languages=("en", "zh"),
        source="HELM (Liang et al. 2022), synonym, which draws from WordNet whatever the sense; "
        "here a list of words that fit nearly any sentence",
        argument="share of the words in the list",
        default="0.5",
    ),
    make=of_share(lambda text: list(_edits(text))),
)
