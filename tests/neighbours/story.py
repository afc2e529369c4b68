"""The five examples that tell one story (S01), changed here and there, as the circle of their subject."""

from __future__ import annotations

from typing import Any

from adapter import catalog, records
from adapter.neighbours import Circle, Record
from tests.records.helpers import DERIVED, GONE, changed

CATALOG = catalog.load()
Changes = dict[str, Any]
EVENT: Changes = {
    "ae_term": "bruise", "ae_code": "haematoma", "onset_at": "2026-02-18T10:40:00+03:00", "end_at": GONE,
    "ae_outcome": "ongoing", "aware_at": GONE, "reported_at": GONE, "recorded_at": "2026-04-01T09:00:00+03:00",
}  # fmt: skip
"""A bruise right after the injection."""


def made(kind: str, changes: Changes | None = None, source: str | None = None) -> Record:
    """A valid record: the example of a kind with changes; ``source`` makes it another record of its kind."""
    base = dict.fromkeys(DERIVED, GONE) | {"source_record_id": source} if source else {}
    base |= EVENT if kind == "adverse_event" else {}
    return records.load(kind, changed(kind, base | (changes or {})))


def circle_of(*found: Record) -> Circle:
    """These records as a circle."""
    studies = {one["study_id"]: one for one in found if one["kind"] == "study"}
    circle = Circle(CATALOG, studies)
    for record in found:
        if record["kind"] != "study":
            circle.put((record["kind"], record["record_id"]), record)
    return circle
