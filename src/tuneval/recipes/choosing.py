"""The steps `score` and `select`, and the examples that a train step learns from."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from tuneval import files
from tuneval.data.example import Item
from tuneval.data.write import write_messages
from tuneval.errors import DataError
from tuneval.recipes.recipe import ScoreStep, SelectStep, TrainStep
from tuneval.recipes.work import Work
from tuneval.runs.events import Finished, Saved, Started, Warned

if TYPE_CHECKING:
    from tuneval.scoring.row import ScoreRow

CARD, CHOSEN, REJECTED = "selection.json", "chosen.jsonl", "rejected.jsonl"


def score_side(step: ScoreStep, work: Work) -> dict[str, Any]:
    """Score the training side in `scores/<name>/`; how many examples have which score."""
    from tuneval.scoring.score import Meter, ReadFrom, score
    from tuneval.scoring.scores import FOLDER

    recipe = work.plan.recipe
    scores = score(
        step,
        work.sides.train,
        by=Meter(model=recipe.model),
        folder=work.run.path(FOLDER, step.name),
        read_from=ReadFrom(work.plan.data_file, recipe.data.format),
        tasks=_tasks(step, work),
        report=work.report,
    )
    measures = scores.card["measures"]
    return {
        "examples": len(scores.rows),
        "scored": {name: account["scored"] for name, account in measures.items()},
        "unscored": {name: account["unscored"] for name, account in measures.items()},
        "seconds": scores.card["work"]["seconds"],
    }


def select_from(step: SelectStep, work: Work) -> dict[str, Any]:
    """Choose from the training side; writes `selections/<name>/`, the card last.

    `chosen.jsonl` has the examples themselves, `rejected.jsonl` the reason for each other one.
    """
    from tuneval.scoring.selection.choose import choose
    from tuneval.scoring.selection.embedder import Embedder

    stage = f"select {step.name}"
    work.report(Started(stage))
    items = work.distinct
    rows = _rows(step, work)
    embeddings = Embedder(step.embeddings, work.report).embeddings(items) if step.diverse else None
    selection = choose(step, rows, items=items, embeddings=embeddings, report=work.report)
    size, where = selection.size, {row.id: row.where for row in rows}
    if size is not None and size.unit == "examples" and size.chosen < size.asked:
        said = f"asked for were {size.asked}; only {size.chosen} could be had"
        work.report(Warned(stage, said))
    folder = work.run.path("selections", step.name)
    chosen = frozenset(selection.chosen)
    write_messages(folder / CHOSEN, (items[id] for id in items if id in chosen))
    files.write_jsonl(
        folder / REJECTED,
        (
            {"id": id, "where": where[id], "reason": out.reason, "rank": out.rank}
            for id, out in selection.rejected.items()
        ),
    )
    result = {
        "offered": len(rows),
        "chosen": len(selection.chosen),
        "rejected": selection.reasons,
        "funnel": [each.as_dict() for each in selection.funnel],
    }
    card = {"config": step.settings(), "scores": step.scores, **result}
    files.write_json(folder / CARD, card | {"chosen_ids": selection.chosen})
    work.report(Saved(stage, str(folder)))
    work.report(Finished(stage))
    return result


def learnt_from(step: TrainStep, work: Work) -> Sequence[Item]:
    """What a train step learns from, in the data's order; an example that was chosen, once."""
    if step.examples is None:
        return work.sides.train
    folder = work.run.path("selections", step.examples)
    chosen = frozenset(files.read_json(folder / CARD)["chosen_ids"])
    if not chosen:
        raise DataError(
            f"The selection '{step.examples}' chose no example.",
            where=str(folder),
            mend=f"the reasons stand in {REJECTED}; ask for less in its `keep`",
        )
    return [example for id, example in work.distinct.items() if id in chosen]


def _tasks(step: ScoreStep, work: Work) -> dict[str, str] | None:
    """The task of each example where a field names it."""
    if step.task is None:
        return None
    from tuneval.data.draft import Draft
    from tuneval.data.read import drafts
    from tuneval.scoring.tasks import tasks_from_field

    records = drafts(work.plan.data_file, work.plan.recipe.data.format).items
    return tasks_from_field((r for r in records if isinstance(r, Draft)), step.task)


def _rows(step: SelectStep, work: Work) -> list[ScoreRow]:
    """The scores of every distinct example, or none for each."""
    from tuneval.scoring.row import ScoreRow
    from tuneval.scoring.scores import FOLDER, Scores

    if step.scores is not None:
        return Scores.load(work.run.path(FOLDER, step.scores)).rows
    return [ScoreRow(id, str(example.source), None, {}) for id, example in work.distinct.items()]
