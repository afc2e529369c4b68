"""Made-up adverse events: few, mostly mild, in agreement with the complications of the procedure they follow.

What happened is decided by the person's number alone, so that the procedure can name its complication without asking.
It must not know visits or scores.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from .enrolments import WITHDRAWAL_REASONS, Case
from .person import Person, Record

_DURING = {"vasovagal": ("fainted for a moment", 20), "haematoma": ("bruise at the injection site", 5 * 24 * 60)}


def complication(number: int) -> str:
    """The complication of the trial treatment of person `number`; "" for most."""
    return {3: "vasovagal", 8: "haematoma"}.get(number % 11, "")


def event(person: Person, anchor: str, onset: datetime, known: datetime, **body: Any) -> Record:
    """An adverse event; `known` is when the site knew of it. `body` adds or replaces fields."""
    number = body.pop("number", 1)
    revised, absent = body.pop("revised", None), body.pop("absent", None)
    said: Record = {
        "ae_id": f"AE-{number}",
        "procedure_id": anchor,
        "onset_at": person.at(onset),
        "severity": "mild",
        "grade": 1,
        "grading_scale": "ctcae_5_0",
        "serious": False,
        "relatedness": "related",
        "suspect": ["procedure"],
        "expected": True,
        "action_taken": "none",
        "ae_outcome": "resolved",
        "caused_withdrawal": False,
        "aware_at": person.at(known),
    } | body
    if said["relatedness"] == "unrelated":
        said.pop("suspect", None)
    for name in absent or ():
        said.pop(name, None)
    recorded = known + timedelta(days=15 if revised else 9, minutes=10)
    blinding = "allocation_revealing" if set(said.get("suspect", ())) - {"procedure", "device"} else "open"
    local_id = f"AE{number}"
    return person.make("adverse_event", local_id, recorded, said, absent=absent, blinding=blinding, revised=revised)


def trial(case: Case, start: datetime, end: datetime, left_at: datetime | None) -> list[Record]:
    """What befell a treated trial person: the complication of the act, a flare afterwards, why somebody left."""
    person, found = case.person, []
    code = complication(case.number)
    if code:
        words, minutes = _DURING[code]
        over = end + timedelta(minutes=minutes)
        told = person.at(over) if minutes < 60 else f"{over:%Y-%m-%d}"
        found.append(event(person, "P2", end, end, ae_term=words, ae_code=code, end_at=told))
    if case.number % 5 == 2:
        flare: Record = {
            "ae_term": "more pain in the buttock than before",
            "ae_code": "pain_flare",
            "relatedness": "probable",
            "suspect": ["procedure", "dextrose"] if case.arm == "A1" else ["procedure"],
            "treatment_given": "cold pack, paracetamol",
            "end_at": f"{end + timedelta(days=3):%Y-%m-%d}",
        }
        if case.number % 2 == 0:
            flare["revised"] = ("amended", "End of the event added")
        found.append(event(person, "P2", end + timedelta(hours=7), end + timedelta(days=1), number=2, **flare))
    reason = WITHDRAWAL_REASONS[(case.number - 1) // 20 % len(WITHDRAWAL_REASONS)]
    if left_at is not None and case.fate == "withdrawn" and reason == "adverse_event":
        leaving: Record = {
            "ae_term": "numb outer thigh",
            "ae_code": "temporary_sensory_disturbance",
            "severity": "moderate",
            "grade": 2,
            "relatedness": "possible",
            "expected": False,
            "action_taken": "course_stopped",
            "ae_outcome": "recovering",
            "caused_withdrawal": True,
            "reported_at": person.at(left_at - timedelta(hours=20)),
        }
        found.append(event(person, "P2", left_at - timedelta(days=3), left_at - timedelta(days=1), number=3, **leaving))
    return found
