"""What the stories of registry patients share: the subject, a session, a series of scores.

It must not know any one story.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from . import curves
from .person import Person, Record, add_months, working_day

_AFTER = {
    "immediate": timedelta(minutes=4),
    "h1": timedelta(minutes=62),
    "w1": timedelta(days=7),
    "w4": timedelta(days=28),
}
NOT_PERFORMED = ("guidance", "operator_id", "operator_role", "ae_assessed")


def subject(
    person: Person,
    seen: datetime,
    conditions: list[Record],
    *,
    absent: dict[str, str] | None = None,
    **more: Any,
) -> Record:
    """The patient; `more` adds or replaces fields, those in `absent` are left out."""
    dice = person.dice
    body: Record = {
        "site_id": person.site.site_id,
        "sex": dice.choice(("female", "male", "female", "male", "other")),
        "birth_year": seen.year - dice.randint(24, 78),
        "weight_kg": Decimal(dice.randint(500, 1100)) / 10,
        "height_cm": Decimal(dice.randint(150, 195)),
        "allergies": ["none"],
        "anticoagulant": "none",
        "conditions": conditions,
    }
    body |= more
    for name in absent or ():
        body.pop(name, None)
    return person.make("subject", "", seen, body, absent=absent)


def session(
    person: Person,
    number: int,
    start: datetime | str,
    recorded: datetime,
    *,
    absent: dict[str, str] | None = None,
    revised: tuple[str, str] | None = None,
    status: str = "final",
    minutes: int = 0,
    **body: Any,
) -> Record:
    """One session of the course C1; `start` as text is a partial date. Fields in `absent` are left out."""
    known: Record = {
        "procedure_id": f"P{number}",
        "course_id": "C1",
        "session_number": number,
        "purpose": "therapeutic",
        "performed_status": "completed",
        "started_at": start if isinstance(start, str) else person.at(start),
        "guidance": ["ultrasound"],
        "operator_id": f"OP{1 + person.dice.randrange(4)}",
        "operator_role": "physician",
        "ae_assessed": True,
    }
    if minutes and not isinstance(start, str):
        known["ended_at"] = person.at(start + timedelta(minutes=minutes))
    known |= body
    for name in absent or ():
        known.pop(name, None)
    if known.get("ae_assessed"):
        known.setdefault("complications", ["none"])
    return person.make("procedure", f"P{number}", recorded, known, absent=absent, revised=revised, status=status)


def not_performed(reason: str) -> dict[str, str]:
    """Absent reasons of a session that was not, or not yet, done."""
    return dict.fromkeys((*NOT_PERFORMED, "injectate_stated"), reason)


def when(timepoint: str, end: datetime) -> datetime:
    """When a follow-up takes place, in clinic hours for the later ones."""
    if timepoint == "baseline":
        return end - timedelta(minutes=30)
    if timepoint.startswith("m") and timepoint[1:].isdigit():
        return working_day(add_months(end, int(timepoint[1:])))
    moment = end + _AFTER[timepoint]
    return working_day(moment) if timepoint.startswith("w") else moment


def series(
    person: Person,
    anchor: str,
    end: datetime,
    timepoints: tuple[str, ...],
    place: tuple[str, str],
    *,
    before: int = 0,
    target: int | None = 1,
    **more: Any,
) -> list[Record]:
    """NRS scores before and after a session; `before` 0 lets the dice say how bad it was."""
    dice = person.dice
    before = before or dice.randint(5, 9)
    personal = curves.temperament(dice)
    scores = [person.score(anchor, "baseline", when("baseline", end), before, place=place, target=target, **more)]
    for code in timepoints:
        moment = when(code, end)
        if code not in ("immediate", "h1") and dice.random() < 0.08:
            reason = dice.choice(("lost", "refused", "not_asked"))
            scores.append(person.score(anchor, code, moment, None, place=place, target=target, missing=reason, **more))
            continue
        score = curves.follow_up(dice, before, "registry", code, personal)
        scores.append(person.score(anchor, code, moment, score, place=place, target=target, **more))
    return scores
