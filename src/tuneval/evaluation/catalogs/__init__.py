"""The catalogs as people look them up, in a terminal, as JSON and in the documentation.

metric_names   what metrics are called and mean, in English and Chinese (metric_texts.yaml)
metric_pages   the metrics: rows for a table, and `docs/metrics.md`
task_pages     the tasks and extractors, and `docs/tasks.md`
coverage       which capability is tested by which tasks and metrics

No torch; a metric or task is imported when it is asked for.
"""
