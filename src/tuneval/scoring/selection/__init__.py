"""The stages of a selection, each a function over rows: filter, rank, quota, diversity."""
