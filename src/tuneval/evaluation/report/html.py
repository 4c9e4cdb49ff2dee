"""report.html: one file that needs no other, in two languages, for screen, phone and paper."""

from __future__ import annotations

from html import escape
from pathlib import Path

from tuneval import __version__
from tuneval.evaluation.report import verdict
from tuneval.evaluation.report.ablation import ablation_section
from tuneval.evaluation.report.explanations import HOW_TO_READ
from tuneval.evaluation.report.facts import ReportFacts
from tuneval.evaluation.report.gates import gates_section
from tuneval.evaluation.report.html_record import (
    answers_section,
    data_section,
    reproduce_section,
    training_section,
)
from tuneval.evaluation.report.html_results import flips_section, metrics_section, tiles
from tuneval.evaluation.report.html_several import (
    comparison_sections,
    differences_section,
    selection_section,
    trainings_section,
)
from tuneval.evaluation.report.limits import limits
from tuneval.evaluation.report.stability import stability_section
from tuneval.evaluation.report.standings import standings_section
from tuneval.evaluation.report.tasks.html import task_sections
from tuneval.pages import markup as m
from tuneval.pages.document import document
from tuneval.pages.markup import Html
from tuneval.pages.text import Text


def html_page(facts: ReportFacts) -> Html:
    """The whole page."""
    parts = [
        _head(facts),
        gates_section(facts.gates),
        standings_section(facts),
        ablation_section(facts.ablation),
        differences_section(facts.beside_ablation, n_together=facts.n_differences),
        metrics_section(facts),
        flips_section(facts.comparison) if facts.comparison else "",
        comparison_sections(facts.comparisons),
        task_sections(facts.tasks) if facts.tasks else "",
        stability_section(facts.stability),
        answers_section(facts.evaluations),
        selection_section(facts.scorings, facts.selections),
        trainings_section(facts.trainings) or training_section(facts),
        data_section(facts.data) if facts.data else "",
        _limits(facts),
        m.section("reading", Text("How to read this", "如何阅读本报告"), m.bullets(HOW_TO_READ)),
        reproduce_section(facts),
    ]
    return document(
        facts.title,
        about=facts.run_id,
        styles=("charts",),
        css=Path(__file__).with_name("page.css"),
        content="".join(parts) + _footer(facts),
    )


def _head(facts: ReportFacts) -> Html:
    lead = " · ".join(
        escape(part)
        for part in (
            facts.description,
            facts.model,
            facts.method,
            facts.created[:16].replace("T", " ") + " UTC",
        )
        if part
    )
    head = f'<h1>{escape(facts.title)}</h1><p class="lead">{lead}</p>'
    conclusion = verdict.conclude(facts.comparison) if facts.comparison else None
    if facts.comparison is None or conclusion is None:
        return head
    sentences = m.bullets(verdict.findings(conclusion, facts.comparison))
    return (
        f'{head}<div class="verdict {conclusion.kind}">'
        f"<strong>{m.both(verdict.title(conclusion))}</strong>"
        f'<p class="main">{m.both(verdict.headline(conclusion, facts.comparison))}</p>'
        f"{sentences}</div>{tiles(facts.comparison, conclusion)}"
    )


def _limits(facts: ReportFacts) -> Html:
    if not facts.compared:
        return ""
    return m.section(
        "limits",
        Text("What these numbers do not say", "这些数字没有说明什么"),
        m.bullets(limits(*facts.compared, trained=facts.has_training)),
    )


def _footer(facts: ReportFacts) -> Html:
    said = Text(
        f"Written by tuneval {__version__} from the files of this run; report.md says the same.",
        f"由 tuneval {__version__} 根据本次运行的文件生成；report.md 内容相同。",
    )
    return f"<footer>{m.both(said)}</footer>"
