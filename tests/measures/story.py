"""Records of the scenarios of the domain model: short to write, validated like any others."""

from __future__ import annotations

from copy import deepcopy
from decimal import Decimal
from typing import Any

from adapter import records
from adapter.measures import Derived

Record = dict[str, Any]
FILLED = ("record_id", "business_key", "idempotency_key", "nominal_offset", "scale_min", "scale_max", "direction")
NO_TIMES = {"assessed_at": "not_done", "assessor_id": "not_done", "mode": "not_done"}


class Story:
    """One subject at one site."""

    def __init__(self, subject: str = "HD-0017", zone: str = "Europe/Istanbul", study: str | None = "HD-PS-01") -> None:
        self.subject, self.zone, self.study_id = subject, zone, study

    def make(self, kind: str, name: str, changes: Record, version: int = 1, drop: tuple[str, ...] = ()) -> Record:
        """The example of a kind with changes, through intake; `name` is its key in the source."""
        raw = {k: v for k, v in deepcopy(records.example(kind)).items() if k not in (*FILLED, *drop)}
        raw |= {
            "subject_id": self.subject,
            "site_timezone": self.zone,
            "source_record_id": f"{self.subject}.{name}",
            "recorded_at": "2027-01-15T12:00:00Z",
            "version": version,
        }
        raw["recorded_at"] = {"Europe/Istanbul": "2027-01-15T12:00:00+03:00", "America/New_York": "2027-01-15T12:00:00-05:00",
                              "Europe/Berlin": "2027-01-15T12:00:00+01:00"}[self.zone]  # fmt: skip
        if version > 1:
            raw |= {"supersedes_version": version - 1, "change_reason": "Corrected at source data check"}
            raw["record_status"] = "corrected"
        if self.study_id is None:
            raw.pop("study_id", None)
        elif "study_id" in raw:
            raw["study_id"] = self.study_id
        raw |= changes
        return records.load(kind, {k: v for k, v in raw.items() if v is not None})

    def score(self, procedure: str, code: str, time: str | None, score: Any, name: str = "", **changes: Any) -> Record:
        """A pain score; None: it was not taken."""
        told: Record = {"anchor_procedure_id": procedure, "timepoint_code": code, "assessed_at": time, "score": score}
        told |= {"blind_guess": None, "pct_relief_reported": None, "target_no": None, "rescue_since_last": None}
        if score is not None:
            told["score"] = Decimal(str(score))
        else:
            told |= {"score_status": "not_done", "missing_reason": "withdrawn", "assessor_id": None, "mode": None}
            told |= {"field_absent_reason": NO_TIMES, "assessed_at": None}
        version = changes.pop("version", 1)
        return self.make("pain_outcome", name or f"{procedure}.{code}", told | changes, version)

    def procedure(self, procedure: str, start: str, end: str | None = None, **changes: Any) -> Record:
        """A session, by default the first of a course of its own."""
        told: Record = {
            "procedure_id": procedure,
            "course_id": f"C-{procedure}",
            "session_number": 1,
            "started_at": start,
        }
        told |= {"ended_at": end, "planned_follow_up": None, "skin_anaesthetic": None, "return_activity_date": None}
        return self.make("procedure", procedure, told | changes, changes.pop("version", 1))


def of(found: list[Derived], formula: str, **wanted: Any) -> list[Derived]:
    """The values of one formula, narrowed by fields or labels."""
    return [
        one
        for one in found
        if one.formula == formula
        and all(getattr(one, k, None) == v or one.labels.get(k) == v for k, v in wanted.items())
    ]


def one(found: list[Derived], formula: str, **wanted: Any) -> Derived:
    """The only value that fits."""
    (only,) = of(found, formula, **wanted)
    return only


def values(found: list[Derived], formula: str, **wanted: Any) -> dict[str | None, Any]:
    """Value, or reason why there is none, by time point."""
    return {x.timepoint: x.value if x.undefined is None else x.undefined for x in of(found, formula, **wanted)}
