"""What becomes of each flag: the table `flags.yaml`, read once."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from importlib.resources import files

import yaml


@dataclass(frozen=True, slots=True)
class Flags:
    """`becomes`: flag -> its place here; `ignored` and `refused`: flag -> the reason.

    `neutral` are values of refused flags that change nothing, beside false, 0 and none.
    """

    becomes: dict[str, str]
    ignored: dict[str, str]
    refused: dict[str, str]
    neutral: dict[str, object]

    @property
    def names(self) -> list[str]:
        """Every flag that is known."""
        return [*self.becomes, *self.ignored, *self.refused]


@cache
def load_flags() -> Flags:
    """The table. A flag stands in it once."""
    text = files(__package__).joinpath("flags.yaml").read_text(encoding="utf-8")
    content = yaml.safe_load(text)
    return Flags(
        becomes=content["becomes"],
        ignored=_by_flag(content["ignored"]),
        refused=_by_flag(content["refused"]),
        neutral=content["neutral"],
    )


def _by_flag(groups: list[dict[str, str]]) -> dict[str, str]:
    return {flag: group["reason"] for group in groups for flag in group["flags"].split()}
