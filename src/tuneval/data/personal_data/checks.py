"""Whether an address or a number can be somebody's: check digits, dates, prefixes, lengths."""

from __future__ import annotations

import re
from datetime import date
from ipaddress import ip_address

from tuneval.data.personal_data.tables import (
    CALLING_CODES,
    DOCUMENTATION_DOMAINS,
    GENERIC_DOMAINS,
    IBAN_LENGTHS,
    PROVINCES,
    SSN_NEVER_ISSUED,
)

CHINESE_MOBILE = r"1(?:3\d|4\d|5[0-35-9]|6[24-7]|7[0-8]|8\d|9[0-35-9])[ -]?\d{4}[ -]?\d{4}"
_chinese_mobile = re.compile(CHINESE_MOBILE, re.ASCII).fullmatch
_chinese_landline = re.compile(r"0?(?:10|2\d|[3-9]\d\d)[2-8]\d{6,7}", re.ASCII).fullmatch


def is_email(text: str) -> bool:
    """Under a top-level domain that is in use and not under one for documentation."""
    local, _, domain = text.lower().rpartition("@")
    labels = domain.split(".")
    country = len(labels[-1]) == 2 and len(domain) > 4
    if not country and labels[-1] not in GENERIC_DOMAINS:
        return False
    nobodys = {labels[-1], ".".join(labels[-2:])} & DOCUMENTATION_DOMAINS
    return not nobodys and ".." not in local and not local.endswith(".")


def is_resident_id(text: str) -> bool:
    """GB 11643: region, date of birth, and a check digit by ISO 7064 MOD 11-2."""
    try:
        date(int(text[6:10]), int(text[10:12]), int(text[12:14]))
    except ValueError:
        return False
    total = sum(int(digit) * pow(2, 17 - place, 11) for place, digit in enumerate(text[:17]))
    return text[:2] in PROVINCES and "10X98765432"[total % 11] == text[17].upper()


def is_ssn(text: str) -> bool:
    """Not one of the numbers that everybody knows; there is no check digit."""
    return text not in SSN_NEVER_ISSUED


def is_card(text: str) -> bool:
    """A prefix and length that an issuer uses, and Luhn's check digit (ISO/IEC 7812)."""
    digits = _digits(text)
    doubled = [int(digit) * (1 + place % 2) for place, digit in enumerate(reversed(digits))]
    return _has_card_prefix(digits) and sum(n - 9 if n > 9 else n for n in doubled) % 10 == 0


def is_bank_account(text: str) -> bool:
    """ISO 13616 (IBAN): the country's length, and a remainder of 1 when divided by 97."""
    plain = text.replace(" ", "")
    if IBAN_LENGTHS.get(plain[:2]) != len(plain):
        return False
    return int("".join(str(int(character, 36)) for character in plain[4:] + plain[:4])) % 97 == 1


def is_phone(text: str) -> bool:
    """A Chinese or North American number as they are given out, or one with a country's code."""
    digits = _digits(text)
    if len(set(digits[-7:])) == 1:
        return False
    if not text.startswith("+"):
        if digits.startswith("0") and _chinese_landline(digits):
            return True
        mobile = _chinese_mobile(digits.removeprefix("00").removeprefix("86"))
        return mobile is not None or _is_north_american(digits)
    if digits.startswith("1"):
        return len(digits) == 11 and _is_north_american(digits)
    if digits.startswith("86"):
        return bool(_chinese_mobile(digits[2:]) or _chinese_landline(digits[2:]))
    known = any(digits[:length] in CALLING_CODES for length in (1, 2, 3))
    return known and 9 <= len(digits) <= 15 and not digits.endswith("0000")


def is_public_ip(text: str) -> bool:
    """An address of the open network; short numbers are rather those of a version or a section."""
    return ip_address(text).is_global and any(int(part) > 99 for part in text.split("."))


def _has_card_prefix(digits: str) -> bool:
    two, three, four = int(digits[:2]), int(digits[:3]), int(digits[:4])
    match len(digits):
        case 13 | 19 if two // 10 == 4:  # Visa
            return True
        case 14:  # Diners Club
            return 300 <= three <= 305 or two in (36, 38, 39)
        case 15:  # American Express
            return two in (34, 37)
        case 16:  # Visa; Mastercard and JCB; Discover; UnionPay
            ranges = 51 <= two <= 55 or 2221 <= four <= 2720 or 3528 <= four <= 3589
            discover = four == 6011 or 644 <= three <= 649 or two == 65
            return two // 10 == 4 or ranges or discover or two == 62
        case 17 | 18 | 19:  # UnionPay, as most Chinese debit cards
            return two == 62
        case _:
            return False


def _is_north_american(digits: str) -> bool:
    """Area and exchange as they are given out to people; 555-01xx is for films.

    Areas with the same two last digits (800, 888, 411) are those of services.
    """
    area, exchange, line = digits[-10:-7], digits[-7:-4], digits[-4:]
    if len(area) != 3 or area[0] in "01" or area[1] in ("9", area[2]):
        return False
    return exchange[0] not in "01" and exchange[1:] != "11" and exchange + line[:2] != "55501"


def _digits(text: str) -> str:
    return "".join(character for character in text if character in "0123456789")
