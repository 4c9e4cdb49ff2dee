"""Likelihood measured by workers on the machines of a Ray cluster, each with the model open.

Requests are cut into parts where rows end, so that a part's passes are those of a single process
and so are its numbers. This process never loads weights.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Sequence
from contextlib import suppress
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from tuneval.errors import TunevalError, UsageError
from tuneval.models.distributed.cluster import Room, join
from tuneval.models.distributed.hired import Part
from tuneval.models.distributed.pool import Pool
from tuneval.models.distributed.worker import Hand, Place, Tell
from tuneval.models.engines import ENGINES
from tuneval.models.engines.engine import Engine, EngineConfig
from tuneval.models.likelihood import STAGE, TOKEN_BUDGET, Nll, OnBatch, shards
from tuneval.models.reference import parse_reference
from tuneval.models.requests import PackedRequests, n_tokens, refuse_impossible
from tuneval.models.sequences import Request
from tuneval.runs.events import Event, Finished, Report, Started, Step, Warned, ignore

WORKERS_STAGE = "workers"
# A worker should come back for more a few times, so that all end together.
PARTS_PER_WORKER = 6
LARGEST_PART_TOKENS = 2**20
ROOM_SECONDS = 300.0
OpenHand = Callable[[str, EngineConfig], Hand]


class RayEngine:
    """An `Engine` whose work is done elsewhere; `open_ray` makes it."""

    def __init__(
        self, pool: Pool, *, token_budget: int, batch_size: int | None, n_workers: int
    ) -> None:
        self.pool = pool
        self.n_workers = n_workers
        self._token_budget, self._batch_size = token_budget, batch_size
        self.longest_input: int | None = pool.introduction

    def workers(self) -> list[Place]:
        """Where the open workers are."""
        return self.pool.places()

    def measure(
        self,
        requests: Sequence[Request],
        *,
        known: Collection[int] = (),
        on_batch: OnBatch,
        report: Report = ignore,
    ) -> None:
        """See `Engine.measure`. A lost worker costs the passes that it had not told of."""
        refuse_impossible(requests, self.longest_input)
        parts = self._parts(requests, frozenset(known))
        total = sum(n_tokens(requests[index]) for part in parts for index in part.left())
        counts: Counter[str] = Counter()
        done = 0
        lost_before = self.pool.n_lost

        def keep(answers: Sequence[tuple[int, Nll]]) -> None:
            nonlocal done
            on_batch(answers)
            done += sum(n_tokens(requests[index]) for index, _ in answers)
            report(Step(STAGE, done, total, {"workers": len(self.workers())}))

        def add_up(event: Event) -> None:
            if isinstance(event, Finished):
                counts.update(event.values)  # type: ignore[arg-type]

        def describe(left: Sequence[int]) -> str:
            longest = max(left, key=lambda index: n_tokens(requests[index]))
            size = n_tokens(requests[longest])
            return f"{len(left)} requests, the longest of them request {longest} of {size} tokens"

        report(Started(STAGE, total, "tokens"))
        self.pool.run(parts, on_results=keep, describe=describe, on_event=add_up, report=report)
        lost = self.pool.n_lost - lost_before
        report(Finished(STAGE, {**counts, "workers": len(self.workers()), "lost": lost}))

    def close(self) -> None:
        """End the workers, and leave the cluster as it was found."""
        self.pool.close()

    def __enter__(self) -> RayEngine:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def _parts(self, requests: Sequence[Request], known: frozenset[int]) -> list[Part]:
        share = sum(map(n_tokens, requests)) // (PARTS_PER_WORKER * self.n_workers)
        cut = shards(
            requests,
            n_tokens=max(self._token_budget, min(share, LARGEST_PART_TOKENS)),
            known=known,
            token_budget=self._token_budget,
            batch_size=self._batch_size,
        )

        def payload(indices: Sequence[int]) -> PackedRequests:
            return PackedRequests.pack([requests[index] for index in indices])

        return [
            Part(
                indices,
                partial(payload, indices),
                known={place for place, index in enumerate(indices) if index in known},
            )
            for indices in cut
        ]


def open_ray(
    config: EngineConfig,
    *,
    engine: str = "torch",
    address: str = "ray",
    workers: int | None = None,
    room_seconds: float = ROOM_SECONDS,
    open_hand: OpenHand | None = None,
    report: Report = ignore,
) -> RayEngine:
    """Join a cluster and open the model in its workers; return once the first one is ready.

    `address` as in `join`; `engine` is a row of ENGINES. Without `workers` there is one for each
    GPU, or, where the cluster has none, one for each machine. `room_seconds` bounds the wait for
    a cluster that is busy with other work. `open_hand` makes in each worker what does its work,
    where that is more than to measure. Raises what opening the model raises, and TunevalError
    where no worker can be had.
    """
    if workers is not None and workers < 1:
        raise UsageError(f"{workers} workers can do nothing.", mend="ask for 1 or more")
    ENGINES.load(engine)  # a name that means nothing is better told here than by every worker
    cluster = join(address)
    try:
        n_workers, options = _arranged(config, cluster.room(), workers, report)
        report(Started(WORKERS_STAGE, None, "workers"))
        pool = Pool(
            cluster,
            partial(open_hand or _open_hand, engine, _from_anywhere(config)),
            n_workers=n_workers,
            options=options,
            stage=WORKERS_STAGE,
            room_seconds=room_seconds,
            report=report,
        )
    except BaseException:
        cluster.close()
        raise
    report(Finished(WORKERS_STAGE, {"asked": n_workers, "open": len(pool.places())}))
    token_budget = config.token_budget or TOKEN_BUDGET
    return RayEngine(
        pool, token_budget=token_budget, batch_size=config.batch_size, n_workers=n_workers
    )


class _ModelHand:
    """An open engine in a worker."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def introduce(self) -> int | None:
        """The longest input."""
        return self._engine.longest_input

    def work(
        self, part: PackedRequests, known: Collection[int], tell: Tell, report: Report
    ) -> None:
        """Measure what is not known of the part."""
        self._engine.measure(part.unpack(), known=known, on_batch=tell, report=report)


