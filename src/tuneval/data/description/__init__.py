"""What makes up a set's description: its facts, how they are gathered, and its page.

`describe` in `data.describe` is the verb. facts: what is said; gathering: one collector for
each matter; lengths, languages, value_counts: how they are counted; page: the same as HTML.
"""
