"""The subjects of an exam: what prompts call them, and their categories."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cache
from importlib.resources import files
from types import MappingProxyType

import yaml
from pydantic import BaseModel, ConfigDict

from tuneval.catalog import did_you_mean
from tuneval.errors import UsageError


class Subject(BaseModel):
    """A row of a benchmark's table. `title` is what prompts call it.

    `hard`: of C-Eval Hard. `china_specific`: of CMMLU's category that overlaps the others.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    title: str
    category: str
    hard: bool = False
    china_specific: bool = False


@cache
def subjects_of(exam: str) -> Mapping[str, Subject]:
    """The subjects of an exam by name, in the benchmark's order."""
    text = files(__package__).joinpath(f"{exam}.yaml").read_text(encoding="utf-8")
    return MappingProxyType({k: Subject(**row) for k, row in yaml.safe_load(text).items()})


def known_only(wanted: Iterable[str], known: Mapping[str, object], exam: str) -> None:
    """Nothing, if the exam has every subject that is wanted. Raises UsageError for the first."""
    for name in wanted:
        if name not in known:
            raise UsageError(
                f"{exam} has no subject called '{name}'.", mend=did_you_mean(name, dict(known))
            )
