"""Workers on a cluster, as their driver sees them: they get parts, tell results, and get lost.

A part goes to the next free worker. When its worker is lost, what is left of it goes to another
one, and a new worker is started as soon as there is room.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import Any

import tuneval
from tuneval.errors import TunevalError
from tuneval.models.distributed.cluster import Cluster
from tuneval.models.distributed.hired import Hired, Part
from tuneval.models.distributed.loss import (
    given_up,
    no_luck,
    no_room,
    other_tuneval,
    placed,
    reason_of,
)
from tuneval.models.distributed.worker import (
    Broken,
    Done,
    Hand,
    Message,
    Place,
    Refused,
    Results,
    Worker,
)
from tuneval.runs.events import Report, Warned, ignore

# In a row, without a single result: then it is not bad luck.
LOSSES_OF_A_PART = 3
LOSSES_PER_WORKER = 3
# How long to wait for an answer before looking at the clock.
LOOK_SECONDS = 1.0


OnResults = Callable[[Sequence[tuple[int, Any]]], None]
Describe = Callable[[Sequence[int]], str]


class Pool:
    """So many workers, or as many of them as there is room for. At least one is open.

    `opening` is called once in each; `options` are Ray's for an actor (num_gpus…). Raises what
    opening raised as a TunevalError, and one of its own where no worker can be had.
    """

    def __init__(
        self,
        cluster: Cluster,
        opening: Callable[[], Hand],
        *,
        n_workers: int,
        options: dict[str, Any],
        stage: str,
        room_seconds: float,
        report: Report = ignore,
    ) -> None:
        self._cluster = cluster
        self._ray = cluster.ray
        self._opening = opening
        self._n_workers = n_workers
        self._options = {
            "max_restarts": 0,
            "max_concurrency": 2,  # a part begins while results are waited for
            "scheduling_strategy": "SPREAD",
            **options,
        }
        self._stage = stage
        self._room_seconds = room_seconds
        self._report = report
        self._on_results: OnResults = lambda pairs: None
        self._on_event: Report = ignore
        self._describe: Describe = lambda items: f"{len(items)} items"
        self._hired: list[Hired] = []
        self._waiting: deque[Part] = deque()
        self._refusal: TunevalError | None = None
        self._losses_in_a_row = 0
        self._had_room = time.monotonic()
        self.n_lost = 0
        self.introduction: Any = None
        with self._ended_by_errors():
            for _ in range(n_workers):
                self._hire()
            while not self._open():
                self._look()

    def places(self) -> list[Place]:
        """Where the open workers are."""
        return [worker.place for worker in self._open() if worker.place is not None]

    def run(
        self,
        parts: Sequence[Part],
        *,
        on_results: OnResults,
        describe: Describe,
        on_event: Report = ignore,
        report: Report = ignore,
    ) -> None:
        """Have all parts done; `on_results` hears each item with its result, once.

        `on_event` hears what the hands report, `report` what went wrong. Raises what a hand
        raised as a TunevalError, or, when the workers of a part were lost three times in a row
        without news, one in which `describe` says which items were left. Any error ends all
        workers.
        """
        self._on_results, self._describe = on_results, describe
        self._on_event, self._report = on_event, report
        self._waiting = deque(parts)
        if not self._hired:
            raise TunevalError("These workers have ended.", mend="open a new engine")
        with self._ended_by_errors():
            while self._look(0.0):  # who was lost while there was nothing to do
                pass
            while self._waiting or any(worker.part for worker in self._hired):
                for worker in self._open():
                    if self._waiting and worker.part is None:
                        self._give(worker, self._waiting.popleft())
                self._look()

    def close(self) -> None:
        """End the workers, whatever they are at, and leave the cluster."""
        while self._hired:
            self._dismiss(self._hired[-1])
        self._waiting.clear()
        self._cluster.close()

    @contextmanager
    def _ended_by_errors(self) -> Iterator[None]:
        """Whatever goes wrong, an interrupt too, ends the workers. Ray's errors become ours."""
        try:
            yield
        except (ConnectionError, self._ray.exceptions.RayError) as error:
            self.close()
            raise TunevalError(
                f"The connection to the Ray cluster was lost: {reason_of(error)}.",
                mend="run the same command again: it goes on from what was told",
            ) from error
        except BaseException:
            self.close()
            raise

    def _open(self) -> list[Hired]:
        return [worker for worker in self._hired if worker.at == "open"]

    def _hire(self) -> None:
        actor = self._ray.remote(Worker).options(**self._options).remote()
        self._hired.append(Hired(actor, actor.where.remote()))

    def _dismiss(self, worker: Hired) -> None:
        self._hired.remove(worker)
        with suppress(Exception):  # it may be gone, and the connection with it
            self._ray.kill(worker.actor)

    def _give(self, worker: Hired, part: Part) -> None:
        if part.sent is None:
            part.sent = self._ray.put(part.payload())
        worker.part = part
        worker.begins = worker.actor.begin.remote(part.sent, frozenset(part.known))

    def _look(self, seconds: float = LOOK_SECONDS) -> bool:
        """Wait a little for an answer and act on it. False when none came."""
        self._check_room()
        owed = {worker.owes: worker for worker in self._hired}
        owed |= {worker.begins: worker for worker in self._hired if worker.begins is not None}
        ready, _ = self._ray.wait([*owed], num_returns=1, timeout=seconds)
        for reference in ready:
            worker = owed[reference]
            try:
                answer = self._ray.get(reference)
            except self._ray.exceptions.RayError as error:
                self._fail(worker, error)
            else:
                if reference == worker.begins:
                    worker.begins = None
                else:
                    self._advance(worker, answer)
        return bool(ready)

    def _check_room(self) -> None:
        """Raises TunevalError when for long there was no room for a single worker."""
        now = time.monotonic()
        if any(worker.at != "starting" for worker in self._hired):
            self._had_room = now
        elif now - self._had_room > self._room_seconds:
            raise self._refusal or no_room(self._cluster.room(), self._options, self._room_seconds)

    def _advance(self, worker: Hired, answer: Any) -> None:
        """A worker answered: on to the next thing."""
        match worker.at:
            case "starting":
                worker.place = answer
                worker.at, worker.owes = "opening", worker.actor.open.remote(self._opening)
                if answer.version != tuneval.__version__:
                    told = f"A worker has tuneval {answer.version}, not {tuneval.__version__}."
                    self._refuse(worker, other_tuneval(told))
            case "opening" if isinstance(answer, Refused):
                self._refuse(worker, answer.error)
            case "opening" if isinstance(answer, Broken):
                self._lose(worker, answer.what)
            case "opening":
                self.introduction = answer
                worker.at, worker.owes = "open", worker.actor.take.remote()
            case "open":
                worker.owes = worker.actor.take.remote()
                for message in answer:
                    self._hear(worker, message)

    def _hear(self, worker: Hired, message: Message) -> None:
        part = worker.part
        assert part is not None
        if isinstance(message, Results):
            news = [(place, value) for place, value in message.pairs if place not in part.known]
            if news:
                part.known.update(place for place, _ in news)
                part.losses = self._losses_in_a_row = 0
                self._on_results([(part.items[place], value) for place, value in news])
        elif isinstance(message, Done):
            worker.part = part.sent = None
        elif isinstance(message, Refused):
            raise placed(message.error, worker)
        elif isinstance(message, Broken):
            self._lose(worker, message.what)
        elif isinstance(message, Warned):
            self._report(Warned(self._stage, f"{worker.place}: {message.message}"))
        else:
            self._on_event(message)

    def _fail(self, worker: Hired, error: Exception) -> None:
        """Ray has an error in place of an answer."""
        reason = reason_of(error)
        if getattr(error, "actor_init_failed", False):
            self._refuse(worker, other_tuneval(f"A worker cannot start: {reason}."))
        else:
            self._lose(worker, reason)

    def _refuse(self, worker: Hired, error: TunevalError) -> None:
        """Do without a worker that cannot be opened where it is, while there are others."""
        self._dismiss(worker)
        self._refusal = placed(error, worker)
        if not self._hired:
            raise self._refusal
        self._report(Warned(self._stage, f"going on without a worker {worker}: {error.what}"))

    def _lose(self, worker: Hired, reason: str) -> None:
        """Its part goes back to those that wait; another worker takes its place."""
        self._dismiss(worker)
        self.n_lost += 1
        self._losses_in_a_row += 1
        part = worker.part
        if part is not None and part.left():
            part.losses += 1
            self._waiting.appendleft(part)
            if part.losses == LOSSES_OF_A_PART:
                raise given_up(part.losses, f"{worker}: {reason}", self._describe(part.left()))
        if self._losses_in_a_row == LOSSES_PER_WORKER * self._n_workers:
            raise no_luck(self._losses_in_a_row, f"{worker}: {reason}", self._cluster.room())
        self._report(Warned(self._stage, f"lost the worker {worker}: {reason}; starting another"))
        self._hire()
