"""Everything a report tells, gathered by the caller; no field is looked up elsewhere."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from tuneval.data.example import Example, Item
from tuneval.evaluation.comparing.compare import Comparison
from tuneval.evaluation.record import EvaluationResult
from tuneval.evaluation.report.tasks.facts import TasksFacts

if TYPE_CHECKING:
    from tuneval.evaluation.comparing.ablation import AblationRow
    from tuneval.evaluation.comparing.gate import GateResult
    from tuneval.evaluation.stability.stability import Stability
    from tuneval.statistics.ranking import Standing

MOST_VALUES = 24


@dataclass(frozen=True, slots=True, kw_only=True)
class DataCard:
    """The data in numbers. `splits` counts examples by side: {"train": 363, "held_out": 121}.

    `tags` and `fields` count values by side: {"language": {"en": {"train": 240, …}, …}}. Fields
    come from answers that are JSON objects. `findings` counts those of the check by severity.
    """

    file: str
    data_hash: str
    n_examples: int
    n_groups: int | None
    splits: Mapping[str, int]
    tags: Mapping[str, Mapping[str, Mapping[str, int]]]
    fields: Mapping[str, Mapping[str, Mapping[str, int]]]
    findings: Mapping[str, int] = field(default_factory=dict)
    findings_by_rule: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainingFacts:
    """One of several trainings: what it learnt from (`examples`), for how long, and its outcome.

    `result` is `TrainResult.as_dict()`, `loss_log` the rows of its
    `trainer_log.jsonl` with a training loss.
    """

    examples: str
    duration: str
    result: Mapping[str, Any]
    loss_log: Sequence[Mapping[str, Any]]


@dataclass(frozen=True, slots=True, kw_only=True)
class ScoringFacts:
    """A scoring: by measure how many examples have a value, and by reason how many have none."""

    measures: Mapping[str, tuple[int, Mapping[str, int]]]
    seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class SelectionFacts:
    """A selection: what was asked, how many were chosen of how many, and why the others not."""

    asked: str
    n_offered: int
    n_chosen: int
    rejected: Mapping[str, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportFacts:
    """What `write_report` writes of. What was not done is None or empty and left out.

    `training` is `TrainResult.as_dict()`, `tokens` an `EncodedSet.account()`, `loss_log` the
    rows of `trainer_log.jsonl`, `environment` what `describe_environment` gave. Where there are
    several trainings or comparisons, they stand by name in `trainings` and `comparisons`, and
    `training`, `tokens`, `loss_log` or `comparison` are left empty; the comparisons are then
    those of `family.holm_over`. Evaluations on tasks stand in `tasks`, apart from those on the
    examples held out. `ablation` are the cells of a matrix, `gates` what conditions came to,
    `standings` who may stand where among several, `stability` what repeated runs show.
    """

    title: str
    run_id: str
    created: str
    model: str
    evaluations: Mapping[str, EvaluationResult]
    command: str | None = None
    description: str = ""
    method: str | None = None
    template: str | None = None
    template_hash: str | None = None
    data: DataCard | None = None
    tokens: Mapping[str, Any] | None = None
    training: Mapping[str, Any] | None = None
    loss_log: Sequence[Mapping[str, Any]] = ()
    comparison: Comparison | None = None
    trainings: Mapping[str, TrainingFacts] = field(default_factory=dict)
    comparisons: Mapping[str, Comparison] = field(default_factory=dict)
    scorings: Mapping[str, ScoringFacts] = field(default_factory=dict)
    selections: Mapping[str, SelectionFacts] = field(default_factory=dict)
    environment: Mapping[str, Any] = field(default_factory=dict)
    tasks: TasksFacts | None = None
    ablation: Sequence[AblationRow] = ()
    gates: Sequence[GateResult] = ()
    standings: Mapping[str, Sequence[Standing]] = field(default_factory=dict)
    stability: Stability | None = None

    @property
    def compared(self) -> tuple[Comparison, ...]:
        """The comparison, or all of them."""
        return tuple(self.comparisons.values()) if self.comparison is None else (self.comparison,)

    @property
    def beside_ablation(self) -> dict[str, Comparison]:
        """The comparisons whose differences no table of an ablation tells."""
        told = {row.sides for row in self.ablation}
        return {n: c for n, c in self.comparisons.items() if (c.a, c.b) not in told}

    @property
    def n_differences(self) -> int:
        """How many differences p is adjusted for."""
        return sum(len(comparison.rows) for comparison in self.comparisons.values())

    @property
    def has_training(self) -> bool:
        """Whether a training is told of: else nothing is known of how models came about."""
        return self.training is not None or bool(self.trainings)


def data_card(
    file: str,
    data_hash: str,
    splits: Mapping[str, Sequence[Item]],
    *,
    findings: Sequence[Mapping[str, Any]] = (),
) -> DataCard:
    """Count what the examples of each side are; `findings` are dicts with severity and rule."""
    examples = [(side, example) for side, members in splits.items() for example in members]
    groups = {example.group for _, example in examples if example.group is not None}
    return DataCard(
        file=file,
        data_hash=data_hash,
        n_examples=len(examples),
        n_groups=len(groups) or None,
        splits={side: len(members) for side, members in splits.items()},
        tags=_counts((side, dict(example.tags)) for side, example in examples),
        fields=_counts((side, _json_answer(example)) for side, example in examples),
        findings=Counter(str(finding["severity"]) for finding in findings),
        findings_by_rule=Counter(str(finding["rule"]) for finding in findings),
    )


def _json_answer(example: Item) -> dict[str, Any]:
    if not isinstance(example, Example):
        return {}
    try:
        value = json.loads(example.answer or "")
    except ValueError:
        return {}
    return value if isinstance(value, dict) else {}


def _counts(rows: Any) -> dict[str, dict[str, dict[str, int]]]:
    """Field to value to side to number, for fields of few values, the commonest value first."""
    found: dict[str, dict[str, Counter[str]]] = {}
    for side, fields in rows:
        for name, value in fields.items():
            if isinstance(value, str | int | float | bool):
                found.setdefault(name, {}).setdefault(str(value), Counter())[side] += 1
    return {
        name: {
            value: dict(counts)
            for value, counts in sorted(values.items(), key=lambda row: -sum(row[1].values()))
        }
        for name, values in found.items()
        if len(values) <= MOST_VALUES
    }
