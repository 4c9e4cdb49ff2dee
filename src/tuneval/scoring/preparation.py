"""Brings the scorers what they need: prompts, tasks, embeddings."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from tuneval.errors import ModelError
from tuneval.runs.events import Report, Warned
from tuneval.scoring.config import ScoreConfig
from tuneval.scoring.encoding import InstructionEncoder, PromptEncoder, prompt_encoder
from tuneval.scoring.item import ScoringItem
from tuneval.scoring.scorer import Scorer
from tuneval.scoring.setting import Setting

if TYPE_CHECKING:
    from tuneval.models.embeddings import Encoder


def prepare(
    items: Sequence[ScoringItem],
    scorers: Sequence[Scorer],
    config: ScoreConfig,
    *,
    model: str | None,
    adapter: str | None = None,
    longest: int | None,
    tasks: Mapping[str, str] | None,
    report: Report,
) -> tuple[list[ScoringItem], Setting]:
    """The items with their tasks, and the setting that holds what any scorer needs.

    `longest` is how many tokens the model reads; `tasks` are names by example id.
    """
    needs = frozenset().union(*(scorer.needs for scorer in scorers))
    setting = Setting()
    if needs & {"model", "tokenizer"} and model is not None:
        from tuneval.models.load import load_tokenizer

        setting.tokenizer = load_tokenizer(model, adapter=adapter, report=report)
    if "model" in needs:
        setting.prompts = prompt_encoder(config, setting.tokenizer, longest=longest)
        setting.n_moved = _count_moved(items, setting.prompts)
    wants_clusters = "tasks" in needs and tasks is None and config.task is None
    if "embeddings" in needs or wants_clusters:
        from tuneval.scoring.tasks import embed_items

        encoder = _encoder(config, model, report)
        setting.embeddings = embed_items(items, encoder, report=report)
    if tasks is None and config.task is not None:
        tasks = {
            i.id: str(i.example.tags[config.task]) for i in items if config.task in i.example.tags
        }
    if wants_clusters and setting.embeddings:
        from tuneval.scoring.tasks import tasks_from_clusters

        tasks = tasks_from_clusters(
            list(setting.embeddings),
            np.stack(list(setting.embeddings.values())),
            clusters=config.clusters,
            seed=config.seed,
            report=report,
        )
    tasks = tasks or {}
    return [replace(item, task=tasks.get(item.id)) for item in items], setting


def _count_moved(items: Sequence[ScoringItem], prompts: PromptEncoder) -> int | None:
    """How many examples one text would have cut elsewhere: what tokenising apart is good for."""
    if not isinstance(prompts, InstructionEncoder):
        return None
    return sum(map(prompts.border_moves, items))


def _encoder(config: ScoreConfig, model: str | None, report: Report) -> Encoder:
    """The encoder asked for; `auto` without the bundled one falls back to the model itself."""
    from tuneval.models.embeddings import load_encoder

    if config.embeddings != "auto" or model is None:
        return load_encoder(config.embeddings, report=report)
    try:
        return load_encoder("auto", report=report)
    except ModelError as error:
        told = f"{error.what} Texts are embedded by {model} itself instead; {error.mend}."
        report(Warned("embeddings", told))
        return load_encoder(f"model:{model}", report=report)
