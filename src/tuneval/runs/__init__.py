"""A run is a folder: what was asked, what happened, what came of it.

Verbs: `Run.create`, `Run.open`, `find_run`, `list_runs`, `find_by_key`; events tell what is
going on (`report(event)`), a `Recorder` keeps them in `events.jsonl`.
May import: files, environment, catalog, extras, errors. Knows nothing of models.
"""
