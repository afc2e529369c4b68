"""Many pain scores quickly, for measurements: no persons, no procedures, each score valid by itself.

About twenty scores a subject: five time points, four contexts. It must not be used for demonstrations.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from decimal import Decimal
from random import Random
from zoneinfo import ZoneInfo

from adapter.records.derive import idempotency_key, record_id, standard_offset

from .person import Record, in_order
from .study import STUDY_ID

CONTEXTS = ("movement", "rest", "sitting", "palpation")
TIMEPOINTS = {"baseline": 0.0, "h1": 1 / 24, "w1": 7, "m1": 30, "m3": 91}
_ZONE = "Europe/Istanbul"
_NRS = tuple(Decimal(score) for score in range(11))


def scores(n: int, seed: int) -> Iterator[Record]:
    """Stream `n` valid pain_outcome records with distinct ids. ValueError when a number is negative."""
    if min(n, seed) < 0:
        raise ValueError("n and seed must not be negative")
    return _stream(n, seed)


def _stream(n: int, seed: int) -> Iterator[Record]:
    dice = Random(f"{seed}/scores")
    source, study_id, zone = f"synthetic-scores-{seed}", STUDY_ID.format(seed=seed), ZoneInfo(_ZONE)
    plan = [(code, days, context) for code, days in TIMEPOINTS.items() for context in CONTEXTS]
    template = _template(source, study_id)
    subject = ""
    start = datetime(2025, 1, 13, 9, tzinfo=zone)
    for number in range(n):
        code, days, context = plan[number % len(plan)]
        if number % len(plan) == 0:
            subject = f"HS{seed}-{number // len(plan) + 1:06d}"
            start = datetime(2025, 1, 13, 9, dice.randrange(60), tzinfo=zone) + timedelta(days=dice.randrange(300))
        local_id = f"{subject}.P2.{context}.{code}"
        taken = start + timedelta(days=days)
        record = template.copy()
        record["record_id"] = record_id("pain_outcome", source, local_id)
        record["business_key"] = f"{subject}/P2/T1/nrs_0_10/{context}/{code}"
        record["source_record_id"] = local_id
        record["recorded_at"] = (taken + timedelta(minutes=15)).isoformat()
        record["idempotency_key"] = idempotency_key("pain_outcome", source, local_id, 1)
        record["subject_id"] = subject
        record["timepoint_code"] = code
        record["assessed_at"] = taken.isoformat()
        record["nominal_offset"] = standard_offset(code)
        record["score"] = _NRS[dice.randrange(11)]
        record["pain_context"] = context
        yield record


def _template(source: str, study_id: str) -> Record:
    """A score with every field that changes already in its place in schema order."""
    changing = (
        "record_id business_key source_record_id recorded_at idempotency_key subject_id timepoint_code"
        " assessed_at nominal_offset score pain_context"
    )
    fixed: Record = {
        "kind": "pain_outcome",
        "source_system": source,
        "version": 1,
        "record_status": "final",
        "recorded_by": "DM1",
        "blinding_class": "open",
        "site_timezone": _ZONE,
        "synthetic": True,
        "study_id": study_id,
        "anchor_procedure_id": "P2",
        "target_no": 1,
        "instrument": "nrs_0_10",
        "scale_min": Decimal(0),
        "scale_max": Decimal(10),
        "direction": "lower_better",
        "score_status": "collected",
        "recall_period": "now",
        "body_site": "gluteal",
        "laterality": "left",
        "site_relation": "treated",
        "assessor_id": "AS1",
        "assessor_role": "first_assessor",
        "assessor_blinded": True,
        "mode": "in_person",
        "rescue_since_last": False,
    }
    return in_order(fixed | dict.fromkeys(changing.split(), ""))
