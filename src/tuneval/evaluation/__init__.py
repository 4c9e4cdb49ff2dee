"""Evaluation: what a model knows and says on held-out examples, and what changed between two.

evaluate     evaluate: a file's examples, resumable; own_file: in a run of its own, and found again
tasks        the catalog of benchmarks and of tasks from one's own files
asking       evaluate_task: a task's questions drawn, asked, graded, accounted for
suites       run_suite: several models on several tasks in one run
answering    who answers, and how: likeliest choice, free text, likelihood of a text
metrics      the catalog of metrics; kinds: what they are made of
comparing    paired, item by item; of two or more; a condition for CI. stability: repeated runs
report       write_report: report.md and report.html

May import: models, tokenization, data, statistics, runs and the ground. Only `answering` needs
torch, and only when it is asked to work.
"""
