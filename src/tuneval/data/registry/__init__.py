"""Registry: what an entry of LLaMA-Factory's `dataset_info.json` says, and how it reads a record.

entry      Entry: the entry as it is written, its traps included
reading    reading(entry): the Format that understands the records of the entry's file
names      from the names that our formats use back to those of the file
portion    which records of the set an entry takes: a slice of a split, a random sample
checksum   verify: the SHA-1 that an entry promises

`data.dataset_info` finds the entry and its file; known sets (`data.sets`) have the same entries.
"""
