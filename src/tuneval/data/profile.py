"""What a profile is: whose rules a set has to pass, and which of ours stand for them."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """A row of PROFILES.

    `formats` are those it accepts (any when empty): a set in another one is an error. `rules`
    names rows of RULES. `json_lines` asks for one JSON object on each line.
    """

    name: str
    about: str
    formats: tuple[str, ...] = ()
    rules: tuple[str, ...]
    json_lines: bool = False
