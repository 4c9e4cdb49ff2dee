"""Selection: the stages of choosing, from an expression to the written sets.

config       what is asked for; amount, expression (grammar, meaning): how it is written
candidate    an example with its scores; sieve: who is left, and why the others are not
ranking      the order; quota, strata: shares of the whole; thinning, diversity: what is alike
choose       all of it, over rows alone; outcome: what it comes to
offered      the set as it is now; writing, account, card: the files

The verbs are a floor up, in scoring.select.
"""
