"""The words of a text, equal to jieba's accurate mode and several times faster.

The dictionary and the tables of the hidden Markov model are jieba's own; so is the method: the
most probable path through the dictionary, then Viterbi over runs of single characters. The same
float operations in the same order make ties fall the same way. The dictionary is a private copy:
words that a program adds to jieba change no measurement, and no cache file is written.
"""

from __future__ import annotations

import math
import re
import warnings
from functools import cache, lru_cache
from importlib.resources import files
from types import ModuleType
from typing import NamedTuple

from tuneval.extras import require

CACHED_PIECES = 65_536

_BLOCK = re.compile(r"([\u4E00-\u9FD5a-zA-Z0-9+#&\._%\-]+)")
_SPACE = re.compile(r"(\r\n|\s)")
_HAN_RUN = re.compile(r"([\u4E00-\u9FD5]+)")
_LATIN_OR_NUMBER = re.compile(r"([a-zA-Z0-9]+(?:\.\d+)?%?)")
_IMPOSSIBLE = -3.14e100


def segment(text: str) -> list[str]:
    """Tokens of `text`, blanks and stops included: put together they are `text` again."""
    tokens: list[str] = []
    for position, block in enumerate(_BLOCK.split(text)):
        if position % 2:
            tokens.extend(_segment_block(block))
        elif len(block) == 1:
            tokens.append(block)
        elif block:
            for place, piece in enumerate(_SPACE.split(block)):
                if place % 2:
                    tokens.append(piece)
                else:
                    tokens.extend(piece)
    return tokens


def load_dictionary() -> None:
    """Load dictionary and tables now (about half a second) instead of at the first text."""
    _dictionary()
    _hidden_markov_model()


def forget_segments() -> None:
    """Empty the caches of words; the dictionary stays."""
    _segment_block.cache_clear()
    _segment_run.cache_clear()


@lru_cache(maxsize=CACHED_PIECES)
def _segment_block(block: str) -> tuple[str, ...]:
    """Tokens of a stretch of letters, digits and Chinese characters."""
    ends = _best_path(block)
    tokens: list[str] = []
    start, length = 0, len(block)
    while start < length:
        end = start
        while end < length and ends[end] == end + 1:
            end += 1
        run = block[start:end]
        if len(run) > 1:
            # Singles that are a dictionary word together lost against their parts: stay apart.
            tokens.extend(run if _dictionary().weights.get(run) else _segment_run(run))
        elif run:
            tokens.append(run)
        if end < length:
            tokens.append(block[end : ends[end]])
            end = ends[end]
        start = end
    return tuple(tokens)


def _best_path(block: str) -> list[int]:
    """For every position, where the word that starts there ends on the most probable path."""
    weights, unseen = _dictionary()
    weight_of = weights.get
    length = len(block)
    scores = [0.0] * (length + 1)
    ends = list(range(1, length + 1))
    for start in range(length - 1, -1, -1):
        best = -math.inf
        end = start + 1
        weight = weight_of(block[start])
        while weight is not None:
            if weight:
                score = weight + scores[end]
                if score >= best:
                    best, ends[start] = score, end
            end += 1
            if end > length:
                break
            weight = weight_of(block[start:end])
        scores[start] = best if best > -math.inf else unseen + scores[start + 1]
    return ends


@lru_cache(maxsize=CACHED_PIECES)
def _segment_run(run: str) -> tuple[str, ...]:
    """Tokens of a run of characters that the dictionary did not join."""
    tokens: list[str] = []
    for position, piece in enumerate(_HAN_RUN.split(run)):
        if position % 2:
            start = 0
            for end, state in enumerate(_likeliest_states(piece), start=1):
                if state in "ES":
                    tokens.append(piece[start:end])
                    start = end
        else:
            tokens.extend(part for part in _LATIN_OR_NUMBER.split(piece) if part)
    return tuple(tokens)


