"""V15: the complications of a procedure and its adverse events tell the same story.

An event can only be recorded after its procedure, so a complication without an event is kept and flagged until the
event comes. What contradicts what is already there is refused: an event of the day of the procedure that the assessed
procedure does not know of, and a correction that takes a complication away whose event stands.
"""

from __future__ import annotations

from collections.abc import Iterator

from adapter.measures import times

from .model import FLAG, REFUSE, Circle, Finding, Record

EVENTS = "complication-ae-code"
"""The ConceptMap of the events (ae_code) that a complication may be recorded as."""


def complications(record: Record, circle: Circle) -> Iterator[Finding]:
    """A procedure: every complication has its event, and no event of its day is denied."""
    events = [one for one in circle.live("adverse_event") if one.get("procedure_id") == record["procedure_id"]]
    codes = {one.get("ae_code") for one in events}
    for number, code in enumerate(record.get("complications", ()), 1):
        expected = {target.code for target in circle.catalog.maps[EVENTS].entries[code]}
        if expected and not codes & expected:
            message = "its adverse event is not known yet"
            yield Finding("V15.event", FLAG, f"complications.{number}", "an adverse event", message)
    if any(_denied(one, record, circle) for one in events):
        yield Finding("V15.complication", REFUSE, "complications", "those of the adverse events of that day")


def event(record: Record, circle: Circle) -> Iterator[Finding]:
    """An adverse event of the day of its procedure is among the complications, where these were assessed."""
    procedure = circle.procedure(record.get("procedure_id"))
    if procedure is not None and _denied(record, procedure, circle):
        limit = "among the complications of the procedure"
        yield Finding("V15.complication", REFUSE, "ae_code", limit, "correct the procedure first")


def _complications(code: str | None, circle: Circle) -> set[str]:
    """The complications that an event may be, where one of them is just this event. Of any other event (numbness,
    `other`) only a reader can tell whether it was a complication."""
    entries = circle.catalog.maps[EVENTS].entries
    kinds = {one: t.equivalence for one, targets in entries.items() for t in targets if t.code == code}
    return set(kinds) if "equivalent" in kinds.values() else set()


def _denied(event: Record, procedure: Record, circle: Circle) -> bool:
    """Whether a procedure that was assessed does not know of an event of its own day."""
    named = _complications(event.get("ae_code"), circle)
    if not named or not procedure.get("ae_assessed") or "complications" not in procedure:
        return False
    if event.get("relatedness") == "unrelated" or named & set(procedure["complications"]):
        return False
    days = [times.day_of(one) for one in (event.get("onset_at"), procedure.get("started_at")) if one is not None]
    return len(days) == 2 and days[0] is not None and days[0] == days[1]
