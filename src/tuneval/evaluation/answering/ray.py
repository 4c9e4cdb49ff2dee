"""Questions spread over the workers of a Ray cluster, each with the model open.

This process has the tokenizer and no weights. Texts and choices go as in `models.engines`;
prompts go in parts of about one size, those that are equal together, so that what is drawn for
each is what one process would have drawn.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from tuneval.evaluation.answering.asked import Writing
from tuneval.evaluation.answering.generated import stop_ids_of
from tuneval.evaluation.answering.on_engine import EngineRespondent, facts_of, template_of
from tuneval.evaluation.answering.vllm import writer_for
from tuneval.evaluation.answering.writing import OnWritten, Written
from tuneval.evaluation.config import EvaluateConfig
from tuneval.models.distributed.hired import Part
from tuneval.models.distributed.worker import Tell
from tuneval.models.engines import ENGINES
from tuneval.models.engines.engine import Engine, EngineConfig
from tuneval.models.engines.ray_workers import PARTS_PER_WORKER, RayEngine, open_ray
from tuneval.models.load import load_tokenizer, model_hash
from tuneval.models.requests import PackedRequests
from tuneval.models.sources import sources_of
from tuneval.runs.events import Report, ignore


def open_on_ray(
    model: str,
    config: EvaluateConfig,
    *,
    adapter: str | None = None,
    template: str = "auto",
    address: str = "ray",
    workers: int | None = None,
    device: str = "auto",
    report: Report = ignore,
) -> EngineRespondent:
    """The model open in the workers of a cluster; `address` and errors as in `open_ray`."""
    tokenizer = load_tokenizer(model, adapter=adapter, report=report)
    chosen = template_of(tokenizer, template)
    adapters = sources_of(model, adapter=adapter, report=report).adapters
    facts = facts_of(
        model,
        model_hash=model_hash(model, adapter=adapter, report=report),
        adapter=str(adapters[-1]) if adapters else None,
        tokenizer=tokenizer,
        template=chosen,
        precision=config.precision,
    )
    engine = open_ray(
        EngineConfig(
            model=model,
            adapter=adapter,
            precision=config.precision,
            device=device,
            token_budget=config.token_budget,
            batch_size=config.batch_size,
            whole_passes=True,  # as where a model answers in this process
            max_length=config.max_length,
        ),
        engine=config.engine,
        address=address,
        workers=workers,
        open_hand=_open_hand,
        report=report,
    )
    writer = RayWriter(engine, stop_ids_of(tokenizer, chosen))
    return EngineRespondent(engine, writer, tokenizer=tokenizer, template=chosen, facts=facts)


@dataclass(frozen=True, slots=True)
class RayWriter:
    """A `Writer` whose work is done by the workers of an engine."""

    engine: RayEngine
    stop_ids: Sequence[int]

    def __call__(
        self,
        questions: Sequence[Writing],
        config: EvaluateConfig,
        *,
        known: Collection[int] = (),
        on_done: OnWritten,
        report: Report = ignore,
    ) -> None:
        """See `Writer`. A lost worker costs the answers that it had not told."""
        known = frozenset(known)

        def payload(places: Sequence[int]) -> _ToWrite:
            return _ToWrite([questions[place] for place in places], config, self.stop_ids)

        def keep(answers: Sequence[tuple[int, Written]]) -> None:
            for place, written in answers:
                on_done(place, written)

        self.engine.pool.run(
            [
                Part(
                    places,
                    partial(payload, places),
                    known={n for n, place in enumerate(places) if place in known},
                )
                for places in parts_of(questions, PARTS_PER_WORKER * self.engine.n_workers)
                if not known.issuperset(places)
            ],
            on_results=keep,
            describe=lambda left: f"{len(left)} answers, the first to prompt {left[0]}",
            report=report,
        )


def parts_of(questions: Sequence[Writing], n_parts: int) -> list[list[int]]:
    """Questions, by place, in up to so many parts of about as many tokens; equal prompts stay
    together, in their order, and the longest begin.
    """
    equal: dict[bytes, list[int]] = {}
    for place, question in enumerate(questions):
        equal.setdefault(np.asarray(question.ids, np.int32).tobytes(), []).append(place)
    sizes = [len(question.ids) + question.max_new_tokens for question in questions]
    groups = sorted(equal.values(), key=lambda places: -sizes[places[0]])
    share = max(1, sum(sizes) // n_parts)
    parts: list[list[int]] = []
    room = 0
    for group in groups:
        if room <= 0:
            parts.append([])
            room = share
        parts[-1] += group
        room -= sum(sizes[place] for place in group)
    return parts


@dataclass(frozen=True, slots=True)
class _ToWrite:
    """What a worker is sent to answer."""

    questions: Sequence[Writing]
    config: EvaluateConfig
    stop_ids: Sequence[int]


class _AnsweringHand:
    """An open engine in a worker, which also writes."""

    def __init__(self, engine: Engine, tokenizer: Any) -> None:
        self._engine = engine
        self._tokenizer = tokenizer

    def introduce(self) -> int | None:
        """The longest input."""
        return self._engine.longest_input

    def work(
        self, part: PackedRequests | _ToWrite, known: Collection[int], tell: Tell, report: Report
    ) -> None:
        """Measure or write what is not known of the part."""
        if isinstance(part, PackedRequests):
            self._engine.measure(part.unpack(), known=known, on_batch=tell, report=report)
            return
        writer_for(self._engine, self._tokenizer, part.stop_ids)(
            part.questions,
            part.config,
            known=known,
            on_done=lambda place, written: tell([(place, written)]),
            report=report,
        )


def _open_hand(engine: str, config: EngineConfig) -> _AnsweringHand:
    tokenizer = load_tokenizer(config.model, adapter=config.adapter)
    return _AnsweringHand(ENGINES.load(engine)(config), tokenizer)
