"""Instructions that a program can check: what they ask of an answer, and whether it does so.

checks   CHECKS: the instructions by their id in IFEval, and further ones for Chinese and for lists
follow   `followed(answer, instructions)`, as it stands (strict) or with its wrapping off (loose)
wording  checks of words, letters, language, beginnings and ends
form     checks of lengths, lists, sections and formats
items    the items that come with tuneval, and those of a file in IFEval's layout
May import: data, files, catalog, errors. No torch.
"""
