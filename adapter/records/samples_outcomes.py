"""The examples of what was scored and observed after the treatment (see `samples`)."""

from __future__ import annotations

from decimal import Decimal

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
