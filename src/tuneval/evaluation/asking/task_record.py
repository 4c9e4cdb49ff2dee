"""How a task was asked, and what it came to over all its strata: a part of `result.json`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from tuneval.evaluation.answering.respondent import Invariance
from tuneval.evaluation.asking.overall import Overall
from tuneval.statistics.estimate import Estimate


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskRecord:
    """What one has to know to ask a task again just so, and to believe its figures.

    `main` is the metric that stands for the task. The hashes are over the questions that were
    asked, all that the model was given, and its tokenizer. `sizes` counts the task's questions by
    stratum (the values of the tag `strata`), `taken` those asked. `by_stratum` holds estimates by
    metric and stratum.
    """

    kind: str
    title: str
    protocol: str
    options: Mapping[str, Any]
    main: str
    questions_hash: str
    prompt_hash: str
    tokenizer_hash: str | None
    precision: str
    shots_dropped: int
    strata: str | None
    sizes: Mapping[str, int]
    taken: Mapping[str, int]
    perturbations: tuple[str, ...]
    invariance: Invariance | None
    overall: tuple[Overall, ...]
    by_stratum: Mapping[str, Mapping[str, Estimate]]

    @classmethod
    def from_dict(cls, row: Mapping[str, Any]) -> TaskRecord:
        """The record that `dataclasses.asdict` made a row of."""
        invariance = row["invariance"]
        return cls(
            **{
                **row,
                "perturbations": tuple(row["perturbations"]),
                "invariance": None if invariance is None else Invariance(**invariance),
                "overall": tuple(Overall.from_dict(figure) for figure in row["overall"]),
                "by_stratum": {
                    metric: {name: Estimate.from_dict(found) for name, found in strata.items()}
                    for metric, strata in row["by_stratum"].items()
                },
            }
        )

    @property
    def n_left_out(self) -> int:
        """How many of the task's questions were not asked."""
        return sum(self.sizes.values()) - sum(self.taken.values())

    def headline(self) -> Overall | None:
        """The main metric as the protocol averages it; None: as it is over the items."""
        return self.figure(self.main)

    def figure(self, metric: str) -> Overall | None:
        """The same of any metric."""
        found = [figure for figure in self.overall if figure.metric == metric]
        return found[-1] if found else None
