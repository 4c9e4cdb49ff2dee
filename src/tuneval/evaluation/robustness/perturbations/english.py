"""Changes of Latin letters: slips of the finger, lower case, contractions."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache

from tuneval.evaluation.robustness.edits import Edit
from tuneval.evaluation.robustness.perturbation import (
    Perturbation,
    PerturbationAbout,
    everywhere,
    of_share,
)

_ROWS = ("qwertyuiop", "asdfghjkl", "zxcvbnm")
_STAGGER = (0.0, 0.25, 0.75)
"""How far each row of keys stands to the right of the top one, in keys."""
_LONG_WORD = re.compile(r"(?<![\w'’])[A-Za-z]{4,}(?![\w])")
_CAPITALISED = re.compile(r"(?<!\w)[A-Z](?=[a-z]+(?!\w))")

_NEGATED = (
    "is", "are", "was", "were", "do", "does", "did", "has", "have", "had",
    "would", "should", "could", "must", "need",
)  # fmt: skip
_SHORT = {
    **{f"{verb} not": f"{verb}n't" for verb in _NEGATED},
    "will not": "won't",
    "cannot": "can't",
    "can not": "can't",
    **{f"{who} are": f"{who}'re" for who in ("we", "you", "they")},
    **{f"{who} will": f"{who}'ll" for who in ("i", "you", "he", "she", "it", "we", "they")},
    **{f"{who} is": f"{who}'s" for who in ("he", "she", "it", "that", "there", "what", "where")},
    "i am": "I'm",
    "let us": "let's",
}
_AMBIGUOUS = {f"{who}'s" for who in ("he", "she", "it", "that", "there", "what", "where")}
"""Short for "has" too, or a genitive: never written out."""
_LONG = {
    short: long for long, short in _SHORT.items() if short not in _AMBIGUOUS and long != "can not"
}
_OTHER_FORM = {**_SHORT, **{short.lower(): long for short, long in _LONG.items()}}
# A contraction cannot end its clause: "Yes, it is." stays.
_FORMS = re.compile(
    r"\b(?:{long})(?=\s+[a-z])|\b(?:{short})\b".format(
        long="|".join(_SHORT), short="|".join(form.replace("'", "['’]") for form in _LONG)
    ),
    re.IGNORECASE,
)


@cache
def neighbours(key: str) -> str:
    """The letters whose keys touch that of a lower-case letter on a QWERTY keyboard."""
    return "".join(
        other
        for other, (row, column) in _KEYS.items()
        if other != key and abs(row - _KEYS[key][0]) <= 1 and abs(column - _KEYS[key][1]) <= 1
    )


_KEYS = {
    key: (number, place + _STAGGER[number])
    for number, keys in enumerate(_ROWS)
    for place, key in enumerate(keys)
}


def _typos(text: str) -> Iterator[Edit]:
    # In a word of three letters a slip makes another word: "not", "now"; "two", "too".
    for word in _LONG_WORD.finditer(text):
        for at in range(*word.span()):
            near = neighbours(text[at].lower())
            yield Edit(at, at + 1, tuple(near.upper() if text[at].isupper() else near))


def _lower_case(text: str) -> Iterator[Edit]:
    for letter in _CAPITALISED.finditer(text):
        yield Edit(*letter.span(), (letter.group().lower(),))


def _contractions(text: str) -> Iterator[Edit]:
    for match in _FORMS.finditer(text):
        form = match.group()
        other = _OTHER_FORM[form.lower().replace("’", "'")]
        yield Edit(*match.span(), (other[0].upper() + other[1:] if form[0].isupper() else other,))


TYPOS = Perturbation(
    about=PerturbationAbout(
        name="typos",
        summary="letters replaced by a neighbour on the QWERTY keyboard, capitals by capitals",
        languages=("en",),
        source="HELM (Liang et al. 2022), typos; here of words of four letters or more, "
        "and an exact share of the letters",
        argument="share of the letters",
        default="0.05",
    ),
    make=of_share(lambda text: list(_typos(text))),
)
CASE = Perturbation(
    about=PerturbationAbout(
        name="case",
        summary="words with a capital at their beginning are written small",
        languages=("en",),
        source="HELM (Liang et al. 2022), lower case; here abbreviations and formulae stay",
    ),
    make=everywhere(lambda text: list(_lower_case(text))),
)
CONTRACTIONS = Perturbation(
    about=PerturbationAbout(
        name="contractions",
        summary="do not becomes don't, and don't becomes do not",
        languages=("en",),
        source="HELM (Liang et al. 2022), contraction and expansion; Ribeiro et al. (2020)",
    ),
    make=everywhere(lambda text: list(_contractions(text))),
)
