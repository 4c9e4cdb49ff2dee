"""What is wrong with a task before anybody is asked: `lint(task)`.

task       lint and its report: doubles, keys, demonstrations
positions  whether one place is right more often than chance has it
overlap    questions of the task in a training set
texts      the texts of questions as they are compared
May import: tasks, extraction, data, statistics. No torch.
"""

from tuneval.evaluation.lint.task import LintReport, lint

__all__ = ["LintReport", "lint"]
