"""Text whose bytes were read in a wrong encoding: `cafÃ©`, `ä½ å¥½`, `ÄãºÃ`, `浣犲ソ`, `锟斤拷`.

A suspicious run of characters is turned back into bytes and read as what it may have been; it
is mojibake only if that gives sound text. So accents, quotation marks and rare characters of
real text pass.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Mojibake:
    """A damaged piece, how it came about, and what it was; None when that is lost."""

    start: int
    text: str
    reading: str
    likely: str | None


def find(text: str) -> Mojibake | None:
    """The first damaged piece, or None. Costs a few nanoseconds a character of sound text."""
    if not may_be_in(text):
        return None
    for way in (_utf8_as_windows_1252, _utf8_as_gbk, _gbk_as_latin_1, _replacement_as_gbk):
        if found := next(way(text), None):
            return found
    return None


def may_be_in(text: str) -> bool:
    """Whether it has to be looked for; False where there surely is none."""
    return not text.isascii() and _suspect(text) is not None


# The 250 most frequent characters of Chinese text; two of three characters are among them.
_FREQUENT = frozenset(
    "的一和个是能以可在用人有为这我们了生数不中要来提于成行对方如作地您学物他大通它时力动据法出更分过种"
    "并进工会子或发定到常多下体理使供上等量解自助化关度文面些需程机表建高好性信间意最重计应入果保你加题"
    "类其之家户网式将件与算因问语够系得息同设新全而现确活也产点帮公国变电务经品实目标输本气内者此开业包"
    "创水感例都然持所字习合小情技结型主着美制具交心事决效安非术给色两后统器特无相名天述句智取平球正当源"
    "总改每展影么接列从流少由比示受利减选客支根外任序图很明处求三让起车单年增里组形词海还括服就模写说长"
    "导想她容项"
)
_HIGH = "\x80-\x9f€‚ƒ„…†‡ˆ‰Š‹ŒŽ‘’“”•–—˜™š›œžŸ"  # the bytes 80 to 9F, in either encoding
_NEXT = f"[{_HIGH}\xa0-\xbf]"  # every byte that continues a character in UTF-8
_UTF8_AS_WINDOWS = re.compile(
    # é, ü, °, … ; not after a capital or a quotation mark, where Ã and Â may stand for themselves
    f"(?<![A-ZÀ-Þ“\"'‘«‹„(])(?:Ã{_NEXT}|Â[\xa0-\xbf])"
    f"|(?<=[a-z])[ÄÅ]{_NEXT}"  # ł, ą, ş, ř: a capital within a word
    f"|â[{_HIGH}]{_NEXT}"  # ’ “ … – € ™ ✓
    f"|ã€{_NEXT}|ï[¼½]{_NEXT}|ï»¿|ï¿½|ðŸ{_NEXT}{_NEXT}"  # 、。 ，！ BOM U+FFFD 😀
    f"|(?:[à-ï]{_NEXT}[{_HIGH}\xa0-\xbf ]){{2,}}"  # Chinese, Japanese, Korean, Thai, Hindi
    f"|(?:[ÐÑ]{_NEXT}){{3,}}|(?:[ÎÏ]{_NEXT}){{3,}}|(?:[Ø-Û]{_NEXT}){{3,}}"  # Russian, Greek, Arabic
)
_LATIN_RUN = re.compile("[\xa1-\xff]{4,}")
_GBK_MARKS = "锛銆鐨涓鏄浠鏈鍙鍦鐢瀹浣鍏澶杩鎴鍒缁璇锟"  # ，。的中是人有可在用…
_gbk_mark = re.compile(f"[{_GBK_MARKS}]").search
_NOT_ASCII_RUN = re.compile("[^\x00-\x7f]+")
# Any of the above, roughly: it has to begin with one set of characters to be searched fast.
_suspect = re.compile(
    f"[\xa1-\xff{_GBK_MARKS}]"
    f"(?:(?<=[{_GBK_MARKS}])|(?<=[\xc2-\xd6\xd8-\xf4]){_NEXT}|[\xa1-\xff]{{3}})"
).search


def _utf8_as_windows_1252(text: str) -> Iterator[Mojibake]:
    for match in _UTF8_AS_WINDOWS.finditer(text):
        likely = _decoded(_windows_bytes(match[0].replace(" ", "\xa0")), "utf-8")
        if likely and (len(likely) == 1 or sum(map(str.isalpha, likely)) >= 2):
            yield Mojibake(match.start(), match[0], "UTF-8 read as Windows-1252", likely)


def _gbk_as_latin_1(text: str) -> Iterator[Mojibake]:
    for match in _LATIN_RUN.finditer(text):
        for start in (0, 1):
            run = match[0][start:]
            whole = run[: len(run) // 2 * 2]
            likely = _decoded(whole.encode("latin-1"), "gb2312")
            if likely and _is_chinese(likely):
                yield Mojibake(match.start() + start, whole, "GBK read as Latin-1", likely)


def _utf8_as_gbk(text: str) -> Iterator[Mojibake]:
    for match in _NOT_ASCII_RUN.finditer(text):
        if not _gbk_mark(match[0]):
            continue
        meant = match[0].replace("\ufffd", "").encode("gb18030", "ignore")
        likely = meant.decode("utf-8", "replace")
        if _is_chinese(likely):
            yield Mojibake(match.start(), match[0], "UTF-8 read as GBK", likely)


def _replacement_as_gbk(text: str) -> Iterator[Mojibake]:
    if (start := text.find("锟斤拷")) >= 0:
        yield Mojibake(start, "锟斤拷", "replacement characters read as GBK", None)


def _windows_bytes(text: str) -> bytes:
    return b"".join(_BYTES.get(character) or character.encode("latin-1") for character in text)


def _decoded(content: bytes, encoding: str) -> str | None:
    try:
        return content.decode(encoding)
    except UnicodeDecodeError:
        return None


def _is_chinese(text: str) -> bool:
    """Whether at least two of its characters, and one of three, are frequent in Chinese."""
    frequent = sum(character in _FREQUENT for character in text)
    return frequent >= 2 and 3 * frequent >= len(text)


_BYTES = {
    bytes([byte]).decode("cp1252"): bytes([byte])
    for byte in range(0x80, 0xA0)
    if byte not in b"\x81\x8d\x8f\x90\x9d"  # those mean nothing in Windows-1252
}
