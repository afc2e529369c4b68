"""Is a resource that somebody else wrote safe to read? Asked before any mapping looks at it.

Readers walk elements by the JSON type that FHIR gives them; a text where an object belongs, or null where an element
belongs, must be named and left out here, not met there. Knows no record and no mapping.
"""

from __future__ import annotations

import re
from typing import Any

from adapter.fhir.gate import Gate, GateIssue

_ID = re.compile(r"[A-Za-z0-9\-.]{1,64}")
_TYPE = re.compile(r"[A-Z][A-Za-z]{1,63}")


def name_of(resource: Any) -> str | None:
    """``Type/id`` or ``Type``, only where they look like such; None for what is no resource."""
    kind = resource.get("resourceType") if isinstance(resource, dict) else None
    if not isinstance(kind, str) or not _TYPE.fullmatch(kind):
        return None
    id_ = resource.get("id")
    return f"{kind}/{id_}" if isinstance(id_, str) and _ID.fullmatch(id_) else kind


def unsafe(gate: Gate, resource: Any, data: bytes | None = None) -> list[GateIssue]:
    """Why the resource must not be read; empty where it may. ``data``: its JSON, where that is at hand (faster)."""
    name = name_of(resource)
    if name is None:
        return [GateIssue("resourceType", "required", "a FHIR resource")]
    if "id" in resource and "/" not in name:
        return [GateIssue(f"{name}.id", "format", "A-Z, a-z, 0-9, - and ., at most 64")]
    contained = resource.get("contained", [])
    inner = contained if isinstance(contained, list) else []
    if not all(isinstance(one, dict) for one in inner):
        return [GateIssue(f"{name.partition('/')[0]}.contained", "type", "resources")]
    if (data is None or b"null" in data) and _has_null(resource):
        return [GateIssue("", "null", "no null in place of an element")]
    issues = list(gate.check_tolerant(resource if data is None else data))
    for one in inner:
        issues += gate.check_tolerant(one)
    return issues


def _has_null(value: Any, excused: bool = False) -> bool:
    """Does null stand anywhere but in a list that its twin (``given`` and ``_given``) fills up?"""
    if isinstance(value, dict):
        return any(
            child is None or _has_null(child, (key[1:] if key.startswith("_") else f"_{key}") in value)
            for key, child in value.items()
        )
    if isinstance(value, list):
        return any((child is None and not excused) or _has_null(child) for child in value)
    return False
