"""What runs on the machines of a cluster: a hand that works, and the actor that it works in.

Results are taken while the work goes on, so that a worker that is lost takes only those with it
that nobody had asked for yet. (Ray's own streaming does not work through `ray://`.)
"""

from __future__ import annotations

import os
import socket
import threading
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from queue import Empty, SimpleQueue
from typing import Any, Protocol

import tuneval
from tuneval.errors import TunevalError
from tuneval.runs.events import Event, Report


@dataclass(frozen=True, slots=True)
class Place:
    """Where a worker is, and of which version it is."""

    host: str
    pid: int
    version: str

    def __str__(self) -> str:
        return f"{self.host} (process {self.pid})"


@dataclass(frozen=True, slots=True)
class Results:
    """Results that are known, each with its index within the part."""

    pairs: Sequence[tuple[int, Any]]


@dataclass(frozen=True, slots=True)
class Done:
    """The part is finished."""


@dataclass(frozen=True, slots=True)
class Refused:
    """What was asked cannot be done, here or elsewhere."""

    error: TunevalError


@dataclass(frozen=True, slots=True)
class Broken:
    """Something went wrong that may not go wrong elsewhere."""

    what: str


Message = Results | Event | Done | Refused | Broken
Tell = Callable[[Sequence[tuple[int, Any]]], None]


class Hand(Protocol):
    """What does the work, once it is open."""

    def introduce(self) -> Any:
        """What the driver should know of it."""

    def work(self, part: Any, known: Collection[int], tell: Tell, report: Report) -> None:
        """Tell a result for every index of the part that is not in `known`."""


class Worker:
    """A hand in an actor. The driver calls `where`, `open`, and then always waits for `take`.

    `begin` comes in between, so the actor needs two threads.
    """

    def __init__(self) -> None:
        self._hand: Hand | None = None
        self._told: SimpleQueue[Message] = SimpleQueue()

    def where(self) -> Place:
        """Answers as soon as there is room for the worker, before anything is opened."""
        return Place(socket.gethostname(), os.getpid(), tuneval.__version__)

    def open(self, opening: Callable[[], Hand]) -> Any:
        """Open the hand and return its introduction; or Refused, Broken."""
        try:
            self._hand = opening()
            return self._hand.introduce()
        except Exception as error:
            return _as_message(error)

    def begin(self, part: Any, known: Collection[int]) -> None:
        """Start on a part, and return at once."""
        threading.Thread(target=self._work, args=(part, known), daemon=True).start()

    def take(self) -> list[Message]:
        """All that was told since the last time; waits until there is something."""
        messages = [self._told.get()]
        while True:
            try:
                messages.append(self._told.get_nowait())
            except Empty:
                return messages

    def _work(self, part: Any, known: Collection[int]) -> None:
        assert self._hand is not None
        tell = self._told.put
        try:
            self._hand.work(part, known, lambda pairs: tell(Results(pairs)), tell)
        except Exception as error:
            tell(_as_message(error))
        else:
            tell(Done())


def _as_message(error: Exception) -> Refused | Broken:
    if isinstance(error, TunevalError):
        return Refused(error)
    return Broken(f"{type(error).__name__}: {error}")
