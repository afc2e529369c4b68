"""Which form the caller sends and which one it wants back, by media type.

Parameters such as ``fhirVersion`` or ``charset`` do not take part in the choice. Must not know what is answered.
"""

from __future__ import annotations

from flask import request

JSON = "application/json"
PROBLEM = "application/problem+json"
FHIR = "application/fhir+json"
NDJSON = "application/x-ndjson"
FHIR_NDJSON = "application/fhir+ndjson"
LINES = (NDJSON, FHIR_NDJSON, "application/ndjson")
_VERSIONS = {"R4": "4.0", "R5": "5.0"}


def fhir_type(version: str) -> str:
    """The media type of resources of a FHIR version, as servers write it."""
    return f"{FHIR}; fhirVersion={_VERSIONS[version]}"


def choose(*offers: str) -> str | None:
    """The best of the offers for this request's Accept header, the first where anything goes; None for none."""
    if not request.accept_mimetypes:
        return offers[0]
    best, chosen = 0.0, None
    for offer in offers:
        quality = _quality(offer)
        if quality > best:
            best, chosen = quality, offer
    return chosen


def wants_fhir() -> bool:
    """Is an error to be told as an OperationOutcome?"""
    return choose(JSON, PROBLEM, FHIR, FHIR_NDJSON) in (FHIR, FHIR_NDJSON)


def _quality(offer: str) -> float:
    """The quality of the most exact range that covers the offer; 0 for none."""
    main = offer.partition("/")[0]
    exactness = {offer: 3, f"{main}/*": 2, "*/*": 1}
    found = (0, 0.0)
    for value, quality in request.accept_mimetypes:
        rank = exactness.get(value.partition(";")[0].strip().lower(), 0)
        if rank > found[0]:
            found = (rank, float(quality))
    return found[1]
