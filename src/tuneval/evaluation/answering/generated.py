"""What the model says when it is asked: one answer per item, greedy or drawn by a seed.

`answer` is for examples of one's own, in LLaMA-Factory's layout; `write` for a task's questions.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from tuneval.evaluation.answering.asked import Writing, of_kind
from tuneval.evaluation.answering.kept import Kept, warnings_only
from tuneval.evaluation.answering.respondent import Ready
from tuneval.evaluation.answering.stopping import StopTexts
from tuneval.runs.events import Finished, ItemDone, Report, Started, ignore
from tuneval.tokenization import Template

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


def write(
    loaded: LoadedModel,
    ready: Ready,
    *,
    stop_ids: Sequence[int],
    kept: Kept,
    stage: str,
    report: Report = ignore,
) -> None:
    """Answer every question that is not kept yet, and keep its answer up to its stop texts.

    `seconds_to_first` runs from when a prompt is taken up to its first token, `seconds` to its
    last; both among the other prompts of the batch.
    """
    from tuneval.models.generation import generate

    asked = of_kind(ready.asked, Writing)
    names, questions = list(asked), list(asked.values())
    if all(name in kept for name in names):
        return
    stops = [StopTexts(loaded.tokenizer, question.stop) for question in questions]

    def on_done(position: int, completion: Completion) -> None:
        name = names[position]
        kept.append(
            {
                "id": name,
                "way": "generate",
                "prompt": ready.prompts[name],
                "predict": stops[position].cut(completion.ids),
                "finish_reason": completion.finish_reason,
                "n_tokens": len(completion.ids),
                "seconds_to_first": round(completion.seconds_to_first, 6),
                "seconds": round(completion.seconds, 6),
            }
        )
        report(ItemDone(stage, name, len(kept), len(ready.asked)))

    generate(
        loaded.model,
        [question.ids for question in questions],
        known=frozenset(place for place, name in enumerate(names) if name in kept),
        stop_ids=stop_ids,
        is_finished=lambda position, ids: stops[position].end(ids),
        max_new_tokens=[question.max_new_tokens for question in questions],
        token_budget=ready.config.token_budget,
        temperature=[question.temperature for question in questions],
        top_p=ready.config.top_p,
        seed=ready.config.seed,
        report=warnings_only(report),
        on_done=on_done,
    )


def stop_ids_of(tokenizer: Any, template: Template | None) -> tuple[int, ...]:
    """The ids that end an answer: those of the template, or EOS alone."""
    if template is not None:
        return template.stop_ids
    return () if tokenizer.eos_token_id is None else (tokenizer.eos_token_id,)
