"""The procedures of the synthetic trial: diagnostic injection, the two treatments, and rescue.

Both arms stand under ultrasound (document 003); agents and strengths beyond `dextrose 10 %` are made up.
It must not know visits or scores beyond the one that shows the immediate response."""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from . import events
from .person import Record, component, target

if TYPE_CHECKING:
    from .enrolments import Case

_ULTRASOUND: dict[str, Any] = {
    "guidance": ["ultrasound"],
    "guidance_realtime": True,
    "probe_type": "curvilinear",
    "probe_mhz": Decimal("5"),
    "image_saved": True,
    "approach": "gluteal",
    "needle_orientation": "in_plane",
    "patient_position": "prone",
    "skin_prep": "chlorhexidine",
    "ae_assessed": True,
    "complications": ["none"],
}


def _common(case: Case, number: str, purpose: str, start: datetime, end: datetime) -> Record:
    dice, person = case.person.dice, case.person
    operator = 1 + dice.randrange(3)
    return _ULTRASOUND | {
        "guidance": ["ultrasound"],
        "complications": ["none"],
        "procedure_id": number,
        "course_id": f"C{number[1:]}",
        "session_number": 1,
        "sessions_planned": 1,
        "purpose": purpose,
        "indication": f"{'PS' if purpose == 'diagnostic' else 'GM'}-{case.side[0].upper()}",
        "performed_status": "completed",
        "started_at": person.at(start),
        "ended_at": person.at(end),
        "operator_id": f"OP{operator}",
        "operator_role": ("physiatrist", "pain_specialist", "physician")[operator - 1],
        "operator_experience": 4 * operator,
        "procedural_pain_nrs": dice.randint(1, 6),
    }


def diagnostic(case: Case, start: datetime, end: datetime, response: str, evidence: Record) -> Record:
    """P1: the piriformis injection that decides on eligibility. Its agent is not always in the source."""
    person, dice = case.person, case.person.dice
    body = _common(case, "P1", "diagnostic", start, end) | {
        "technique": "diagnostic_injection",
        "needle_gauge": 22,
        "needle_mm": Decimal("80"),
        "needle_kind": "spinal",
        "needle_entries": 1,
        "immediate_response": response or "not_assessed",
        "planned_follow_up": ["h1"],
    }
    if response:
        body["immediate_response_evidence"] = evidence["record_id"]
    absent = None
    volume: dict[str, Any] = {}
    if dice.random() < 0.15:
        body["injectate_stated"] = False
        absent = {"injectate_components": "not_in_source"}
    else:
        volume = {"volume_ml": "3.0"}
        agent, strength = ("procaine", "1.0") if case.lidocaine_allergy else ("lidocaine", "1")
        part = component("local_anaesthetic", agent, strength, ml="3.0", lot=f"LA-{dice.randint(1000, 9999)}")
        body |= {
            "injectate_stated": True,
            "injectate_total_ml": Decimal("3.0"),
            "injectate_components": [part],
        }
    body["targets"] = [target(1, "muscle", "piriformis", "gluteal", case.side, **volume)]
    recorded = end + timedelta(minutes=100)
    return person.make("procedure", "P1", recorded, body, absent=absent)


def treatment(case: Case, arm: str, start: datetime, end: datetime, response: str, evidence: Record | None) -> Record:
    """P2: the trial treatment of an arm."""
    dice = case.person.dice
    body = _common(case, "P2", "therapeutic", start, end) | {
        "therapy_role": dice.choice(("primary", "alternative", "adjunct")),
        "immediate_response": response,
        "equipment_advice": ["none"],
        "downtime_days": (downtime := dice.choice((0, 1, 1, 2, 3))),
        "return_activity_date": (start + timedelta(days=downtime + 1)).strftime("%Y-%m-%d"),
        "planned_follow_up": ["h1", "w1", "m1", "m3"],
        "treatment_alias": f"KIT-{dice.randrange(1000):03d}",
    }
    if evidence is not None and response != "not_assessed":
        body["immediate_response_evidence"] = evidence["record_id"]
    if seen := events.complication(case.number):
        body["complications"] = [seen]
    if dice.random() < 0.08:
        body["deviations"] = ["second_needle_entry"]
    body |= _hydrodissection(case, start) if arm == "A1" else _dry_needling(case)
    revised = ("corrected", "Needle details corrected from the source sheet") if case.number % 17 == 0 else None
    return case.person.make(
        "procedure", "P2", end + timedelta(hours=2), body, blinding="allocation_revealing", revised=revised
    )


def rescue(case: Case, start: datetime) -> Record:
    """P3: the other arm's treatment, given because pain came back (scenario S05 b)."""
    end = start + timedelta(minutes=15)
    body = _common(case, "P3", "rescue", start, end) | {"therapy_role": "adjunct"}
    body |= _hydrodissection(case, start) if case.arm == "A2" else _dry_needling(case)
    recorded = end + timedelta(hours=2)
    return case.person.make("procedure", "P3", recorded, body, blinding="allocation_revealing")


def _hydrodissection(case: Case, start: datetime) -> Record:
    """Dextrose 10 % between gluteus maximus and piriformis."""
    dice = case.person.dice
    layers = dice.randint(4, 7)
    thick = dice.randint(20, 32)
    volume = dice.choice(("8.0", "10.0", "10.0", "10.0", "12.0"))
    expiry = f"{start.year + 1}-{dice.randint(1, 12):02d}"
    mixed = component("dextrose", "dextrose", "10", ml=volume, lot=f"D10-{dice.randint(1000, 9999)}", expiry=expiry)
    skin: Record = {}
    if not case.lidocaine_allergy and dice.random() < 0.4:
        skin["skin_anaesthetic"] = component(
            "local_anaesthetic", "lidocaine", "1", ml="0.5", lot="LS-0417", expiry=f"{start.year + 1}"
        )
    plane = target(
        1,
        "fascial_plane",
        "gluteus_maximus",
        "gluteal",
        case.side,
        pathology=["adhesion", "thickening"],
        plane_superficial="gluteus_maximus",
        plane_deep="piriformis",
        layers_before=layers,
        layers_after=dice.randint(2, 3),
        fascia_mm_before=f"{thick / 10:.1f}",
        fascia_mm_after=f"{thick / 10 - 0.35:.2f}",
        gliding_before=dice.choice(("reduced", "absent")),
        gliding_after=dice.choice(("free", "free", "reduced")),
        separation_achieved=dice.choice(("full", "full", "partial")),
        extent_cm2=f"{dice.randint(80, 240) / 10:.1f}",
        volume_ml=volume,
    )
    return {
        "technique": "interfascial_hydrodissection",
        "technique_verbatim": "US-guided interfascial hydrodissection",
        "needle_gauge": dice.choice((21, 22, 22)),
        "needle_mm": Decimal("80"),
        "needle_kind": "spinal",
        "needle_entries": dice.choice((1, 1, 2)),
        "injectate_stated": True,
        "injectate_total_ml": Decimal(volume),
        "injectate_components": [mixed],
        "targets": [plane],
        **skin,
    }


def _dry_needling(case: Case) -> Record:
    """Dry needling of the gluteus maximus, with no injectate."""
    dice = case.person.dice
    return {
        "technique": "dry_needling",
        "needle_mm": Decimal("60"),
        "needle_kind": "filiform",
        "needle_diameter_mm": Decimal("0.30"),
        "needle_entries": dice.randint(2, 5),
        "needle_passes": dice.randint(10, 40),
        "twitch_response": dice.random() < 0.7,
        "targets": [target(1, "trigger_point", "gluteus_maximus", "gluteal", case.side, pathology=["adhesion"])],
    }
