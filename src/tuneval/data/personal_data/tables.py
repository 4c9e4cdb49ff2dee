"""What is in use where: top-level domains, provinces, calling codes, lengths of account numbers."""

from __future__ import annotations


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


# Generic top-level domains that people have addresses under; every two-letter one is a country's.
GENERIC_DOMAINS = _words(
    """com net org edu gov mil int info biz name pro mobi app dev xyz online site top shop club tech
    store cloud email live vip wang ltd group link work ink art fun icu asia cat jobs tel travel
    museum aero coop post space website world today life news blog design agency studio company
    systems solutions global media network center"""
)

# Addresses under these are nobody's: RFC 2606 and RFC 6761, then what made-up texts write instead.
DOCUMENTATION_DOMAINS = _words(
    """example test invalid localhost local example.com example.net example.org example.edu
    example.cn example-domain.com domain.com mydomain.com yourdomain.com company.com mycompany.com
    yourcompany.com email.com test.com"""
)

# GB/T 2260, first two digits; 91 are permits of permanent residence, 81 to 83 those of residents
# from Hong Kong, Macao and Taiwan.
PROVINCES = _words(
    """11 12 13 14 15 21 22 23 31 32 33 34 35 36 37 41 42 43 44 45 46 50 51 52 53 54 61 62 63 64 65
    71 81 82 83 91"""
)

# Numbers that became known through advertisements, and the one that everybody types.
SSN_NEVER_ISSUED = _words("078-05-1120 219-09-9999 457-55-5462 123-45-6789")

# ITU-T E.164: the country codes in use but for 1, North America.
CALLING_CODES = _words(
    """7 20 27 30 31 32 33 34 36 39 40 41 43 44 45 46 47 48 49 51 52 53 54 55 56 57 58 60 61 62 63
    64 65 66 81 82 84 86 90 91 92 93 94 95 98
    211 212 213 216 218 220 221 222 223 224 225 226 227 228 229 230 231 232 233 234 235 236 237 238
    239 240 241 242 243 244 245 246 247 248 249 250 251 252 253 254 255 256 257 258 260 261 262 263
    264 265 266 267 268 269 290 291 297 298 299 350 351 352 353 354 355 356 357 358 359 370 371 372
    373 374 375 376 377 378 380 381 382 383 385 386 387 389 420 421 423 500 501 502 503 504 505 506
    507 508 509 590 591 592 593 594 595 596 597 598 599 670 672 673 674 675 676 677 678 679 680 681
    682 683 685 686 687 688 689 690 691 692 850 852 853 855 856 880 886 960 961 962 963 964 965 966
    967 968 970 971 972 973 974 975 976 977 979 992 993 994 995 996 998"""
)

# SWIFT's IBAN registry: the length for each country.
_COUNTRIES_OF_LENGTH = {
    15: "NO",
    16: "BE",
    18: "DK FI FK FO GL NL SD",
    19: "MK SI",
    20: "AT BA EE KZ LT LU MN XK",
    21: "CH HR LI LV",
    22: "BG BH CR DE GB GE IE ME RS VA",
    23: "AE GI IL IQ OM SO TL",
    24: "AD CZ ES MD PK RO SA SE SK TN VG",
    25: "LY PT ST",
    26: "IS TR",
    27: "BI DJ FR GR IT MC MR SM",
    28: "AL AZ BY CY DO GT HU LB NI PL SV",
    29: "BR EG PS QA UA",
    30: "JO KW MU YE",
    31: "MT SC",
    32: "LC",
    33: "RU",
}
IBAN_LENGTHS = {
    country: length
    for length, countries in _COUNTRIES_OF_LENGTH.items()
    for country in countries.split()
}
