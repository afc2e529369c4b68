"""What intake derives, so that a clinic's export need not bring it: ids and hashes from the source pair.

Deterministic: the same source record always gets the same id. The namespace is fixed by the project, so two
installations agree on a record's id (resource ids have a namespace of their own per installation). What a
kind derives beyond this stands in the kind's file.
"""

from __future__ import annotations

import hashlib
from typing import Any
from uuid import NAMESPACE_URL, uuid5

RECORD_NAMESPACE = uuid5(NAMESPACE_URL, "https://hydrofhir.example/fhir/record")
_SALT = RECORD_NAMESPACE.bytes
STANDARD_OFFSETS = {"baseline": "PT0S", "screening": "PT0S", "immediate": "PT0S"}


def record_id(kind: str, source_system: str, source_record_id: str) -> str:
    """UUID version 5 of kind and source pair. Kind is part of it, since one source row may hold several
    kinds.
    """
    name = f"{kind}\n{source_system}\n{source_record_id}".encode()
    digest = bytearray(hashlib.sha1(_SALT + name, usedforsecurity=False).digest()[:16])
    digest[6] = digest[6] & 0x0F | 0x50
    digest[8] = digest[8] & 0x3F | 0x80
    text = digest.hex()
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"


def idempotency_key(kind: str, source_system: str, source_record_id: str, version: int) -> str:
    """SHA-256, in hex, of kind, source pair and version."""
    return hashlib.sha256(f"{kind}\n{source_system}\n{source_record_id}\n{version}".encode()).hexdigest()


def identity(record: dict[str, Any]) -> None:
    """Fill record_id and idempotency_key where they are absent."""
    pair = record["kind"], record["source_system"], record["source_record_id"]
    if "record_id" not in record:
        record["record_id"] = record_id(*pair)
    if "idempotency_key" not in record:
        record["idempotency_key"] = idempotency_key(*pair, record["version"])


def standard_offset(code: str) -> str | None:
    """The nominal offset a code says by itself: min10 PT10M, h1 PT1H, d2 P2D, w1 P7D (weeks in days), m3 P3M.

    Baseline, screening and immediate stand at the anchor: PT0S. None for any other code.
    """
    unit = code.rstrip("0123456789")
    number = code[len(unit) :]
    if number:
        match unit:
            case "min":
                return f"PT{int(number)}M"
            case "h":
                return f"PT{int(number)}H"
            case "d":
                return f"P{int(number)}D"
            case "w":
                return f"P{7 * int(number)}D"
            case "m":
                return f"P{int(number)}M"
            case "y":
                return f"P{int(number)}Y"
    return STANDARD_OFFSETS.get(code)
