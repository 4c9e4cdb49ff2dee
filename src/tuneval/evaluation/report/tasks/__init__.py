"""What a report says of models on tasks: the scores, the differences, how each task was asked.

facts      TasksFacts: results by model and task, and every model against the first
markdown   the same as plain text; html: as sections of a page
how        how a task was asked, in sentences
dots       every model's figure with its interval on one axis
details    what one number cannot hold: confusion, reliability, curves, strict and lenient readings

May import: the rest of report, pages. Nothing is computed here that is not in the facts.
"""
