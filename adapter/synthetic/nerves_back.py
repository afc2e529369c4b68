"""Registry stories of nerves of the back (document 000): a course of sessions each."""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal

from .clinic import not_performed, series, session, subject
from .person import Person, Record, component, target, working_day

_LATER = ("immediate", "h1", "w1", "m1", "m3")


def dorsal_scapular(person: Person, day: datetime) -> list[Record]:
    """Both sides, a course of three sessions of which the last was refused; the first known by month (S03).

    The source says `saline` and no strength.
    """
    dice = person.dice
    second = working_day(day + timedelta(days=70)).replace(hour=10, minute=20)
    month = day.strftime("%Y-%m")
    condition = {
        "condition_id": "DSN",
        "condition_code": "dorsal_scapular_neuropathy",
        "body_site": "scapular",
        "laterality": "bilateral",
        "onset": str(day.year - 2),
        "diagnosis_basis": "imaging",
        "pain_component": "mixed",
        "symptoms": ["tenderness", "stiffness"],
    }

    def targets(*, done: bool) -> list[Record]:
        found = []
        for number, side, layers, after in ((1, "left", 5, 3), (2, "right", 6, 2)):
            plane: Record = {
                "plane_superficial": "trapezius",
                "plane_deep": "rhomboid",
                "layers_before": layers,
            }
            rest: Record = {"layers_after": after, "separation_achieved": "partial", "volume_ml": "6.0"} if done else {}
            found.append(target(number, "nerve", "dorsal_scapular_nerve", "scapular", side, **plane, **rest))
        return found

    course: Record = {"sessions_planned": 3, "indication": "DSN", "technique": "nerve_hydrodissection"}
    saline: Record = {
        "injectate_stated": True,
        "injectate_total_ml": Decimal("12.0"),
        "injectate_components": [component("saline", "sodium_chloride", ml="12.0")],
        "approach": "scapular",
        "patient_position": "prone",
    }
    strength = {"injectate_components.1.conc_value": "not_in_source"}
    cancelled: Record = {"performed_status": "not_done", "not_done_reason": "refused"}
    planned = (second + timedelta(days=90)).strftime("%Y-%m")
    last = second + timedelta(days=130)
    scores = []
    for number, side in ((1, "left"), (2, "right")):
        first = dice.randint(6, 9)
        place = ("scapular", side)
        scores.append(
            person.score(
                "P1",
                "baseline",
                second,
                first,
                place=place,
                target=number,
                assessed_at=month,
                mode="chart_review",
            )
        )
        middle = max(2, first - 3)
        scores += series(person, "P2", second, _LATER, place, before=middle, target=number)
    return [
        subject(person, second, [condition]),
        session(person, 1, month, second, absent=strength, **course, **saline, targets=targets(done=True)),
        session(
            person,
            2,
            second,
            second + timedelta(hours=1),
            absent=strength,
            **course,
            **saline,
            targets=targets(done=True),
        ),
        session(
            person,
            3,
            planned,
            last,
            absent=not_performed("not_done"),
            **course,
            **cancelled,
            targets=targets(done=False),
        ),
        *scores,
    ]


def cluneal(person: Person, day: datetime) -> list[Record]:
    """A course for low back pain: better after one session, a side corrected, one session planned (S09)."""
    dice = person.dice
    side = dice.choice(("left", "right"))
    days = [working_day(day + timedelta(days=gap)).replace(hour=9, minute=40) for gap in (0, 35)]
    condition = {
        "condition_id": "CLN",
        "condition_code": "cluneal_neuropathy",
        "body_site": "low_back",
        "laterality": side,
        "duration_months": Decimal(dice.randint(6, 60)),
        "diagnosis_basis": "clinical",
        "pain_component": "neuropathic",
        "aggravators": ["sitting", "movement"],
    }
    tried = [
        {"therapy": "invasive_procedure", "response": "none", "period_start": str(day.year - 1)},
        {"therapy": "other", "therapy_text": "Osteopathic treatment", "response": "partial"},
    ]
    course: Record = {"sessions_planned": 4, "indication": "CLN", "technique": "nerve_hydrodissection"}
    nerve = target(1, "nerve", "cluneal_nerve", "low_back", side, pathology=["entrapment"])
    mixed = [component("dextrose", "dextrose", "5", ml="10.0", lot="D5-3310", expiry="2027-01-31")]
    injected: Record = {
        "injectate_stated": True,
        "injectate_total_ml": Decimal("10.0"),
        "injectate_components": mixed,
        "targets": [nerve | {"volume_ml": Decimal("10.0")}],
        "needle_gauge": 25,
        "needle_mm": Decimal("50"),
        "needle_kind": "hypodermic",
    }
    corrected = ("corrected", "Side corrected from right to left" if side == "left" else "Side corrected")
    planned = (days[1] + timedelta(days=60)).strftime("%Y-%m-%d")
    place = ("low_back", side)
    first = series(person, "P1", days[0], ("h1", "w1", "w4"), place)
    return [
        subject(person, days[0], [condition], prior_therapies=tried, allergies=["triamcinolone"]),
        session(person, 1, days[0], days[0] + timedelta(hours=3), **course, **injected, minutes=12),
        session(
            person,
            2,
            days[1],
            days[1] + timedelta(days=2),
            revised=corrected,
            **course,
            **injected,
            minutes=15,
        ),
        session(
            person,
            3,
            planned,
            days[1] + timedelta(days=2),
            absent=not_performed("not_applicable"),
            status="draft",
            **course,
            performed_status="planned",
            targets=[nerve],
        ),
        *first,
        *series(person, "P2", days[1], _LATER, place, before=5),
    ]
