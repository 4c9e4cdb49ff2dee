"""Pages of the documentation that are written from catalogs, so that they cannot say otherwise.

`python -m tuneval.evaluation.catalogs.metric_pages docs` writes them into a folder.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, get_args

from tuneval import files
from tuneval.evaluation.catalogs.metric_names import metric_meaning, metric_name
from tuneval.evaluation.catalogs.task_pages import tasks_page
from tuneval.evaluation.comparing.rank_aggregation import OVER_SYSTEMS
from tuneval.evaluation.kinds.argument import OfArgument
from tuneval.evaluation.metric import About, Family
from tuneval.evaluation.metrics import METRICS
from tuneval.pages.text import Text

WRITTEN = (
    "<!-- Written from the catalog by `python -m tuneval.evaluation.catalogs.metric_pages docs`: "
    "change it there. -->"
)


@dataclass(frozen=True, slots=True)
class MetricRow:
    """A metric as it is shown: its row, how it is called and what it means, its argument if any.

    `over` says what its figure is over: the items of an evaluation, or several systems.
    """

    about: About
    title: Text
    meaning: Text
    argument: str | None = None
    default: str | None = None
    example: str | None = None
    over: str = "items"

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        shown = asdict(self.about)
        return shown | {
            "title": self.title._asdict(),
            "meaning": self.meaning._asdict(),
            "argument": self.argument,
            "default": self.default,
            "example": self.example,
            "over": self.over,
        }


def metric_rows(names: Iterable[str] | None = None) -> list[MetricRow]:
    """The metrics of these names, else all there are, plugins' included."""
    if names is None:
        over_systems = [_row(about, over="systems") for about in OVER_SYSTEMS]
        return [_loaded(name) for name in METRICS] + over_systems
    known = {about.name: about for about in OVER_SYSTEMS}
    return [_row(known[name], over="systems") if name in known else _loaded(name) for name in names]


def metrics_page() -> str:
    """`docs/metrics.md`: tuneval's own metrics, family by family."""
    own = [name for name in METRICS if METRICS[name].startswith("tuneval.")]
    rows = metric_rows([*own, *(about.name for about in OVER_SYSTEMS)])
    parts = ["# Metrics", WRITTEN, _METRICS_HEAD]
    for family in get_args(Family):
        members = [row for row in rows if row.about.family == family]
        if members:
            parts.append(_family(family, members))
    return "\n\n".join(parts) + "\n"


def markdown_table(headers: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table in Markdown; a bar inside a cell is escaped."""
    lines = [headers, ["---"] * len(headers), *rows]
    return "\n".join(
        "| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |" for line in lines
    )


def range_text(about: About) -> str:
    """`0 to 1`, `1 to ∞`."""
    least, most = (_number(end) for end in about.range)
    return f"{least} to {most}"


def better_text(about: About) -> str:
    """Which way is good."""
    return {True: "higher", False: "lower", None: "–"}[about.higher_is_better]


def _family(family: str, rows: Sequence[MetricRow]) -> str:
    table = markdown_table(
        ("metric", "argument", "what it is", "unit", "range", "better", "needs"),
        [
            (
                f"`{row.about.name}`",
                _argument(row),
                row.meaning.en,
                row.about.unit or "–",
                range_text(row.about),
                better_text(row.about),
                ", ".join(row.about.needs),
            )
            for row in rows
        ],
    )
    told = "\n".join(
        f"- **`{row.about.name}`** Use it {row.about.use}. Avoid it {row.about.avoid}. "
        f"Source: {row.about.source}."
        for row in rows
    )
    return f"## {family[0].upper()}{family[1:]}\n\n{table}\n\n{told}"


def _argument(row: MetricRow) -> str:
    if row.argument is None:
        return "–"
    given = f"`:{row.example}`" if row.example is not None else f"`:<{row.argument}>`"
    if row.default is None:
        return f"{row.argument}, as {given}"
    return f"{row.argument}, as {given}; " + (
        f"`{row.default}` unless given" if row.default else "may be left out"
    )


def _loaded(name: str) -> MetricRow:
    row = METRICS.load(name.partition(":")[0])
    if isinstance(row, OfArgument):
        return _row(row.about, argument=row.argument, default=row.default, example=row.example)
    return _row(row.about)


def _row(about: About, **more: Any) -> MetricRow:
    return MetricRow(about, metric_name(about.name), metric_meaning(about.name), **more)


def _number(value: float) -> str:
    if math.isinf(value):
        return "∞" if value > 0 else "−∞"
    return f"{value:g}".replace("-", "−")


_METRICS_HEAD = """\
Asked for by name: `metrics` in a recipe or suite, `--metric NAME` on the command line, and for
[answers that stand in a file](guide/grade-predictions.md). One that wants to know of what takes it
after a colon: `distinct:2`, `json_field:intent`. `tuneval metrics NAME` says the same about one; a
[plugin](plugins.md) adds rows.

Every figure comes with an interval, and every difference is paired by item. An item that cannot be
graded is counted with its reason and never as zero. Unit `share` is from 0 to 1 and shown as per
cent; `points` are on a scale of 100 already."""

PAGES: dict[str, Callable[[], str]] = {"metrics.md": metrics_page, "tasks.md": tasks_page}
"""The pages by the name of their file."""


def write_pages(folder: Path) -> None:
    """Write every page into a folder."""
    for name, page in PAGES.items():
        files.write_text(folder / name, page())


if __name__ == "__main__":
    write_pages(Path(sys.argv[1]))
