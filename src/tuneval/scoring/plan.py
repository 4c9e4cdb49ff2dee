"""From examples to the distinct requests that all scorers need, and back to their scores."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from tuneval.errors import TunevalError
from tuneval.models.sequences import Request
from tuneval.scoring.item import ScoringItem
from tuneval.scoring.measured import MeasuredParts, request_key
from tuneval.scoring.reasons import REASONS, Unscored
from tuneval.scoring.row import ScoreRow
from tuneval.scoring.scorer import Asked, Measured, Part, Scorer
from tuneval.scoring.setting import Setting


@dataclass(frozen=True, slots=True)
class Plan:
    """What a window of items asks for. `requests` are distinct, by their keys, in file order."""

    items: Sequence[ScoringItem]
    asked: Sequence[Mapping[str, Asked | Unscored]]
    requests: dict[str, Request] = field(default_factory=dict)


def plan(items: Sequence[ScoringItem], scorers: Sequence[Scorer], setting: Setting) -> Plan:
    """Ask every scorer for every item."""
    asked = [{scorer.name: scorer.ask(item, setting) for scorer in scorers} for item in items]
    requests: dict[str, Request] = {}
    for answers in asked:
        for answer in answers.values():
            if isinstance(answer, Asked):
                for part in answer.parts:
                    requests.setdefault(request_key(part.request), part.request)
    return Plan(items, asked, requests)


def score_rows(
    planned: Plan, scorers: Sequence[Scorer], setting: Setting, measured: MeasuredParts
) -> list[ScoreRow]:
    """A row for each item of the plan; everything it asked for is measured."""
    rows = []
    for item, answers in zip(planned.items, planned.asked, strict=True):
        row = ScoreRow(item.id, str(item.example.source), item.task, {})
        for scorer in scorers:
            _score(row, scorer, item, answers[scorer.name], setting, measured)
        rows.append(row)
    return rows


def _score(
    row: ScoreRow,
    scorer: Scorer,
    item: ScoringItem,
    asked: Asked | Unscored,
    setting: Setting,
    measured: MeasuredParts,
) -> None:
    name = scorer.name
    found: list[Measured] = []
    value: float | Unscored
    if isinstance(asked, Unscored):
        value = asked
    else:
        found = [Measured(part, measured[request_key(part.request)]) for part in asked.parts]
        try:
            value = scorer.combine(item, found, setting)
        except OverflowError:
            value = Unscored("too_unlikely")
    if isinstance(value, Unscored):
        row.scores[name] = None
        row.reasons[name] = _known(value.code, scorer)
    elif not math.isfinite(value):
        raise TunevalError(
            f"The scorer '{name}' gives {value}, which is no score.",
            where=row.where,
            mend="a scorer answers with a finite number or Unscored",
        )
    else:
        row.scores[name] = float(value)
    if found:
        row.parts[name] = [_part_row(m) for m in found]
    if isinstance(asked, Asked) and asked.n_truncated:
        row.truncated[name] = asked.n_truncated


def _known(code: str, scorer: Scorer) -> str:
    if code not in REASONS and code not in scorer.own_reasons:
        raise TunevalError(
            f"The scorer '{scorer.name}' gives the reason '{code}', which is not explained.",
            mend="choose one of scoring.reasons, or explain it in the scorer's own_reasons",
        )
    return code


def _part_row(measured: Measured) -> dict[str, object]:
    part: Part = measured.part
    row: dict[str, object] = {"part": part.name, "turn": part.turn}
    if part.peer is not None:
        row["peer"] = part.peer
    return row | {"nll": measured.nll.total, "n_tokens": measured.nll.n_tokens}
