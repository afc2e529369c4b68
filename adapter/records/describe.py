"""A record kind as JSON Schema 2020-12: types, lists, ranges, patterns, meanings and units.

For people and other programs; rules over several fields are not in it (the schemas decide). Decimal bounds
stay Decimal, so write it with `adapter.codec`.
"""

from __future__ import annotations

from typing import Any

from .absent import below, fields_of
from .base import Base, Item
from .nested import Items


def json_schema(kind: str) -> dict[str, Any]:
    """The JSON Schema of one record kind. KeyError for an unknown kind."""
    from . import schema

    found = schema(kind)
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": f"https://hydrofhir.example/schema/{kind}.json",
        "title": kind,
        "description": (found.__doc__ or "").strip(),
        **_object(found),
    }


def _object(item: type[Item]) -> dict[str, Any]:
    fields = {name: field for name, field in fields_of(item).items() if not field.metadata.get("derived")}
    return {
        "type": "object",
        "properties": {name: _property(field) for name, field in fields.items()},
        "required": [name for name, field in fields.items() if field.need.always],
        "additionalProperties": False,
    }


def _property(field: Base) -> dict[str, Any]:
    about = field.metadata
    shown = {
        "description": about["description"],
        "x-required": about["required"],
        "x-disclosure": about["disclosure"],
    }
    shown |= {f"x-{name}": about[name] for name in ("unit", "condition") if name in about}
    item = below(field)
    if item is None:
        return field.json_schema() | shown
    inner = _object(item)
    if isinstance(field, Items):
        return {"type": "array", "items": inner, "minItems": 1, "maxItems": field.most} | shown
    return inner | shown
