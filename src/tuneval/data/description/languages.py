"""Which language a text is in, as far as its script and commonest words tell.

A text is in the language of the script that most of it is written in; it is `mixed` when no
script has two thirds. A Chinese or Japanese character, or a Korean syllable, weighs as much as
four letters. Chinese characters among kana are Japanese. Of the languages that are written in
Latin letters only English is told, by its small words; any other, and a text too short to
tell, is `latin`. A text without a letter is `none`. Only the first LONGEST characters count.
"""

from __future__ import annotations

import re
from functools import cache

import numpy as np
from numpy.typing import NDArray

LONGEST = 2000
LANGUAGES = (
    *("zh", "ja", "ko", "en", "latin", "cyrillic", "greek", "arabic", "hebrew", "devanagari"),
    *("thai", "other", "mixed", "none"),
)
_SCRIPTS: tuple[tuple[str, tuple[tuple[int, int], ...]], ...] = (
    ("none", ()),
    (
        "latin",
        (
            *((0x41, 0x5A), (0x61, 0x7A), (0xC0, 0xD6), (0xD8, 0xF6), (0xF8, 0x24F)),
            *((0x1E00, 0x1EFF), (0xFF21, 0xFF3A), (0xFF41, 0xFF5A)),
        ),
    ),
    ("zh", ((0x3400, 0x4DBF), (0x4E00, 0x9FFF), (0xF900, 0xFAFF), (0x20000, 0x3FFFF))),
    ("kana", ((0x3041, 0x3096), (0x30A1, 0x30FA), (0x31F0, 0x31FF), (0xFF66, 0xFF9D))),
    ("ko", ((0x1100, 0x11FF), (0x3131, 0x318E), (0xAC00, 0xD7A3))),
    ("cyrillic", ((0x400, 0x52F), (0x1C80, 0x1C8F))),
    ("greek", ((0x370, 0x373), (0x376, 0x377), (0x386, 0x386), (0x388, 0x3FF), (0x1F00, 0x1FFF))),
    ("arabic", ((0x620, 0x64A), (0x66E, 0x6D3), (0x6FA, 0x6FF), (0x750, 0x77F))),
    ("hebrew", ((0x5D0, 0x5EA),)),
    ("devanagari", ((0x904, 0x939), (0x958, 0x961))),
    ("thai", ((0xE01, 0xE30), (0xE32, 0xE33), (0xE40, 0xE46))),
    (
        "other",
        (
            *((0x250, 0x2AF), (0x531, 0x587), (0x700, 0x8FF), (0x980, 0xDFF), (0xE80, 0x10FF)),
            *((0x1200, 0x1C7F), (0x2C00, 0x2DFF), (0xA000, 0xABFF), (0x10000, 0x1CFFF)),
        ),
    ),
)
_NAMES = [name for name, _ in _SCRIPTS]
_WEIGHTS = np.array(
    [0 if name == "none" else 4 if name in ("zh", "kana", "ko") else 1 for name in _NAMES]
)
_ZH, _KANA, _LATIN = _NAMES.index("zh"), _NAMES.index("kana"), _NAMES.index("latin")
_LEAST_SHARE = 2 / 3
_LEAST_KANA = 0.05
_LEAST_SMALL_WORDS = 0.1
_NO_LETTERS = re.compile("[^A-Za-z]+")
_WORDS = re.compile("[a-zA-Z]+(?:['’][a-z]+)?")
# Small words that are common in English, and such that are common where English is not.
_SMALL_WORDS = frozenset(
    re.findall(
        "[a-z']+",
        """
        the and of to is that it for with this are you your be have has not what which how can
        from by when where why who would should could there their they these those been were my
        if or but our its it's i'm don't i've can't please about because into than then an does
        did as he she his her him had each any between both through while some still since never
        out after make made using following here here's only much many very too given off
        """,
    )
)
_FOREIGN_WORDS = frozenset(
    re.findall(
        "[a-z]+",
        """
        le la les des du et est une dans que qui pour pas sur avec je vous der die das und ist
        nicht ein eine zu mit den von ich el los de y en un por con para es se su os um uma com
        il di che per non sono het een van dat niet te je ik og det som er at att och jag jeg av
        """,
    )
)


def language(text: str) -> str:
    """One of LANGUAGES."""
    text = text[:LONGEST]
    if text.isascii():
        return _latin_language(text) if re.search("[a-zA-Z]", text) else "none"
    weights = _script_weights(text)
    total = weights.sum()
    if total == 0:
        return "none"
    if weights[_KANA] >= _LEAST_KANA * (weights[_ZH] + weights[_KANA]):
        weights[_KANA] += weights[_ZH]
        weights[_ZH] = 0
    best = int(weights.argmax())
    if weights[best] < _LEAST_SHARE * total:
        return "mixed"
    if best == _LATIN:
        return _latin_language(text)
    return "ja" if best == _KANA else _NAMES[best]


def script_weights(text: str) -> dict[str, int]:
    """How much of a whole text is written in each script: letters, weighed as for `language`.

    The names are those of LANGUAGES; Latin letters are `latin` in any language, Chinese characters
    `zh` even in Japanese, whose other letters are `kana`. Scripts that do not occur are left out.
    """
    if text.isascii():
        n = len(_NO_LETTERS.sub("", text))
        return {"latin": n} if n else {}
    named = zip(_NAMES, _script_weights(text).tolist(), strict=True)
    return {name: weight for name, weight in named if weight}


def _latin_language(text: str) -> str:
    words = _WORDS.findall(text.lower())
    small = sum(map(_SMALL_WORDS.__contains__, words))
    foreign = sum(map(_FOREIGN_WORDS.__contains__, words))
    return "en" if small > max(foreign, _LEAST_SMALL_WORDS * len(words)) else "latin"


def _script_weights(text: str) -> NDArray[np.int64]:
    codes = np.frombuffer(text.encode("utf-32-le", "surrogatepass"), np.uint32)
    counts: NDArray[np.int64] = np.bincount(_script_of_code()[codes], minlength=len(_NAMES))
    weights: NDArray[np.int64] = counts * _WEIGHTS
    return weights


@cache
def _script_of_code() -> NDArray[np.uint8]:
    table = np.zeros(0x110000, dtype=np.uint8)
    for number, (_, ranges) in enumerate(_SCRIPTS):
        for first, last in ranges:
            table[first : last + 1] = number
    table[0x66A:0x66E] = 0  # Arabic marks of number are no letters
    return table
