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
from tuneval.evaluation.answering.writing import Writer, Written
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
    token_budget: int | None,
    batch_size: int | None,
    temperature: float,
    top_p: float,
    seed: int,
    stage: str,
    report: Report = ignore,
) -> None:
    """Answer every prompt (ids by item id) that is not kept yet, and keep it.

    Rows have LLaMA-Factory's keys: `prompt` decoded with special tokens, `predict` without; then
    more of ours, with seconds as in `write`.
    """
    from tuneval.models.generation import generate

    report(Started(stage, len(prompts), "items"))
    names = list(prompts)
    known = {place for place, item_id in enumerate(names) if item_id in kept}
    tokenizer = loaded.tokenizer

    def on_done(position: int, completion: Completion) -> None:
        item_id = names[position]
        kept.append(
            {
                "prompt": tokenizer.decode(list(prompts[item_id]), skip_special_tokens=False),
                "predict": tokenizer.decode(list(completion.ids), skip_special_tokens=True),
                "label": labels[item_id],
                "id": item_id,
                "finish_reason": completion.finish_reason,
                "n_tokens": len(completion.ids),
                "seconds_to_first": _rounded(completion.seconds_to_first),
                "seconds": _rounded(completion.seconds),
            }
        )
        report(ItemDone(stage, item_id, len(kept), len(prompts)))

    if len(known) < len(names):
        generate(
            loaded.model,
            list(prompts.values()),
            known=known,
            stop_ids=tuple(stop_ids),
            max_new_tokens=max_new_tokens,
            token_budget=token_budget,
            batch_size=batch_size,
            temperature=temperature,
            top_p=top_p,
            seed=seed,
            report=warnings_only(report),
            on_done=on_done,
        )
    report(Finished(stage))


def write(
    writer: Writer,
    ready: Ready,
    *,
    tokenizer: Any,
    kept: Kept,
    stage: str,
    report: Report = ignore,
) -> None:
    """Answer every question that is not kept yet, and keep its answer up to its stop texts.

    `seconds_to_first` runs from when a prompt is taken up to its first token, `seconds` to its
    last; both among the other prompts of the batch.
    """
    asked = of_kind(ready.asked, Writing)
    names, questions = list(asked), list(asked.values())
    if all(name in kept for name in names):
        return

    def on_done(position: int, written: Written) -> None:
        name = names[position]
        kept.append(
            {
                "id": name,
                "way": "generate",
                "prompt": ready.prompts[name],
                "predict": StopTexts(tokenizer, questions[position].stop).cut(written.ids),
                "finish_reason": written.finish_reason,
                "n_tokens": len(written.ids),
                "seconds_to_first": _rounded(written.seconds_to_first),
                "seconds": _rounded(written.seconds),
            }
        )
        report(ItemDone(stage, name, len(kept), len(ready.asked)))

    writer(
        questions,
        ready.config,
        known=frozenset(place for place, name in enumerate(names) if name in kept),
        on_done=on_done,
        report=warnings_only(report),
    )


def _rounded(seconds: float | None) -> float | None:
    return None if seconds is None else round(seconds, 6)


def stop_ids_of(tokenizer: Any, template: Template | None) -> tuple[int, ...]:
    """The ids that end an answer: those of the template, or EOS alone."""
    if template is not None:
        return template.stop_ids
    return () if tokenizer.eos_token_id is None else (tokenizer.eos_token_id,)
