"""One filled, valid, synthetic example per record kind; together they tell one story (scenario S01, first
week).

A woman with piriformis syndrome beside gluteal myofascial pain is enrolled, randomised to interfascial
dextrose, and scored one week later. All people, sites and numbers are made up.
"""

from __future__ import annotations

from copy import deepcopy
from decimal import Decimal
from typing import Any

from .samples_outcomes import (
    ADVERSE_EVENT,
    DERIVED_MEASURE,
    FUNCTION_OUTCOME,
    HEADACHE_DAY,
    HEADACHE_PERIOD,
    PAIN_OUTCOME,
)
from .samples_study import STUDY

SUBJECT = {
    "subject_id": "HD-0017",
    "site_id": "TR-IST-01",
    "sex": "female",
    "birth_year": 1984,
    "weight_kg": Decimal("72.5"),
    "height_cm": Decimal("168"),
    "allergies": ["none"],
    "anticoagulant": "none",
    "conditions": [
        {
            "condition_id": "PS-L",
            "condition_code": "piriformis_syndrome",
            "body_site": "gluteal",
            "laterality": "left",
            "onset": "2024-11",
            "duration_months": Decimal("15"),
            "diagnosis_basis": "diagnostic_injection",
            "pain_component": "mixed",
            "symptoms": ["tenderness", "tingling"],
            "aggravators": ["sitting", "palpation"],
            "coexists_with": "GM-L",
        },
        {
            "condition_id": "GM-L",
            "condition_code": "gluteus_maximus_mps",
            "body_site": "gluteal",
            "laterality": "left",
            "symptoms": ["taut_band"],
            "coexists_with": "PS-L",
        },
    ],
    "prior_therapies": [
        {"therapy": "medication", "response": "partial", "period_start": "2025-01", "period_end": "2025-11"},
        {"therapy": "physical_therapy", "response": "none", "period_start": "2025"},
    ],
}

ENROLMENT = {
    "subject_id": "HD-0017",
    "study_id": "HD-PS-01",
    "screened_at": "2026-02-16T10:35:00+03:00",
    "eligibility_results": [
        {
            "criterion_id": "INC-1",
            "met": True,
            "value": Decimal("62.5"),
            "evidence_id": "0b6c1e0e-51f2-5a3c-9b1e-2f6f0a9d7c11",
            "evidence_version": 1,
        },
        {"criterion_id": "EXC-1", "met": False},
    ],
    "consent_at": "2026-02-16T08:50:00+03:00",
    "consent_version": "2.0",
    "consent_scope": ["treatment", "data_use", "follow_up"],
    "randomised_at": "2026-02-18T09:30:00+03:00",
    "randomisation_no": "R-0041",
    "stratum": "female",
    "assigned_arm": "A1",
    "actual_arm": "A1",
    "status_history": [
        {"status": "screening", "at": "2026-02-16T09:00:00+03:00"},
        {"status": "eligible", "at": "2026-02-16T10:40:00+03:00"},
        {"status": "on_study", "at": "2026-02-18T09:30:00+03:00"},
        {"status": "on_intervention", "at": "2026-02-18T10:15:00+03:00", "reason": "first session"},
    ],
}

