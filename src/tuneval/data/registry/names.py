"""From the names that our formats use back to those of the file.

An entry's record is understood by one of our formats, under that format's names. Whatever is
said of it then has to speak of the file's own keys, or nobody would find the place.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from tuneval.data.draft import Turn
from tuneval.data.finding import Finding

_PATH = re.compile(r"([^.\[]+)(\[\d*\])?(.*)", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Names:
    """`places` are paths of our copy of the record, and where they stand in the file.

    What stands below a place is below it in the file too; `turn_keys` are the keys of a turn.
    """

    places: Mapping[str, str]
    turn_keys: Mapping[str, str] = field(default_factory=dict)

    def path(self, path: str) -> str:
        """The same place under the file's own names."""
        found = _PATH.fullmatch(path)
        if found is None or path in self.places:
            return self.places.get(path, path)
        key, index, rest = found[1], found[2] or "", found[3]
        if (own := self.places.get(key + index)) is None:
            if key not in self.places:
                return path
            own = self.places[key] + index
        if not rest.startswith("."):
            return own + rest
        inner, dot, more = rest[1:].partition(".")
        return f"{own}.{self.turn_keys.get(inner, inner)}{dot}{more}"

    def turn(self, turn: Turn) -> Turn:
        """A turn with the file's own paths."""
        path, role_path = self.path(turn.path), self.path(turn.role_path)
        if (path, role_path) == (turn.path, turn.role_path):
            return turn
        return replace(turn, path=path, role_path=role_path)

    def finding(self, finding: Finding) -> Finding:
        """A finding that speaks of the file's own keys."""
        path = self.path(finding.path)
        if path == finding.path:
            return finding
        key, own = _last_key(finding.path), _last_key(path)
        what = finding.what.replace(finding.path, path).replace(f"'{key}'", f"'{own}'")
        mend = finding.mend.replace(f"'{key}'", f"'{own}'").replace(f'"{key}"', f'"{own}"')
        return replace(finding, path=path, what=what, mend=mend)


def _last_key(path: str) -> str:
    """`role` of `messages[2].role`."""
    return re.sub(r"\[\d*\]", "", path).rpartition(".")[2]
