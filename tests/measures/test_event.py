"""Time from a procedure to the onset of an adverse event: minutes where both are known to the minute, else days."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from adapter.measures import derive

from .story import Record, Story, one

STORY = Story("HD-0012", "Europe/Berlin", study=None)
END = "2026-05-05T13:00:00+02:00"


def event(onset: str | None, **changes: Any) -> Record:
    told: Record = {"procedure_id": "P1", "onset_at": onset, "end_at": None, "ae_outcome": "ongoing"}
    told |= {"aware_at": "2026-05-10T10:00:00+02:00", "reported_at": "2026-05-10T11:00:00+02:00"}
    told |= {"field_absent_reason": {"onset_at": "unknown"}} if onset is None else {}
    return STORY.make("adverse_event", "AE-1", told | changes)


@pytest.mark.parametrize(
    ("end", "onset", "value", "unit", "counted"),
    [
        (END, "2026-05-05T13:12:00+02:00", "12", "min", "procedure_end"),
        (END, "2026-05-05T12:59:30+02:00", "-0.5", "min", "procedure_end"),
        (END, "2026-05-08", "3", "d", "procedure_end"),
        (None, "2026-05-05T13:12:00+02:00", "42", "min", "procedure_start"),
    ],
)
def test_the_interval_counts_from_the_end(end: str | None, onset: str, value: str, unit: str, counted: str) -> None:
    procedure = STORY.procedure("P1", "2026-05-05T12:30:00+02:00", end)
    found = one(derive([procedure, event(onset)]), "onset_interval")
    assert (found.value, found.unit, found.labels) == (Decimal(value), unit, {"counted_from": counted})
    assert found.anchor is not None
    assert (found.anchor.record_id, found.procedure_id) == (procedure["record_id"], "P1")


def test_what_is_not_known_is_no_interval() -> None:
    procedure = STORY.procedure("P1", "2026-05-05T12:30:00+02:00", END)
    assert one(derive([procedure, event("2026-05")]), "onset_interval").undefined == "time_unknown"
    assert one(derive([procedure, event(None)]), "onset_interval").undefined == "time_unknown"
    assert one(derive([event("2026-05-08")]), "onset_interval").undefined == "anchor_missing"
    gone = event("2026-05-08", version=2, supersedes_version=1, change_reason="other", record_status="entered_in_error")
    assert one(derive([procedure, gone]), "onset_interval").undefined == "input_retracted"
    nowhere = event("2026-05-08", procedure_id=None, relatedness="unlikely", suspect=None)
    assert not [x for x in derive([procedure, nowhere]) if x.formula == "onset_interval"]
