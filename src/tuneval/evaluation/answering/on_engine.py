"""A model asked through an engine of likelihood and a writer of answers, wherever these work."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from tuneval.errors import UsageError
from tuneval.evaluation.answering.asked import Writing, of_kind
from tuneval.evaluation.answering.chosen import choose
from tuneval.evaluation.answering.encoding import encode_questions
from tuneval.evaluation.answering.generated import write
from tuneval.evaluation.answering.invariance import check_invariance
from tuneval.evaluation.answering.kept import Kept
from tuneval.evaluation.answering.respondent import Invariance, Ready, RespondentFacts
from tuneval.evaluation.answering.texts import read
from tuneval.evaluation.answering.writing import Writer
from tuneval.evaluation.config import EvaluateConfig
from tuneval.evaluation.question import Question
from tuneval.models.precision import Precision
from tuneval.models.reference import parse_reference
from tuneval.runs.events import Finished, Report, Started, ignore
from tuneval.tokenization import Template, load_template, tokenizer_hash

if TYPE_CHECKING:
    from tuneval.models.engines.engine import Engine
    from tuneval.models.likelihood import Nll
    from tuneval.models.sequences import Request

NO_TEMPLATE = "none"


class EngineRespondent:
    """A `Respondent` around an open engine and a writer; both are let go of when it is closed."""

    def __init__(
        self,
        engine: Engine,
        writer: Writer,
        *,
        tokenizer: Any,
        template: Template | None,
        facts: RespondentFacts,
    ) -> None:
        self._open: tuple[Engine, Writer] | None = (engine, writer)
        self._tokenizer = tokenizer
        self._template = template
        self.facts = facts

    def prepare(self, questions: Sequence[Question], config: EvaluateConfig) -> Ready:
        """See `Respondent.prepare`."""
        return encode_questions(
            questions,
            config,
            tokenizer=self._tokenizer,
            template=self._template,
            longest=self._opened()[0].longest_input,
        )

    def answer(self, ready: Ready, *, kept: Kept, stage: str, report: Report = ignore) -> None:
        """See `Respondent.answer`."""
        engine, writer = self._working(ready.config)
        report(Started(stage, len(ready.asked), "items"))
        choose(engine, ready, kept=kept, stage=stage, report=report)
        read(engine, ready, kept=kept, stage=stage, report=report)
        write(writer, ready, tokenizer=self._tokenizer, kept=kept, stage=stage, report=report)
        report(Finished(stage))

    def check_invariance(
        self, ready: Ready, rows: Mapping[str, Mapping[str, Any]], *, n_items: int = 16
    ) -> Invariance | None:
        """See `Respondent.check_invariance`."""
        engine, writer = self._working(ready.config)
        writing = of_kind(ready.asked, Writing)
        names = list(writing)

        def measure(requests: Sequence[Request]) -> list[Nll]:
            found: dict[int, Nll] = {}
            engine.measure(requests, on_batch=found.update)
            return [found[index] for index in range(len(requests))]

        def write_again(some: Collection[str], most: int) -> dict[str, tuple[int, ...]]:
            said: dict[str, tuple[int, ...]] = {}
            # All are given: what is drawn depends on how often a prompt came before.
            writer(
                [replace(q, max_new_tokens=min(most, q.max_new_tokens)) for q in writing.values()],
                ready.config,
                known=frozenset(place for place, name in enumerate(names) if name not in some),
                on_done=lambda place, written: said.__setitem__(names[place], written.ids),
            )
            return said

        return check_invariance(
            ready.asked, rows, n_items=n_items, measure=measure, write=write_again
        )

    def close(self) -> None:
        """Give back the model's memory, and its workers if it has any."""
        if self._open is not None:
            engine = self._open[0]
            self._open = None  # and with it the writer, before memory is given back
            engine.close()

    def __enter__(self) -> EngineRespondent:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def _working(self, config: EvaluateConfig) -> tuple[Engine, Writer]:
        """The engine and the writer, to work as `config` says."""
        return self._opened()

    def _opened(self) -> tuple[Engine, Writer]:
        if self._open is None:
            raise UsageError("This model was closed.", mend="open it again")
        return self._open


def template_of(tokenizer: Any, name: str) -> Template | None:
    """The chat template; with `auto` a tokenizer without one can still be asked by text."""
    has_own = getattr(tokenizer, "chat_template", None)
    return None if name == "auto" and not has_own else load_template(tokenizer, name)


def facts_of(
    model: str,
    *,
    model_hash: str,
    adapter: str | None,
    tokenizer: Any,
    template: Template | None,
    precision: Precision | str,
) -> RespondentFacts:
    """Who answers, where the weights are at hand."""
    return RespondentFacts(
        model=parse_reference(model).text,
        model_hash=model_hash,
        adapter=adapter,
        template=NO_TEMPLATE if template is None else template.name,
        template_hash=None if template is None else template.hash,
        tokenizer_hash=tokenizer_hash(tokenizer),
        precision=precision,
        ways=frozenset({"choose", "generate", "read"}),
    )
