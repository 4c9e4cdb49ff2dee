"""Evaluation: what a model knows and says on held-out examples, and what changed between two.

evaluate     evaluate: answers obtained and graded, resumable, one folder per evaluation
task         evaluate_file: the same for one's own file; find_evaluation
answering    teacher-forced on the response, and generated
metrics      the catalog of metrics; metric and result: what they are and what they give
compare      compare, compare_folders: paired, item by item, with the items that flipped
report       write_report: report.md and report.html

May import: models, tokenization, data, statistics, runs and the ground. Only `answering` needs
torch, and only when it is asked to work.
"""
