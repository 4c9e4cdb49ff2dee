"""What one number cannot hold, drawn: confusion, reliability, curves, readings, perturbations."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from html import escape
from typing import Any

from tuneval.evaluation.report.numbers import difference_text, value_text
from tuneval.pages import markup as m
from tuneval.pages.axis import linear_axis
from tuneval.pages.chart import Plot
from tuneval.pages.markup import Html
from tuneval.pages.text import Text
from tuneval.statistics.estimate import Estimate

Detail = Mapping[str, Any]
MOST_CLASSES = 30
MOST_SHOWN = 4000
"""Characters of a detail that has no picture of its own."""


def detail_html(detail: Detail) -> Html:
    """The picture of a metric's detail: by what it holds, else the detail as it stands."""
    for keys, draw in _PICTURES:
        if keys <= detail.keys():
            return draw(detail)
    shown = json.dumps(detail, ensure_ascii=False, indent=1, default=str)
    return f"<pre>{escape(shown[:MOST_SHOWN])}{'…' if len(shown) > MOST_SHOWN else ''}</pre>"


def _confusion(detail: Detail) -> Html:
    """A row for each true class; a cell is the darker the larger its share of the row."""
    classes, columns = detail["classes"][:MOST_CLASSES], detail["columns"][:MOST_CLASSES]
    rows = []
    for name, counts in zip(classes, detail["counts"], strict=False):
        total = sum(counts) or 1
        cells = [
            f'<span class="cell" style="--share:{count / total:.2f}">{count}</span>'
            for count in counts[: len(columns)]
        ]
        rows.append([f"<b>{escape(str(name))}</b>", *cells])
    corner = Text("true \\ answered", "真实 \\ 回答")
    headings: list[Text | str] = [corner, *map(str, columns)]
    return m.table(headings, rows, css="record")


def _per_class(detail: Detail) -> Html:
    rows = [
        [
            f"<b>{escape(str(name))}</b>",
            *(value_text(found[figure], "share") for figure in ("precision", "recall", "f1")),
            f"{found['n']:,}",
        ]
        for name, found in list(detail["classes"].items())[:MOST_CLASSES]
        if isinstance(found, Mapping)
    ]
    headings: list[Text | str] = [
        Text("class", "类别"),
        Text("precision", "精确率"),
        Text("recall", "召回率"),
        "F1",
        Text("items", "样本数"),
    ]
    return m.table(headings, rows, css="record") if rows else ""


def _readings(detail: Detail) -> Html:
    rows = [
        [
            f"<b>{escape(name)}</b>",
            value_text(found["right"], "share"),
            value_text(found["unparsed"], "share"),
        ]
        for name, found in detail["readings"].items()
    ]
    low, high = (value_text(end, "share") for end in detail["range"])
    said = Text(
        f"The score lies between {low} and {high}, by how answers are read; the readings part on "
        f"{detail['n_disagree']} of {detail['n']} answers.",
        f"得分在 {low} 与 {high} 之间，取决于如何读取答案；{detail['n']} 个回答中有 "
        f"{detail['n_disagree']} 个读法不一。",
    )
    headings = [Text("reading", "读法"), Text("right", "正确"), Text("nothing read", "未读出")]
    return m.table(headings, rows, css="record") + m.note(said)


def _reliability(detail: Detail) -> Html:
    """How sure the model was against how often it was right; on the line it knows itself."""
    points = [(found["confidence"], found["right"]) for found in detail["bins"]]
    reaches = [
        (found["confidence"], found["right_low"], found["right_high"]) for found in detail["bins"]
    ]
    return _square(points, reaches, Text("Reliability: confidence and share right", "可靠性图"))


def _roc(detail: Detail) -> Html:
    points = [(false, true) for _, false, true in detail["points"]]
    return _square(points, [], Text("ROC: false and true positive rate", "ROC 曲线"), is_line=True)


def _square(
    points: Sequence[tuple[float, float]],
    reaches: Sequence[tuple[float, float, float]],
    name: Text,
    *,
    is_line: bool = False,
) -> Html:
    """Shares against shares, with the diagonal."""
    axis = linear_axis(0.0, 1.0)
    plot = Plot(width=360, height=320, left=52, right=14, top=12, bottom=34, across=axis, up=axis)
    drawn = (
        f'<line class="same" x1="{plot.x(0):.1f}" y1="{plot.y(0):.1f}" x2="{plot.x(1):.1f}" '
        f'y2="{plot.y(1):.1f}"/>'
    )
    drawn += "".join(
        f'<line class="fixed" x1="{plot.x(x):.1f}" x2="{plot.x(x):.1f}" y1="{plot.y(low):.1f}" '
        f'y2="{plot.y(high):.1f}"/>'
        for x, low, high in reaches
    )
    drawn += _line(plot, points) if is_line else _dots(plot, points)
    picture = plot.svg(name, plot.grid() + plot.ticks(20) + drawn)
    return f'<div class="square">{picture}{m.note(name)}</div>'


def _line(plot: Plot, points: Sequence[tuple[float, float]]) -> Html:
    way = " ".join(f"{plot.x(x):.1f},{plot.y(y):.1f}" for x, y in points)
    return f'<polyline class="curve" points="{way}"/>'


def _dots(plot: Plot, points: Sequence[tuple[float, float]]) -> Html:
    dots = "".join(f"M{plot.x(x):.1f} {plot.y(y):.1f}h0" for x, y in points)
    return f'<path class="points" d="{dots}"/>'


def _over_time(name: str, text: Text) -> Callable[[Detail], Html]:
    """A picture of values in their order."""

    def draw(detail: Detail) -> Html:
        values = [float(value) for value in detail[name]]
        if len(values) < 2:
            return ""
        plot = Plot(
            width=720, height=220, left=62, right=14, top=12, bottom=34,
            across=linear_axis(1, len(values)), up=linear_axis(min(values), max(values)),
        )  # fmt: skip
        line = _line(plot, list(enumerate(values, start=1)))
        return plot.svg(text, plot.grid() + plot.ticks(20) + line) + m.note(text)

    return draw


def _perturbations(detail: Detail) -> Html:
    rows = [
        [
            f"<b>{escape(name)}</b>",
            difference_text(Estimate.from_dict(found["drop"])),
            f"{found['n']:,}",
        ]
        for name, found in detail["by_perturbation"].items()
    ]
    headings = [Text("perturbation", "扰动"), Text("drop", "下降"), Text("changed", "改动题数")]
    return m.table(headings, rows, css="record")


def _parts(detail: Detail) -> Html:
    weights = detail.get("weights") or {}
    rows = [
        [f"<code>{escape(name)}</code>", f"{value:.4g}", f"{weights[name]:g}" if weights else "–"]
        for name, value in detail["parts"].items()
    ]
    return m.table(
        [Text("part", "组成"), Text("value", "数值"), Text("weight", "权重")], rows, css="record"
    )


_PICTURES: tuple[tuple[frozenset[str], Callable[[Detail], Html]], ...] = (
    (frozenset({"classes", "columns", "counts"}), _confusion),
    (frozenset({"readings", "range"}), _readings),
    (frozenset({"bins"}), _reliability),
    (frozenset({"points", "n_positive"}), _roc),
    (frozenset({"cumulative"}), _over_time("cumulative", Text("Cumulative return", "累计收益"))),
    (frozenset({"drawdown"}), _over_time("drawdown", Text("Fall from the peak", "回撤"))),
    (frozenset({"by_perturbation"}), _perturbations),
    (frozenset({"parts"}), _parts),
    (frozenset({"classes"}), _per_class),
)
"""What a detail holds, and how it is drawn; the first row that fits counts."""
