"""The page beside exported weights: what they are, from what, and how good they were measured."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import yaml

from tuneval import __version__
from tuneval.exporting.record import Figure, Measured, Record
from tuneval.exporting.source import Source, method_of
from tuneval.exporting.whole_model import WholeModel
from tuneval.models.bundled import BUNDLED
from tuneval.models.reference import ModelReference
from tuneval.pages.markdown import code, one_line, table
from tuneval.pages.numbers import duration_text, significant
from tuneval.statistics.estimate import Estimate

NOT_GIVEN = "not recorded"

_TOKENIZER = "tokenizer = AutoTokenizer.from_pretrained(FOLDER)  # with its chat template"
_WHOLE = (
    "from transformers import AutoModelForCausalLM, AutoTokenizer",
    "",
    'model = AutoModelForCausalLM.from_pretrained(FOLDER, dtype="auto")',
    _TOKENIZER,
)
_BY_PEFT = (
    "from peft import PeftModel",
    "from transformers import AutoModelForCausalLM, AutoTokenizer",
    "",
    "base = AutoModelForCausalLM.from_pretrained(BASE)  # the model named above",
    "model = PeftModel.from_pretrained(base, FOLDER)",
    _TOKENIZER,
)
_BY_TUNEVAL = (
    "from tuneval.models.load import load_model",
    "",
    "loaded = load_model(FOLDER)  # loaded.model, loaded.tokenizer",
)


def card(source: Source, record: Record, model: WholeModel | None, *, title: str) -> str:
    """The card's Markdown, with the metadata that model hubs read above it.

    `model` is None of an adapter alone.
    """
    is_adapter = model is None
    lines = ["---", _metadata(source, is_adapter), "---", "", f"# {one_line(title, 120)}", ""]
    lines += _opening(source, is_adapter)
    lines += _use(source, is_adapter)
    lines += _measured(record, is_adapter)
    lines += _training(source, record)
    lines += _data(record)
    lines += _fidelity(model) if model else []
    lines += _recipe(record)
    return "\n".join(lines).rstrip() + "\n"


def _metadata(source: Source, is_adapter: bool) -> str:
    fields: dict[str, Any] = {"library_name": _library(source) if is_adapter else "transformers"}
    fields["pipeline_tag"] = "text-generation"
    if hub_id := hub_name(source.root):
        fields["base_model"] = hub_id
        fields["base_model_relation"] = "adapter" if is_adapter else "finetune"
    fields["tags"] = ["tuneval", *([source.method] if source.method else [])]
    return yaml.safe_dump(fields, sort_keys=False, allow_unicode=True).rstrip()


def hub_name(base: ModelReference) -> str | None:
    """The id of a base on the hub; None of a folder, a file or a run."""
    if base.kind == "bundled":
        return BUNDLED[base.location].hub_id
    return base.location if base.kind == "hub" else None


def _opening(source: Source, is_adapter: bool) -> Iterator[str]:
    tuned = f", tuned by {code(source.method)}" if source.method else ""
    kind = "An adapter for" if is_adapter else "Made from"
    yield f"{kind} {code(source.base)}{tuned}. Exported by tuneval {__version__}."
    if source.root.kind == "bundled":
        yield ""
        yield "The base's weights are those of a quantised GGUF file, made float again: they differ"
        yield "a little from the ones that the hub holds under the base's name."
    if source.is_quantised:
        yield ""
        yield f"It was trained on the base stored in {source.origin['quantization']['bits']} bits."
    yield ""


def _use(source: Source, is_adapter: bool) -> Iterator[str]:
    yield "## Use"
    yield ""
    yield "```python"
    if not is_adapter:
        yield from _WHOLE
    else:
        yield from _BY_PEFT if _library(source) == "peft" else _BY_TUNEVAL
    yield "```"
    yield ""


def _library(source: Source) -> str:
    """What loads the adapter alone."""
    method = method_of(source.weights)
    return "peft" if method is None else method.library


def _measured(record: Record, is_adapter: bool) -> Iterator[str]:
    yield "## Measured"
    yield ""
    if not record.measured:
        yield "Nothing has been measured of these weights: no evaluation of them was found."
        yield ""
    elif not is_adapter:
        yield "The figures are of the model before it was written; how near these files are to it"
        yield "stands below."
        yield ""
    for measured in record.measured:
        yield from _evaluation(measured)


def _evaluation(measured: Measured) -> Iterator[str]:
    yield f"### {measured.name}, {measured.n_items} items"
    yield ""
    levels = sorted({f"{figure.value.level:.0%}" for figure in measured.figures})
    yield f"Run {code(measured.run)}, data {code(measured.data_hash[:16])}; in brackets the " + (
        f"{' and '.join(levels)} interval."
    )
    yield ""
    headings = ["metric", "better", "this model", "sample"]
    if measured.against:
        yield f"Before: {code(measured.against)}. Differences are paired by item."
        yield ""
        headings = ["metric", "better", "before", "this model", "difference", "sample"]
    yield from table(
        headings, [_figure(figure, bool(measured.against)) for figure in measured.figures]
    )
    yield ""


def _figure(figure: Figure, is_compared: bool) -> list[str]:
    value = figure.value
    groups = "" if value.n_clusters is None else f", {value.n_clusters} groups"
    unscored = f"; {figure.unscored} not scored" if figure.unscored else ""
    pair = [_text(figure.before), _text(value), _change(figure.difference)]
    return [
        figure.metric,
        "higher" if figure.higher_is_better else "lower",
        *(pair if is_compared else [_text(value)]),
        f"n={value.n}{groups}{unscored}",
    ]


def _text(estimate: Estimate | None) -> str:
    """`62.4% [59.8, 64.9]`; the sample has its own column."""
    return "–" if estimate is None else str(estimate).rpartition(", n=")[0]


def _change(difference: Estimate | None) -> str:
    """`+12.3 [+8.0, +16.5]`, of shares in points of a hundred."""
    if difference is None:
        return "–"
    scale, digits = (100, 1) if difference.unit == "share" else (1, 3)
    digits = 1 if difference.unit == "points" else digits

    def signed(number: float) -> str:
        return f"{number * scale:+.{digits}f}".replace("-", "−")

    if difference.low is None or difference.high is None:
        return signed(difference.value)
    return f"{signed(difference.value)} [{signed(difference.low)}, {signed(difference.high)}]"


def _training(source: Source, record: Record) -> Iterator[str]:
    found = record.training
    if found is None:
        return
    trainable, total = found["trainable_parameters"], found["total_parameters"]
    yield "## Training"
    yield ""
    yield from table(
        ["", ""],
        [
            ["method", str(found["kind"])],
            ["trained parameters", f"{trainable:,} of {total:,} ({trainable / total:.2%})"],
            ["steps", f"{found['steps']:,}"],
            ["mean training loss", f"{found['train_loss']:.4f} nats per trained token"],
            ["time", duration_text(found["seconds"])],
            ["speed", f"{found['tokens_per_second']:,.0f} tokens/s"],
            ["chat template", f"{source.template}, {found['template_hash']}"],
        ],
    )
    yield ""


def _data(record: Record) -> Iterator[str]:
    if record.run is None:
        return
    data: Mapping[str, Any] = record.recipe.get("data") or {}
    rows = [["file", str(data.get("file", NOT_GIVEN))]]
    rows += [[name.replace("_", " "), str(data[name])] for name in data if name != "file"]
    if record.run.manifest.data_hash:
        rows.append(["hash", record.run.manifest.data_hash])
    if record.training is not None:
        account = record.training["data"]
        cut = sum(account["truncated"].values())
        rows += [
            ["examples trained on", f"{account['examples']:,}"],
            ["tokens", f"{account['tokens']:,}, of them trained {account['trained_tokens']:,}"],
            ["shortened, left out", f"{cut:,}, {len(account['unusable']):,}"],
        ]
    yield "## Data"
    yield ""
    yield from table(["", ""], rows)
    yield ""


def _fidelity(model: WholeModel) -> Iterator[str]:
    yield "## These files against the model as it was"
    yield ""
    yield f"{model.parameters:,} parameters as {model.dtype}. Compared on texts of " + (
        f"{code(model.prompts)}."
    )
    yield ""
    named = (
        ("adapter merged, against attached, float32", model.merged),
        ("merged into the full base, against attached to the quantised one", model.quantised),
        (f"these files, {model.dtype}, against the model in float32", model.written),
    )
    yield from table(
        ["", "largest difference of a logit", "mean", "largest logit", "same likeliest token"],
        [
            [
                name,
                significant(found.largest),
                significant(found.mean),
                significant(found.largest_logit),
                f"{found.same_choice} of {found.positions} positions, {found.prompts} texts",
            ]
            for name, found in named
            if found is not None
        ],
    )
    yield ""


def _recipe(record: Record) -> Iterator[str]:
    if record.run is None:
        return
    manifest = record.run.manifest
    yield "## Recipe"
    yield ""
    yield f"Run {code(manifest.id)}, tuneval {manifest.tuneval_version or NOT_GIVEN}" + (
        f", {code(manifest.command)}." if manifest.command else "."
    )
    yield ""
    if record.recipe:
        yield "```yaml"
        yield yaml.safe_dump(dict(record.recipe), sort_keys=False, allow_unicode=True).rstrip()
        yield "```"
        yield ""
