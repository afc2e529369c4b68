"""Writing what goes out: joined from resources that are encoded already, so that no digit passes through a float."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from flask import Response

from adapter import codec
from adapter.errors import Issue
from adapter.fhir import bundle, outcome
from adapter.mill import Part
from adapter.web import negotiation
from adapter.web.errors import Problem


def form(*offers: str) -> str:
    """The media type to answer with. Problem 406 when the caller takes none of the offers."""
    wanted = negotiation.choose(*offers)
    if wanted is None:
        raise Problem(406, f"this can be answered as {', '.join(offers)}")
    return wanted


def json(value: Any, status: int = 200, media: str = negotiation.JSON) -> Response:
    """A JSON answer with exact decimals."""
    return Response(codec.dumps(value), status, content_type=media)


def envelope(name: str, bodies: Sequence[bytes], refused: Iterable[Issue]) -> Response:
    """``{"<name>": [...], "refused": [...]}``."""
    tail = codec.dumps([issue.as_dict() for issue in refused])
    body = b'{"%b":[%b],"refused":%b}' % (name.encode(), b",".join(bodies), tail)
    return Response(body, content_type=negotiation.JSON)


def collection(parts: Sequence[Part], refused: Sequence[Issue], version: str) -> Response:
    """A collection Bundle; its last entry is an OperationOutcome where something was refused."""
    entries = [_entry(bundle.full_url(kind, id_), data) for kind, id_, data in parts]
    if refused:
        entries.append(_entry(bundle.full_url("OperationOutcome", "refused"), codec.dumps(outcome.write(refused))))
    body = b'{"resourceType":"Bundle","type":"collection","entry":[%b]}' % b",".join(entries)
    return Response(body, content_type=negotiation.fhir_type(version))


def lines(parts: Sequence[Part], refused: Sequence[Issue], media: str) -> Response:
    """NDJSON, one resource a line; the last line is an OperationOutcome where something was refused."""
    bodies = [data for _, _, data in parts]
    if refused:
        bodies.append(codec.dumps(outcome.write(refused)))
    return Response(b"".join(body + b"\n" for body in bodies), content_type=media)


def _entry(full_url: str, resource: bytes) -> bytes:
    return b'{"fullUrl":%b,"resource":%b}' % (codec.dumps(full_url), resource)
