"""The synthetic study: a two-arm trial on the plan of document 003, under a local key and NCT00000000.

What document 003 leaves open and a trial must have (full criteria, sites) is made up; who is masked is not
in the source and stays absent with that reason, since roles are never inferred from the word `double`."""

from __future__ import annotations

from copy import deepcopy
from datetime import datetime
from decimal import Decimal
from random import Random
from typing import Any

from .person import SITES, Person, Record

STUDY_ID = "HD{seed}-PS"
AGES = (18, 65)
_WINDOWS = (
    ("screening", "procedure_start", "PT0S", "PT4H", "PT0S"),
    ("baseline", "procedure_start", "PT0S", "PT2H", "PT0S"),
    ("h1", "procedure_end", "PT1H", "PT10M", "PT30M"),
    ("w1", "procedure_end", "P7D", "P1D", "P2D"),
    ("m1", "procedure_end", "P1M", "P3D", "P5D"),
    ("m3", "procedure_end", "P3M", "P7D", "P14D"),
)
_WINDOW_NAMES = ("code", "anchor_event", "offset", "window_before", "window_after")
_PLAN: dict[str, Any] = {
    "protocol_version": "1.2",
    "study_status": "active",
    "design": "prospective_rct",
    "evidence_maturity": "preliminary",
    "primary_purpose": "treatment",
    "allocation": "randomised",
    "intervention_model": "parallel",
    "masking_level": "double",
    "randomisation_unit": "subject",
    "ratio": "1:1",
    "strata": ["site_id"],
    "planned_enrolment": 42,
    "age_min": AGES[0],
    "age_max": AGES[1],
    "healthy_volunteers": False,
    "conditions": ["piriformis_syndrome", "gluteus_maximus_mps"],
    "objectives": [
        {"text": "Compare pain on movement over three months between the two treatments", "type": "primary"},
        {"text": "Describe adverse effects of both treatments", "type": "secondary"},
    ],
    "hypotheses": [
        {
            "text": "Interfascial hydrodissection gives better long-term pain relief than dry needling",
            "type": "primary",
            "direction": "superior",
        }
    ],
    "mechanisms": [
        "separation of adhered fascial planes",
        "better gliding and local mobility",
        "neuromodulation by dextrose",
    ],
    "outcomes": [
        {"role": "primary", "instrument": "nrs_0_10", "timepoint": "m3"},
        {"role": "secondary", "instrument": "nrs_0_10", "timepoint": "h1"},
        {"role": "secondary", "instrument": "nrs_0_10", "timepoint": "w1"},
        {"role": "secondary", "instrument": "nrs_0_10", "timepoint": "m1"},
    ],
    "eligibility": [
        {
            "criterion_id": "INC-1",
            "kind": "include",
            "text": "Unilateral gluteal pain for at least three months",
            "measure": "duration_months",
            "op": "ge",
            "value": Decimal("3"),
        },
        {
            "criterion_id": "INC-2",
            "kind": "include",
            "text": "At least 50 % less pain one hour after the diagnostic piriformis injection",
            "measure": "pct_reduction_calc",
            "op": "ge",
            "value": Decimal("50"),
            "timepoint": "h1",
            "anchor_purpose": "diagnostic",
        },
        {"criterion_id": "EXC-1", "kind": "exclude", "text": "Anticoagulants that cannot be stopped"},
        {"criterion_id": "EXC-2", "kind": "exclude", "text": "Lumbar radiculopathy"},
    ],
    "citations": [
        {
            "text": "A synthetic citation on interfascial hydrodissection, 2025",
            "doi": "10.99999/synthetic-0001",
        }
    ],
    "keywords": ["hydrodissection", "piriformis syndrome", "myofascial pain", "dextrose", "dry needling"],
    "contacts": [{"name": "Central trial office", "telecom": "trial-office@hospital.example"}],
    "sites": [{"site_id": site.site_id, "name": site.name} for site in SITES],
    "timepoints": [dict(zip(_WINDOW_NAMES, row, strict=True)) for row in _WINDOWS],
    "arms": [
        {
            "arm_id": "A1",
            "arm_label": "Interfascial hydrodissection, dextrose 10 %",
            "arm_type": "experimental",
            "interventions": ["interfascial_hydrodissection"],
            "planned_size": 21,
        },
        {
            "arm_id": "A2",
            "arm_label": "Dry needling, gluteus maximus",
            "arm_type": "active_comparator",
            "interventions": ["dry_needling"],
            "planned_size": 21,
        },
    ],
}


def record(seed: int, randomised: int) -> Record:
    """The study record; `randomised` is the number of participants so far (0 leaves it out)."""
    study_id = STUDY_ID.format(seed=seed)
    office = Person(seed, study_id, SITES[0], Random(0), study_id)
    body = {
        "identifiers": ["NCT00000000", f"{study_id}/2025"],
        "title": "Interfascial hydrodissection or dry needling for gluteal myofascial pain "
        "with piriformis syndrome (synthetic trial)",
    } | deepcopy(_PLAN)
    if randomised:
        body["actual_enrolment"] = randomised
    return office.make("study", "", datetime(2026, 4, 1, 9), body, absent={"masking_roles": "not_in_source"})
