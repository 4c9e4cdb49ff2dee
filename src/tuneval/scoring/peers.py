"""Which other examples of its task an example is measured beside.

Examples stand on a ring in the order of a seeded hash, and each takes those that follow places
of its own. Adding or removing a record changes the peers of few others, and finding them takes
no walk through the task.
"""

from __future__ import annotations

import hashlib
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterable, Iterator


class Peers:
    """The rings of all tasks, from (id, task); None is a task too."""

    def __init__(self, members: Iterable[tuple[str, str | None]], *, seed: int) -> None:
        self._seed = seed
        rings: dict[str | None, list[tuple[int, str]]] = defaultdict(list)
        for item_id, task in members:
            rings[task].append((self._place("member", item_id), item_id))
        self._rings = {task: sorted(set(ring)) for task, ring in rings.items()}

    def of(self, item_id: str, task: str | None, *, limit: int) -> Iterator[str]:
        """Up to `limit` different ids of the task, without its own, always the same ones."""
        ring = self._rings.get(task, [])
        entry = (self._place("member", item_id), item_id)
        others = len(ring) - (_holds(ring, entry))
        seen = {item_id}
        for draw in range(min(limit, others)):
            place = bisect_left(ring, (self._place(str(draw), item_id), ""))
            while ring[place % len(ring)][1] in seen:
                place += 1
            found = ring[place % len(ring)][1]
            seen.add(found)
            yield found

    def _place(self, what: str, item_id: str) -> int:
        text = f"{self._seed}:{what}:{item_id}".encode()
        return int.from_bytes(hashlib.blake2b(text, digest_size=8).digest())


def _holds(ring: list[tuple[int, str]], entry: tuple[int, str]) -> bool:
    place = bisect_left(ring, entry)
    return place < len(ring) and ring[place] == entry
