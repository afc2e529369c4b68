"""A stream of bytes cut into pieces, one record each: lines of NDJSON, or elements of a JSON array.

Memory stays bounded by the longest piece allowed: what is longer is passed over without being held, and
reported. The array is only split here (strings, escapes and nesting are followed), never parsed. It must
not know records.
"""

from __future__ import annotations

import gzip
import re
import sys
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, NamedTuple

from adapter.errors import ConfigError

CHUNK = 64 * 1024
MAX_PIECE = 1024 * 1024
_SPACE = b" \t\r\n"
_UTF16 = (b"\xff\xfe", b"\xfe\xff", b"\x00\x00")
_IN_STRING = re.compile(rb'["\\]')
_STRING = rb'"[^"\\]*+(?:\\.[^"\\]*+)*+"'
_INSIDE = re.compile(rb'(?:[^"{}\[\]]++|%s)*+' % _STRING, re.DOTALL)  # up to the next bracket, strings skipped
_BETWEEN = re.compile(rb'(?:[^"{}\[\],]++|%s)*+' % _STRING, re.DOTALL)  # the same, commas seen


class Piece(NamedTuple):
    """One piece and the line it starts on (from 1); a piece that cannot be read has a rule and a limit
    instead.
    """

    line: int
    data: bytes
    rule: str = ""
    limit: str = ""


class _Rest:
    """A stream with its first bytes put back."""

    def __init__(self, head: bytes, stream: BinaryIO):
        self.head, self.stream = head, stream

    def read(self, size: int = -1) -> bytes:
        if not self.head:
            return self.stream.read(size)
        if size < 0:
            head, self.head = self.head, b""
            return head + self.stream.read()
        head, self.head = self.head[:size], self.head[size:]
        return head


@contextmanager
def opened(source: str | Path | BinaryIO) -> Iterator[BinaryIO]:
    """A binary stream of a path, of ``-`` (standard input) or of a stream. ConfigError when a path cannot
    be read.
    """
    if isinstance(source, str | Path) and str(source) != "-":
        try:
            stream = open(source, "rb")  # noqa: SIM115 - closed below
        except OSError as error:
            raise ConfigError(f"input file {source}: {error.strerror}") from None
        with stream:
            yield stream
    else:
        yield sys.stdin.buffer if isinstance(source, str | Path) else source


def pieces(stream: BinaryIO, max_piece: int = MAX_PIECE) -> Iterator[Piece]:
    """The pieces of a stream, gzip or plain. The first byte that is no white space decides: ``[`` is an
    array.

    A UTF-8 byte order mark at the start is passed over; UTF-16 is refused by rule encoding, a broken gzip
    by gzip.
    """
    head = _fill(stream, 2)
    rest: BinaryIO = _Rest(head, stream)  # type: ignore[assignment]
    if head == b"\x1f\x8b":
        rest = gzip.GzipFile(fileobj=rest)  # type: ignore[assignment]
    line = 1
    try:
        start = _fill(rest, 3)
        if start[:2] in _UTF16:
            yield Piece(1, b"", "encoding", "UTF-8")
            return
        start = start.removeprefix(b"\xef\xbb\xbf")
        while True:
            start = start or rest.read(CHUNK)
            bare = start.lstrip(_SPACE)
            line += start[: len(start) - len(bare)].count(b"\n")
            if bare or not start:
                break
            start = b""
        whole: BinaryIO = _Rest(bare.removeprefix(b"["), rest)  # type: ignore[assignment]
        found = elements(whole, line, max_piece) if bare.startswith(b"[") else lines(whole, line, max_piece)
        for piece in found:
            line = piece.line
            yield piece
    except (EOFError, gzip.BadGzipFile, zlib.error):
        yield Piece(line, b"", "gzip", "a whole gzip stream")


