"""A description as one HTML file that needs no other, in two languages, for screen and phone."""

from __future__ import annotations

from collections.abc import Iterator
from html import escape
from pathlib import PurePath

from tuneval import __version__
from tuneval.data.description import sections
from tuneval.data.description.facts import Description
from tuneval.data.description.words import (
    HOW_TO_READ,
    KIND_NAMES,
    UNIT_NAMES,
)
from tuneval.pages import markup as m
from tuneval.pages.document import document
from tuneval.pages.markup import Html
from tuneval.pages.text import Text


def page(found: Description) -> Html:
    """The whole page."""
    parts = [
        _head(found),
        sections.lengths(found),
        sections.languages(found),
        sections.values(found),
        sections.parts(found),
        sections.ends(found),
        sections.more(found),
        m.section("reading", Text("How to read this", "如何阅读本页"), m.bullets(HOW_TO_READ)),
    ]
    return document(
        _title(found),
        about="data describe",
        styles=("figures", "charts"),
        content="".join(parts) + _footer(),
    )


def _title(found: Description) -> str:
    return PurePath(found.location.rstrip("/").rpartition("#")[2]).name or found.location


def _head(found: Description) -> Html:
    lead = Text(
        f"{found.location} · read as {found.format}", f"{found.location} · 格式 {found.format}"
    )
    return (
        f'<h1>{escape(_title(found))}</h1><p class="lead">{m.both(lead)}</p>'
        f'{_unusable(found)}<div class="tiles">{"".join(_tiles(found))}</div>'
    )


def _unusable(found: Description) -> Html:
    unusable = found.unusable
    if not unusable.reasons:
        return ""
    said = Text(
        f"Records that could not be read and are not counted: {unusable.n:,}. The first faults:",
        f"无法读取、未计入本页的记录：{unusable.n:,} 条。最前面的问题：",
    )
    reasons = "".join(f"<li>{escape(reason)}</li>" for reason in unusable.reasons)
    return f'<div class="warning">{m.both(said)}<ul>{reasons}</ul></div>'


def _tiles(found: Description) -> Iterator[Html]:
    kinds = [KIND_NAMES[kind] for kind in found.kinds]
    yield m.tile(
        Text("records", "记录"), f"{found.n_records:,}", " ".join(m.both(kind) for kind in kinds)
    )
    if found.lengths:
        unit = UNIT_NAMES[found.unit]
        yield m.tile(
            Text("median length", "长度中位数"),
            f"{found.lengths.median:,}",
            m.both(
                Text(
                    f"{unit.en}; {found.lengths.total:,} in all",
                    f"{unit.zh}；共 {found.lengths.total:,}",
                )
            ),
        )
    if found.tokens and found.tokens.trained_share is not None:
        yield m.tile(
            Text("tokens with loss", "参与损失的词元"),
            f"{100 * found.tokens.trained_share:.1f}%",
            f"{found.tokens.trained:,}",
        )
    elif found.turns:
        most = Text(f"at most {found.turns.max:,}", f"最多 {found.turns.max:,}")
        mean = f"{found.turns.mean:.1f}"
        yield m.tile(Text("turns in a record", "每条记录的轮次"), mean, m.both(most))
    yield m.tile(
        Text("copies", "重复记录"),
        f"{found.n_repeats:,}",
        m.both(
            Text(
                f"{found.n_reasked:,} with an earlier prompt and another answer",
                f"另有 {found.n_reasked:,} 条提问相同、回答不同",
            )
        ),
    )


def _footer() -> Html:
    said = Text(
        f"Written by tuneval {__version__}. Every number is of all records that can be read.",
        f"由 tuneval {__version__} 生成。所有数字均针对全部可读取的记录。",
    )
    return f"<footer>{m.both(said)}</footer>"