PROCEDURE = {
    "procedure_id": "P2",
    "subject_id": "HD-0017",
    "study_id": "HD-PS-01",
    "course_id": "C1",
    "session_number": 1,
    "sessions_planned": 1,
    "purpose": "therapeutic",
    "therapy_role": "alternative",
    "indication": "PS-L",
    "technique": "interfascial_hydrodissection",
    "technique_verbatim": "US-guided interfascial hydrodissection",
    "performed_status": "completed",
    "started_at": "2026-02-18T10:15:00+03:00",
    "ended_at": "2026-02-18T10:27:00+03:00",
    "guidance": ["ultrasound"],
    "guidance_realtime": True,
    "probe_type": "curvilinear",
    "probe_mhz": Decimal("5"),
    "image_saved": True,
    "approach": "gluteal",
    "needle_orientation": "in_plane",
    "nerve_axis": "short_axis",
    "needle_gauge": 22,
    "needle_mm": Decimal("80"),
    "needle_kind": "spinal",
    "needle_entries": 1,
    "operator_id": "OP3",
    "operator_role": "physician",
    "operator_experience": 8,
    "patient_position": "prone",
    "skin_prep": "chlorhexidine",
    "skin_anaesthetic": {
        "agent_class": "local_anaesthetic",
        "agent": "lidocaine",
        "conc_value": Decimal("1"),
        "conc_unit": "percent_wv",
        "volume_ml": Decimal("0.5"),
    },
    "injectate_stated": True,
    "injectate_total_ml": Decimal("10.0"),
    "injectate_components": [
        {
            "agent_class": "dextrose",
            "agent": "dextrose",
            "conc_value": Decimal("10"),
            "conc_unit": "percent_wv",
            "volume_ml": Decimal("10.0"),
            "lot": "D10-2207",
            "expiry": "2027-06",
        }
    ],
    "procedural_pain_nrs": 4,
    "immediate_response": "partial",
    "ae_assessed": True,
    "complications": ["none"],
    "equipment_advice": ["none"],
    "downtime_days": 1,
    "return_activity_date": "2026-02-20",
    "planned_follow_up": ["h1", "w1", "m1", "m3"],
    "treatment_alias": "KIT-031",
    "targets": [
        {
            "target_no": 1,
            "structure_type": "fascial_plane",
            "structure_code": "gluteus_maximus",
            "structure_level": "unspecified",
            "region": "gluteal",
            "laterality": "left",
            "pathology": ["adhesion", "thickening"],
            "plane_superficial": "gluteus_maximus",
            "plane_deep": "piriformis",
            "layers_before": 6,
            "layers_after": 2,
            "fascia_mm_before": Decimal("2.4"),
            "fascia_mm_after": Decimal("1.90"),
            "gliding_before": "reduced",
            "gliding_after": "free",
            "separation_achieved": "full",
            "extent_cm2": Decimal("12.5"),
            "volume_ml": Decimal("10.0"),
        }
    ],
}

_KINDS: dict[str, tuple[dict[str, Any], str, str, str]] = {
    "subject": (SUBJECT, "17", "2026-02-16T09:05:00+03:00", "open"),
    "study": (STUDY, "study-1", "2026-01-12T09:00:00+03:00", "open"),
    "enrolment": (ENROLMENT, "17-1", "2026-02-18T11:00:00+03:00", "allocation"),
    "procedure": (PROCEDURE, "17-3", "2026-02-18T11:40:00+03:00", "allocation_revealing"),
    "pain_outcome": (PAIN_OUTCOME, "17-4", "2026-02-25T10:20:00+03:00", "open"),
    "function_outcome": (FUNCTION_OUTCOME, "17-5", "2026-02-25T10:25:00+03:00", "open"),
    "adverse_event": (ADVERSE_EVENT, "17-6", "2026-02-21T09:00:00+03:00", "allocation_revealing"),
    "headache_day": (HEADACHE_DAY, "17-7", "2026-03-02T21:45:00+03:00", "open"),
    "headache_period": (HEADACHE_PERIOD, "17-8", "2026-03-20T09:00:00+03:00", "open"),
    "derived_measure": (DERIVED_MEASURE, "17-9", "2026-02-25T10:30:00+03:00", "open"),
}


def example(kind: str) -> dict[str, Any]:
    """A validated example record of one kind. KeyError for an unknown kind."""
    from . import load

    body, source_id, recorded_at, blinding = _KINDS[kind]
    meta = {
        "kind": kind,
        "source_system": "redcap-a",
        "source_record_id": source_id,
        "version": 1,
        "record_status": "final",
        "recorded_at": recorded_at,
        "recorded_by": "DM2",
        "blinding_class": blinding,
        "site_timezone": "Europe/Istanbul",
        "synthetic": True,
    }
    return load(kind, meta | deepcopy(body))
