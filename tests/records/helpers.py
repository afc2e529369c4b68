"""Changing an example record, and reading what a refusal says."""

from __future__ import annotations

from typing import Any

import pytest

from adapter import records
from adapter.errors import RecordRefused

GONE = object()
DERIVED = ("record_id", "business_key", "idempotency_key")


def changed(kind: str, changes: dict[str, Any]) -> dict[str, Any]:
    """The example of a kind with some fields set, or removed (GONE); paths count items from 1."""
    found = records.example(kind)
    for path, value in changes.items():
        *steps, last = path.split(".")
        place: Any = found
        for step in steps:
            place = place[int(step) - 1] if step.isdigit() else place.setdefault(step, {})
        if value is GONE:
            place.pop(last, None)
        elif isinstance(place, list):
            place[int(last) - 1] = value
        else:
            place[last] = value
    return found


def faults(obj: Any, kind: str | None = None) -> set[tuple[str, str]]:
    """(field, rule) of every issue; fails when the object is accepted."""
    with pytest.raises(RecordRefused) as caught:
        records.load(kind, obj)
    return {(issue.field, issue.rule) for issue in caught.value.issues}


def limits(obj: Any) -> dict[str, str]:
    """Limit of the issue of each field."""
    with pytest.raises(RecordRefused) as caught:
        records.load(None, obj)
    return {issue.field: issue.limit for issue in caught.value.issues}
