"""Answers in another script than the question, where nothing in the conversation asks for it.

Only a question wholly in Latin letters with an answer in another script, and the other way
round, are told apart: a Chinese text with English names in it is Chinese.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from tuneval.data.draft import Draft, Exchange
from tuneval.data.finding import Finding, clip
from tuneval.data.rule import Rule
from tuneval.data.wanted_scripts import wanted_scripts

_LEAST_WORDS = 5  # of Latin letters, in a question that counts
_LEAST_PROSE = 8  # in an answer: titles and names of things are shorter
_LEAST_OTHER = 8  # letters of another script; a Chinese one is half a word
_of_other_script = re.compile("[\u0370-\u1dff\u2c00-\u2dff\u3041-\ud7ff\uf900-\ufaff]").search
_every_of_other_script = re.compile(
    "[\u0370-\u1dff\u2c00-\u2dff\u3041-\ud7ff\uf900-\ufaff]"
).findall
_latin_words = re.compile("[A-Za-z\u00c0-\u024f]{2,}").findall
_is_prose = re.compile("(?:[A-Za-z\u00c0-\u024f'’]+ ){3}[A-Za-z]").search  # no JSON, no labels
_is_code = re.compile(r"```|[{};=<>]\s*\n|\w\(.*\)|[$\\]\w+\{|https?:").search


class Language(Rule):
    """language.mismatch (warning)"""

    def see(self, draft: Draft) -> Iterator[Finding]:
        """One warning for each answer to learn from in another script than its question."""
        for exchange in draft.exchanges:
            prompt, response = exchange.prompt, exchange.response
            if not prompt or (prompt.isascii() and response.isascii()):
                continue
            in_latin = _of_other_script(prompt) is None
            if in_latin is (_of_other_script(response) is None):
                continue
            differ = _is_latin_question(exchange) if in_latin else _is_latin_answer(exchange)
            if differ and not any(wanted_scripts(said) for said in _said_by_people(draft)):
                yield draft.finding(
                    "language.mismatch",
                    f"{exchange.path} is in another script than the question: "
                    f"{clip(response, 30)} answers {clip(prompt, 30)}.",
                    mend="answer in the language of the question, or ask for the other one",
                    path=exchange.path,
                    severity="warning",
                )


def _is_latin_question(exchange: Exchange) -> bool:
    """A question of several Latin words, answered mostly in another script."""
    n_other = len(_every_of_other_script(exchange.response))
    return (
        n_other >= _LEAST_OTHER
        and len(_latin_words(exchange.response)) < n_other / 4
        and len(_latin_words(exchange.prompt or "")) >= _LEAST_WORDS
    )


def _is_latin_answer(exchange: Exchange) -> bool:
    """A question without a Latin word, answered in a Latin sentence."""
    prompt = exchange.prompt or ""
    return (
        not _latin_words(prompt)
        and len(_every_of_other_script(prompt)) >= _LEAST_OTHER
        and len(_latin_words(exchange.response)) >= _LEAST_PROSE
        and _is_prose(exchange.response) is not None
        and _is_code(exchange.response) is None
    )


def _said_by_people(draft: Draft) -> Iterator[str]:
    return (turn.content for turn in draft.turns if turn.content and turn.role != "assistant")
