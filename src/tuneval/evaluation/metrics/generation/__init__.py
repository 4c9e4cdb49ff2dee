"""Metrics of an answer's text against a reference, and of the text alone."""
