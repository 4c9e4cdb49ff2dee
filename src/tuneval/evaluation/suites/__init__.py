"""Several models on several tasks, as one run that goes on where it was stopped.

suite          Suite: what is asked, from a file or a command line
planned        every model on every task, each with its key
run_suite      run_suite: every model loaded once, what is done skipped, one report
reuse          an evaluation of the same work in another run is taken over
against_first  every model compared with the first, task by task
until_decided  a model asked only until its comparison with an earlier evaluation is decided
matrix         scenario × aspect: what was measured of each model, and what was not

May import: the rest of evaluation, models (hashes, no weights), runs.
"""
