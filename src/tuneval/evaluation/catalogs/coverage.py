"""Which capability is tested by which tasks and metrics: FlagEval's three axes as a table."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, get_args

from tuneval.evaluation.metric import Family
from tuneval.evaluation.metrics import load_metric
from tuneval.evaluation.task import TaskAbout

CAPABILITIES = (
    "understanding",
    "generation",
    "knowledge",
    "adaptability",
    "long_text",
    "diversity",
    "sentiment",
    "reasoning",
    "problem_solving",
    "ethics",
    "dialogue",
    "instruction_following",
    "mathematics",
    "language_modelling",
)
"""What tuneval's tasks may test; a plugin's task may name others."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CapabilityRow:
    """One capability: the tasks that test it, and what they have to offer.

    `cells` holds, by kind of task and family of metric, the names of the tasks: the cube.
    """

    capability: str
    tasks: tuple[str, ...]
    kinds: tuple[str, ...]
    families: tuple[str, ...]
    languages: tuple[str, ...]
    cells: Mapping[str, Mapping[str, tuple[str, ...]]]

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        return asdict(self)


def coverage(abouts: Sequence[TaskAbout]) -> list[CapabilityRow]:
    """A row for every capability, also for one that no task tests: that is a gap."""
    named = dict.fromkeys([*CAPABILITIES, *(c for about in abouts for c in about.capabilities)])
    return [_row(capability, abouts) for capability in named]


def _row(capability: str, abouts: Sequence[TaskAbout]) -> CapabilityRow:
    testing = [about for about in abouts if capability in about.capabilities]
    cells: dict[str, dict[str, list[str]]] = {}
    for about in testing:
        for family in _families(about):
            cells.setdefault(about.kind, {}).setdefault(family, []).append(about.name)
    found = {family for by_family in cells.values() for family in by_family}
    return CapabilityRow(
        capability=capability,
        tasks=tuple(about.name for about in testing),
        kinds=tuple(cells),
        families=tuple(family for family in get_args(Family) if family in found),
        languages=tuple(dict.fromkeys(lang for about in testing for lang in about.languages)),
        cells={
            kind: {family: tuple(names) for family, names in by_family.items()}
            for kind, by_family in cells.items()
        },
    )


def _families(about: TaskAbout) -> dict[str, None]:
    """The families of its metrics, in their order."""
    return dict.fromkeys(load_metric(name).about.family for name in about.metrics)
