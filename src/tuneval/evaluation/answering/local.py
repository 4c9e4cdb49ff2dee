"""A model that answers in this process."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tuneval.evaluation.answering.generated import stop_ids_of
from tuneval.evaluation.answering.on_engine import EngineRespondent, facts_of, template_of
from tuneval.evaluation.answering.writing import TorchWriter, Writer
from tuneval.evaluation.config import EvaluateConfig
from tuneval.models.precision import Precision
from tuneval.runs.events import Report, ignore

if TYPE_CHECKING:
    from tuneval.models.engines.engine import Engine
    from tuneval.models.load import LoadedModel


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

    def _working(self, config: EvaluateConfig) -> tuple[Engine, Writer]:
        """As it is, with passes as large as `config` says."""
        from tuneval.models.engines.torch import TorchEngine

        _, writer = self._opened()
        assert isinstance(writer, TorchWriter)
        return TorchEngine(writer.model, token_budget=config.token_budget), writer
