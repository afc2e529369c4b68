"""The study of the examples: a synthetic randomised trial on the plan of document 003, with its own local
key.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any

_WINDOWS = (
    ("baseline", "procedure_start", "PT0S", "PT2H", "PT0S"),
    ("h1", "procedure_end", "PT1H", "PT10M", "PT30M"),
    ("w1", "procedure_end", "P7D", "P1D", "P2D"),
    ("m1", "procedure_end", "P1M", "P3D", "P5D"),
    ("m3", "procedure_end", "P3M", "P7D", "P14D"),
)
_NAMES = ("code", "anchor_event", "offset", "window_before", "window_after")

STUDY: dict[str, Any] = {
    "study_id": "HD-PS-01",
    "identifiers": ["NCT00000000", "HD-PS-01/2026"],
    "title": "Interfascial hydrodissection or dry needling in piriformis syndrome with gluteal pain",
    "protocol_version": "1.2",
    "study_status": "recruiting",
    "design": "prospective_rct",
    "evidence_maturity": "preliminary",
    "primary_purpose": "treatment",
    "allocation": "randomised",
    "intervention_model": "parallel",
    "masking_level": "double",
    "masking_roles": ["outcomes_assessor"],
    "randomisation_unit": "subject",
    "ratio": "1:1",
    "strata": ["sex"],
    "planned_enrolment": 42,
    "actual_enrolment": 17,
    "age_min": 18,
    "age_max": 65,
    "healthy_volunteers": False,
    "conditions": ["piriformis_syndrome", "gluteus_maximus_mps"],
    "objectives": [{"text": "Effect on pain over three months", "type": "primary"}],
    "hypotheses": [
        {
            "text": "Hydrodissection gives better long-term pain relief than dry needling",
            "type": "primary",
            "direction": "superior",
        }
    ],
    "mechanisms": ["fascial separation", "better gliding"],
    "outcomes": [
        {"role": "primary", "instrument": "nrs_0_10", "timepoint": "m3"},
        {"role": "secondary", "instrument": "nrs_0_10", "timepoint": "w1"},
    ],
    "eligibility": [
        {
            "criterion_id": "INC-1",
            "kind": "include",
            "text": "At least 50 % less pain 1 hour after the diagnostic injection",
            "measure": "pct_reduction_calc",
            "op": "ge",
            "value": Decimal("50"),
            "timepoint": "h1",
            "anchor_purpose": "diagnostic",
        },
        {"criterion_id": "EXC-1", "kind": "exclude", "text": "Lumbar radiculopathy"},
    ],
    "citations": [{"text": "A synthetic citation, 2025", "doi": "10.99999/synthetic-0001"}],
    "keywords": ["piriformis", "hydrodissection"],
    "contacts": [{"name": "Trial office", "telecom": "trial-office@hospital.example"}],
    "sites": [{"site_id": "TR-IST-01", "name": "Synthetic site, Istanbul"}],
    "timepoints": [dict(zip(_NAMES, row, strict=True)) for row in _WINDOWS],
    "arms": [
        {
            "arm_id": "A1",
            "arm_label": "Interfascial dextrose 10 %",
            "arm_type": "experimental",
            "interventions": ["interfascial_hydrodissection"],
            "planned_size": 21,
        },
        {
            "arm_id": "A2",
            "arm_label": "Dry needling",
            "arm_type": "active_comparator",
            "interventions": ["dry_needling"],
            "planned_size": 21,
        },
    ],
}
