"""How surprising a prompt is, and a response after its prompt."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

from tuneval.scoring.item import ScoringItem
from tuneval.scoring.reasons import Unscored
from tuneval.scoring.scorer import Asked, Measured, Part, Reading, Scorer
from tuneval.scoring.scorers.measured_parts import total, why_not
from tuneval.scoring.scorers.readings import PROMPT, RESPONSE
from tuneval.scoring.setting import Setting


class _Perplexity(Scorer):
    """exp of the mean negative log-likelihood per token, or the sum in nats."""

    needs = frozenset({"model", "tokenizer"})

    def combine(
        self, item: ScoringItem, measured: Sequence[Measured], setting: Setting
    ) -> float | Unscored:
        """Over all turns: every token counts alike."""
        nll = total(measured, self.name)
        return nll.total if self.config.reduction == "sum" else math.exp(nll.mean)

    @property
    def _unit(self) -> str:
        return "nats" if self.config.reduction == "sum" else "perplexity"


class PromptPerplexity(_Perplexity):
    """PPL(x): the whole prompt, template words included, of every turn given those before it."""

    name = "prompt_ppl"

    @property
    def reading(self) -> Reading:
        """See `Scorer.reading`."""
        return replace(PROMPT, unit=self._unit)

    def ask(self, item: ScoringItem, setting: Setting) -> Asked | Unscored:
        """The prompt's ids after the first, or after BOS, as far as the model reads."""
        if refused := why_not(item, of_response=False):
            return refused
        encoder = setting.encoder
        turns = encoder.responses(item)
        if isinstance(turns, Unscored):
            return turns
        parts = []
        n_truncated = 0
        for number, turn in enumerate(turns):
            start = max(len(turn.context) - turn.n_new, len(encoder.bos), 1)
            end = min(len(turn.context), encoder.longest or len(turn.context))
            n_truncated += len(turn.context) - max(start, end)
            if end > start:
                parts.append(
                    Part.of(self.name, number, turn.context[:start], turn.context[start:end])
                )
        if not parts:
            return Unscored("truncated" if n_truncated else "one_token_prompt")
        return Asked(tuple(parts), n_truncated)


class ResponsePerplexity(_Perplexity):
    """PPL(y|x): every response after all that stands before it."""

    name = "response_ppl"

    @property
    def reading(self) -> Reading:
        """See `Scorer.reading`."""
        return replace(RESPONSE, unit=self._unit)

    def ask(self, item: ScoringItem, setting: Setting) -> Asked | Unscored:
        """Each response as far as there is room for it."""
        if refused := why_not(item):
            return refused
        turns = setting.encoder.responses(item)
        if isinstance(turns, Unscored):
            return turns
        fitted = [setting.encoder.fit(turn) for turn in turns]
        parts = [
            Part.of(self.name, number, turn.context, target)
            for number, (turn, target) in enumerate(zip(turns, fitted, strict=True))
            if len(target)
        ]
        n_truncated = sum(len(t.target) - len(f) for t, f in zip(turns, fitted, strict=True))
        if parts:
            return Asked(tuple(parts), n_truncated)
        return Unscored("truncated" if n_truncated else "empty_response")
