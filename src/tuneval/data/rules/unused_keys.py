"""Nothing is dropped in silence: keys that the format has no use for are named once."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice

from tuneval.data.draft import Draft
from tuneval.data.finding import Finding, clip
from tuneval.data.rule import Rule

_MOST_NAMED = 1000
_MOST_HELD = 100_000


@dataclass(slots=True)
class _Seen:
    """Where a key stands first, and in how many records."""

    where: str
    example_id: str | None
    count: int = 0


class UnusedKeys(Rule):
    """unused_keys.not_read, unused_keys.many"""

    marks = ()

    def __init__(self) -> None:
        self._seen: dict[str, _Seen] = {}

    def see(self, draft: Draft) -> tuple[()]:
        """Count."""
        for key in dict.fromkeys(draft.unused_keys):
            if key not in self._seen:
                if len(self._seen) == _MOST_HELD:
                    continue
                example_id = None if draft.item is None else draft.item.id
                self._seen[key] = _Seen(str(draft.record.source), example_id)
            self._seen[key].count += 1
        return ()

    def merge(self, later: Rule) -> None:
        """Counts are added up, the earlier place stays."""
        assert isinstance(later, UnusedKeys)
        for key, seen in later._seen.items():
            if key in self._seen:
                self._seen[key].count += seen.count
            elif len(self._seen) < _MOST_HELD:
                self._seen[key] = seen

    def finish(self) -> Iterator[Finding]:
        """One info for each key, at the record where it first stands."""
        for key, seen in islice(self._seen.items(), _MOST_NAMED):
            count = f"records with it: {seen.count}, this the first"
            what = f"The key {clip(key)} is not used ({count})."
            yield _info("not_read", seen, what, "put what you need into 'tags', else leave it", key)
        if len(self._seen) > _MOST_NAMED:
            key, seen = next(islice(self._seen.items(), _MOST_NAMED, None))
            what = f"More than {_MOST_NAMED} keys are not used; {clip(key)} is the next."
            mend = "write what varies as a value, not as a key"
            yield _info("many", seen, what, mend, key)


def _info(kind: str, seen: _Seen, what: str, mend: str, path: str) -> Finding:
    return Finding(
        rule=f"unused_keys.{kind}",
        severity="info",
        where=seen.where,
        example_id=seen.example_id,
        path=path,
        what=what,
        mend=mend,
    )
