"""Checking: how a check goes about a set, one record or a million.

examination    what a set is at first, then every record, then the whole
inspection     the records of a set, or of a part of it, looked at by rules
screen         lines that no active rule has anything to say of, known at a glance
parts          a large file cut in parts, and what one part shows
processes      parts of a job done by several fresh interpreters, in order
demands        what a profile asks of the set as a whole
finding_tally  every finding counted, a bounded number of them kept

The verb is a floor up: data.validate.check.
"""
