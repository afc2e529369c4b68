"""Registry stories of fascia in and between muscles (documents 000, 001), and one of everything unusual."""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal

from . import events, function
from .clinic import series, session, subject, when
from .person import Person, Record, component, target, working_day

_LATER = ("immediate", "h1", "w1", "m1", "m3")
REGIONS = (  # where document 000 says hydrorelease is done most: structure, region, body site
    ("neck_muscles", "neck", "neck"),
    ("trapezius", "upper_back", "upper_back"),
    ("pectoral", "chest", "chest"),
    ("biceps_brachii", "upper_arm", "upper_arm"),
    ("forearm_muscles", "forearm", "forearm"),
    ("back_muscles", "mid_back", "mid_back"),
    ("erector_spinae", "low_back", "low_back"),
    ("gluteus_medius", "gluteal", "gluteal"),
    ("quadriceps", "thigh", "thigh"),
    ("triceps_surae", "calf", "calf"),
    ("foot_muscles", "foot", "foot"),
)


def _condition(key: str, code: str, site: str, side: str) -> Record:
    return {"condition_id": key, "condition_code": code, "body_site": site, "laterality": side}


def hamstring(person: Person, day: datetime) -> list[Record]:
    """A wide hydrorelease, fluid not named; no pain at rest before, some after; a sleeve (S08 b)."""
    start = working_day(day).replace(hour=16)
    side = person.dice.choice(("left", "right"))
    wide = target(
        1,
        "muscle",
        "hamstrings",
        "thigh",
        side,
        pathology=["adhesion", "fascial_injury"],
        layers_before=5,
        layers_after=2,
        fascia_mm_before="3.1",
        fascia_mm_after="2.40",
        extent_cm2="120.0",
    )
    act = session(
        person,
        1,
        start,
        start + timedelta(hours=1),
        absent={"injectate_components": "not_in_source"},
        indication="HAM",
        technique="fascial_hydrorelease",
        needle_entries=4,
        operator_role="sports_physician",
        injectate_stated=False,
        equipment_advice=["hamstring_sleeve", "taping"],
        downtime_days=3,
        return_activity_date=(start + timedelta(days=4)).strftime("%Y-%m"),
        targets=[wide],
        minutes=22,
    )
    place = ("hamstrings", side)
    pain = _condition("HAM", "myofascial_pain_syndrome", "hamstrings", side)
    rest = [
        person.score("P1", code, start + timedelta(days=days), score, place=place, context="rest")
        for code, days, score in (("baseline", 0, 0), ("w1", 7, 2))
    ]
    dice = function.dice_of(person, "leg")
    legs = [
        function.result(person, "P1", code, when(code, start), "lefs", **function.answered(dice, "lefs", able))
        for code, able in (("baseline", 0.6), ("w1", 0.7), ("m3", 0.9))
    ]
    return [subject(person, start, [pain]), act, *series(person, "P1", start, _LATER, place), *rest, *legs]


def chart_review(person: Person, day: datetime) -> list[Record]:
    """Retrospective; saline of unstated strength; a follow-up score without a baseline (S08 a)."""
    dice = person.dice
    side = dice.choice(("left", "right"))
    year = str(day.year - 1)
    act = session(
        person,
        1,
        year,
        day + timedelta(hours=9),
        absent={
            "injectate_components.1.conc_value": "not_in_source",
            "injectate_components.1.volume_ml": "not_in_source",
            "injectate_total_ml": "not_in_source",
            "operator_id": "not_in_source",
        },
        therapy_role="alternative",
        indication="MPS",
        technique="myofascial_hydrodissection",
        guidance_realtime=True,
        injectate_stated=True,
        injectate_components=[component("saline", "sodium_chloride")],
        targets=[target(1, "fascial_plane", "trapezius", "upper_back", side, separation_achieved="full")],
    )
    tool: Record = {
        "instrument": "unspecified_validated",
        "mode": "chart_review",
        "assessor_role": "clinician",
    }
    score = person.score(
        "P1",
        "m3",
        day,
        dice.randint(1, 3),
        place=("upper_back", side),
        target=None,
        context="current",
        absent={"assessor_id": "not_in_source"},
        assessed_at=year,
        pct_relief_reported=Decimal("70"),
        **tool,
    )
    pain = _condition("MPS", "myofascial_pain_syndrome", "upper_back", side) | {
        "duration_months": Decimal("18.5"),
        "symptoms": ["trigger_point", "taut_band", "tenderness"],
        "aggravators": ["palpation"],
    }
    tried = [
        {"therapy": "physical_therapy", "response": "partial", "period_start": str(day.year - 3)},
        {"therapy": "medication", "response": "none"},
        {"therapy": "invasive_procedure", "response": "none"},
    ]
    return [subject(person, day + timedelta(hours=9), [pain], prior_therapies=tried), act, score]


