"""What a literal reference names: type and id, whatever its base and version. FHIR's own grammar, and nothing else."""

from __future__ import annotations

import re

_LITERAL = re.compile(
    r"(?:[a-z]+://[^?#]+/)?([A-Z][A-Za-z]{1,63})/([A-Za-z0-9\-.]{1,64})(?:/_history/[A-Za-z0-9\-.]{1,64})?\Z"
)


def named(reference: str) -> tuple[str, str] | None:
    """(type, id), or None for what names neither: `#x`, `urn:uuid:...`, a search, a word."""
    found = _LITERAL.match(reference)
    return (found[1], found[2]) if found else None


def address(reference: str) -> str:
    """``Type/id`` of a literal reference, or the text as it stands."""
    found = named(reference)
    return f"{found[0]}/{found[1]}" if found else reference
