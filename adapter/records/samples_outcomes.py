"""The examples of what was scored and observed after the treatment (see `samples`)."""

from __future__ import annotations

from decimal import Decimal

from .derive import record_id

PAIN_OUTCOME = {
    "subject_id": "HD-0017",
    "study_id": "HD-PS-01",
    "anchor_procedure_id": "P2",
    "target_no": 1,
    "timepoint_code": "w1",
    "assessed_at": "2026-02-25T10:05:00+03:00",
    "nominal_offset": "P7D",
    "instrument": "nrs_0_10",
    "score": Decimal("3"),
    "score_status": "collected",
    "pain_context": "movement",
    "recall_period": "now",
    "body_site": "gluteal",
    "laterality": "left",
    "site_relation": "treated",
    "pct_relief_reported": Decimal("60"),
    "assessor_id": "AS1",
    "assessor_role": "first_assessor",
    "assessor_blinded": True,
    "blind_guess": "unsure",
    "mode": "in_person",
    "rescue_since_last": False,
}

FUNCTION_OUTCOME = {
    "subject_id": "HD-0017",
    "study_id": "HD-PS-01",
    "anchor_procedure_id": "P2",
    "target_no": 1,
    "timepoint_code": "w1",
    "assessed_at": "2026-02-25T10:10:00+03:00",
    "nominal_offset": "P7D",
    "instrument": "odi",
    "score": Decimal("32"),
    "score_status": "collected",
    "body_site": "gluteal",
    "laterality": "left",
    "site_relation": "treated",
    "assessor_id": "HD-0017",
    "assessor_role": "self_report",
    "assessor_blinded": False,
    "blind_guess": "A1",
    "mode": "in_person",
    "rescue_since_last": False,
    "domain": "adl",
    "item_scores": [{"item_no": number, "score": Decimal(score)} for number, score in enumerate("2131221211", 1)],
}

ADVERSE_EVENT = {
    "ae_id": "AE-1",
    "subject_id": "HD-0017",
    "study_id": "HD-PS-01",
    "procedure_id": "P2",
    "ae_term": "more pain in the buttock for two days",
    "ae_code": "pain_flare",
    "onset_at": "2026-02-18T18:00:00+03:00",
    "end_at": "2026-02-20",
    "severity": "mild",
    "grade": 1,
    "grading_scale": "ctcae_5_0",
    "serious": False,
    "relatedness": "probable",
    "suspect": ["procedure", "dextrose"],
    "expected": True,
    "action_taken": "none",
    "treatment_given": "cold pack",
    "ae_outcome": "resolved",
    "caused_withdrawal": False,
    "aware_at": "2026-02-19T09:10:00+03:00",
    "reported_at": "2026-02-19T15:30:00+03:00",
}

HEADACHE_DAY = {
    "subject_id": "HD-0017",
    "study_id": "HD-PS-01",
    "diary_date": "2026-03-02",
    "entered_at": "2026-03-02T21:40:00+03:00",
    "headache": True,
    "duration_h": Decimal("5.5"),
    "peak_severity": 7,
    "severity_scale": "nrs_0_10",
    "attack_id": "A12",
    "features": ["pulsating", "moderate_severe"],
    "symptoms": ["nausea"],
    "aura_min": 20,
    "acute_meds": ["triptan", "other"],
    "acute_meds_text": "paracetamol",
}

HEADACHE_PERIOD = {
    "subject_id": "HD-0017",
    "study_id": "HD-PS-01",
    "start": "2026-02-19",
    "days_planned": 28,
    "days_recorded": 2,
    "days": ["5b2a4d0c-6c1e-5f7a-8f5f-0c9f4f0f7b01", "a0c7e1de-2f6b-5b52-9d0f-3f1a7d8c4e02"],
}

DERIVED_MEASURE = {
    "subject_id": "HD-0017",
    "study_id": "HD-PS-01",
    "formula": "pct_reduction",
    "formula_version": "1",
    "value_number": Decimal("57.142857"),
    "value_unit": "%",
    "procedure_id": "P2",
    "timepoint_code": "w1",
    "scope": "procedure",
    "at": "2026-02-25T10:05:00+03:00",
    "inputs": [
        {"kind": "pain_outcome", "record_id": record_id("pain_outcome", "redcap-a", "17-2"), "version": 1},
        {"kind": "pain_outcome", "record_id": record_id("pain_outcome", "redcap-a", "17-4"), "version": 1},
    ],
    "instrument": "nrs_0_10",
    "pain_context": "movement",
    "body_site": "gluteal",
    "laterality": "left",
    "target_no": 1,
    "baseline_timepoint": "baseline",
    "baseline_procedure_id": "P2",
}