def _likeliest_states(run: str) -> str:
    """One letter a character: B(egin), M(iddle) or E(nd) of a word, or S(ingle). Viterbi.

    Of two equally likely paths the one through the later letter wins, as in a `max` over
    (probability, letter) pairs; ties are common, since what the tables do not know is
    "impossible", a number so large that it swallows all that is added to it.
    """
    emit_b, emit_m, emit_e, emit_s = (table.get for table in _hidden_markov_model().emissions)
    start_b, start_m, start_e, start_s = _hidden_markov_model().starts
    eb, sb, bm, mm, be, me, es, ss = _hidden_markov_model().transitions
    b = start_b + emit_b(run[0], _IMPOSSIBLE)
    m = start_m + emit_m(run[0], _IMPOSSIBLE)
    e = start_e + emit_e(run[0], _IMPOSSIBLE)
    s = start_s + emit_s(run[0], _IMPOSSIBLE)
    path_b, path_m, path_e, path_s = "B", "M", "E", "S"
    for character in run[1:]:
        emitted = emit_b(character, _IMPOSSIBLE)
        e_to_b, s_to_b = e + eb + emitted, s + sb + emitted
        emitted = emit_m(character, _IMPOSSIBLE)
        b_to_m, m_to_m = b + bm + emitted, m + mm + emitted
        emitted = emit_e(character, _IMPOSSIBLE)
        b_to_e, m_to_e = b + be + emitted, m + me + emitted
        emitted = emit_s(character, _IMPOSSIBLE)
        e_to_s, s_to_s = e + es + emitted, s + ss + emitted
        path_b, path_m, path_e, path_s = (
            (path_e if e_to_b > s_to_b else path_s) + "B",
            (path_b if b_to_m > m_to_m else path_m) + "M",
            (path_b if b_to_e > m_to_e else path_m) + "E",
            (path_e if e_to_s > s_to_s else path_s) + "S",
        )
        b, m, e, s = (
            max(e_to_b, s_to_b),
            max(b_to_m, m_to_m),
            max(b_to_e, m_to_e),
            max(e_to_s, s_to_s),
        )
    return path_e if e > s else path_s


class _Dictionary(NamedTuple):
    """Log-probability of every word; 0.0 for what only begins a word. `unseen` for the rest."""

    weights: dict[str, float]
    unseen: float


class _HiddenMarkovModel(NamedTuple):
    """Log-probabilities, states in the order B, M, E, S."""

    starts: tuple[float, ...]
    transitions: tuple[float, ...]
    emissions: tuple[dict[str, float], ...]


@cache
def _dictionary() -> _Dictionary:
    _require_jieba("jieba")
    counts: dict[str, int] = {}
    total = 0
    with (files("jieba") / "dict.txt").open(encoding="utf-8") as lines:
        for line in lines:
            word, count_text, *_ = line.split(" ")
            count = int(count_text)
            counts[word] = count
            total += count
            for end in range(1, len(word)):
                counts.setdefault(word[:end], 0)
    log_total = math.log(total)
    weights = {word: math.log(n) - log_total if n else 0.0 for word, n in counts.items()}
    return _Dictionary(weights, unseen=-log_total)


@cache
def _hidden_markov_model() -> _HiddenMarkovModel:
    start = _require_jieba("jieba.finalseg.prob_start").P
    move = _require_jieba("jieba.finalseg.prob_trans").P
    emit = _require_jieba("jieba.finalseg.prob_emit").P
    pairs = ("EB", "SB", "BM", "MM", "BE", "ME", "ES", "SS")
    return _HiddenMarkovModel(
        starts=tuple(start[state] for state in "BMES"),
        transitions=tuple(move[pair[0]][pair[1]] for pair in pairs),
        emissions=tuple(emit[state] for state in "BMES"),
    )


def _require_jieba(module: str) -> ModuleType:
    with warnings.catch_warnings():  # jieba's own source is old: its warnings help nobody here
        warnings.simplefilter("ignore")
        return require(module, extra="eval", why="to split Chinese text into words")
