"""V15: the complications of a procedure and its adverse events tell the same story.

An event can only be recorded after its procedure, so a complication without an event is kept and flagged until the
event comes. What contradicts what is already there is refused: an event of the day of the procedure that the assessed
procedure does not know of, and a correction that takes a complication away whose event stands.
"""

from __future__ import annotations

from collections.abc import Iterator

from adapter.measures import times

from .model import FLAG, REFUSE, Circle, Finding, Record

EVENTS = {
    "vascular_puncture": ("haematoma", "other"),
    "paraesthesia": ("temporary_sensory_disturbance", "nerve_injury"),
    "haematoma": ("haematoma",),
    "vasovagal": ("vasovagal",),
    "pneumothorax": ("pneumothorax",),
    "wrong_site": ("other",),
    "tissue_injury": ("tissue_injury",),
    "infection": ("infection",),
    "local_anaesthetic_toxicity": ("local_anaesthetic_toxicity",),
}
"""Codes of adverse events (ae_code) by the complication that they may stand for."""

COMPLICATIONS = {
    code: tuple(one for one, codes in EVENTS.items() if code in codes) for code in EVENTS if (code,) == EVENTS[code]
}
"""Complications by the code of an event that is always one when it happens with the procedure; of the others (numbness,
`other`) only a reader can tell."""


def complications(record: Record, circle: Circle) -> Iterator[Finding]:
    """A procedure: every complication has its event, and no event of its day is denied."""
    events = [one for one in circle.live("adverse_event") if one.get("procedure_id") == record["procedure_id"]]
    codes = {one.get("ae_code") for one in events}
    for number, code in enumerate(record.get("complications", ()), 1):
        if code in EVENTS and not codes & set(EVENTS[code]):
            message = "its adverse event is not known yet"
            yield Finding("V15.event", FLAG, f"complications.{number}", "an adverse event", message)
    if any(_denied(one, record) for one in events):
        yield Finding("V15.complication", REFUSE, "complications", "those of the adverse events of that day")


def event(record: Record, circle: Circle) -> Iterator[Finding]:
    """An adverse event of the day of its procedure is among the complications, where these were assessed."""
    procedure = circle.procedure(record.get("procedure_id"))
    if procedure is not None and _denied(record, procedure):
        limit = "among the complications of the procedure"
        yield Finding("V15.complication", REFUSE, "ae_code", limit, "correct the procedure first")


def _denied(event: Record, procedure: Record) -> bool:
    """Whether a procedure that was assessed does not know of an event of its own day."""
    named = COMPLICATIONS.get(event.get("ae_code", ""), ())
    if not named or not procedure.get("ae_assessed") or "complications" not in procedure:
        return False
    if event.get("relatedness") == "unrelated" or set(named) & set(procedure["complications"]):
        return False
    days = [times.day_of(one) for one in (event.get("onset_at"), procedure.get("started_at")) if one is not None]
    return len(days) == 2 and days[0] is not None and days[0] == days[1]
