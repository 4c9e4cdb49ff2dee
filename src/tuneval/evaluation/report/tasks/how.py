"""How a task was asked, in sentences."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from tuneval.evaluation.record import EvaluationResult
from tuneval.evaluation.report.numbers import estimate_text
from tuneval.pages.numbers import duration_text, significant
from tuneval.pages.text import Text


def how_asked(results: Mapping[str, EvaluationResult]) -> Iterator[Text]:
    """Protocol, part drawn, notes; then of each model what was peculiar to it."""
    first = next(iter(results.values()))
    if first.task is not None:
        yield Text(f"Protocol {first.task.protocol}.", f"协议 {first.task.protocol}。")
    for note in dict.fromkeys(note for result in results.values() for note in result.notes):
        models = [label for label, result in results.items() if note in result.notes]
        said = f"{note[:1].upper()}{note[1:]}"
        if len(models) < len(results):
            said = f"{', '.join(models)}: {note}"
        yield Text(f"{said}.".replace("..", "."), f"{said}。")
    for label, result in results.items():
        yield from _of_model(label, result)


def _of_model(label: str, result: EvaluationResult) -> Iterator[Text]:
    record = result.task
    if record is None:
        return
    figure = record.headline()
    if figure is not None and figure.whole is not None:
        shown = estimate_text(figure.whole)
        yield Text(
            f"{label}, had every question of the task been asked: {shown}.",
            f"{label}：若问完全部题目，估计为 {shown}。",
        )
    for reasons in filter(None, result.skipped.values()):
        count, reason = sum(reasons.values()), next(iter(reasons))
        yield Text(
            f"{label}: {_so_many(count, 'question')} left out; the first: {reason}.",
            f"{label}：{count} 题未计入；首个原因：{reason}。",
        )
    if lost := record.shots_dropped:
        yield Text(
            f"{label}: {_so_many(lost, 'prompt')} lost demonstrations to the model's length.",
            f"{label}：{lost} 条提示因长度上限减少了示例。",
        )
    if cut := result.counts.get("cut_by_length"):
        yield Text(
            f"{label}: {_so_many(cut, 'answer')} cut at the length limit.",
            f"{label}：{cut} 个回答因长度上限被截断。",
        )
    yield from _invariance(label, result)
    seconds = duration_text(sum(result.seconds.values()))
    yield Text(f"{label} answered in {seconds}.", f"{label} 作答用时 {seconds}。")


def _so_many(count: int, what: str) -> str:
    return f"{count:,} {what}" + ("" if count == 1 else "s")


def _invariance(label: str, result: EvaluationResult) -> Iterator[Text]:
    found = None if result.task is None else result.task.invariance
    if found is None:
        return
    largest = "" if found.largest is None else f", at most {significant(found.largest, 2)} nats"
    largest_zh = "" if found.largest is None else f"，至多 {significant(found.largest, 2)} 奈特"
    yield Text(
        f"{label}: asked together and one by one, {found.n_changed} of {found.n_items} answers "
        f"differ{largest}.",
        f"{label}：批量与逐条提问相比，{found.n_items} 个回答中有 {found.n_changed} 个不同"
        f"{largest_zh}。",
    )
