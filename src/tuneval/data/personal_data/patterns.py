"""Personal data in a text: addresses, and numbers of telephones, persons, cards and accounts.

A piece is found by its shape and kept only if it can be one: check digits add up, the date of
birth exists, the prefix is in use. Addresses and numbers that are reserved for documentation
(example.com, 555-01xx) are nobody's and are not found, nor are numbers of services (800-…).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from tuneval.data.personal_data.checks import (
    CHINESE_MOBILE,
    is_bank_account,
    is_card,
    is_email,
    is_phone,
    is_public_ip,
    is_resident_id,
    is_ssn,
)


@dataclass(frozen=True, slots=True)
class PersonalDatum:
    """A piece of personal data: `text` is `[start:end]` of what was searched."""

    kind: str
    start: int
    end: int
    text: str

    @property
    def masked(self) -> str:
        """For messages: stars for all letters and digits but two in front and one last."""
        last = len(self.text) - 1
        return "".join(
            "*" if 1 < place < last and character.isalnum() else character
            for place, character in enumerate(self.text)
        )


@dataclass(frozen=True, slots=True)
class PersonalKind:
    """A row of KINDS. The piece is the pattern's group `it`, or all that it matches.

    `is_valid` looks at the piece as it is written.
    """

    name: str
    what: str
    pattern: re.Pattern[str]
    is_valid: Callable[[str], bool]


def find(text: str) -> list[PersonalDatum]:
    """Every piece in the text, in its order. Where two kinds claim a piece, KINDS' first has it."""
    found: list[PersonalDatum] = []
    if "@" in text:
        found += _of_kind(KINDS["email"], text)
    if _may_hold_number(text):
        for kind in _NUMBERS:
            found += [piece for piece in _of_kind(kind, text) if _is_free(piece, found)]
    return sorted(found, key=lambda piece: piece.start)


def _may_hold_number(text: str) -> bool:
    """A cheap look: six digits in a row, marks between them left out. Few texts have them."""
    return _DIGITS in text.encode("utf-8", "replace").translate(_DIGIT_OR_NOT, _MARKS)


def _of_kind(kind: PersonalKind, text: str) -> Iterator[PersonalDatum]:
    group = "it" if "it" in kind.pattern.groupindex else 0
    for match in kind.pattern.finditer(text):
        if kind.is_valid(match[group]):
            yield PersonalDatum(kind.name, match.start(group), match.end(group), match[group])


def _is_free(piece: PersonalDatum, found: list[PersonalDatum]) -> bool:
    return all(piece.end <= other.start or other.end <= piece.start for other in found)


def _kind(name: str, what: str, is_valid: Callable[[str], bool], *pattern: str) -> PersonalKind:
    return PersonalKind(name, what, re.compile("".join(pattern), re.ASCII), is_valid)


_DIGITS = b"000000"  # as many as the shortest number has, 100.1.1.1
_MARKS = b" .()-"
_DIGIT_OR_NOT = bytes(48 if chr(code) in "0123456789" else 120 for code in range(256))
_BEFORE = r"(?<![0-9A-Za-z_+/-])(?<!\d[.,])"
_AFTER = r"(?![0-9A-Za-z_]|[./-]\d|,\d{3}(?!\d))"
_AREA = r"0(?:10|2\d|[3-9]\d\d)"
_BYTE = r"(?:25[0-5]|2[0-4]\d|1?\d?\d)"
_ROWS = (
    _kind(
        "email",
        "an e-mail address",
        is_email,
        r"(?<![A-Za-z0-9._%+/@-])[A-Za-z0-9][A-Za-z0-9._%+-]{0,63}@",
        r"(?:[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.)+[A-Za-z]{2,12}(?![A-Za-z0-9(@_-])",
    ),
    _kind(
        "bank_account",
        "a bank account number (IBAN)",
        is_bank_account,
        r"(?<![0-9A-Za-z])[A-Z]{2}\d{2}(?: ?[0-9A-Z]{4}){2,7}(?: ?[0-9A-Z]{1,3})?(?![0-9A-Za-z])",
    ),
    _kind(
        "resident_id",
        "a Chinese resident identity number",
        is_resident_id,
        r"(?<![0-9A-Za-z.])[1-9]\d{5}(?:19|20)\d{2}[01]\d[0-3]\d{4}[0-9Xx](?![0-9A-Za-z])",
    ),
    _kind(
        "card",
        "a bank or credit card number",
        is_card,
        _BEFORE,
        r"(?:\d{13,19}|\d{4}([ -])\d{4}\1\d{4}\1\d{4}(?:\1\d{3})?|\d{4}([ -])\d{6}\2\d{4,5})",
        _AFTER,
    ),
    _kind(
        "ssn",
        "a US social security number",
        is_ssn,
        _BEFORE,
        r"(?!000|666|9)\d{3}-(?!00)\d{2}-(?!0000)\d{4}(?![0-9A-Za-z_-])",
    ),
    _kind(
        "passport",
        "a passport number",
        lambda text: True,  # no check digit: the word in front has to do
        r"(?i:护照|passport)(?i:号码|号|\s?(?:no\.?|number|id|\#))?\s?(?i:is|是|为)?[\s:：]{0,3}",
        r"(?P<it>[A-Z]{1,2}\d{7,8}|\d{9})(?![0-9A-Za-z])",
    ),
    _kind(
        "phone",
        "a telephone number",
        is_phone,
        _BEFORE,
        rf"(?:(?:(?:\+|00)?86[ -]?)?{CHINESE_MOBILE}",
        rf"|(?:\({_AREA}\)[ -]?|{_AREA}[ -])[2-8]\d{{2,3}}[ -]?\d{{4}}",
        r"|\+[1-9]\d{0,2}[ .-]?(?:\(\d{1,4}\)[ .-]?)?\d(?:[ .-]?\d){5,12}",
        r"|(?:1[ .-])?\([2-9]\d\d\)[ -]?[2-9]\d\d[ .-]\d{4}",
        r"|(?:1[.-])?[2-9]\d\d([.-])[2-9]\d\d\1\d{4})",
        _AFTER,
    ),
    _kind(
        "ip",
        "an IP address",
        is_public_ip,
        rf"(?<![0-9A-Za-z_.-])(?:{_BYTE}\.){{3}}{_BYTE}(?![0-9A-Za-z_]|\.\d)",
    ),
)
KINDS: dict[str, PersonalKind] = {row.name: row for row in _ROWS}
_NUMBERS = tuple(row for row in _ROWS if row.name != "email")
