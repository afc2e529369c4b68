"""S02: at least 50 % less pain one hour after the diagnostic injection, against the scores that say so."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from adapter.neighbours import flags
from tests.neighbours.story import circle_of, made
from tests.records.helpers import GONE

DIAGNOSTIC = {
    "procedure_id": "P1", "purpose": "diagnostic", "course_id": "C0", "started_at": "2026-02-16T09:30:00+03:00",
    "ended_at": "2026-02-16T09:32:00+03:00",
}  # fmt: skip
BEFORE = {
    "anchor_procedure_id": "P1", "timepoint_code": "baseline", "nominal_offset": "PT0S",
    "assessed_at": "2026-02-16T09:20:00+03:00",
}  # fmt: skip
AFTER = {
    "anchor_procedure_id": "P1", "timepoint_code": "h1", "nominal_offset": "PT1H",
    "assessed_at": "2026-02-16T10:32:00+03:00",
}  # fmt: skip


def said(
    before: Any, after: Any, met: bool, value: str | None = None, study: dict[str, Any] | None = None, **more: Any
) -> set[tuple[str, str]]:
    """What is flagged of an enrolment that says so of these two scores, as field and message."""
    first = made("pain_outcome", BEFORE | {"score": before}, "before")
    second = made("pain_outcome", AFTER | {"score": after} | more, "after")
    results = {
        "eligibility_results.1.met": met,
        "eligibility_results.1.value": GONE if value is None else Decimal(value),
        "eligibility_results.1.evidence_id": second["record_id"],
    }
    enrolment = made("enrolment", results)
    procedure = made("procedure", DIAGNOSTIC)
    circle = circle_of(made("study", study), made("subject"), enrolment, procedure, first, second)
    return {(one.field, one.message) for one in flags(enrolment, circle) if one.rule == "V9.result"}


MET, VALUE = "eligibility_results.1.met", "eligibility_results.1.value"
LATE = {"assessed_at": "2026-02-16T12:12:00+03:00", "mode": "phone"}


def test_exactly_half_is_enough() -> None:
    assert said(8, 4, True, "50.0") == said(8, 4, True) == set()
    assert said(8, 4, False, "50.0") == {(MET, "")}


def test_what_the_patient_says_is_not_what_was_calculated() -> None:
    """7 to 4 is 42.9 %, with about 60 % better reported: not met, and the value is that of the scores."""
    assert said(7, 4, False, "42.9", pct_relief_reported=Decimal("60")) == set()
    assert said(7, 4, True, "60", pct_relief_reported=Decimal("60")) == {(MET, ""), (VALUE, "")}


def test_two_hours_and_forty_minutes_are_not_one_hour() -> None:
    """6 to 3 by phone, outside the window: it does not answer the criterion."""
    assert said(6, 3, True, "50", **LATE) == {(MET, "the score is outside its window")}
    assert said(6, 3, False, "50", **LATE) == set()


def test_exactly_thirty_percent_of_a_decimal_scale() -> None:
    """VAS 7.0 to 4.9 cm in a sub-study that asks for 30 %."""
    scale = {"instrument": "vas_0_10_cm"}
    first = made("pain_outcome", BEFORE | scale | {"score": Decimal("7.0")}, "before")
    second = made("pain_outcome", AFTER | scale | {"score": Decimal("4.9")}, "after")
    study = made("study", {"eligibility.1.value": Decimal("30")})
    for met, expected in ((True, set()), (False, {(MET, "V9.criteria"), (MET, "V9.result")})):
        results = {
            "eligibility_results.1.met": met,
            "eligibility_results.1.value": Decimal("30.0"),
            "eligibility_results.1.evidence_id": second["record_id"],
        }
        enrolment = made("enrolment", results)
        circle = circle_of(study, made("subject"), enrolment, made("procedure", DIAGNOSTIC), first, second)
        assert {(one.field, one.rule) for one in flags(enrolment, circle)} == expected


@pytest.mark.parametrize(("before", "after"), [(0, 3), (8, None)])
def test_what_cannot_be_calculated_contradicts_nothing(before: int, after: int | None) -> None:
    """A baseline of zero, and a score that was not taken."""
    none: dict[str, Any] = {"score_status": "not_done", "missing_reason": "lost", "pct_relief_reported": GONE}
    assert said(before, GONE if after is None else after, True, "50", **({} if after else none)) == set()


@pytest.mark.parametrize(
    ("measure", "op", "limit", "met"),
    [("score", "le", "4", True), ("score", "lt", "4", False), ("change", "ge", "4", True),
     ("pct_relief_reported", "gt", "60", False), ("pct_relief_reported", "eq", "60", True), ("age", "ge", "18", False)],
)  # fmt: skip
def test_other_measures_of_a_criterion(measure: str, op: str, limit: str, met: bool) -> None:
    """8 to 4, with 60 % reported; age is not for a score to say."""
    rule = {"eligibility.1.measure": measure, "eligibility.1.op": op, "eligibility.1.value": Decimal(limit)}
    assert said(8, 4, met, study=rule) == set()
    assert said(8, 4, not met, study=rule) == (set() if measure == "age" else {(MET, "")})
