"""From a run to a folder that needs neither the run nor tuneval.

Verb: `export(config, source=…, to=…)`: adapters merged into the base and measured against the
same adapters attached, or the adapter alone; with tokenizer, chat template, card and
`export.json`. May import: models, tokenization, data, statistics, runs and the ground. Knows
nothing of training, evaluation or recipes: what they left is read from the run's files.
"""
