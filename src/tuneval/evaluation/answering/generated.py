"""What the model says when it is asked: one answer per item, greedy or drawn by a seed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from tuneval.evaluation.answering.kept import Kept, warnings_only
from tuneval.runs.events import Finished, ItemDone, Report, Started, ignore

if TYPE_CHECKING:
    from tuneval.models.generation import Completion
    from tuneval.models.load import LoadedModel


def answer(
    loaded: LoadedModel,
    prompts: Mapping[str, Sequence[int]],
    labels: Mapping[str, str],
    *,
    stop_ids: Sequence[int],
    kept: Kept,
    max_new_tokens: int,
    token_budget: int,
    temperature: float,
    top_p: float,
    seed: int,
    stage: str,
    report: Report = ignore,
) -> None:
    """Answer every prompt (ids by item id) that is not kept yet, and keep it.

    Rows have LLaMA-Factory's keys: `prompt` decoded with special tokens, `predict` without.
    """
    from tuneval.models.generation import generate

    report(Started(stage, len(prompts), "items"))
    pending = [item_id for item_id in prompts if item_id not in kept]
    tokenizer = loaded.tokenizer

    def on_done(position: int, completion: Completion) -> None:
        item_id = pending[position]
        kept.append(
            {
                "prompt": tokenizer.decode(list(prompts[item_id]), skip_special_tokens=False),
                "predict": tokenizer.decode(list(completion.ids), skip_special_tokens=True),
                "label": labels[item_id],
                "id": item_id,
                "finish_reason": completion.finish_reason,
                "n_tokens": len(completion.ids),
            }
        )
        report(ItemDone(stage, item_id, len(kept), len(prompts)))

    if pending:
        generate(
            loaded.model,
            [prompts[item_id] for item_id in pending],
            stop_ids=tuple(stop_ids),
            max_new_tokens=max_new_tokens,
            token_budget=token_budget,
            temperature=temperature,
            top_p=top_p,
            seed=seed,
            report=warnings_only(report),
            on_done=on_done,
        )
    report(Finished(stage))
