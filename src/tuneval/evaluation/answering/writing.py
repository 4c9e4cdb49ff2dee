"""Who writes answers to prompts of ids, and what is known of each answer."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from tuneval.evaluation.answering.asked import Writing
from tuneval.evaluation.answering.stopping import StopTexts
from tuneval.evaluation.config import EvaluateConfig
from tuneval.runs.events import Report, ignore

if TYPE_CHECKING:
    from tuneval.models.answer import Completion


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """An answer's ids, without the one that ended it; seconds are None where nobody took them."""

    ids: tuple[int, ...]
    finish_reason: str
    seconds_to_first: float | None = None
    seconds: float | None = None


OnWritten = Callable[[int, Written], None]


class Writer(Protocol):
    """Answers every question whose place is not in `known`; `on_done` hears each as it ends.

    Of `config` the token budget, the batch size, `top_p` and the seed count. Stop texts may be
    left at the end of an answer: whoever hears it cuts.
    """

    def __call__(
        self,
        questions: Sequence[Writing],
        config: EvaluateConfig,
        *,
        known: Collection[int] = (),
        on_done: OnWritten,
        report: Report = ignore,
    ) -> None:
        """Answer them."""


@dataclass(frozen=True, slots=True)
class TorchWriter:
    """A `Writer` around a model in this process."""

    model: Any
    tokenizer: Any
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
        """See `Writer`."""
        from tuneval.models.generation import generate

        stops = [StopTexts(self.tokenizer, question.stop) for question in questions]

        def keep(index: int, completion: Completion) -> None:
            on_done(
                index,
                Written(
                    ids=completion.ids,
                    finish_reason=completion.finish_reason,
                    seconds_to_first=completion.seconds_to_first,
                    seconds=completion.seconds,
                ),
            )

        generate(
            self.model,
            [question.ids for question in questions],
            known=known,
            stop_ids=self.stop_ids,
            is_finished=lambda index, ids: stops[index].end(ids),
            max_new_tokens=[question.max_new_tokens for question in questions],
            token_budget=config.token_budget,
            batch_size=config.batch_size,
            temperature=[question.temperature for question in questions],
            top_p=config.top_p,
            seed=config.seed,
            report=report,
            on_done=keep,
        )
