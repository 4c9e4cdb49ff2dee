"""Whether an answer is in the language of its question, as far as the script tells.

Scripts are all that is looked at: a French answer to an English question passes, a Chinese one
does not. A person may want another script than his own: what he names (`in Chinese`, 翻译成英文),
shows in quotation marks or after a colon, or gives as input may be answered in. So an answer that
leaves the sentence untranslated passes as well; this measure never asks whether a translation was
made. Code, links and formulas have no language. Nor have names, labels and terms in Latin letters
that stand in a text of another script: there only four Latin words in a row count.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import ClassVar

from tuneval.data.description.languages import script_weights
from tuneval.data.wanted_scripts import wanted_scripts
from tuneval.scoring.item import Exercise, ScoringItem
from tuneval.scoring.reasons import Unscored
from tuneval.scoring.scorer import Measured, Reading, Scorer
from tuneval.scoring.setting import Setting

_no_language = re.compile(
    r"```.*?(?:```|\Z)"  # code blocks, code in a line, links, commands of TeX
    r"|`[^`\n]+`|(?:https?://|www\.)[^\s\u2e80-\uffef]+|\\[a-zA-Z]+|\$(?=\S)[^$\n]+(?<=\S)\$",
    re.DOTALL,
)
_piece = re.compile('[^\n:：;；"“”「」『』《》]+')
_LETTER = "A-Za-z\u00c0-\u024f'’"
_latin_sentence = re.compile(
    f"(?<![{_LETTER}])(?:[{_LETTER}]++[,;:]? ){{3}}[{_LETTER}]++(?:[,;:]? [{_LETTER}]++)*+"
)
_latin = re.compile(f"[{_LETTER}]+")


class LanguageMatch(Scorer):
    """The share over all answers that have letters, each letter counted once."""

    name: ClassVar[str] = "language"

    @property
    def reading(self) -> Reading:
        """Answers in a wrong script."""
        return Reading(
            "Language match",
            "语言一致性",
            "share",
            "Share of the answer's letters that are in a script of the question, or in one it asks "
            "for. 1: all. It sees scripts, not languages, and no code, links or names; an "
            "untranslated answer to a request for a translation is not seen.",
            "回答中与提问（或提问所要求的语言）文字一致的字母所占比例，1 表示完全一致。"
            "只看文字种类，不区分同一文字的语言；代码、链接与人名等不计；无法发现漏译。",
            "letters by script, Unicode Standard Annex #24; a Chinese or Japanese character or "
            "Korean syllable counts as four letters",
        )

    def combine(
        self, item: ScoringItem, measured: Sequence[Measured], setting: Setting
    ) -> float | Unscored:
        """A share from 0 to 1."""
        if not item.exercises:
            return Unscored("no_response")
        if not any(exercise.response.strip() for exercise in item.exercises):
            return Unscored("empty_response")
        fitting = total = 0
        for exercise in item.exercises:
            said = list(_said(exercise))
            expected = _scripts_of(said)
            if not expected:
                continue
            weights = _weights_of_answer(exercise.response, latin="latin" in expected)
            wanted = wanted_scripts("\n".join(said))
            allowed = expected | wanted.scripts
            if "kana" in allowed:
                allowed.add("zh")  # Japanese is written in both
            fits = sum(weight for script, weight in weights.items() if script in allowed)
            whole = sum(weights.values())
            if fits < whole and wanted.open:
                return Unscored("language_left_open")
            fitting += fits
            total += whole
        return fitting / total if total else Unscored("no_letters")


def _said(exercise: Exercise) -> Iterator[str]:
    """What people said: the question first, then what came before it, last first."""
    yield exercise.instruction + "\n" + exercise.input
    for message in reversed(exercise.before):
        if message.role in ("user", "system"):
            yield message.content


def _scripts_of(said: Sequence[str]) -> set[str]:
    """The main script of each piece of the last thing said that has letters; kana if any has it."""
    for text in said:
        scripts = set()
        for piece in _piece.findall(_no_language.sub(" ", text)):
            weights = script_weights(piece)
            scripts.update(weights.keys() & {"kana"})
            scripts.update(sorted(weights, key=weights.__getitem__)[-1:])
        if scripts:
            return scripts
    return set()


def _weights_of_answer(response: str, *, latin: bool) -> dict[str, int]:
    """Letters by script. Unless Latin ones are expected, only those in sentences count."""
    plain = _no_language.sub(" ", response)
    weights = script_weights(plain)
    if "latin" in weights and not latin:
        weights["latin"] = sum(
            len(word) for row in _latin_sentence.findall(plain) for word in _latin.findall(row)
        )
    return weights
