"""Cutting: what split, mix and sample have in common.

kept         the records of a set as they stand, each with its item; kept_files writes them
division     the parts that a set is to be cut into, and what decides
mixture      the sets that are to be joined, and how they follow one another
drawing      a seeded order in which every beginning is a fair sample
facet        what a person sorts a set by: a tag, the label, a field of it, the group, the file

The verbs are a floor up: data.split_file, data.mix, data.sample.
"""
