"""A model that answers in this process."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tuneval.evaluation.answering.generated import stop_ids_of
from tuneval.evaluation.answering.kept import Kept, Measure
from tuneval.evaluation.answering.on_engine import EngineRespondent, facts_of, template_of
from tuneval.evaluation.answering.respondent import Ready
from tuneval.evaluation.answering.writing import TorchWriter, Writer
from tuneval.evaluation.config import EvaluateConfig
from tuneval.models.precision import Precision
from tuneval.runs.events import Report, ignore

if TYPE_CHECKING:
    from tuneval.models.consumption import Consumption
    from tuneval.models.engines.engine import Engine
    from tuneval.models.load import LoadedModel

PAGE_BYTES = 4096


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


class LocalRespondent(EngineRespondent):
    """A `Respondent` around a loaded model.

    With the template `auto` a tokenizer without one of its own can still be asked by text.
    """

    def __init__(self, loaded: LoadedModel, *, template: str = "auto") -> None:
        from tuneval.models.engines.torch import TorchEngine

        chosen = template_of(loaded.tokenizer, template)
        super().__init__(
            TorchEngine(loaded.model),
            TorchWriter(loaded.model, loaded.tokenizer, stop_ids_of(loaded.tokenizer, chosen)),
            tokenizer=loaded.tokenizer,
            template=chosen,
            facts=facts_of(
                loaded.reference.text,
                model_hash=loaded.hash,
                adapter=loaded.adapter,
                tokenizer=loaded.tokenizer,
                template=chosen,
                precision=str(loaded.model.dtype).removeprefix("torch."),
            ),
        )
        self._consumption: Consumption | None = None

    def answer(self, ready: Ready, *, kept: Kept, stage: str, report: Report = ignore) -> None:
        """See `Respondent.answer`; each row also says what memory and energy it took."""
        _, writer = self._opened()
        assert isinstance(writer, TorchWriter)
        if self._consumption is None:
            self._consumption = consumption_beyond(writer.model)
        kept.measure = measure_of(writer.model, self._consumption)
        super().answer(ready, kept=kept, stage=stage, report=report)

    def _working(self, config: EvaluateConfig) -> tuple[Engine, Writer]:
        """As it is, with passes as large as `config` says."""
        from tuneval.models.engines.torch import TorchEngine

        _, writer = self._opened()
        assert isinstance(writer, TorchWriter)
        engine = TorchEngine(
            writer.model,
            token_budget=config.token_budget,
            batch_size=config.batch_size,
            whole_passes=True,  # a question may be kept that lies in two passes, of which one ran
        )
        return engine, writer


def consumption_beyond(model: Any) -> Consumption:
    """Of what is done with a model that is loaded; memory counts beyond its weights."""
    from tuneval.models.consumption import Consumption

    if model.device.type == "cpu":
        _bring_in(model)
    return Consumption(model.device)


def measure_of(model: Any, consumption: Consumption | None = None) -> Measure:
    """Joules since the last answer, and the most memory so far, the model's own included."""
    beyond = consumption or consumption_beyond(model)
    # What torch counts on CUDA has the weights in it; what the process grew by has not.
    weights = 0 if model.device.type == "cuda" else model.get_memory_footprint()
    beyond.begin()

    def measure() -> dict[str, float]:
        joules, peak = beyond.joules(), beyond.peak_bytes()
        taken = {} if joules is None else {"energy_joules": round(joules, 6)}
        return taken if peak is None else taken | {"peak_memory_bytes": peak + weights}

    return measure


def _bring_in(model: Any) -> None:
    """Read a bit of every page: weights in a file come into memory when they are first read."""
    for parameter in model.parameters():
        if parameter.is_contiguous():
            parameter.detach().view(-1)[:: max(1, PAGE_BYTES // parameter.itemsize)].clone()
