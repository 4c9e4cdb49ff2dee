"""Data: what an example is, and getting good ones out of files.

read         read(path): a file's examples, one by one, strict, with true line numbers
validate     check(path): every finding with file, line and how to mend it; never only the first
split        split(examples): training and held-out side, stable when the file grows
duplicates   exact and near duplicates, conflicting answers
write, fingerprint   write_messages, data_hash

On the way: containers/ give Records, formats/ make Drafts of them, rules/ look at Drafts, and a
whole Draft is an Example. A format or a rule is one file and one row of its catalog; plugins add
rows through the entry-point groups `tuneval.format` and `tuneval.rule`.
May import: catalog, files, extras, errors, numpy. Knows nothing of tokens and models.
"""
