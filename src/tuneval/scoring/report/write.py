"""The verb: scores in, report.md and report.html out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tuneval import files
from tuneval.runs.events import Finished, Report, Saved, Started, Warned, ignore
from tuneval.scoring.report.facts import ScoreFacts, gather
from tuneval.scoring.report.html import html_page
from tuneval.scoring.report.markdown import markdown_page
from tuneval.scoring.scores import Scores

STAGE = "report"


@dataclass(frozen=True, slots=True)
class ScoreReport:
    """Where the two forms of the report lie, and what they say."""

    markdown: Path
    html: Path
    facts: ScoreFacts

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        return {"markdown": str(self.markdown), "html": str(self.html), **self.facts.as_dict()}


def report_scores(
    scores: Scores,
    others: Sequence[Scores] = (),
    *,
    folder: files.Location | None = None,
    report: Report = ignore,
) -> ScoreReport:
    """Write `report.md` and `report.html` into `folder`, the scores' own unless given.

    `others` are scores of the same examples with other models or settings; each is compared
    with `scores`. The data set is read again for the texts of a few examples; where it is gone
    or changed, the report says so and does without.
    """
    report(Started(STAGE, None, "facts"))
    facts = gather(scores, others)
    if facts.remark is not None:
        report(Warned(STAGE, facts.remark.en))
    place = Path(folder) if folder is not None else scores.folder
    written = ScoreReport(place / "report.md", place / "report.html", facts)
    files.write_text(written.markdown, markdown_page(facts))
    files.write_text(written.html, html_page(facts))
    report(Saved(STAGE, str(written.html)))
    report(Finished(STAGE))
    return written