def _fill(stream: BinaryIO, size: int) -> bytes:
    """Exactly this many bytes, or fewer at the end of the stream."""
    found = b""
    while len(found) < size and (more := stream.read(size - len(found))):
        found += more
    return found


class _Buffer:
    """The bytes of the piece so far; beyond the limit it only remembers that there were too many."""

    def __init__(self, line: int, most: int):
        self.data, self.line, self.most, self.long = bytearray(), line, most, False
        self.start = line

    def add(self, part: bytes) -> None:
        if self.long:
            self.line += part.count(b"\n")
            return
        if not self.data:
            bare = part.lstrip(_SPACE)
            self.line += part[: len(part) - len(bare)].count(b"\n")
            self.start, part = self.line, bare
        self.line += part.count(b"\n")
        self.data += part
        if len(self.data) > self.most:
            self.long = True
            self.data.clear()

    def take(self) -> Piece:
        """The piece, and an empty buffer for the next one."""
        rule = "too_long" if self.long else ""
        limit = f"{self.most} bytes" if self.long else ""
        piece = Piece(self.start, bytes(self.data.rstrip(_SPACE)), rule, limit)
        self.data.clear()
        self.long, self.start = False, self.line
        return piece


def lines(stream: BinaryIO, line: int, most: int) -> Iterator[Piece]:
    """The lines of NDJSON that are not blank."""
    held = bytearray()
    long = False
    while chunk := stream.read(CHUNK):
        parts = chunk.split(b"\n")
        for part in parts[:-1]:
            long = long or len(held) + len(part) > most
            if long:
                yield Piece(line, b"", "too_long", f"{most} bytes")
            elif text := (bytes(held) + part if held else part).strip(_SPACE):
                yield Piece(line, text)
            held.clear()
            long = False
            line += 1
        if not long:
            held += parts[-1]
            if len(held) > most:
                long = True
                held.clear()
    if long:
        yield Piece(line, b"", "too_long", f"{most} bytes")
    elif text := bytes(held).strip(_SPACE):
        yield Piece(line, text)


def elements(stream: BinaryIO, line: int, most: int) -> Iterator[Piece]:
    """The elements of a JSON array whose opening bracket has been read."""
    held = _Buffer(line, most)
    depth, in_string, escaped, count, closed = 0, False, False, 0, False
    while not closed and (chunk := stream.read(CHUNK)):
        start = position = 0
        while position < len(chunk):
            if escaped:
                position, escaped = position + 1, False
                continue
            if in_string:
                quote = _IN_STRING.search(chunk, position)
                if quote is None:
                    break
                position = quote.end()
                escaped = in_string = quote.group() == b"\\"
                continue
            found = (_INSIDE if depth else _BETWEEN).match(chunk, position).end()  # type: ignore[union-attr]
            mark, position = chunk[found : found + 1], found + 1
            if not mark:
                break
            if mark == b'"':  # a string that the next chunk goes on with
                in_string = True
            elif mark in b"{[":
                depth += 1
            elif depth:
                depth -= mark in b"}]"
            elif mark in b",]":
                held.add(chunk[start:found])
                piece = held.take()
                closed = mark == b"]"
                if piece.data or piece.rule:
                    yield piece
                elif count or not closed:
                    yield Piece(piece.line, b"", "json", "no empty place between commas")
                count, start = count + 1, position
                if closed:
                    break
        held.add(chunk[start:])
    yield from _after(stream, held, closed)


def _after(stream: BinaryIO, held: _Buffer, closed: bool) -> Iterator[Piece]:
    """What stands behind the array: nothing, or an error; a cut-off array says so."""
    while closed and not held.data and not held.long and (chunk := stream.read(CHUNK)):
        held.add(chunk)
    piece = held.take()
    if closed:
        if piece.data or piece.rule:
            yield Piece(piece.line, b"", "json", "nothing after the array")
        return
    if piece.data or piece.rule:
        yield piece
    yield Piece(held.line, b"", "json", "an array closed by ]")
