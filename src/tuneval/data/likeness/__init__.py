"""Likeness: which texts are nearly the same, or hold parts of one another.

shingles, minhash      texts as sets of short pieces; sketches of the sets
near_pairs, crowds     which sketches are likely alike, without comparing all with all
near_texts, shelf      texts put aside as they come, compressed, and compared at the end
places                 where items were read, by number
units, ngram_table     words and signs in a row, and a table of many of them
evaluation_sets        evaluation sets as texts to be looked for
near_evaluation        near copies of evaluation items

The verbs are a floor up: data.duplicates, data.contamination.
"""
