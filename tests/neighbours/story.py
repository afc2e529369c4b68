"""The five examples that tell one story (S01), changed here and there, as the circle of their subject."""

from __future__ import annotations

from typing import Any

from adapter import catalog, records
from adapter.neighbours import Circle, Record
from tests.records.helpers import DERIVED, GONE, changed

CATALOG = catalog.load()
Changes = dict[str, Any]
EVENT: Record = {
    "kind": "adverse_event",
    "record_id": "6f0c0000-0000-4000-8000-0000000000e1",
    "version": 1,
    "record_status": "final",
    "recorded_at": "2026-02-19T12:00:00+03:00",
    "site_timezone": "Europe/Istanbul",
    "blinding_class": "open",
    "subject_id": "HD-0017",
    "ae_id": "AE-1",
    "procedure_id": "P2",
    "ae_term": "bruise",
    "ae_code": "haematoma",
    "onset_at": "2026-02-18T10:40:00+03:00",
    "relatedness": "related",
}
"""An adverse event by the field names of the domain model; the schema of its kind is not asked."""


def made(kind: str, changes: Changes | None = None, source: str | None = None) -> Record:
    """A valid record: the example of a kind with changes; ``source`` makes it another record of its kind."""
    if kind == "adverse_event":
        return EVENT | (changes or {})
    again = dict.fromkeys(DERIVED, GONE) | {"source_record_id": source} if source else {}
    return records.load(kind, changed(kind, again | (changes or {})))


def circle_of(*found: Record) -> Circle:
    """These records as a circle."""
    studies = {one["study_id"]: one for one in found if one["kind"] == "study"}
    circle = Circle(CATALOG, studies)
    for record in found:
        if record["kind"] != "study":
            circle.put((record["kind"], record["record_id"]), record)
    return circle
