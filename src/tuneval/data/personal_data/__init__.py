"""Personal data: what in a text may be somebody's address, number or account.

patterns   find(text), KINDS: the shapes that are looked for, and PersonalDatum
checks     check digits, dates and prefixes: whether a number can be what it looks like
tables     what is in use where: domains, provinces, calling codes, lengths of accounts

Used by the rule `personal_data`; anything that looks for personal data uses the same patterns.
"""

from tuneval.data.personal_data.patterns import KINDS, PersonalDatum, find

__all__ = ["KINDS", "PersonalDatum", "find"]
