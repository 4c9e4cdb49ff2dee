"""Files in UTF-16, UTF-32 or GB18030, read as UTF-8, and the way back.

A byte that cannot be decoded becomes one half of a surrogate pair, which is not UTF-8 either:
the line it stands in cannot pass, and nothing of it is lost.
"""

from __future__ import annotations

import codecs
import io
import re
from typing import BinaryIO, cast

_WIDE = (
    ("utf-32-le", (b"\xff\xfe\x00\x00", b"{\x00\x00\x00", b"[\x00\x00\x00")),
    ("utf-32-be", (b"\x00\x00\xfe\xff", b"\x00\x00\x00{", b"\x00\x00\x00[")),
    ("utf-16-le", (b"\xff\xfe", b"{\x00", b"[\x00")),
    ("utf-16-be", (b"\xfe\xff", b"\x00{", b"\x00[")),
)
_BLOCK_BYTES = 1 << 20
_FIRST_ESCAPE = 0xDC00
_ESCAPED = re.compile("([\udc00-\udcff])")
_HAN = re.compile("[\u4e00-\u9fff]")
# The 100 most frequent characters of modern Chinese. They make up a third of any text; of Korean
# or Japanese bytes read as GB18030 they make up a fiftieth.
_FREQUENT = frozenset(
    "的一是不了在人有我他这个们中来上大为和国地到以说时要就出会可也你对生能而子那得于着下自之年过"
    "发后作里用道行所然家种事成方多经么去法学如都同现当没动面起看定天分还进好小部其些主样理心她本"
    "前开但因只从想实"
)
_FREQUENT_SHARE = 0.12
_ENOUGH_HAN = 8


def wide_codec(head: bytes) -> str | None:
    """The codec of a file that begins as UTF-16 or UTF-32 JSON does, with a mark or without."""
    for codec, starts in _WIDE:
        if head.startswith(starts):
            return codec
    return None


def is_gb18030(stream: BinaryIO) -> bool:
    """Whether the whole file is GB18030 beyond doubt: it decodes, and reads as Chinese.

    A file with a line that is UTF-8 and not ASCII is no GB18030 file, whatever its other lines
    are.
    """
    n_han = n_frequent = 0
    for line in stream:
        if line.isascii():
            continue
        if _decodes(line, "utf-8"):
            return False
        try:
            han = _HAN.findall(line.decode("gb18030"))
        except UnicodeDecodeError:
            return False
        n_han += len(han)
        n_frequent += sum(character in _FREQUENT for character in han)
    return n_han >= _ENOUGH_HAN and n_frequent >= _FREQUENT_SHARE * n_han


def is_utf8(stream: BinaryIO) -> bool:
    """Whether the whole file is UTF-8."""
    decoder = codecs.getincrementaldecoder("utf-8")()
    try:
        while block := stream.read(_BLOCK_BYTES):
            decoder.decode(block)
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return False
    return True


def as_utf8(stream: BinaryIO, codec: str) -> BinaryIO:
    """The stream's text as a stream of UTF-8."""
    return cast(BinaryIO, io.BufferedReader(_Transcoded(stream, codec), _BLOCK_BYTES))


def restored(content: bytes, codec: str) -> bytes:
    """The bytes of the file of which `as_utf8` has made `content`, whole characters."""
    text = content.decode("utf-8", "surrogatepass")
    return b"".join(
        bytes([ord(part) - _FIRST_ESCAPE]) if _ESCAPED.fullmatch(part) else part.encode(codec)
        for part in _ESCAPED.split(text)
    )


def _decodes(line: bytes, codec: str) -> bool:
    try:
        line.decode(codec)
    except UnicodeDecodeError:
        return False
    return True


def _escape(error: UnicodeError) -> tuple[str, int]:
    """An error handler of `codecs`: each undecodable byte as U+DC00 and its value."""
    if not isinstance(error, UnicodeDecodeError):
        raise error
    bad = error.object[error.start : error.end]
    return "".join(chr(_FIRST_ESCAPE + byte) for byte in bad), error.end


codecs.register_error("tuneval.escape", _escape)


class _Transcoded(io.RawIOBase):
    """A raw stream: what another one holds, as UTF-8."""

    def __init__(self, stream: BinaryIO, codec: str) -> None:
        self._stream = stream
        self._decoder = codecs.getincrementaldecoder(codec)("tuneval.escape")
        self._waiting = b""
        self._ended = False

    def readable(self) -> bool:
        """Yes."""
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        """Fill the buffer as far as there is something; 0 at the end."""
        while not self._waiting and not self._ended:
            block = self._stream.read(_BLOCK_BYTES)
            self._ended = not block
            text = self._decoder.decode(block, final=self._ended)
            self._waiting = text.encode("utf-8", "surrogatepass")
        n_bytes = min(len(buffer), len(self._waiting))
        buffer[:n_bytes] = self._waiting[:n_bytes]
        self._waiting = self._waiting[n_bytes:]
        return n_bytes
