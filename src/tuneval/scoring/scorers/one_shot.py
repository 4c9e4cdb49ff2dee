"""Whether an example, shown once, helps the model with others of its task."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

from tuneval.scoring.encoding import PromptEncoder
from tuneval.scoring.item import ScoringItem
from tuneval.scoring.peers import Peers
from tuneval.scoring.reasons import Unscored
from tuneval.scoring.scorer import Asked, Measured, Part, Reading, Scorer
from tuneval.scoring.scorers.measured_parts import total, why_not
from tuneval.scoring.scorers.readings import ONE_SHOT
from tuneval.scoring.setting import Setting

ZERO, ONE = "zero_shot", "one_shot"
TRIES = 4
"""A peer that does not fit beside the example is passed over, up to so many times its number."""


class OneShot(Scorer):
    """Mean over peers of sign(PPL(y'|x') - PPL(y'|x', e)), in [-1, 1]; or of the difference."""

    name = "one_shot"
    needs = frozenset({"model", "tokenizer", "tasks"})

    @property
    def reading(self) -> Reading:
        """See `Scorer.reading`."""
        unit = "score" if self.config.one_shot == "sign" else self._difference_unit
        return replace(ONE_SHOT, unit=unit)

    def begin(self, items: Sequence[ScoringItem], setting: Setting) -> None:
        """The tasks' pools. An example without an answer is nobody's peer."""
        self._items = {item.id: item for item in items}
        self._peers = Peers(
            ((item.id, item.task) for item in items if why_not(item) is None),
            seed=self.config.seed,
        )

    def ask(self, item: ScoringItem, setting: Setting) -> Asked | Unscored:
        """For each peer its answer without and with this example before it."""
        if refused := why_not(item):
            return refused
        if isinstance(own := setting.encoder.responses(item), Unscored):
            return own
        wanted = self.config.shots
        parts: list[Part] = []
        n_peers = n_tried = n_truncated = 0
        for peer_id in self._peers.of(item.id, item.task, limit=TRIES * wanted):
            asked = _beside(item, self._items[peer_id], setting.encoder)
            if asked is None:
                continue
            n_tried += 1
            if not asked:
                continue
            parts += [part for part, _ in asked]
            n_truncated += sum(n_cut for _, n_cut in asked)
            n_peers += 1
            if n_peers == wanted:
                break
        if not parts:
            return Unscored("truncated" if n_tried else "no_peer")
        return Asked(tuple(parts), n_truncated)

    def combine(
        self, item: ScoringItem, measured: Sequence[Measured], setting: Setting
    ) -> float | Unscored:
        """Every peer counts alike; its turns are measured as one text."""
        peers = dict.fromkeys(m.part.peer for m in measured if m.part.peer is not None)
        return math.fsum(self._gain(measured, peer) for peer in peers) / len(peers)

    def _gain(self, measured: Sequence[Measured], peer: str) -> float:
        zero, one = total(measured, ZERO, peer), total(measured, ONE, peer)
        if self.config.one_shot == "sign":
            return float((zero.total > one.total) - (zero.total < one.total))
        if self.config.reduction == "sum":
            return zero.total - one.total
        return math.exp(zero.mean) - math.exp(one.mean)

    @property
    def _difference_unit(self) -> str:
        return "nats" if self.config.reduction == "sum" else "perplexity"


def _beside(
    shot: ScoringItem, peer: ScoringItem, encoder: PromptEncoder
) -> list[tuple[Part, int]] | None:
    """The parts for one peer, with the tokens cut off; both terms over the same part of a turn.

    Without parts no token fits; None where the prompts have no place for the two.
    """
    without, with_shot = encoder.responses(peer), encoder.one_shot(shot, peer)
    if isinstance(without, Unscored) or isinstance(with_shot, Unscored):
        return None
    parts = []
    for number, (zero, one) in enumerate(zip(without, with_shot, strict=True)):
        target = encoder.fit(one)
        if len(target):
            parts.append((Part.of(ZERO, number, zero.context, target, peer=peer.id), 0))
            n_cut = len(one.target) - len(target)
            parts.append((Part.of(ONE, number, one.context, target, peer=peer.id), n_cut))
    return parts
