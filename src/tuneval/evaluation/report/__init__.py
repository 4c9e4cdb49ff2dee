"""The report of an experiment: did it work, how sure is that, and what would one need to know.

`write_report(folder, facts)` writes report.md and report.html from `ReportFacts`, which the
caller gathers (`data_card` counts the data). Nothing is computed here that is not in the facts.
May import: the rest of evaluation, statistics, files. No torch, no template engine.
"""

from tuneval.evaluation.report.facts import DataCard, ReportFacts, data_card
from tuneval.evaluation.report.write import WrittenReport, write_report

__all__ = ["DataCard", "ReportFacts", "WrittenReport", "data_card", "write_report"]
