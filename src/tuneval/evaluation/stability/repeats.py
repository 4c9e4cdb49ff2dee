"""The settings of repeated runs: alike but for one thing, the source whose effect is asked for."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Literal, get_args

from tuneval.errors import UsageError
from tuneval.evaluation.config import EvaluateConfig

RepeatSource = Literal["seed", "batch", "precision", "shots"]
SOURCES: tuple[RepeatSource, ...] = get_args(RepeatSource)
FIELDS: dict[RepeatSource, str] = {
    "seed": "seed",
    "batch": "batch_size",
    "precision": "precision",
    "shots": "shot_seed",
}
"""The field of the settings that a source changes."""
_PRECISIONS = ("float32", "bfloat16", "float16")
_BATCH_STEP = 4
MARK = "@"


@dataclass(frozen=True, slots=True)
class Repeat:
    """One of several runs: `label` names it among them, as in the folder `gsm8k@seed-18`."""

    source: RepeatSource
    label: str
    config: EvaluateConfig

    def title(self, name: str) -> str:
        """The name of the run of what is called `name`."""
        return f"{name}{MARK}{self.label}"


def repeats_of(
    config: EvaluateConfig, *, vary: Sequence[RepeatSource], repeats: int
) -> tuple[Repeat, ...]:
    """So many runs for each source; `seed` and `precision` begin with what `config` has.

    `seed`: the seeds that follow, for answers that are drawn. `batch`: batch sizes of 1, 4, 16 and
    so on, up to that of `config`. `precision`: number formats, three at most. `shots`: another
    order of the demonstrations each time. Raises UsageError where nothing could differ.
    """
    if repeats < 2:
        raise UsageError("One run does not show how runs differ.", mend="ask for 2 repeats or more")
    found = [
        Repeat(source, f"{source}-{value}", _changed(config, FIELDS[source], value))
        for source in dict.fromkeys(vary or ("seed",))
        for value in _values(source, config, repeats)
    ]
    for source in dict.fromkeys(repeat.source for repeat in found):
        if sum(repeat.source == source for repeat in found) < 2:
            raise UsageError(
                f"With these settings {source} can be varied in no way.",
                mend="leave out batch_size, or vary something else",
            )
    return tuple(found)


def source_of(title: str) -> tuple[str, str | None, str | None]:
    """Name, source and label of a title that `Repeat.title` made: `gsm8k`, `seed`, `seed-18`.

    Source and label are None where it is none.
    """
    name, mark, label = title.rpartition(MARK)
    source = label.partition("-")[0]
    return (name, source, label) if mark and source in SOURCES else (title, None, None)


def _values(source: RepeatSource, config: EvaluateConfig, repeats: int) -> Iterator[Any]:
    match source:
        case "seed":
            if config.temperature == 0:
                raise UsageError(
                    "Greedy answers are the same for every seed.",
                    mend="draw them, with a temperature of 0.7, say; or vary batch or precision",
                )
            yield from range(config.seed, config.seed + repeats)
        case "shots":
            yield from range(1, repeats + 1)
        case "precision":
            rest = [name for name in _PRECISIONS if name != config.precision]
            yield from [config.precision, *rest][:repeats]
        case "batch":
            sizes = [_BATCH_STEP**step for step in range(repeats)]
            largest = config.batch_size or sizes[-1]
            yield from dict.fromkeys(min(size, largest) for size in sizes)


def _changed(config: EvaluateConfig, field: str, value: Any) -> EvaluateConfig:
    return type(config).model_validate({**config.model_dump(exclude_unset=True), field: value})
