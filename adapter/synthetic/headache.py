"""Registry stories of headache (document 002): occipital nerve in migraine, trigeminal in tension type."""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal

from . import diary, events, function
from .clinic import series, session, subject, when
from .person import Person, Record, component, target, working_day

_CURRENT = {"context": "current", "target": 1}


def migraine(person: Person, day: datetime) -> list[Record]:
    """Both greater occipital nerves in an emergency visit, in the night the clocks go back (scenario S11).

    The one-hour score bears the same wall time as the end of the act, and another offset.
    """
    dice = person.dice
    end = datetime(2025, 11, 2, 1, 20)
    start = end - timedelta(minutes=14)
    condition = {
        "condition_id": "MIG",
        "condition_code": "migraine",
        "body_site": "head",
        "laterality": "bilateral",
        "onset": "2012",
        "diagnosis_basis": "ichd3",
        "pain_component": "unknown",
    }
    mixed = [
        component("local_anaesthetic", "lidocaine", "1", ml="2.0"),
        component("corticosteroid", "triamcinolone", "40", "mg_per_ml", ml="0.5"),
        component("saline", "sodium_chloride", "0.9", ml="1.5"),
    ]
    targets = [
        target(
            number,
            "nerve",
            "occipital_nerve",
            "head",
            side,
            level="greater",
            pathology=["nerve_irritation"],
            plane_superficial="semispinalis_capitis",
            plane_deep="obliquus_capitis_inferior",
            volume_ml="2.0",
        )
        for number, side in ((1, "left"), (2, "right"))
    ]
    act = session(
        person,
        1,
        start,
        end + timedelta(hours=3),
        therapy_role="adjunct",
        indication="MIG",
        technique="nerve_hydrodissection",
        ended_at=person.at(end),
        guidance_realtime=True,
        probe_type="linear",
        probe_mhz=Decimal("12"),
        approach="c2_level",
        needle_orientation="in_plane",
        operator_role="neurologist",
        operator_experience=11,
        patient_position="sitting",
        skin_prep="alcohol",
        injectate_stated=True,
        injectate_total_ml=Decimal("4.0"),
        injectate_components=mixed,
        immediate_response="partial",
        targets=targets,
    )
    scores = []
    for number, side in ((1, "left"), (2, "right")):
        before = dice.randint(6, 9)
        told: Record = {"place": ("head", side), "context": "current", "target": number}
        scores.append(person.score("P1", "baseline", start - timedelta(minutes=10), before, **told))
        scores.append(person.score("P1", "h1", end.replace(fold=1), before - dice.randint(2, 5), **told))
        scores.append(person.score("P1", "w1", end + timedelta(days=7, hours=9), before - 3, **told))
    tried = [{"therapy": "medication", "response": "partial", "period_start": "2019"}]
    numb = events.event(
        person,
        "P1",
        end + timedelta(minutes=20),
        end + timedelta(minutes=25),
        ae_term="numb back of the head",
        ae_code="temporary_sensory_disturbance",
        suspect=["procedure", "lidocaine"],
        end_at=f"{end:%Y-%m-%d}",
    )
    days = diary.around(person, datetime(2025, 11, 1), datetime(2025, 11, 3), migraine=True, share=0.36)
    first = subject(person, end, [condition], prior_therapies=tried)
    return [first, act, *scores, *impact(person, "P1", end, 0.72), numb, *days]


def impact(person: Person, anchor: str, end: datetime, share: float) -> list[Record]:
    """HIT-6 with its items before and a month later, MIDAS, which looks back three months, before and after."""
    dice = function.dice_of(person, "impact")
    found = []
    for code, left in (("baseline", share), ("m1", share / 2), ("m3", share / 2)):
        at = when(code, end)
        if code != "m3":
            found.append(function.result(person, anchor, code, at, "hit6", **function.answered(dice, "hit6", left)))
        if code != "m1":
            found.append(
                function.result(person, anchor, code, at, "midas", Decimal(round(60 * left) + dice.randint(0, 9)))
            )
    return found


def tension_type(person: Person, day: datetime) -> list[Record]:
    """Trigeminal nerve, branch not stated: first unnamed agents under MRI, then named ones.

    The second session is that of scenario S12 without its reaction.
    """
    dice = person.dice
    days = [working_day(day + timedelta(days=gap)).replace(hour=13) for gap in (0, 42)]
    condition = {
        "condition_id": "TTH",
        "condition_code": "tension_type_headache",
        "body_site": "head",
        "laterality": "right",
        "duration_months": Decimal(dice.randint(8, 96)),
        "diagnosis_basis": "ichd3",
        "pain_component": "mixed",
    }
    unnamed = [component("local_anaesthetic", "unspecified"), component("corticosteroid", "unspecified")]
    absent = {"injectate_total_ml": "not_in_source"}
    for number in (1, 2):
        absent |= {f"injectate_components.{number}.{x}": "not_in_source" for x in ("conc_value", "volume_ml")}
    named = [
        component("local_anaesthetic", "bupivacaine", "0.25", ml="2.0", lot="BU-118", expiry="2027"),
        component("corticosteroid", "betamethasone", "6", "mg_per_ml", ml="0.5"),
        component("saline", "sodium_chloride", "0.9", ml="2.5"),
    ]
    nerve = target(1, "nerve", "trigeminal_nerve", "face", "right")
    course: Record = {
        "sessions_planned": 2,
        "therapy_role": "alternative",
        "indication": "TTH",
        "technique": "nerve_hydrodissection",
        "operator_role": "pain_specialist",
        "patient_position": "supine",
        "injectate_stated": True,
    }
    first = session(
        person,
        1,
        days[0],
        days[0] + timedelta(hours=2),
        absent=absent,
        **course,
        guidance=["mri"],
        injectate_components=unnamed,
        targets=[nerve],
        minutes=35,
    )
    second = session(
        person,
        2,
        days[1],
        days[1] + timedelta(hours=2),
        **course,
        injectate_total_ml=Decimal("5.0"),
        injectate_components=named,
        needle_gauge=30,
        needle_mm=Decimal("25.0"),
        targets=[nerve | {"volume_ml": Decimal("5.0")}],
        minutes=12,
    )
    side = ("head", "right")
    scores = series(person, "P1", days[0], ("h1", "w1", "m1"), side, context="worst", recall_period="7d")
    forehead = person.score(
        "P2",
        "h1",
        days[1] + timedelta(hours=1),
        1,
        place=("face", "right"),
        context="current",
        site_relation="referred",
    )
    scores += series(person, "P2", days[1], ("h1", "w1", "m3"), side, context="worst", recall_period="7d")
    entries = diary.around(person, days[0] - timedelta(days=1), days[0] + timedelta(days=1), migraine=False, share=0.45)
    told = [*scores, forehead, *impact(person, "P1", days[0], 0.5)]
    return [subject(person, days[0], [condition]), first, second, *told, *entries]
