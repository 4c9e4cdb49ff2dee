"""Data: what an item is, and getting good ones out of sets of any origin.

read, write, convert          items out of a set (see `origin`), and back in any format
validate, fix                 every finding with file, line and how to mend it; a mended set
duplicates, contamination     what stands twice; what evaluation sets have too
describe, diff                a set in numbers; what became of it
split, split_file, mix, sample   sets parted, joined, drawn from
dataset_info, hub, sets/      LLaMA-Factory's registry; sets by name

On the way: containers/ give Records, formats/ make Drafts of them, rules/ look at Drafts as
profiles/ say, and a whole Draft is an Item. Each of these is one file and one row of a catalog.
May import: catalog, files, extras, errors, numpy, orjson, pydantic; tokens and models never.
"""
