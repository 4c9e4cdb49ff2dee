"""What a file is packed with, and its text: as much of it as can be unpacked.

A damaged stream gives everything before the damage, to the byte: the block in which unpacking
fails is unpacked once more, byte by byte.
"""

from __future__ import annotations

import bz2
import io
import lzma
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, BinaryIO

from tuneval import extras
from tuneval.data.example import Source
from tuneval.data.finding import Finding
from tuneval.data.record import finding_at

_MAX_PIECE_BYTES = 1 << 20
_BUFFER_BYTES = 1 << 18
# How many packed bytes are unpacked at once: few where a few give a lot.
_FIRST_STEP, _MIN_STEP, _MAX_STEP = 1 << 10, 1 << 6, 1 << 16
_MUCH_BYTES, _LITTLE_BYTES = 1 << 22, 1 << 18


@dataclass(frozen=True, slots=True)
class Packing:
    """A row of PACKINGS. `unpacker` makes an object that unpacks one member of a stream.

    `command` unpacks a file. Bytes of `padding` may follow a member.
    """

    name: str
    starts: tuple[bytes, ...]
    unpacker: Callable[[], Any]
    command: str
    padding: bytes = b""


def _zstandard() -> Any:
    package = extras.require("zstandard", extra="data", why="to unpack Zstandard files")
    return package.ZstdDecompressor().decompressobj()


_ZSTANDARD_STARTS = (
    b"\x28\xb5\x2f\xfd",
    *(bytes([first]) + b"\x2a\x4d\x18" for first in range(0x50, 0x60)),  # frames to be skipped
)
_GZIP_WITH_CHECKSUM = 31  # zlib's number for it
PACKINGS = (
    Packing(
        "gzip",
        (b"\x1f\x8b",),
        lambda: zlib.decompressobj(_GZIP_WITH_CHECKSUM),
        "gzip -dk",
        padding=b"\0",
    ),
    Packing("zstandard", _ZSTANDARD_STARTS, _zstandard, "zstd -dk"),
    Packing("bzip2", (b"BZh",), bz2.BZ2Decompressor, "bzip2 -dk"),
    Packing("xz", (b"\xfd7zXZ\x00",), lzma.LZMADecompressor, "xz -dk", padding=b"\0"),
)
_MAX_START_BYTES = 6


def packing_of(head: bytes) -> Packing | None:
    """What a file is packed with, by its first bytes."""
    return next((packing for packing in PACKINGS if head.startswith(packing.starts)), None)


class Unpacked(io.RawIOBase):
    """A packed file's text, to read. Where it cannot go on it ends, and `fault` says why."""

    def __init__(self, file: str, stream: BinaryIO, packing: Packing) -> None:
        self.fault: Finding | None = None
        self._file = file
        self._packing = packing
        self._n_line_ends = 0
        self._pieces = self._all_that_can_be_unpacked(stream)
        self._left = memoryview(b"")

    def readable(self) -> bool:
        """It is."""
        return True

    def readinto(self, buffer: Any) -> int:
        """Fill the buffer with what comes next; 0 at the end."""
        if not self._left:
            self._left = memoryview(next(self._pieces, b""))
        n_bytes = min(len(buffer), len(self._left))
        buffer[:n_bytes] = self._left[:n_bytes]
        self._left = self._left[n_bytes:]
        return n_bytes

    def buffered(self) -> BinaryIO:
        """The same, buffered."""
        return io.BufferedReader(self, _BUFFER_BYTES)

    def _all_that_can_be_unpacked(self, stream: BinaryIO) -> Iterator[bytes]:
        n_bytes = 0
        try:
            for piece in _pieces(stream, self._packing):
                n_bytes += len(piece)
                self._n_line_ends += piece.count(b"\n")
                yield piece
        except _DamageError as damage:
            yield from self._rest_before_the_damage(stream, n_bytes, damage)

    def _rest_before_the_damage(
        self, stream: BinaryIO, n_given: int, damage: _DamageError
    ) -> Iterator[bytes]:
        """What unpacking byte by byte gives beyond the bytes given so far."""
        n_bytes = 0
        try:
            for piece in _pieces(stream, self._packing, slowly_from=damage.offset):
                n_bytes += len(piece)
                if n_bytes > n_given:
                    more = piece[n_given - n_bytes :]
                    n_given = n_bytes
                    self._n_line_ends += more.count(b"\n")
                    yield more
        except _DamageError as found:
            damage = found
        line = self._n_line_ends + 1
        self.fault = finding_at(
            Source(self._file, line),
            damage.rule,
            damage.what.format(packing=self._packing.name, line=line),
            mend="get the file again, or write it again; what came before is read",
        )


class _DamageError(Exception):
    """Unpacking cannot go on; the step began at the byte `offset` of the packed file."""

    def __init__(self, rule: str, what: str, offset: int) -> None:
        super().__init__(what)
        self.rule = rule
        self.what = what
        self.offset = offset


def _pieces(
    stream: BinaryIO, packing: Packing, *, slowly_from: int | None = None
) -> Iterator[bytes]:
    """The text of a stream of one member or more. Raises _DamageError where it breaks off."""
    stream.seek(0)
    offset = n_members = 0
    step = _FIRST_STEP
    unpacker = None
    while packed := stream.read(step if slowly_from is None or offset < slowly_from else 1):
        n_bytes = 0
        while packed:
            if unpacker is None:
                packed = _start(stream, packing, packed, offset, is_first=n_members == 0)
                if not packed:
                    break
                unpacker = packing.unpacker()
                n_members += 1
            for piece in _unpack(unpacker, packed, offset):
                n_bytes += len(piece)
                yield piece
            packed, unpacker = (unpacker.unused_data, None) if unpacker.eof else (b"", unpacker)
        if n_bytes > _MUCH_BYTES:
            step = max(_MIN_STEP, step // 4)
        elif n_bytes < _LITTLE_BYTES:
            step = min(_MAX_STEP, step * 2)
        offset = stream.tell()
    if unpacker is not None:
        what = "The {packing} data end early, in line {line} of the text: what follows is missing."
        raise _DamageError("file.compressed_ends_early", what, offset)


def _start(
    stream: BinaryIO, packing: Packing, packed: bytes, offset: int, *, is_first: bool
) -> bytes:
    """What a member may begin with, enough of it; empty when only padding follows the last."""
    if not is_first and packing.padding:
        packed = packed.lstrip(packing.padding)
    while packed and len(packed) < _MAX_START_BYTES and (more := stream.read(1)):
        packed += more
    if packed and not packed.startswith(packing.starts):
        what = "After the {packing} data, at line {line} of the text, something else follows."
        raise _DamageError("file.damaged", what, offset)
    return packed


def _unpack(unpacker: Any, packed: bytes, offset: int) -> Iterator[bytes]:
    """What a member's packed bytes give, in pieces of a bounded size where the package can."""
    is_bounded = hasattr(unpacker, "needs_input")  # few bytes of bzip2 and xz may give many GB
    limit = (_MAX_PIECE_BYTES,) if is_bounded else ()
    while True:
        try:
            piece = unpacker.decompress(packed, *limit)
        except Exception as error:  # each package has its own, and zstandard is optional
            reason = str(error).rstrip(".").replace("{", "(").replace("}", ")")
            what = f"The {{packing}} data are damaged in line {{line}} of the text ({reason})."
            raise _DamageError("file.damaged", what, offset) from error
        if piece:
            yield piece
        if not piece or not is_bounded or unpacker.eof or unpacker.needs_input:
            return
        packed = b""
