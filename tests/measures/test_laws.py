"""Laws of the formulas: exactness at the boundary, areas that add up, nothing that is no number, order that never counts."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adapter import records as room
from adapter.measures import REASONS, derive
from adapter.measures.course import area, summary
from adapter.measures.exact import exact, written
from adapter.measures.model import CLASSES, Undefined
from adapter.measures.reduction import change, pct_reduction, responder
from adapter.measures.times import before, day_of, days, length, minutes, not_after, place, span
from tests.measures.story import Record, Story
from tests.strategies import any_records

scores = st.decimals("0", "100", places=3)
positive = st.decimals("0.001", "100", places=3)
times = st.lists(st.fractions(0, 400), min_size=2, max_size=8, unique=True).map(sorted)
dates = st.dates(date(1900, 1, 1), date(2100, 12, 31))


@st.composite
def curves(draw: st.DrawFn) -> list[tuple[Fraction, Decimal]]:
    """Points in order of time, the first at 0 with some pain."""
    moments = [
        Fraction(0),
        *draw(st.lists(st.fractions("1/100", 400), min_size=1, max_size=7, unique=True).map(sorted)),
    ]
    return list(zip(moments, [draw(positive), *(draw(scores) for _ in moments[1:])], strict=True))


# --- numbers ---


@given(positive, scores, st.integers(1, 100))
def test_percent_and_responder_agree(baseline: Decimal, followup: Decimal, percent: int) -> None:
    assert responder(baseline, followup, percent) is (pct_reduction(baseline, followup) >= percent)


@given(positive, st.sampled_from((30, 50)))
def test_the_boundary_itself_responds_and_the_least_less_does_not(baseline: Decimal, percent: int) -> None:
    limit = exact(baseline) * (100 - percent) / 100
    assert responder(baseline, limit, percent)
    assert pct_reduction(baseline, limit) == percent
    assert not responder(baseline, limit + Fraction(1, 10**30), percent)


@given(scores, scores)
def test_better_is_positive_whichever_end_is_the_better_one(baseline: Decimal, followup: Decimal) -> None:
    lower = change(baseline, followup, "lower_better")
    assert change(baseline, followup, "higher_better") == -lower
    assert lower + change(followup, baseline, "lower_better") == 0


@given(scores)
def test_a_percent_of_nothing_is_undefined(followup: Decimal) -> None:
    for formula in (pct_reduction, lambda b, f: responder(b, f, 30)):
        with pytest.raises(Undefined, match="baseline_zero"):
            formula(Decimal(0), followup)
        with pytest.raises(Undefined, match="baseline_negative"):
            formula(Decimal(-1), followup)


@given(st.fractions(), st.integers(0, 6))
def test_a_written_number_is_as_near_as_its_places_allow(number: Fraction, places: int) -> None:
    told = written(number, places)
    assert abs(exact(told) - number) <= Fraction(1, 2 * 10**places)
    assert -int(told.as_tuple().exponent) <= places  # type: ignore[arg-type]
    assert "E" not in str(told)
    assert "." not in str(told) or str(told)[-1] != "0"
    assert written(told, places) == told


@pytest.mark.parametrize(
    ("number", "text"),
    [
        ("1/8", "0.12"),
        ("3/8", "0.38"),
        ("-1/8", "-0.12"),
        ("0", "0"),
        ("-1/1000", "0"),
        ("50", "50"),
        ("500/7", "71.43"),
    ],
)
def test_halves_are_rounded_to_even(number: str, text: str) -> None:
    assert str(written(Fraction(number), 2)) == text


# --- curves ---


@given(curves(), st.integers(0, 6))
def test_areas_add_up(points: list[tuple[Fraction, Decimal]], cut: int) -> None:
    cut = min(cut, len(points) - 1)
    assert area(points) == area(points[: cut + 1]) + area(points[cut:])


@given(curves())
def test_the_mean_lies_between_the_extremes(points: list[tuple[Fraction, Decimal]]) -> None:
    found = summary(points)
    assert min(score for _, score in points) <= found["twa_pain"] <= max(score for _, score in points)
    assert found["auc_pain"] + found["spid"] == exact(points[0][1]) * points[-1][0]
    assert found["pct_spid"] == pct_reduction(points[0][1], 1) + 100 * (1 - found["twa_pain"]) / exact(points[0][1])


@given(curves(), st.fractions("1/10", 10))
def test_areas_scale_with_time(points: list[tuple[Fraction, Decimal]], factor: Fraction) -> None:
    longer = [(time * factor, score) for time, score in points]
    assert area(longer) == factor * area(points)
    assert summary(longer)["twa_pain"] == summary(points)["twa_pain"]


def test_time_does_not_run_backwards() -> None:
    with pytest.raises(ValueError, match="backwards"):
        area([(1, 5), (0, 5)])


# --- the calendar ---


@given(dates, st.integers(0, 60))
def test_a_month_keeps_the_day_or_ends_with_the_month(start: date, months: int) -> None:
    end = length(f"P{months}M").after(start)
    assert (end.year * 12 + end.month) - (start.year * 12 + start.month) == months
    assert end.day == start.day or (end.day < start.day and (end + timedelta(days=1)).day == 1)


@pytest.mark.parametrize(
    ("start", "duration", "end"),
    [
        ("2026-01-31", "P1M", "2026-02-28"),
        ("2024-01-31", "P1M", "2024-02-29"),
        ("2024-02-29", "P1Y", "2025-02-28"),
        ("2026-02-18", "P3M", "2026-05-18"),
        ("2026-11-30", "P3M", "2027-02-28"),
        ("2026-12-24", "P2W", "2027-01-07"),
    ],
)
def test_calendar_steps(start: str, duration: str, end: str) -> None:
    assert length(duration).after(date.fromisoformat(start)).isoformat() == end


partial_dates = st.builds(lambda day, size: day.isoformat()[:size], dates, st.sampled_from((4, 7, 10)))


@given(partial_dates, partial_dates)
def test_partial_dates_compare_only_where_they_do_not_overlap(first: str, second: str) -> None:
    (a, b), (c, e) = span(first), span(second)
    assert before(first, second) is (b < c)
    assert not (before(first, second) and before(second, first))
    assert before(first, second) <= not_after(first, second)
    assert (days(first, second) is None) is (day_of(first) is None or day_of(second) is None)
    assert a <= b
    assert c <= e


@given(partial_dates, partial_dates, st.sampled_from(("P7D", "P1M", "P3M")), st.data())
def test_a_window_says_of_a_partial_date_what_all_its_days_say(
    start: str, end: str, offset: str, data: st.DataObject
) -> None:
    lengths = (length(offset), length("P3D"), length("P5D"))
    told = place(start, end, *lengths)
    days_of = [data.draw(st.dates(*span(text))).isoformat() for text in (start, end)]
    assert told in ("unknown", place(*days_of, *lengths))


@given(st.datetimes(), st.timedeltas(min_value=timedelta(0), max_value=timedelta(days=3)), st.integers(-12, 12))
def test_minutes_do_not_depend_on_the_offset(start: Any, gap: timedelta, hours: int) -> None:
    from datetime import timezone

    try:
        first, second = start.replace(tzinfo=timezone(timedelta(hours=hours))), start + gap
        second = second.replace(tzinfo=timezone(timedelta(hours=hours))).astimezone(timezone(timedelta(hours=2)))
    except OverflowError:
        return
    assert minutes(first.isoformat(), second.isoformat()) == Fraction(gap // timedelta(microseconds=1), 60_000_000)


# --- records ---

SUBJECT = "HD-0099"


@st.composite
def charts(draw: st.DrawFn) -> list[Record]:
    """Arbitrary records as if of one subject, some of them about the same procedures."""
    found = []
    for record in draw(st.lists(any_records(), min_size=1, max_size=8, unique_by=lambda one: one["record_id"])):
        record = dict(record)
        if record["kind"] != "study":
            record["subject_id"] = SUBJECT
        if record["kind"] == "procedure":
            record["procedure_id"] = draw(st.sampled_from(("P1", "P2")))
        if record["kind"] == "pain_outcome":
            record["anchor_procedure_id"] = draw(st.sampled_from(("P1", "P2", "P9")))
        found.append(record)
    return found


@settings(max_examples=60, deadline=None)
@given(charts(), st.randoms(use_true_random=False))
def test_whatever_comes_in_what_comes_out_is_whole(records: list[Record], dice: Any) -> None:
    found = derive(records)
    keys = [one.key for one in found]
    assert keys == sorted(set(keys))
    known = {(one["record_id"], one["version"]) for one in records}
    for one in found:
        assert (one.value is None) is (one.undefined is not None)
        assert one.undefined is None or one.undefined in REASONS
        assert not isinstance(one.value, Decimal) or one.value.is_finite()
        assert set(one.inputs) <= known
        assert one.blinding_class in CLASSES
    shuffled = list(records)
    dice.shuffle(shuffled)
    assert derive(shuffled) == found


@settings(max_examples=30, deadline=None)
@given(st.lists(st.integers(0, 10), min_size=4, max_size=4), st.permutations(range(5)))
def test_the_order_of_the_records_counts_for_nothing(marks: list[int], order: list[int]) -> None:
    story = Story()
    times_ = (
        "2026-02-18T10:05:00+03:00",
        "2026-02-18T11:30:00+03:00",
        "2026-02-25T10:05:00+03:00",
        "2026-03-18T09:00:00+03:00",
    )
    made = [story.procedure("P2", "2026-02-18T10:15:00+03:00", "2026-02-18T10:27:00+03:00")]
    for code, time, mark in zip(("baseline", "h1", "w1", "m1"), times_, marks, strict=True):
        made.append(story.score("P2", code, time, mark))
    found = derive(made)
    assert derive([made[n] for n in order]) == found
    pcts = {one.timepoint: one for one in found if one.formula == "pct_reduction"}
    assert len(pcts) == 3
    assert all((one.undefined == "baseline_zero") is (marks[0] == 0) for one in pcts.values())


CALENDAR = {"baseline": 0, "h1": 0, "w1": 7, "m1": 28, "m3": 89}
STATUSES = ("final", "final", "final", "final", "draft", "cancelled", "entered_in_error")


@st.composite
def courses(draw: st.DrawFn) -> list[Record]:
    """One to three sessions of a course with scores around them, at full times and at dates known in part."""
    story, found = Story("HD-0099", study=None), []
    for number in range(1, draw(st.integers(1, 3)) + 1):
        first = date(2025, 1, 15) + timedelta(days=100 * number)
        start = draw(st.sampled_from((f"{first}T10:00:00+03:00", f"{first}", f"{first}"[:7])))
        act = f"P{number}"
        found.append(story.procedure(act, start, course_id="C1", session_number=number))
        for code in draw(st.lists(st.sampled_from(sorted(CALENDAR)), unique=True)):
            day = first + timedelta(days=CALENDAR[code] + draw(st.integers(-1, 1)) * (CALENDAR[code] > 0))
            hour = "09" if code == "baseline" else "11"
            sizes = (10, 7) if code != "h1" else (None,)
            full = f"{day}T{hour}:00:00+03:00"
            time = full if (size := draw(st.sampled_from((None, *sizes)))) is None else full[:size]
            mark = draw(st.none() | st.integers(0, 10))
            status = draw(st.sampled_from(STATUSES))
            found.append(story.score(act, code, time, mark, record_status=status))
    return found


@settings(max_examples=80, deadline=None)
@given(courses(), st.data())
def test_what_is_retracted_supports_no_value(records: list[Record], data: st.DataObject) -> None:
    before = derive(records)
    gone = data.draw(st.sampled_from(records))
    retracted = gone | {"version": gone["version"] + 1, "record_status": "entered_in_error"}
    after = {one.key: one for one in derive([*records, retracted])}
    for one in after.values():
        cited = {source.record_id for source in (*one.inputs, *filter(None, [one.anchor]))}
        assert one.undefined is not None or gone["record_id"] not in cited
    for one in before:  # what did not rest on it stands as it was, or is counted anew from what is left
        if gone["record_id"] not in {source.record_id for source in one.inputs} and one.formula == "change":
            assert one.key in after or gone["kind"] == "procedure"


@settings(max_examples=80, deadline=None)
@given(courses())
def test_a_course_is_whole(records: list[Record]) -> None:
    found = derive(records)
    pairs = {(one.key[1:], one.formula): one for one in found}
    for one in found:
        assert (one.value is None) is (one.undefined is not None)
        if one.formula == "pct_reduction" and one.value is not None:
            assert isinstance(one.value, Decimal)
            assert one.value <= 100
            answer = pairs[one.key[1:], "responder_50"].value
            assert answer is (one.value >= 50)
        if one.formula.startswith("twa_pain") and one.value is not None:
            assert 0 <= one.value <= 10
    assert derive(list(reversed(records))) == found


@settings(max_examples=30, deadline=None)
@given(any_records())
def test_older_versions_and_cancelled_records_count_for_nothing(record: Record) -> None:
    newer = record | {"version": record["version"] + 1}
    assert derive([record, newer]) == derive([newer])
    assert derive([record | {"record_status": "cancelled"}]) == []


def test_records_of_two_subjects_are_refused() -> None:
    with pytest.raises(ValueError, match="several subjects"):
        derive([room.example("subject"), room.example("subject") | {"record_id": "x", "subject_id": "other"}])
