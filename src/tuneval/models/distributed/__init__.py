"""Work on the machines of a Ray cluster.

`join` connects to a cluster. A `Pool` has workers there that open something once (a model) and
then do parts of the work; a lost worker costs what it had not yet told.

Knows nothing of what the work is: `models/engines/ray_workers.py` gives it likelihood.
"""
