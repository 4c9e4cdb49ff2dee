"""A model asked through vLLM, and answers written by whatever engine is open."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

from tuneval.errors import ModelError
from tuneval.evaluation.answering.asked import Writing
from tuneval.evaluation.answering.generated import stop_ids_of
from tuneval.evaluation.answering.on_engine import EngineRespondent, facts_of, template_of
from tuneval.evaluation.answering.writing import OnWritten, TorchWriter, Writer, Written
from tuneval.evaluation.config import EvaluateConfig
from tuneval.models.engines.engine import Engine, EngineConfig
from tuneval.models.engines.torch import TorchEngine
from tuneval.models.engines.vllm import PROMPTS_AT_ONCE, VllmEngine, open_engine
from tuneval.models.load import load_tokenizer, model_hash
from tuneval.models.sampling import dice_seeds
from tuneval.models.sources import sources_of
from tuneval.runs.events import Report, ignore


def open_on_vllm(
    model: str,
    config: EvaluateConfig,
    *,
    adapter: str | None = None,
    template: str = "auto",
    report: Report = ignore,
) -> EngineRespondent:
    """The model open in vLLM on this machine. Errors as in `models.engines.vllm.open_engine`."""
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
    engine = open_engine(
        EngineConfig(
            model=model,
            adapter=adapter,
            precision=config.precision,
            token_budget=config.token_budget,
            batch_size=config.batch_size,
            max_length=config.max_length,
        ),
        report=report,
    )
    writer = VllmWriter(engine, stop_ids_of(tokenizer, chosen))
    return EngineRespondent(engine, writer, tokenizer=tokenizer, template=chosen, facts=facts)


def writer_for(engine: Engine, tokenizer: Any, stop_ids: Sequence[int]) -> Writer:
    """The writer of an engine that is open in this process."""
    if isinstance(engine, VllmEngine):
        return VllmWriter(engine, stop_ids)
    assert isinstance(engine, TorchEngine)
    return TorchWriter(engine.model, tokenizer, stop_ids)


@dataclass(frozen=True, slots=True)
class VllmWriter:
    """A `Writer` around an open engine. vLLM decides what is in a batch, and takes no times."""

    engine: VllmEngine
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
        seeds = dice_seeds([question.ids for question in questions], config.seed)
        places = [place for place in range(len(questions)) if place not in known]
        for start in range(0, len(places), PROMPTS_AT_ONCE):
            some = places[start : start + PROMPTS_AT_ONCE]
            outputs = self._generate(
                [{"prompt_token_ids": questions[place].ids.tolist()} for place in some],
                [self._sampling(questions[place], config, seeds[place]) for place in some],
            )
            for place, output in zip(some, outputs, strict=True):
                on_done(place, self._written(output.outputs[0]))

    def _sampling(self, question: Writing, config: EvaluateConfig, seed: int) -> Any:
        is_drawn = question.temperature > 0
        return self.engine.vllm.SamplingParams(
            max_tokens=question.max_new_tokens,
            temperature=question.temperature,
            top_p=config.top_p if is_drawn else 1.0,
            seed=seed if is_drawn else None,
            stop=list(question.stop),
            stop_token_ids=list(self.stop_ids),
            detokenize=bool(question.stop),
        )

    def _generate(self, prompts: Sequence[Any], samplings: Sequence[Any]) -> Any:
        try:
            return self.engine.llm.generate(prompts, samplings, use_tqdm=False)
        except Exception as error:  # of many kinds, and the cause is mostly in another process
            raise ModelError(
                f"vLLM failed on {len(prompts)} prompts: {error}",
                mend="ask for shorter answers (max_new_tokens), or use --engine torch",
            ) from error

    def _written(self, said: Any) -> Written:
        ids = tuple(said.token_ids)
        if ids and ids[-1] in self.stop_ids:
            ids = ids[:-1]
        reason = "length" if said.finish_reason == "length" else "stop"
        return Written(ids=ids, finish_reason=reason)
