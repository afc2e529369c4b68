"""Migraine days by definition, counts, incomplete diaries, comparisons of periods."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapter import catalog
from adapter.measures import Input, derive
from adapter.measures.headache import attack_count, mean_severity, migraine_day, monthly
from adapter.measures.model import Undefined
from tests.measures.story import Record, Story, of, one

STORY = Story("HM-02", "Europe/Berlin", None)
ACT = STORY.procedure("P1", "2026-05-05T13:00:00+02:00", course_id="C1", session_number=1)
HALF_HOUR, FOUR_HOURS = catalog.load().measures.migraine_days
ACHE: Record = {
    "headache": True,
    "duration_h": Decimal("5.5"),
    "features": ["pulsating", "unilateral"],
    "symptoms": ["nausea"],
}


def told(day: Record, definition: Any = HALF_HOUR) -> Any:
    try:
        return migraine_day(definition, day)
    except Undefined as none:
        return none.reason


@pytest.mark.parametrize(
    ("day", "answer"),
    [
        (ACHE, True),
        (ACHE | {"duration_h": Decimal("0.5")}, True),
        (ACHE | {"duration_h": Decimal("0.4")}, False),
        (ACHE | {"features": ["pulsating"]}, False),
        (ACHE | {"symptoms": ["photophobia"]}, False),
        (ACHE | {"symptoms": ["photophobia", "phonophobia"]}, True),
        (ACHE | {"symptoms": ["vomiting"]}, True),
        ({"headache": True, "duration_h": Decimal("24")}, False),
        ({"headache": True, "duration_h": Decimal("1"), "acute_meds": ["triptan"]}, True),
        ({"headache": True, "duration_h": Decimal("1"), "acute_meds": ["nsaid"]}, False),
        ({"headache": False, "aura_min": 5}, True),
        ({"headache": False, "aura_min": 60}, True),
        ({"headache": False, "aura_min": 4}, False),
        ({"headache": False, "aura_min": 61}, False),
        ({"headache": False}, False),
        ({k: v for k, v in ACHE.items() if k != "duration_h"}, "duration_missing"),
        ({"headache": True, "features": ["pulsating"]}, False),
    ],
)
def test_a_migraine_day(day: Record, answer: Any) -> None:
    assert told(day) == answer


def test_older_trials_ask_for_four_hours() -> None:
    assert told(ACHE | {"duration_h": Decimal("3.9")}, FOUR_HOURS) is False
    assert told(ACHE | {"duration_h": Decimal("4")}, FOUR_HOURS) is True


@given(st.integers(0, 28), st.integers(1, 28))
def test_a_count_is_brought_to_28_days_where_enough_were_recorded(count: int, recorded: int) -> None:
    if recorded * 5 < 28 * 4:
        with pytest.raises(Undefined, match="diary_incomplete"):
            monthly(count, recorded, 28)
    else:
        assert monthly(count, recorded, 28) * recorded == 28 * count


def record(kind: str, name: str, **fields: Any) -> Record:
    meta = {"kind": kind, "record_id": name, "version": 1, "record_status": "final", "blinding_class": "open"}
    return meta | {"subject_id": "HM-02"} | fields


def diary(start: date, aching: int, recorded: int = 28, **changes: Any) -> list[Record]:
    """A period and its days, the first `aching` of them migraine days."""
    period = record("headache_period", f"p-{start}", start=str(start), days_planned=28, days_recorded=recorded)
    found = [period | changes]
    for number in range(recorded):
        day = str(start + timedelta(days=number))
        told: Record = ACHE if number < aching else {"headache": False}
        found.append(record("headache_day", f"d-{day}", diary_date=day, **told))
    return found


BEFORE, AFTER = date(2026, 4, 7), date(2026, 5, 6)


def reduction(*found: Record, kind: str = "migraine-30min") -> Any:
    told = one(derive([ACT, *found]), f"days_reduction-{kind}")
    return told.value if told.undefined is None else told.undefined


def test_periods_are_compared_by_days_in_28() -> None:
    assert reduction(*diary(BEFORE, 12), *diary(AFTER, 6)) == 50
    assert reduction(*diary(BEFORE, 12, 24), *diary(AFTER, 7)) == 50, "12 in 24 are 14 in 28"
    assert reduction(*diary(BEFORE, 12), *diary(AFTER, 7)) == Decimal("41.666667")


@pytest.mark.parametrize(
    ("before", "after", "fifty", "thirty"), [(12, 6, True, True), (12, 7, False, True), (10, 8, False, False)]
)
def test_responders(before: int, after: int, fifty: bool, thirty: bool) -> None:
    found = derive([ACT, *diary(BEFORE, before), *diary(AFTER, after)])
    assert one(found, "headache_responder_50-migraine-30min").value is fifty
    assert one(found, "headache_responder_30-headache").value is thirty


def test_what_is_missing_or_zero_is_undefined() -> None:
    assert reduction(*diary(BEFORE, 0), *diary(AFTER, 2)) == "baseline_zero"
    assert reduction(*diary(AFTER, 2)) == "baseline_missing"
    assert reduction(*diary(BEFORE, 12), *diary(AFTER, 6, 22)) == "diary_incomplete"
    assert reduction(*diary(BEFORE, 12, 22), *diary(AFTER, 6)) == "diary_incomplete"
    assert reduction(*diary(BEFORE, 12), *diary(AFTER, 6, days_recorded=29)) == "diary_incomplete", "a day is not here"
    assert reduction(*diary(BEFORE, 12, record_status="entered_in_error"), *diary(AFTER, 6)) == "input_retracted"
    assert reduction(*diary(BEFORE, 12), *diary(AFTER, 6, record_status="entered_in_error")) == "input_retracted"


def test_a_period_that_the_procedure_falls_into_is_no_baseline() -> None:
    assert reduction(*diary(date(2026, 4, 20), 12), *diary(AFTER + timedelta(days=28), 6)) == "baseline_missing"


def test_a_period_without_its_days_counts_nothing() -> None:
    for changes in ({"days_recorded": 28}, {"days_recorded": 0}):
        assert one(derive([diary(BEFORE, 12)[0] | changes]), "days-headache").undefined == "diary_incomplete"
    named = {k: v for k, v in diary(BEFORE, 12)[0].items() if k != "days_recorded"} | {"days": ["d-2026-04-07", "x"]}
    assert one(derive([named, *diary(BEFORE, 1, 1)[1:]]), "days-headache").undefined == "diary_incomplete"


def test_a_day_taken_back_is_a_day_not_recorded() -> None:
    period = diary(BEFORE, 14)
    wrong = period[1] | {"version": 2, "record_status": "entered_in_error"}
    found = derive([*period, wrong])
    assert (one(found, "days-headache").value, one(found, "days-headache").labels["days_recorded"]) == (13, "27")
    assert one(found, "monthly_days-headache").value == Decimal("13.481481")
    assert Input("d-2026-04-07", 1) not in one(found, "days-headache").inputs


def test_a_day_of_which_nobody_knows_is_not_recorded() -> None:
    period = diary(BEFORE, 14)
    blank = [{k: v for k, v in day.items() if k not in ACHE} for day in period[1:3]]
    found = derive([period[0], *blank, *period[3:]])
    assert one(found, "monthly_days-migraine-30min").value == Decimal("12.923077"), "12 in 26"
    assert {x.undefined for x in of(found, "migraine_day-30min") if x.undefined} == {"headache_unknown"}


def test_the_count_itself_is_kept_beside() -> None:
    found = derive(diary(BEFORE, 12, 22))
    assert one(found, "days-headache").value == 12
    assert one(found, "monthly_days-headache").undefined == "diary_incomplete"
    assert one(found, "days-headache").labels == {"days_recorded": "22", "days_planned": "28"}
    assert of(found, "days_reduction-headache") == [], "nothing came before it to compare with"


def test_later_sessions_are_compared_with_the_course_too() -> None:
    second = STORY.procedure("P2", "2026-06-05T13:00:00+02:00", course_id="C1", session_number=2)
    third = diary(date(2026, 6, 6), 3)
    found = derive([ACT, second, *diary(BEFORE, 12), *diary(AFTER, 6), *third])
    told = {x.scope: x.value for x in of(found, "days_reduction-headache", procedure_id="P2")}
    assert told == {"procedure": 50, "course": 75}


def test_a_course_that_nobody_knows_the_begin_of_has_no_baseline() -> None:
    act = {k: v for k, v in ACT.items() if k != "started_at"}
    second = STORY.procedure("P2", "2026-05-05T13:00:00+02:00", course_id="C1", session_number=2)
    told = {
        x.scope: x for x in of(derive([act, second, *diary(BEFORE, 12), *diary(AFTER, 6)]), "days_reduction-headache")
    }
    assert (told["procedure"].value, told["course"].undefined) == (50, "time_unknown")


def test_attacks_and_severity() -> None:
    aching = [
        {"headache": True, "attack_id": a, "peak_severity": s, "severity_scale": "nrs_0_10"}
        for a, s in (("A", 7), ("A", 6), ("B", 4))
    ]
    assert attack_count(aching) == 2
    assert mean_severity(aching) * 3 == 17
    with pytest.raises(Undefined, match="attack_missing"):
        attack_count([*aching, {"headache": True}])
    with pytest.raises(Undefined, match="mixed_scales"):
        mean_severity([*aching, {"headache": True, "peak_severity": 2, "severity_scale": "vrs_4"}])
    with pytest.raises(Undefined, match="no_headache"):
        mean_severity([{"headache": False}])
