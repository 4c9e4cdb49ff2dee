"""The verb: facts in, report.md and report.html out."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from tuneval import files
from tuneval.evaluation.report.facts import ReportFacts
from tuneval.evaluation.report.html import html_page
from tuneval.evaluation.report.markdown import markdown_page


@dataclass(frozen=True, slots=True)
class WrittenReport:
    """Where the two forms of a report lie."""

    markdown: Path
    html: Path


def write_report(folder: Path, facts: ReportFacts) -> WrittenReport:
    """Write `report.md` and `report.html` into `folder`, each whole or not at all."""
    written = WrittenReport(folder / "report.md", folder / "report.html")
    files.write_text(written.markdown, markdown_page(facts))
    files.write_text(written.html, html_page(facts))
    return written
