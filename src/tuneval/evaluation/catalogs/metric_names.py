"""What metrics are called and what they mean, in English and Chinese."""

from __future__ import annotations

from functools import cache
from importlib.resources import files

import yaml

from tuneval.pages.text import Text


def metric_name(metric: str) -> Text:
    """The metric's name for a reader; a field's name stands before it."""
    kind, _, argument = metric.partition(":")
    name = _texts().get(kind, {}).get("name", Text(kind, kind))
    if not argument:
        return name
    if kind == "json_field":
        return Text(f"{argument.capitalize()} right", f"{argument} 正确")
    if kind == "json_field_f1":
        return Text(f"{argument.capitalize()} macro-F1", f"{argument} 宏平均 F1")
    return Text(f"{name.en}: {argument}", f"{name.zh}：{argument}")


def metric_meaning(metric: str) -> Text:
    """One line on what the metric measures; empty when it is a plugin's."""
    return _texts().get(metric.partition(":")[0], {}).get("meaning", Text("", ""))


def reading_order(metric: str) -> int:
    """Sort key: what a person asks first comes first, a plugin's metric last."""
    kind = metric.partition(":")[0]
    names = list(_texts())
    return names.index(kind) if kind in names else len(names)


@cache
def _texts() -> dict[str, dict[str, Text]]:
    """Name and meaning of each metric, in the order of the table."""
    table = (files(__package__) / "metric_texts.yaml").read_text(encoding="utf-8")
    return {
        metric: {what: Text(*both) for what, both in row.items()}
        for metric, row in yaml.safe_load(table).items()
    }