def _open_hand(engine: str, config: EngineConfig) -> _ModelHand:
    return _ModelHand(ENGINES.load(engine)(config))


def _arranged(
    config: EngineConfig, room: Room, workers: int | None, report: Report
) -> tuple[int, dict[str, Any]]:
    """How many workers, and what each needs."""
    on_gpus = config.device.startswith("cuda") or (config.device == "auto" and room.n_gpus > 0)
    places = room.n_gpus if on_gpus else len(room.cpus)
    n_workers = workers or max(1, places)
    if on_gpus:
        options: dict[str, Any] = {"num_gpus": 1, "num_cpus": 0}
    else:
        options = {"num_gpus": 0, "num_cpus": room.cpus_per_worker(n_workers)}
        places = sum(n_cpus // options["num_cpus"] for n_cpus in room.cpus)
    if n_workers > places:
        told = f"{n_workers} workers, and room for {places} now: {room}"
        report(Warned(WORKERS_STAGE, told))
    return n_workers, options


def _from_anywhere(config: EngineConfig) -> EngineConfig:
    """The config with absolute paths, and with the one GPU that a worker sees.

    What is not here may be there: then the worker says what is wrong with it.
    """
    model = config.model
    with suppress(TunevalError):
        reference = parse_reference(model)
        is_place = reference.kind in ("folder", "gguf", "run")
        model = reference.location if is_place else reference.text
    adapter = config.adapter
    if adapter is not None and Path(adapter).expanduser().exists():
        adapter = str(Path(adapter).expanduser().resolve())
    device = "cuda" if config.device.startswith("cuda") else config.device
    return replace(config, model=model, adapter=adapter, device=device)
