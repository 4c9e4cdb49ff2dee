"""A model that answers in this process."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import TYPE_CHECKING

from tuneval.errors import UsageError
from tuneval.evaluation.answering import invariance
from tuneval.evaluation.answering.asked import Writing
from tuneval.evaluation.answering.chosen import choose
from tuneval.evaluation.answering.encoding import encode_questions
from tuneval.evaluation.answering.generated import stop_ids_of, write
from tuneval.evaluation.answering.kept import Kept, Measure
from tuneval.evaluation.answering.respondent import Invariance, Ready, RespondentFacts
from tuneval.evaluation.answering.texts import read
from tuneval.evaluation.config import EvaluateConfig
from tuneval.evaluation.question import Question
from tuneval.models.precision import Precision
from tuneval.runs.events import Finished, Report, Started, ignore
from tuneval.tokenization import Template, load_template, tokenizer_hash

if TYPE_CHECKING:
    from tuneval.models.likelihood import Nll
    from tuneval.models.load import LoadedModel
    from tuneval.models.sequences import Request

NO_TEMPLATE = "none"


def open_local(
    model: str,
    *,
    adapter: str | None = None,
    template: str = "auto",
    precision: Precision = "float32",
    device: str = "auto",
    report: Report = ignore,
) -> LocalRespondent:
    """Load a model to be asked here. Raises ModelError as `load_model` does."""
    from tuneval.models.load import load_model

    loaded = load_model(model, adapter=adapter, dtype=precision, device=device, report=report)
    return LocalRespondent(loaded, template=template)


class LocalRespondent:
    """A `Respondent` around a loaded model.

    With the template `auto` a tokenizer without one of its own can still be asked by text.
    """

    def __init__(self, loaded: LoadedModel, *, template: str = "auto") -> None:
        self._loaded: LoadedModel | None = loaded
        self._template = _template_of(loaded, template)

    @cached_property
    def facts(self) -> RespondentFacts:
        """Who answers."""
        loaded, template = self._model, self._template
        return RespondentFacts(
            model=loaded.reference.text,
            model_hash=loaded.hash,
            adapter=loaded.adapter,
            template=NO_TEMPLATE if template is None else template.name,
            template_hash=None if template is None else template.hash,
            tokenizer_hash=tokenizer_hash(loaded.tokenizer),
            precision=str(loaded.model.dtype).removeprefix("torch."),
            ways=frozenset({"choose", "generate", "read"}),
        )

    def prepare(self, questions: Sequence[Question], config: EvaluateConfig) -> Ready:
        """See `Respondent.prepare`."""
        from tuneval.models.forward import longest_input

        return encode_questions(
            questions,
            config,
            tokenizer=self._model.tokenizer,
            template=self._template,
            longest=longest_input(self._model.model),
        )

    def answer(self, ready: Ready, *, kept: Kept, stage: str, report: Report = ignore) -> None:
        """See `Respondent.answer`."""
        from tuneval.models.engines.torch import TorchEngine

        loaded = self._model
        engine = TorchEngine(loaded.model, token_budget=ready.config.token_budget)
        kept.measure = _measure(loaded)
        report(Started(stage, len(ready.asked), "items"))
        choose(engine, ready, kept=kept, stage=stage, report=report)
        read(engine, ready, kept=kept, stage=stage, report=report)
        stop_ids = stop_ids_of(loaded.tokenizer, self._template)
        write(loaded, ready, stop_ids=stop_ids, kept=kept, stage=stage, report=report)
        report(Finished(stage))

    def check_invariance(self, ready: Ready, *, n_items: int = 16) -> Invariance | None:
        """See `Respondent.check_invariance`."""
        from tuneval.models.engines.torch import TorchEngine
        from tuneval.models.generation import generate

        loaded, config = self._model, ready.config
        engine = TorchEngine(loaded.model, token_budget=config.token_budget)

        def measure(requests: Sequence[Request]) -> list[Nll]:
            found: dict[int, Nll] = {}
            engine.measure(requests, on_batch=found.update)
            return [found[index] for index in range(len(requests))]

        def say(questions: Sequence[Writing], most: int) -> list[tuple[int, ...]]:
            said = generate(
                loaded.model,
                [question.ids for question in questions],
                stop_ids=stop_ids_of(loaded.tokenizer, self._template),
                max_new_tokens=[min(most, question.max_new_tokens) for question in questions],
                token_budget=config.token_budget,
                temperature=[question.temperature for question in questions],
                top_p=config.top_p,
                seed=config.seed,
            )
            return [completion.ids for completion in said]

        return invariance.check_invariance(ready.asked, n_items=n_items, measure=measure, write=say)

    def close(self) -> None:
        """Let go of the model."""
        from tuneval.models.memory import give_back

        self._loaded = None
        give_back()

    def __enter__(self) -> LocalRespondent:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    @property
    def _model(self) -> LoadedModel:
        if self._loaded is None:
            raise UsageError("This model was closed.", mend="open it again")
        return self._loaded


def _template_of(loaded: LoadedModel, name: str) -> Template | None:
    has_own = getattr(loaded.tokenizer, "chat_template", None)
    return None if name == "auto" and not has_own else load_template(loaded.tokenizer, name)


def _measure(loaded: LoadedModel) -> Measure:
    """Joules since the last answer, and the most memory so far, the model's own included."""
    from tuneval.models.consumption import Consumption

    model = loaded.model
    consumption = Consumption(model.device)
    # What torch counts on CUDA has the weights in it; what the process grew by has not.
    weights = 0 if model.device.type == "cuda" else model.get_memory_footprint()
    consumption.begin()

    def measure() -> dict[str, float]:
        joules, peak = consumption.joules(), consumption.peak_bytes()
        taken = {} if joules is None else {"energy_joules": round(joules, 6)}
        return taken if peak is None else taken | {"peak_memory_bytes": peak + weights}

    return measure
