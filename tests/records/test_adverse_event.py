"""Adverse events: severity is not seriousness, death is told everywhere or nowhere, a suspicion names its suspects."""

from __future__ import annotations

from typing import Any

import pytest

from adapter import records

from .helpers import GONE, changed, faults

KIND = "adverse_event"
SERIOUS = {"serious": True, "serious_criteria": ["hospitalisation"]}
FATAL = {"ae_outcome": "fatal", "grade": 5, "serious": True, "serious_criteria": ["death"]}
ALLERGY = SERIOUS | {  # scenario S12
    "ae_term": "urticaria and wheeze",
    "ae_code": "allergic_reaction",
    "severity": "severe",
    "grade": 3,
    "relatedness": "related",
    "suspect": ["lidocaine"],
    "action_taken": "course_stopped",
}
VALID = [
    {},
    ALLERGY,
    FATAL,
    {"end_at": "2026-02"},
    {"onset_at": "2026-02", "end_at": "2026-02-01"},
    {"ae_outcome": "ongoing", "end_at": GONE},
    {"ae_outcome": "resolved_with_sequelae", "end_at": GONE},
    {"relatedness": "unrelated", "suspect": GONE},
    {"relatedness": "unlikely", "suspect": GONE, "procedure_id": GONE},
    {"grade": GONE, "grading_scale": GONE, "aware_at": GONE, "reported_at": GONE},
    SERIOUS | {"serious_criteria": GONE, "field_absent_reason": {"serious_criteria": "not_in_source"}},
    {"ae_code": "other"},
]
REFUSED = [
    ({"end_at": "2026-02-17"}, {("end_at", "order")}),
    ({"aware_at": "2026-02-18T17:00:00+03:00"}, {("aware_at", "order")}),
    ({"reported_at": "2026-02-19T09:00:00+03:00"}, {("reported_at", "order")}),
    ({"end_at": "2026-02-22"}, {("end_at", "recorded_before")}),
    ({"ae_outcome": "ongoing"}, {("end_at", "ae_outcome")}),
    ({"ae_outcome": "recovering"}, {("end_at", "ae_outcome")}),
    ({"end_at": GONE}, {("end_at", "absent_reason")}),
    (FATAL | {"end_at": GONE}, {("end_at", "absent_reason")}),
    ({"serious": True}, {("serious_criteria", "absent_reason")}),
    ({"serious_criteria": ["disability"]}, {("serious_criteria", "serious")}),
    (SERIOUS | {"aware_at": GONE}, {("aware_at", "absent_reason")}),
    (SERIOUS | {"reported_at": GONE}, {("reported_at", "absent_reason")}),
    (FATAL | {"serious_criteria": ["hospitalisation"]}, {("serious_criteria", "fatal")}),
    (SERIOUS | {"serious_criteria": ["death"]}, {("serious_criteria", "fatal")}),
    ({"ae_outcome": "fatal", "grade": 5}, {("serious", "fatal")}),
    (FATAL | {"grade": 4}, {("grade", "fatal")}),
    ({"grade": 5}, {("grade", "fatal")}),
    ({"grade": 6}, {("grade", "range")}),
    ({"grading_scale": GONE}, {("grading_scale", "grade")}),
    ({"grade": GONE}, {("grade", "grade")}),
    ({"grading_scale": "ctcae"}, {("grading_scale", "code")}),
    ({"suspect": GONE}, {("suspect", "absent_reason")}),
    ({"relatedness": "unrelated"}, {("suspect", "relatedness")}),
    ({"procedure_id": GONE}, {("procedure_id", "reference")}),
    ({"suspect": ["procedure", "procedure"]}, {("suspect.2", "duplicate")}),
    ({"ae_code": "other", "ae_term": GONE}, {("ae_term", "absent_reason"), ("ae_term", "other_text")}),
    ({"expected": GONE}, {("expected", "absent_reason")}),
    ({"ae_id": GONE}, {("ae_id", "required")}),
    ({"onset_interval": 2}, {("onset_interval", "derived_input")}),
]


@pytest.mark.parametrize("changes", VALID)
def test_what_is_allowed(changes: dict[str, Any]) -> None:
    records.load(KIND, changed(KIND, changes))


@pytest.mark.parametrize(("changes", "expected"), REFUSED)
def test_what_is_refused(changes: dict[str, Any], expected: set[tuple[str, str]]) -> None:
    found = {field for field in faults(changed(KIND, changes)) if field[0] in {name for name, _ in expected}}
    assert found == expected


def test_a_report_after_more_than_a_day_is_late_and_taken() -> None:
    late = records.load(KIND, changed(KIND, {"reported_at": "2026-02-20T09:10:01+03:00"}))
    assert [(issue.field, issue.rule) for issue in records.warnings(late)] == [("reported_at", "W.late")]
    assert records.warnings(records.example(KIND)) == []


def test_its_key_is_the_subjects_and_its_own() -> None:
    record = records.load(KIND, changed(KIND, {"business_key": GONE}))
    assert records.key(record) == ("HD-0017", "AE-1")
    assert record["business_key"] == "HD-0017/AE-1"
