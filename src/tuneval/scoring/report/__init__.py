"""The report of scores: what they say of a set, of one another, and of two models.

`report_scores(scores, others)` writes report.md and report.html.
May import: the rest of scoring, pages, statistics, data, files. No model is needed.
"""

from tuneval.scoring.report.write import ScoreReport, report_scores

__all__ = ["ScoreReport", "report_scores"]
