"""What makes up a comparison of two sets: which record is which, and what differs in a pair.

`diff` in `data.diff` is the verb.
"""
