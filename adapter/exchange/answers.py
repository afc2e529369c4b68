"""What a server's answer says: the exchange's view of bundles and OperationOutcomes, read through fhir and
codec.

Readers raise ``ValueError`` with the retry table's name of the fault, so that the wire can repeat the
request.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from .. import codec
from ..errors import CodecError, TransactionMismatch
from ..fhir import bundle as fhir_bundle
from ..fhir import outcome as fhir_outcome
from ..fhir.bundle import EntryResult, Received, received
from .parcel import Parcel

__all__ = [
    "EntryResult",
    "RawPage",
    "Received",
    "as_page",
    "as_resource",
    "bundle_of",
    "entries_of",
    "next_link",
    "outcome_of",
    "received",
    "resources_in",
    "updates_of",
]


def as_resource(body: bytes) -> dict[str, Any]:
    """A resource, or ``ValueError("broken_body")``."""
    try:
        found = codec.loads_wire(body)
    except CodecError:
        raise ValueError("broken_body") from None
    if not isinstance(found, dict) or not isinstance(found.get("resourceType"), str):
        raise ValueError("broken_body")
    return found


def entries_of(body: bytes, count: int) -> list[EntryResult]:
    """The answers to a transaction of ``count`` entries, or ``ValueError``: ``broken_body``,
    ``short_answer``."""
    found = as_resource(body)
    try:
        return fhir_bundle.read_response(found, count)
    except TransactionMismatch:
        entries = found.get("entry")
        short = isinstance(entries, list) and len(entries) != count
        raise ValueError("short_answer" if short else "broken_body") from None


def outcome_of(body: bytes) -> tuple[frozenset[str], str]:
    """HAPI's codes in an error body, and the words of it that are safe to repeat."""
    return frozenset(fhir_outcome.hapi_codes(body)), fhir_outcome.read(body)


def bundle_of(parcels: Sequence[Parcel], base: str = "") -> tuple[bytes, int]:
    """One transaction of the parcels, their parts in order and all deletions at the end; and its number of
    entries."""
    parts = [part for parcel in parcels for part in parcel.parts]
    remove = [pair for parcel in parcels for pair in parcel.remove]
    return fhir_bundle.transaction(parts, base, remove), len(parts) + len(remove)


def updates_of(definitions: Iterable[tuple[str, str, bytes]]) -> bytes:
    """One transaction of conditional updates: (type, canonical url, encoded resource)."""
    return fhir_bundle.updates(definitions)


def next_link(bundle: dict[str, Any]) -> str | None:
    """The address of the next page."""
    links = bundle.get("link")
    for link in links if isinstance(links, list) else ():
        if isinstance(link, dict) and link.get("relation") == "next" and isinstance(link.get("url"), str):
            return str(link["url"])
    return None


@dataclass(frozen=True, slots=True)
class RawPage:
    """A page of a search, not yet taken apart: its JSON text, the address of the next page, and how many resources
    match in all, where the server says so."""

    text: bytes
    following: str | None
    total: int | None = None


def as_page(body: bytes) -> RawPage:
    """A page, or ``ValueError("broken_body")``. What is in it stays as it came (see ``resources_in``)."""
    try:
        head = codec.members(body, "resourceType", "link", "total", raw=("entry",))
    except CodecError:
        raise ValueError("broken_body") from None
    if head["resourceType"] != "Bundle" or not (head["entry"] or b"[").startswith(b"["):
        raise ValueError("broken_body")
    total = head["total"]
    return RawPage(body, next_link(head), total if type(total) is int else None)


def resources_in(page: bytes) -> list[Received]:
    """The resources of a page that ``as_page`` has passed, or ``ValueError("broken_body")``."""
    try:
        return fhir_bundle.resources_in(page)
    except CodecError:
        raise ValueError("broken_body") from None
