"""A record kind as JSON Schema 2020-12: types, lists, ranges, patterns, meanings and units.

For people and other programs; rules over several fields are not in it (the schemas decide). Decimal bounds
stay Decimal, so write it with `adapter.codec`.
"""

from __future__ import annotations

from typing import Any


def json_schema(kind: str) -> dict[str, Any]:
    """The JSON Schema of one record kind. KeyError for an unknown kind."""
    from . import schema

    found = schema(kind)
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": f"https://hydrofhir.example/schema/{kind}.json",
        "title": kind,
        "description": (found.__doc__ or "").strip(),
        **found.object_schema(),
    }
