"""How good each example of a set is for training, and choosing by it.

Verbs: `score`, `score_file`, `find_scores`, `choose`, `select_file`, `report_scores`.
A scorer says which (context, target) pairs it needs; every distinct one is measured once, and
the scorer combines what came of them. Selecting keeps a reason for every example it leaves out.
May import: models, tokenization, data, statistics, runs and the ground.
"""
