"""report.html: one file that needs no other, in two languages, for screen, phone and paper."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from html import escape
from pathlib import Path
from typing import Any

from tuneval import __version__
from tuneval.pages import markup as m
from tuneval.pages.document import document
from tuneval.pages.markup import Html
from tuneval.pages.numbers import duration_text, share_text
from tuneval.pages.text import Text, clipped
from tuneval.scoring.report import html_measures as sections
from tuneval.scoring.report import words
from tuneval.scoring.report.facts import ScoreFacts
from tuneval.scoring.report.html_ends import ends
from tuneval.scoring.report.html_models import models
from tuneval.scoring.report.numbers import interval_text, value_text


def html_page(facts: ScoreFacts) -> Html:
    """The whole page."""
    reading = Text("How to read this", "如何阅读本页")
    parts = [
        _head(facts),
        sections.measures(facts),
        sections.account(facts),
        sections.correlation_matrix(facts),
        sections.tasks(facts),
        models(facts.comparisons),
        ends(facts),
        m.section("reading", reading, m.bullets(words.HOW_TO_READ)),
        _record(facts),
        _footer(),
    ]
    return document(
        clipped(facts.title, 200),
        about="scores",
        styles=("figures", "charts"),
        css=Path(__file__).with_name("page.css"),
        content="".join(parts),
    )


def _head(facts: ScoreFacts) -> Html:
    card = facts.card
    model = clipped(str(card.get("model") or ""), 200)
    seen = (
        Text(f"scored by {model}", f"评分模型 {model}") if model else Text("no model", "未用模型")
    )
    lead = " · ".join(
        [escape(clipped(str(card.get("data") or ""), 300)), m.both(seen), _prompts(card)]
    )
    return (
        f'<h1>{escape(clipped(facts.title, 200))}</h1><p class="lead">{lead.strip(" ·")}</p>'
        f'<div class="tiles">{"".join(_tiles(facts))}</div>'
    )


def _prompts(card: Mapping[str, Any]) -> Html:
    prompts = clipped(str(card.get("prompts") or ""), 200)
    if not prompts:
        return ""
    return m.both(Text(f"prompts: {prompts}", f"提示模板：{prompts}"))


def _tiles(facts: ScoreFacts) -> Iterator[Html]:
    records = facts.card.get("n_records", facts.n)
    copies = facts.card.get("duplicates", 0)
    said = Text(
        f"of {records:,} records, {copies:,} copies", f"共 {records:,} 条记录，{copies:,} 条重复"
    )
    yield m.tile(Text("examples", "样本"), f"{facts.n:,}", m.both(said))
    missing = Text("lack a measure", "缺少某项指标")
    yield m.tile(missing, f"{facts.n_incomplete:,}", share_text(facts.n_incomplete, facts.n))
    ifd = facts.measure("ifd")
    if ifd is not None and ifd.below is not None:
        yield m.tile(
            Text(f"IFD below {ifd.reading.neutral:g}", f"IFD 低于 {ifd.reading.neutral:g}"),
            value_text(ifd.below.value, "share"),
            f"{interval_text(ifd.below, 'share')}, n={ifd.below.n:,}",
        )
    shown = facts.measure("response_ppl")
    if shown is not None and shown.spread is not None:
        mean, unit = shown.spread.mean, shown.reading.unit
        kind = Text("geometric mean", "几何平均") if unit == "perplexity" else Text("mean", "平均")
        yield m.tile(
            Text(shown.reading.title, shown.reading.title_zh),
            value_text(mean.value, unit),
            f"{interval_text(mean, unit)} {m.both(kind)}",
        )


def _record(facts: ScoreFacts) -> Html:
    """What was measured, with what: enough to do it again."""
    card = facts.card
    work = card.get("work") or {}
    moved = card.get("boundary_moved")
    rows: list[tuple[Text | str, Html]] = [
        (Text("data", "数据"), _code(card.get("data"))),
        (Text("format", "格式"), _code(card.get("format"))),
        (Text("data hash", "数据哈希"), _hash(card.get("data_hash"))),
        (Text("model", "模型"), _code(card.get("model"))),
        (Text("adapter", "适配器"), _code(card.get("adapter"))),
        (Text("model hash", "模型哈希"), _hash(card.get("model_hash"))),
        (Text("tokenizer hash", "分词器哈希"), _hash(card.get("tokenizer_hash"))),
        (Text("prompts", "提示模板"), _code(card.get("prompts"))),
        (Text("prompts hash", "模板哈希"), _hash(card.get("prompts_hash"))),
        (
            Text("records whose tokens would differ in one piece", "整体分词时边界会移动的记录"),
            f"{moved:,}" if isinstance(moved, int) else "",
        ),
        *((name.replace("_", " "), _work(name, value)) for name, value in work.items()),
    ]
    settings = "".join(
        f"<code>{escape(name)}: {escape(_setting(value))}</code>"
        for name, value in (card.get("config") or {}).items()
    )
    return m.section(
        "record",
        Text("What was measured, and how", "测量内容与方式"),
        m.facts(rows),
        f'<div class="chips">{settings}</div>' if settings else "",
    )


def _work(name: str, value: Any) -> Html:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return escape(str(value))
    return duration_text(value) if name == "seconds" else f"{value:,}"


def _setting(value: Any) -> str:
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return clipped(text, 200)


def _code(value: Any) -> Html:
    return f"<code>{escape(clipped(str(value), 300))}</code>" if value else ""


def _hash(value: Any) -> Html:
    """Its first 16 digits; scoring.json has all of them."""
    return _code(str(value)[:16]) if value else ""


def _footer() -> Html:
    said = Text(
        f"Written by tuneval {__version__} from scoring.json and scores.jsonl; report.md says "
        "the same.",
        f"由 tuneval {__version__} 根据 scoring.json 与 scores.jsonl 生成；report.md 内容相同。",
    )
    return f"<footer>{m.both(said)}</footer>"
