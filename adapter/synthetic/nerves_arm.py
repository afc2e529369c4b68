"""Registry stories of the median and ulnar nerve (document 000), with nerve area, VAS and tunnels."""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal

from . import function
from .clinic import series, session, subject, when
from .person import Person, Record, component, target, working_day

_LATER = ("immediate", "h1", "w1", "m1", "m3")


def carpal_tunnel(person: Person, day: datetime) -> list[Record]:
    """Both wrists with dextrose 5 %, 5 mL each: two targets, nerve area measured, splint advised (S10)."""
    dice = person.dice
    start = working_day(day).replace(hour=11, minute=5)
    condition = {
        "condition_id": "CTS",
        "condition_code": "carpal_tunnel",
        "body_site": "hand",
        "laterality": "bilateral",
        "onset": (day - timedelta(days=500)).strftime("%Y-%m"),
        "diagnosis_basis": "electrodiagnostic",
        "pain_component": "neuropathic",
        "symptoms": ["numbness", "tingling"],
        "aggravators": ["movement"],
    }
    wrists = []
    scores: list[Record] = []
    for number, side in ((1, "left"), (2, "right")):
        area = Decimal(dice.randint(120, 180)) / 10
        wrists.append(
            target(
                number,
                "nerve",
                "median_nerve",
                "wrist",
                side,
                entrapment_site="carpal_tunnel",
                pathology=["entrapment", "nerve_irritation"],
                nerve_csa_before=str(area),
                nerve_csa_after=str(area - Decimal("1.8")),
                gliding_before="reduced",
                gliding_after="free",
                volume_ml="5.0",
            )
        )
        place = ("hand", side)
        scores += series(person, "P1", start, _LATER, place, target=number)
        vas = Decimal(dice.randint(45, 85))
        night: Record = {
            "instrument": "vas_0_100_mm",
            "context": "worst",
            "recall_period": "24h",
            "target": number,
        }
        paper: Record = {"mode": "paper", "assessor_id": person.subject_id, "assessor_role": "self_report"}
        scores.append(person.score("P1", "baseline", start, vas, place=place, **night, **paper))
        scores.append(person.score("P1", "m1", start + timedelta(days=30), vas - 31, place=place, **night, **paper))
    act = session(
        person,
        1,
        start,
        start + timedelta(hours=2),
        sessions_planned=1,
        therapy_role="before_surgery",
        indication="CTS",
        technique="nerve_hydrodissection",
        guidance_realtime=True,
        probe_type="hockey_stick",
        probe_mhz=Decimal("15"),
        approach=dice.choice(("proximal", "distal")),
        needle_orientation="in_plane",
        nerve_axis=dice.choice(("short_axis", "long_axis")),
        needle_gauge=27,
        needle_mm=Decimal("38"),
        needle_kind="hypodermic",
        needle_entries=2,
        injectate_stated=True,
        injectate_total_ml=Decimal("10.0"),
        injectate_components=[component("dextrose", "dextrose", "5", ml="10.0")],
        equipment_advice=["splint"],
        planned_follow_up=["h1", "w1", "m1", "m3"],
        targets=wrists,
        minutes=18,
    )
    return [subject(person, start, [condition]), act, *scores, *_hands(person, start)]


def _hands(person: Person, start: datetime) -> list[Record]:
    """The Boston questionnaire of both hands, symptoms as a mean and function as a sum; motor latency of each."""
    dice = function.dice_of(person, "hands")
    found = []
    for code, left in (("baseline", 0.55), ("m3", 0.25)):
        at = when(code, start)
        symptoms = function.answered(dice, "bctq_sss", left, scoring_version="mean")
        hand = function.answered(dice, "bctq_fss", left, scoring_version="sum")
        found.append(function.result(person, "P1", code, at, "bctq_sss", **symptoms))
        found.append(function.result(person, "P1", code, at, "bctq_fss", **hand))
        for number, side in ((1, "left"), (2, "right")):
            latency = Decimal(round(38 + 16 * left) + dice.randint(0, 4)) / 10
            measured: Record = {"ncs_measure": "dml", "domain": "nerve_function", "target_no": number}
            found.append(function.result(person, "P1", code, at, "ncs", latency, place=("wrist", side), **measured))
    return found


def cubital_tunnel(person: Person, day: datetime) -> list[Record]:
    """One elbow; VAS in centimetres beside the NRS; given up half-way because it was not tolerated."""
    dice = person.dice
    start = working_day(day).replace(hour=14, minute=30)
    condition = {
        "condition_id": "CUB",
        "condition_code": "cubital_tunnel",
        "body_site": "finger",
        "laterality": "right",
        "diagnosis_basis": "electrodiagnostic",
        "symptoms": ["numbness", "weakness"],
    }
    mixed = [
        component("saline", "sodium_chloride", "0.9", ml="3.50"),
        component("hyaluronidase", "hyaluronidase", ml="1.00"),
    ]
    elbow = target(
        1,
        "nerve",
        "ulnar_nerve",
        "elbow",
        "right",
        entrapment_site="cubital_tunnel",
        nerve_csa_before="11.5",
        separation_achieved="partial",
        volume_ml="4.50",
    )
    act = session(
        person,
        1,
        start,
        start + timedelta(hours=2),
        absent={"injectate_components.2.conc_value": "not_in_source"},
        indication="CUB",
        technique="nerve_hydrodissection",
        performed_status="partial",
        not_done_reason="not_tolerated",
        operator_role="trainee",
        operator_experience=1,
        injectate_stated=True,
        injectate_total_ml=Decimal("4.50"),
        injectate_components=mixed,
        procedural_pain_nrs=8,
        equipment_advice=["brace"],
        targets=[elbow],
        minutes=9,
    )
    place = ("finger", "right")
    centimetres: Record = {"instrument": "vas_0_10_cm", "context": "average", "recall_period": "7d"}
    before = Decimal(dice.randint(60, 85)) / 10
    scores = series(person, "P1", start, ("h1", "w1", "m1"), place)
    scores.append(person.score("P1", "baseline", start, before, place=place, **centimetres))
    after = before - Decimal("2.1")
    scores.append(person.score("P1", "m1", start + timedelta(days=31), after, place=place, **centimetres))
    dice = function.dice_of(person, "hand")
    for code, left in (("baseline", 0.5), ("m1", 0.35)):
        at = when(code, start)
        speed = Decimal(46 - round(14 * left) + dice.randint(-1, 1))
        scores += [
            function.result(person, "P1", code, at, "quickdash", **function.answered(dice, "quickdash", left)),
            function.result(person, "P1", code, at, "quickdash", Decimal("62.5"), subscale="work"),
            function.result(person, "P1", code, at, "ncs", speed, place=("elbow", "right"), ncs_measure="sncv"),
        ]
    return [subject(person, start, [condition], weight_kg=Decimal("81.0")), act, *scores]
