"""Reading a request's body, bounded: records through the strict intake, resources tolerantly.

The bytes are read as they came, never as the framework's JSON: floats would lose digits, and doubled keys would pass.
Compressed bodies are refused, so that the size limit is the limit of the work. Must not know what is done with them.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from io import BytesIO
from typing import Any

from flask import request

from adapter import codec
from adapter.errors import CodecError, Issue, TransactionMismatch
from adapter.fhir import bundle
from adapter.fhir.gate import Gate
from adapter.fhir.safe import name_of, unsafe
from adapter.records.intake import Entry, entry, read
from adapter.records.split import Piece, pieces
from adapter.settings import Limits
from adapter.web.errors import Problem, too_large
from adapter.web.negotiation import FHIR, JSON, LINES

RESOURCES_PER_RECORD = 20
"""Resources taken in one request, per record that it may hold; a record of ours has 2 to 15."""

_BOM = b"\xef\xbb\xbf"


def records(limits: Limits) -> list[Entry]:
    """The records of the body: one JSON object, an array, or NDJSON. Problem 413 above ``limits``, 415 for others."""
    data, one = _body((JSON, *LINES))
    if one:
        return [entry(_single(data, limits.line_bytes))]
    found: list[Entry] = []
    for each in read(BytesIO(data), max_line=limits.line_bytes):
        if len(found) == limits.batch_records:
            raise Problem(413, f"{too_large()} (limit {limits.batch_records} records)")
        found.append(each)
    return found


@dataclass(frozen=True, slots=True)
class Read:
    """The resources of a body, and why others could not be read."""

    resources: list[dict[str, Any]]
    issues: list[Issue]


def resources(limits: Limits, gate: Gate) -> Read:
    """The resources of a Bundle, an array or NDJSON, or a single one; those whose structure is unsafe to read are
    left out and named. OperationOutcomes are passed over: they are no one's record."""
    data, one = _body((JSON, FHIR, *LINES))
    parts: Iterable[Piece] = [_single(data, limits.body_bytes)] if one else pieces(BytesIO(data), limits.body_bytes)
    most = limits.batch_records * RESOURCES_PER_RECORD
    out = Read([], [])
    for piece in parts:
        for found in _resources(piece, out.issues):
            if found.get("resourceType") == "OperationOutcome":
                continue
            if len(out.resources) + len(out.issues) >= most:
                raise Problem(413, f"{too_large()} (limit {most} resources)")
            faults = _faults(found, gate, piece.line)
            out.issues.extend(faults)
            if not faults:
                out.resources.append(found)
    return out


def _body(media: tuple[str, ...]) -> tuple[bytes, bool]:
    """The bytes, and whether they are one JSON object (not an array, not lines)."""
    if request.mimetype not in media:
        raise Problem(415, f"legal content types: {', '.join(media)}")
    if request.headers.get("Content-Encoding", "identity").lower() not in ("", "identity"):
        raise Problem(415, "compressed bodies are not taken")
    data = request.get_data(cache=False)
    if data[:2] == b"\x1f\x8b":
        raise Problem(415, "compressed bodies are not taken")
    data = data.removeprefix(_BOM)
    one = request.mimetype not in LINES and data[:4096].lstrip()[:1] not in (b"[", b"")
    return data, one


def _single(data: bytes, most: int) -> Piece:
    return Piece(1, data) if len(data) <= most else Piece(1, b"", "too_long", f"{most} bytes")


def _resources(piece: Piece, issues: list[Issue]) -> Iterator[dict[str, Any]]:
    """The resources of one piece: itself, or what the Bundle holds."""
    if piece.rule:
        issues.append(Issue(None, "", piece.rule, piece.limit, piece.line))
        return
    try:
        found = codec.loads_wire(piece.data)
    except CodecError as error:
        issues.append(Issue(None, "", error.rule, "", piece.line))
        return
    if not isinstance(found, dict) or not isinstance(found.get("resourceType"), str):
        issues.append(Issue(None, "resourceType", "required", "a FHIR resource", piece.line))
    elif found["resourceType"] == "Bundle":
        try:
            yield from bundle.resources(found)
        except TransactionMismatch:
            issues.append(Issue(None, "Bundle.entry", "structure", "a list of objects", piece.line))
    else:
        yield found


def _faults(resource: dict[str, Any], gate: Gate, line: int) -> list[Issue]:
    """Why a resource is unsafe to read. It is named by type and id only where these look like such."""
    name = name_of(resource)
    return [Issue(name, i.path, i.rule, "", line, i.message) for i in unsafe(gate, resource)]