def regions(person: Person, day: datetime) -> list[Record]:
    """Hydrorelease of two muscles of one painful area, by turns in every region document 000 names."""
    dice = person.dice
    start = working_day(day).replace(hour=9, minute=15)
    structure, region, site = REGIONS[(int(person.subject_id[-4:]) // 10) % len(REGIONS)]
    side = dice.choice(("left", "right"))
    extent = f"{dice.randint(150, 600) / 10:.1f}"
    targets = [
        target(1, "muscle", structure, region, side, pathology=["thickening"], extent_cm2=extent, volume_ml="8.0"),
        target(2, "fascial_plane", "fascia", region, side, layers_before=5, layers_after=2, volume_ml="6.0"),
    ]
    act = session(
        person,
        1,
        start,
        start + timedelta(hours=2),
        indication="MPS",
        technique="fascial_hydrorelease",
        probe_type="linear",
        probe_mhz=Decimal("12"),
        patient_position="lateral",
        needle_gauge=23,
        needle_mm=Decimal("60"),
        needle_kind="hypodermic",
        needle_entries=3,
        injectate_stated=True,
        injectate_total_ml=Decimal("14.0"),
        injectate_components=[component("saline", "sodium_chloride", "0.9", ml="14.0")],
        equipment_advice=["none"],
        downtime_days=dice.randint(0, 2),
        targets=targets,
        minutes=17,
    )
    pain = _condition("MPS", "myofascial_pain_syndrome", site, side)
    more = _condition("CP", "chronic_pain", site, side) | {"coexists_with": "MPS"}
    scores = series(person, "P1", start, _LATER, (site, side))
    return [subject(person, start, [pain, more]), act, *scores]


def unusual(person: Person, day: datetime) -> list[Record]:
    """Words where no code fits, landmarks instead of imaging, an act given up, a patient who died later."""
    start = working_day(day).replace(hour=13)
    died = (start + timedelta(days=400)).strftime("%Y-%m")
    pain = {
        "condition_id": "OTH",
        "condition_code": "other",
        "condition_text": "Pain after hernia repair",
        "body_site": "other",
        "body_site_text": "Groin",
        "laterality": "right",
        "symptoms": ["tenderness"],
    }
    act = session(
        person,
        1,
        start,
        start + timedelta(days=1),
        indication="OTH",
        technique="other",
        technique_verbatim="Release of a scar with saline by palpation",
        performed_status="abandoned",
        not_done_reason="target_not_visible",
        guidance=["landmark"],
        guidance_realtime=False,
        needle_gauge=25,
        needle_mm=Decimal("40"),
        needle_kind="hypodermic",
        injectate_stated=True,
        injectate_total_ml=Decimal("1.5"),
        injectate_components=[component("saline", "sodium_chloride", "9", "mg_per_ml", ml="1.5")],
        immediate_response="not_assessed",
        ae_assessed=False,
        deviations=["no_image", "stopped_early"],
        targets=[target(1, "scar", "scar_tissue", "hip", "right", pathology=["scar"], volume_ml="1.5")],
        minutes=6,
    )
    groin: Record = {"body_site_text": "Groin", "place": ("other", "right")}
    scores = [
        person.score("P1", "baseline", start - timedelta(minutes=20), 6, **groin),
        person.score("P1", "h1", start + timedelta(minutes=66), 6, **groin),
        person.score("P1", "w1", start + timedelta(days=7), 4, **groin | {"mode": "phone"}),
        person.score("P1", "m1", start + timedelta(days=30), None, **groin, missing="lost"),
    ]
    person_record = subject(
        person,
        start + timedelta(days=430),
        [pain],
        birth_year=start.year - 81,
        deceased_at=died,
        anticoagulant="stopped",
        absent={"sex": "not_in_source"},
        prior_therapies=[{"therapy": "surgery", "response": "partial", "period_start": str(start.year - 4)}],
    )
    content = [
        function.result(person, "P1", "w1", start + timedelta(days=7), tool, Decimal(value), mode="phone", **groin)
        for tool, value in (("pgic", 3), ("satisfaction", 6))
    ]
    later = start + timedelta(days=420)
    death = events.event(
        person,
        "P1",
        later,
        later + timedelta(days=2),
        ae_term="stroke",
        ae_code="other",
        onset_at=died,
        end_at=died,
        severity="severe",
        grade=5,
        serious=True,
        serious_criteria=["death"],
        relatedness="unrelated",
        ae_outcome="fatal",
        reported_at=person.at(later + timedelta(days=2, hours=3)),
        absent={"expected": "not_applicable"},
    )
    return [person_record, act, *scores, *content, death]
