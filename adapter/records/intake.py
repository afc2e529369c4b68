"""Reading records from outside: NDJSON or a JSON array, plain or gzip, record by record in bounded memory.

Each record that is refused is reported with its line, its record id where that is known, the field, the
rule and the limit; the rest goes on. It must not know where the records go.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, BinaryIO

from adapter import codec
from adapter.errors import CodecError, Issue, RecordRefused

from . import load
from .locate import locate
from .split import MAX_PIECE, Piece, opened, pieces


@dataclass(frozen=True, slots=True)
class Entry:
    """One record of the input: its line (from 1), and either the validated record or why it was refused."""

    line: int
    record: dict[str, Any] | None
    issues: tuple[Issue, ...] = ()


def read(source: str | Path | BinaryIO, *, max_line: int = MAX_PIECE) -> Iterator[Entry]:
    """The records of a path, of ``-`` (standard input), or of a binary stream.

    `max_line` bounds one record, in bytes; longer ones are refused (rule too_long) without being held.
    ConfigError when a path cannot be read.
    """
    with opened(source) as stream:
        for piece in pieces(stream, max_line):
            yield entry(piece)


def entry(piece: Piece) -> Entry:
    """One piece of the input, decoded and validated."""
    line = piece.line
    if piece.rule:
        return Entry(line, None, (Issue(None, "", piece.rule, piece.limit, line),))
    try:
        piece.data.decode()
    except UnicodeDecodeError:
        return Entry(line, None, (Issue(None, "", "encoding", "UTF-8", line),))
    try:
        return Entry(line, load(None, codec.loads(piece.data)))
    except CodecError as error:
        record, paths = locate(piece.data, error.rule)
        return Entry(line, None, tuple(Issue(record, path, error.rule, "", line) for path in paths or ("",)))
    except RecordRefused as refusal:
        return Entry(line, None, tuple(replace(issue, line=line) for issue in refusal.issues))
