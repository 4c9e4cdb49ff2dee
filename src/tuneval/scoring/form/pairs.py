"""Brackets and quotation marks that are opened and never closed.

Only openers count: a closing bracket alone is a list mark, `1)`, or a smile. A pair may be closed
by its sister of another shape or width, since intervals, [0, 1), and Chinese texts do so.
"""

from __future__ import annotations

import re

_FAMILIES = (("([（［【〔", ")]）］】〕"), ("{｛", "}｝"), ("《〈", "》〉"), ("「『", "」』"))
_FAMILY = {
    bracket: (family, step)
    for family, (openers, closers) in enumerate(_FAMILIES)
    for brackets, step in ((openers, 1), (closers, -1))
    for bracket in brackets
}
_brackets = re.compile("[" + re.escape("".join(_FAMILY)) + "]").findall
_has_opener = re.compile("[" + re.escape("".join(opening for opening, _ in _FAMILIES)) + "]").search
_no_bracket = re.compile(
    r"[:;=][-'’^o]?[(\[{]|[(\[{][-'’^o]?[:;=](?!\w)"  # smiles
    r"|['\"‘’“”][(\[{（【《「『]['\"‘’“”]"  # brackets that are spoken of
    r"|\\(?:left|right)?\s?\\?[(\[{}\])|.]"  # those of TeX, which \right. closes
)
_inches = re.compile(r"(?<=\d)\"|(?<=\d)''")


def has_open_bracket(text: str) -> bool:
    """Whether a bracket is open at the end."""
    if not _has_opener(text):
        return False
    depths = [0] * len(_FAMILIES)
    for bracket in _brackets(_no_bracket.sub("", text)):
        family, step = _FAMILY[bracket]
        depths[family] = max(0, depths[family] + step)
    return any(depths)


def has_open_quote(text: str) -> bool:
    """Whether a quotation is open at the end of its paragraph, and none follows that takes it up.

    Straight marks are counted in pairs, but for those of inches and seconds. A quotation of
    several paragraphs may open each of them and close the last alone.
    """
    if text.count('"') % 2 and len(_inches.sub("", text).split('"')) % 2 == 0:
        return True
    if text.count("“") <= text.count("”"):
        return False
    paragraphs = [part for part in text.split("\n") if "“" in part or "”" in part]
    n_open = [part.count("“") - part.count("”") for part in paragraphs]
    goes_on = zip(n_open, paragraphs[1:], strict=False)
    return n_open[-1] > 0 or any(n > 0 and not p.lstrip().startswith("“") for n, p in goes_on)
