"""A headache diary: a day says what belongs to a headache only when there was one; counts are never typed in."""

from __future__ import annotations

from decimal import Decimal as D
from typing import Any

import pytest

from adapter import records

from .helpers import GONE, changed, faults

DAY, PERIOD = "headache_day", "headache_period"
QUIET = {"headache": False} | dict.fromkeys(("duration_h", "peak_severity", "severity_scale", "features"), GONE)
VALID = [
    (DAY, {}),
    (DAY, QUIET),
    (DAY, {"severity_scale": "vrs_4", "peak_severity": 3}),
    (DAY, {"duration_h": D("24"), "aura_min": GONE}),
    (DAY, {"entered_at": "2026-03-02T00:00:00+03:00"}),
    (DAY, {"acute_meds_text": GONE, "field_absent_reason": {"acute_meds_text": "not_asked"}}),
    (DAY, {"headache": GONE, "field_absent_reason": {"headache": "not_asked"}}),
    (PERIOD, {}),
    (PERIOD, {"days": GONE, "days_recorded": 0}),
]
REFUSED = [
    (DAY, {"headache": False}, {(name, "headache") for name in list(QUIET)[1:]}),
    (DAY, {"duration_h": GONE}, {("duration_h", "absent_reason")}),
    (DAY, {"duration_h": D("24.1")}, {("duration_h", "range")}),
    (DAY, {"peak_severity": GONE}, {("peak_severity", "absent_reason"), ("peak_severity", "scale")}),
    (DAY, {"severity_scale": GONE}, {("severity_scale", "scale")}),
    (DAY, {"severity_scale": "vrs_4"}, {("peak_severity", "V1.range")}),
    (DAY, {"severity_scale": "vas_0_10_cm"}, {("severity_scale", "code")}),
    (DAY, {"aura_min": 61}, {("aura_min", "range")}),
    (DAY, {"acute_meds_text": GONE}, {("acute_meds_text", "absent_reason")}),
    (DAY, {"diary_date": "2026-03"}, {("diary_date", "format")}),
    (DAY, {"diary_date": "2026-02-30"}, {("diary_date", "format")}),
    (DAY, {"diary_date": "2026-03-03"}, {("entered_at", "order")}),
    (DAY, {"is_migraine_day": True}, {("is_migraine_day", "derived_input")}),
    (PERIOD, {"days_recorded": 29, "days": GONE}, {("days_recorded", "range")}),
    (PERIOD, {"days_recorded": 3}, {("days", "sum")}),
    (PERIOD, {"start": "2026-03-21"}, {("start", "recorded_before")}),
    *(
        (PERIOD, {name: 9}, {(name, "derived_input")})
        for name in ("headache_days", "migraine_days", "attack_count", "mean_severity")
    ),
]


@pytest.mark.parametrize(("kind", "changes"), VALID)
def test_what_is_allowed(kind: str, changes: dict[str, Any]) -> None:
    records.load(kind, changed(kind, changes))


@pytest.mark.parametrize(("kind", "changes", "expected"), REFUSED)
def test_what_is_refused(kind: str, changes: dict[str, Any], expected: set[tuple[str, str]]) -> None:
    assert faults(changed(kind, changes)) == expected


@pytest.mark.parametrize(
    ("kind", "changes", "expected"),
    [
        (DAY, {"entered_at": "2026-03-04T23:59:59+03:00"}, []),
        (DAY, {"entered_at": "2026-03-05T00:00:01+03:00"}, [("entered_at", "W.late")]),
        (PERIOD, {"days": GONE, "days_recorded": 23}, []),  # 82 % of 28
        (PERIOD, {"days": GONE, "days_recorded": 22}, [("days_recorded", "W.days")]),
    ],
)
def test_what_is_late_or_thin_is_taken_and_flagged(kind: str, changes: dict[str, Any], expected: list[Any]) -> None:
    record = records.load(kind, changed(kind, {"recorded_at": "2026-03-20T09:00:00+03:00"} | changes))
    assert [(issue.field, issue.rule) for issue in records.warnings(record)] == expected


def test_a_period_has_28_days_when_nothing_else_is_said() -> None:
    assert records.load(PERIOD, changed(PERIOD, {"days_planned": GONE}))["days_planned"] == 28


def test_one_record_a_subject_and_day() -> None:
    assert records.load(DAY, changed(DAY, {"business_key": GONE}))["business_key"] == "HD-0017/day/2026-03-02"
    assert records.load(PERIOD, changed(PERIOD, {"business_key": GONE}))["business_key"] == "HD-0017/period/2026-02-19"
