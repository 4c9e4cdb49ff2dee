"""Micro-batches made while the model is at work on those before."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

_END = object()


class ReadAhead(Iterator[Any]):
    """Gives what `source` gives, in its order, and has another thread make the next `count`.

    A thread is enough: making a micro-batch is little Python and much copying, and the model
    holds Python back as little. Only that thread touches `source`; its errors come out here.
    """

    def __init__(self, source: Iterator[Any], count: int) -> None:
        self._source = source
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="read-ahead")
        self._coming: deque[Future[Any]] = deque(self._ask() for _ in range(count))

    def __next__(self) -> Any:
        if not self._coming:
            raise StopIteration
        found = self._coming.popleft().result()
        if found is _END:
            self.close()
            raise StopIteration
        self._coming.append(self._ask())
        return found

    def reads(self, source: Iterator[Any]) -> bool:
        """Whether this is what is read."""
        return self._source is source

    def close(self) -> None:
        """Make no more; what is being made is waited for."""
        self._coming.clear()
        self._thread.shutdown(cancel_futures=True)

    def _ask(self) -> Future[Any]:
        return self._thread.submit(next, self._source, _END)
