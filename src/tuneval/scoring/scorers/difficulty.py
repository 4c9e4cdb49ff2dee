"""How much of a response its instruction explains, and the reverse.

Both compare a text after its condition with the same text alone, token for token: where nothing
stands before the text alone, its first token is predicted by nothing and is left out of both.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from tuneval.scoring.encoding import PromptEncoder, Turn
from tuneval.scoring.item import ScoringItem
from tuneval.scoring.prompts import Target
from tuneval.scoring.reasons import Unscored
from tuneval.scoring.scorer import Asked, Measured, Part, Reading, Scorer
from tuneval.scoring.scorers.measured_parts import total, why_not
from tuneval.scoring.scorers.readings import FOLLOWING, GENERATION
from tuneval.scoring.setting import Setting

GIVEN, ALONE = "conditional", "unconditional"


class _Difficulty(Scorer):
    """exp(a - b), or a / b, of mean losses: a after the condition, b alone."""

    needs = frozenset({"model", "tokenizer"})
    target: Target
    one_token: str
    """The reason code for targets of which nothing is left."""
    empty: str
    """The reason code for targets without a token."""

    def combine(
        self, item: ScoringItem, measured: Sequence[Measured], setting: Setting
    ) -> float | Unscored:
        """Over all turns: every token counts alike."""
        given, alone = total(measured, GIVEN).mean, total(measured, ALONE).mean
        if self.config.ratio == "perplexity":
            return math.exp(given - alone)
        return given / alone if alone > 0 else Unscored("certain_alone")

    def _ask(self, turns: Sequence[Turn], encoder: PromptEncoder) -> Asked | Unscored:
        """Both terms over the same part of each target."""
        lead = encoder.lead(self.target)
        parts: list[Part] = []
        n_truncated = n_short = 0
        for number, turn in enumerate(turns):
            if not len(turn.target):
                continue
            target = encoder.fit(turn, beside=lead)
            n_truncated += len(turn.target) - len(target)
            first = 0 if len(lead) else 1
            if len(target) <= first:
                n_short += len(turn.target) <= first
                continue
            begun, rest = target[:first], target[first:]
            parts.append(Part.of(GIVEN, number, _join(turn.context, begun), rest))
            parts.append(Part.of(ALONE, number, _join(lead, begun), rest))
        if parts:
            return Asked(tuple(parts), n_truncated)
        if n_short:
            return Unscored(self.one_token)
        return Unscored("truncated" if n_truncated else self.empty)

    @property
    def _variant(self) -> str:
        if self.config.ratio == "perplexity":
            return "ratio of perplexities (Superfiltering, Li et al. 2024)"
        return "ratio of mean losses (Cherry LLM, Li et al. 2023)"


class InstructionFollowing(_Difficulty):
    """IFD = PPL(y|x) / PPL(y)."""

    name = "ifd"
    target: Target = "response"
    one_token, empty = "one_token_response", "empty_response"

    @property
    def reading(self) -> Reading:
        """See `Scorer.reading`."""
        return replace(FOLLOWING, source=self._variant)

    def ask(self, item: ScoringItem, setting: Setting) -> Asked | Unscored:
        """Each response after its prompt, and alone."""
        if refused := why_not(item):
            return refused
        turns = setting.encoder.responses(item)
        return turns if isinstance(turns, Unscored) else self._ask(turns, setting.encoder)


class InstructionGeneration(_Difficulty):
    """r-IFD = PPL(instruction | response, input) / PPL(instruction)."""

    name = "r_ifd"
    target: Target = "instruction"
    one_token, empty = "one_token_instruction", "empty_instruction"

    @property
    def reading(self) -> Reading:
        """See `Scorer.reading`."""
        own = "the target is the instruction without its input"
        return replace(GENERATION, source=f"Li et al. 2024, {self._variant}; {own}")

    def ask(self, item: ScoringItem, setting: Setting) -> Asked | Unscored:
        """Each instruction after its response, and alone."""
        if refused := why_not(item):
            return refused
        turns = setting.encoder.instructions(item)
        return turns if isinstance(turns, Unscored) else self._ask(turns, setting.encoder)


def _join(context: np.ndarray, begun: np.ndarray) -> np.ndarray:
    return np.concatenate([context, begun])
