"""A progress bar for work on a file that is large; for a small one there is none."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from tuneval.cli.console import progress

_LARGE_BYTES = 32_000_000
_MB = 1_000_000


@contextmanager
def megabytes(stage: str) -> Iterator[Callable[[int, int], None]]:
    """A function that is told how many bytes are done, and how many there are."""
    from tuneval.runs.events import Finished, Started, Step

    last = -1
    with progress() as report:

        def seen(done: int, total: int) -> None:
            nonlocal last
            if total < _LARGE_BYTES or done // _MB == last:
                return
            if last < 0:
                report(Started(stage, total // _MB, "MB"))
            last = done // _MB
            report(Step(stage, last, total // _MB))

        yield seen
        if last >= 0:
            report(Finished(stage))
