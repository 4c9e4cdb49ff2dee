"""Teach a model from examples: exact resume, no padding, loss only where it belongs.

Verb: `train`. Configuration: `TrainConfig` (importing it needs no torch).
May import: models, tokenization, data, runs, statistics and the ground floor; not evaluation.
"""
