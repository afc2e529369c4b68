"""The expected numbers of the scenarios of the domain model, derived from records."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest

from adapter import records
from adapter.errors import RecordRefused
from adapter.measures import Derived, Input, derive, written
from tests.measures.story import Record, Story, of, one, values

LIDOCAINE: Record = {
    "agent_class": "local_anaesthetic",
    "agent": "lidocaine",
    "conc_value": Decimal("1"),
    "conc_unit": "percent_wv",
    "volume_ml": Decimal("3"),
}
MPS: Record = {"indication": "MPS", "technique": "myofascial_hydrodissection"}


def shown(value: Any, places: int = 1) -> Any:
    """A value as the scenario prints it."""
    return written(value, places) if isinstance(value, Decimal) else value


def percents(found: list[Derived], **wanted: Any) -> dict[str | None, Any]:
    """Percent reductions to one decimal, or reasons, by time point."""
    return {code: shown(value) for code, value in values(found, "pct_reduction", **wanted).items()}


def by_context(found: list[Derived], formula: str) -> dict[str, Any]:
    return {x.labels["pain_context"]: x.value if x.undefined is None else x.undefined for x in of(found, formula)}


def diagnostic(story: Story, start: str, end: str | None = None) -> Record:
    """A diagnostic injection of lidocaine 1 %, 3 mL."""
    target = records.example("procedure")["targets"][0] | {"volume_ml": Decimal("3")}
    return story.procedure(
        "P1", start, end, purpose="diagnostic", technique="diagnostic_injection", course_id="C1",
        injectate_components=[LIDOCAINE], injectate_total_ml=Decimal("3"), targets=[target],
    )  # fmt: skip


def d(text: str) -> Decimal:
    return Decimal(text)


# --- S01 ---


def trial() -> list[Record]:
    """HD-0017, the whole path; the diagnostic injection and the treatment are two sessions of one course."""
    story = Story()
    return [
        records.example("study"),
        diagnostic(story, "2026-02-16T09:30:00+03:00"),
        story.score("P1", "baseline", "2026-02-16T09:20:00+03:00", 8),
        story.score("P1", "h1", "2026-02-16T10:30:00+03:00", 3),
        story.procedure(
            "P2", "2026-02-18T10:15:00+03:00", "2026-02-18T10:27:00+03:00", course_id="C1", session_number=2
        ),
        story.score("P2", "baseline", "2026-02-18T10:05:00+03:00", 7),
        story.score("P2", "h1", "2026-02-18T11:30:00+03:00", 2),
        story.score("P2", "w1", "2026-02-25T10:05:00+03:00", 3),
        story.score("P2", "m1", "2026-03-18T10:10:00+03:00", 2),
        story.score("P2", "m3", "2026-05-18T10:40:00+03:00", 1),
    ]


def test_s01_the_diagnostic_injection_makes_eligible() -> None:
    found = derive(trial())
    assert one(found, "pct_reduction", procedure_id="P1").value == d("62.5")
    positive = one(found, "diagnostic_positive")
    assert (positive.value, positive.procedure_id, positive.timepoint) == (True, "P1", "h1")


def test_s01_reductions_count_from_seven_and_not_from_eight() -> None:
    found = derive(trial())
    assert percents(found, procedure_id="P2") == {"h1": d("71.4"), "w1": d("57.1"), "m1": d("71.4"), "m3": d("85.7")}
    assert set(values(found, "responder_50", procedure_id="P2").values()) == {True}
    assert of(found, "pct_reduction", scope="course") == [], "a diagnostic injection is no first session"


def test_s01_area_mean_and_pain_spared() -> None:
    found = derive(trial())
    actual, nominal = one(found, "auc_pain"), one(found, "auc_pain-nominal")
    assert actual.value == d("161.5875")
    assert shown(nominal.value) == d("161.6")
    assert (actual.unit, nominal.unit) == ("{score}.d", "{score}.d")
    assert shown(one(found, "twa_pain-nominal").value, 2) == shown(one(found, "twa_pain").value, 2) == d("1.82")
    assert shown(one(found, "pct_spid-nominal").value) == shown(one(found, "pct_spid").value) == d("74.1")
    assert one(found, "spid").value == 7 * 89 - d("161.5875")
    assert (actual.at, actual.until) == ("2026-02-18T10:05:00+03:00", "2026-05-18T10:40:00+03:00")
    assert (actual.labels["gaps"], actual.missing_timepoints) == ("0", ())


def test_s01_onset_and_lasting_relief() -> None:
    found = derive(trial())
    onset = one(found, "onset")
    assert (onset.value, onset.timepoint) == ("2026-02-18T11:30:00+03:00", "h1")
    assert one(found, "sustained_responder_50").value is True


def test_s01_doses() -> None:
    found = derive(trial())
    assert one(found, "dose_mg", procedure_id="P2").value == 1000
    assert one(found, "dose_mg", procedure_id="P1").value == one(found, "la_total_mg").value == 30


def test_s01_every_value_cites_its_records_in_order() -> None:
    told = {r["source_record_id"].partition(".")[2]: Input(r["record_id"], r["version"]) for r in trial()}
    found = derive(trial())
    week = one(found, "pct_reduction", timepoint="w1")
    assert week.inputs == (told["P2.baseline"], told["P2.w1"])
    assert week.anchor is None, "the times of the procedure do not enter"
    assert one(found, "auc_pain").inputs == tuple(told[f"P2.{x}"] for x in ("baseline", "h1", "w1", "m1", "m3"))
    assert one(found, "auc_pain").anchor == told["P2"]
    assert week.formula_id == "pct_reduction-1"
    assert week.labels["baseline_timepoint"] == "baseline"


def test_s01_what_shows_the_length_of_the_procedure_is_as_hidden_as_the_procedure() -> None:
    found = derive(trial())
    assert {x.blinding_class for x in found if x.formula in ("elapsed", "auc_pain", "dose_mg")} == {
        "allocation_revealing"
    }
    assert {x.blinding_class for x in found if x.formula in ("pct_reduction", "responder_30")} == {"open"}


# --- S02 ---


@pytest.mark.parametrize(
    ("before", "after", "percent", "met"),
    [("8", "4", "50", True), ("7", "4", "42.9", False)],
)
def test_s02_the_criterion_is_inclusive_and_asks_for_the_calculated_value(
    before: str, after: str, percent: str, met: bool
) -> None:
    story = Story()
    found = derive([
        records.example("study"),
        diagnostic(story, "2026-02-16T09:30:00+03:00", "2026-02-16T09:35:00+03:00"),
        story.score("P1", "screening", "2026-02-16T09:20:00+03:00", before),
        story.score("P1", "h1", "2026-02-16T10:30:00+03:00", after, pct_relief_reported=d("60")),
    ])  # fmt: skip
    assert percents(found) == {"h1": d(percent)}
    assert one(found, "diagnostic_positive").value is met


def test_s02_a_late_answer_by_telephone_does_not_meet_the_criterion_of_one_hour() -> None:
    story = Story()
    found = derive([
        records.example("study"),
        diagnostic(story, "2026-02-16T09:30:00+03:00", "2026-02-16T09:35:00+03:00"),
        story.score("P1", "screening", "2026-02-16T09:20:00+03:00", 6),
        story.score("P1", "h1", "2026-02-16T12:15:00+03:00", 3, mode="phone"),
    ])  # fmt: skip
    late = one(found, "elapsed", timepoint="h1")
    assert (late.value, late.unit, late.labels["window"]) == (160, "min", "outside")
    assert one(found, "pct_reduction").value == 50, "the number itself stands"
    positive = one(found, "diagnostic_positive")
    assert (positive.value, positive.undefined) == (None, "outside_window")


@pytest.mark.parametrize(
    ("instrument", "before", "after", "percent", "meets"),
    [("vas_0_10_cm", "7.0", "4.9", "30", True), ("vas_0_100_mm", "61", "43", "29.508197", False)],
)
def test_s02_thirty_percent_is_decided_unrounded(
    instrument: str, before: str, after: str, percent: str, meets: bool
) -> None:
    story = Story(study=None)
    found = derive([
        story.procedure("P1", "2026-02-18T10:15:00+03:00"),
        story.score("P1", "baseline", "2026-02-18T10:05:00+03:00", before, instrument=instrument),
        story.score("P1", "w1", "2026-02-25T10:05:00+03:00", after, instrument=instrument),
    ])  # fmt: skip
    reduction = one(found, "pct_reduction").value
    assert reduction == d(percent)
    assert shown(reduction, 0) == 30
    assert one(found, "responder_30").value is meets


# --- S03 ---


def registry() -> list[Record]:
    """Both sides, three sessions, the first known by month, the third refused."""
    story = Story("HR-03", study=None)
    target = records.example("procedure")["targets"][0] | {"volume_ml": d("5")}
    both = [target | {"target_no": n, "laterality": side} for n, side in ((1, "left"), (2, "right"))]
    course: Record = {"course_id": "C1", "targets": both}
    saline = {"agent_class": "saline", "agent": "sodium_chloride", "volume_ml": d("10.0")}
    unknown = {"injectate_components.1.conc_value": "not_in_source"}
    done: Record = {**course, "injectate_components": [saline], "field_absent_reason": unknown}
    refused = story.procedure("P3", "2025-09", **course, session_number=3)
    found = [
        story.procedure("P1", "2025-03", **done, session_number=1),
        story.procedure("P2", "2025-06-12", **done, session_number=2),
        refused | {"performed_status": "not_done", "not_done_reason": "refused"},
    ]
    scores = {"left": ((1, 7, 4, 2)), "right": (2, 8, 5, 6)}
    for side, (number, first, second, last) in scores.items():
        place: Record = {"target_no": number, "laterality": side, "body_site": "scapular"}
        found += [
            story.score("P1", "baseline", "2025-03", first, f"{side}.1", **place),
            story.score("P2", "baseline", "2025-06-12", second, f"{side}.2", **place),
            story.score("P2", "w4", "2025-07-10", last, f"{side}.3", **place),
        ]
    return found


def test_s03_reductions_by_session_and_by_course_each_labelled() -> None:
    found = of(derive(registry()), "pct_reduction")
    told = {(x.labels["laterality"], x.scope): shown(x.value) for x in found}
    assert told == {
        ("left", "procedure"): d("50"),
        ("right", "procedure"): d("-20"),
        ("left", "course"): d("71.4"),
        ("right", "course"): d("25"),
    }
    assert {x.labels["baseline_procedure_id"] for x in found if x.scope == "course"} == {"P1"}


def test_s03_no_days_are_counted_from_a_month() -> None:
    found = derive(registry())
    assert {x.value for x in of(found, "elapsed", timepoint="w4")} == {28}
    assert {(x.undefined, x.value) for x in of(found, "elapsed", procedure_id="P1")} == {("time_unknown", None)}
    assert {x.undefined for x in of(found, "dose_mg")} == {"strength_missing"}


# --- S04 ---


def test_s04_withdrawal_leaves_nothing_in_the_place_of_a_score() -> None:
    story = Story("HD-0021")
    found = derive([
        records.example("study"),
        story.procedure("P2", "2026-02-18T10:15:00+03:00", "2026-02-18T10:27:00+03:00"),
        story.score("P2", "baseline", "2026-02-18T10:05:00+03:00", 7),
        story.score("P2", "h1", "2026-02-18T11:30:00+03:00", 4),
        story.score("P2", "w1", "2026-02-25T10:05:00+03:00", 5),
        story.score("P2", "m1", None, None),
        story.score("P2", "m3", None, None),
    ])  # fmt: skip
    gone = "followup_missing"
    assert percents(found) == {"h1": d("42.9"), "w1": d("28.6"), "m1": gone, "m3": gone}
    assert values(found, "responder_30") == {"h1": True, "w1": False, "m1": gone, "m3": gone}
    assert values(found, "responder_30_imputed") == values(found, "responder_50_imputed") == {"m1": False, "m3": False}
    assert one(found, "auc_pain").undefined == "last_point_missing"
    assert one(found, "sustained_responder_50").value is False
    assert one(found, "sustained_responder_50").missing_timepoints == ("m1", "m3")


@pytest.mark.parametrize(("baseline", "why"), [(None, "baseline_missing"), (0, "baseline_zero")])
def test_no_response_is_imputed_where_there_could_be_none(baseline: int | None, why: str) -> None:
    story = Story("HD-0021")
    records_ = [
        story.procedure("P2", "2026-02-18T10:15:00+03:00", "2026-02-18T10:27:00+03:00"),
        story.score("P2", "m1", None, None),
    ]
    if baseline is not None:
        records_.append(story.score("P2", "baseline", "2026-02-18T10:05:00+03:00", baseline))
    assert one(derive(records_), "responder_30_imputed").undefined == why


# --- S05 ---


def test_s05_each_period_of_a_crossover_counts_from_its_own_baseline() -> None:
    story = Story("HD-0030", study=None)
    found = derive([
        story.procedure("P1", "2026-01-12T10:00:00+03:00", course_id="C1", session_number=1),
        story.procedure("P2", "2026-02-09T10:00:00+03:00", course_id="C1", session_number=2),
        story.score("P1", "baseline", "2026-01-12T09:50:00+03:00", 6),
        story.score("P1", "w1", "2026-01-19T09:50:00+03:00", 2),
        story.score("P2", "baseline", "2026-02-09T09:50:00+03:00", 5),
        story.score("P2", "w1", "2026-02-16T09:50:00+03:00", 4),
    ])  # fmt: skip
    told = {x.procedure_id: shown(x.value) for x in of(found, "pct_reduction", scope="procedure")}
    assert told == {"P1": d("66.7"), "P2": d("20")}
    over = one(found, "pct_reduction", scope="course")
    assert (over.procedure_id, shown(over.value)) == ("P2", d("33.3"))


def test_s05_a_score_after_rescue_is_flagged_and_not_dropped() -> None:
    story = Story("HD-0031", study=None)
    found = derive([
        story.procedure("P2", "2026-02-18T10:15:00+03:00", purpose="therapeutic"),
        story.procedure("P3", "2026-04-02T10:00:00+03:00", purpose="rescue", course_id="C9"),
        story.score("P2", "baseline", "2026-02-18T10:05:00+03:00", 7),
        story.score("P2", "w1", "2026-02-25T10:05:00+03:00", 6),
        story.score("P2", "m1", "2026-03-18T10:05:00+03:00", 6, rescue_since_last=False),
        story.score("P2", "m3", "2026-05-18T10:05:00+03:00", 2),
    ])  # fmt: skip
    assert values(found, "intercurrent") == {"w1": "rescue_unknown", "m1": False, "m3": True}
    assert percents(found) == {"w1": d("14.3"), "m1": d("14.3"), "m3": d("71.4")}
    assert {x.blinding_class for x in of(found, "intercurrent")} == {"allocation_revealing"}, "none stands out"


def test_s05_once_rescued_stays_flagged_whoever_says_so() -> None:
    story = Story("HD-0031", study=None)
    act = story.procedure("P2", "2026-02-18T10:15:00+03:00")
    told = {"w1": ("2026-02-25", False), "m1": ("2026-03-18", True), "m3": ("2026-05-18", False)}
    scores = [
        story.score("P2", code, f"{day}T10:05:00+03:00", 5, rescue_since_last=flag)
        for code, (day, flag) in told.items()
    ]
    found = derive([act, *scores])
    assert values(found, "intercurrent") == {"w1": False, "m1": True, "m3": True}
    assert one(found, "intercurrent", timepoint="m3").inputs == tuple((x["record_id"], 1) for x in scores[1:])
    assert of(derive([act, story.score("P2", "w1", "2026-02-25T10:05:00+03:00", 5)]), "intercurrent") == []


# --- S08 ---


def test_s08_without_a_baseline_the_reported_relief_is_no_substitute() -> None:
    story = Story("HR-08", study=None)
    found = derive([
        story.procedure("P1", "2025-03"),
        story.score("P1", "m1", "2025-04", 2, pct_relief_reported=d("70"), mode="chart_review"),
    ])  # fmt: skip
    assert percents(found) == {"m1": "baseline_missing"}
    assert values(found, "responder_50") == {"m1": "baseline_missing"}


def test_s08_a_baseline_of_zero_has_a_change_and_no_percent() -> None:
    story = Story("HR-09", study=None)
    found = [story.procedure("P1", "2026-03-02T09:00:00+03:00")]
    for context, before, after in (("rest", 0, 2), ("movement", 6, 1)):
        for code, time, score in (("baseline", "03-02T08:50", before), ("w1", "03-09T08:50", after)):
            found.append(story.score(
                "P1", code, f"2026-{time}:00+03:00", score, f"{context}.{code}", pain_context=context
            ))  # fmt: skip
    derived = derive(found)
    assert {k: shown(v) for k, v in by_context(derived, "pct_reduction").items()} == {
        "rest": "baseline_zero",
        "movement": d("83.3"),
    }
    assert by_context(derived, "change") == {"rest": -2, "movement": 5}
    assert by_context(derived, "responder_50") == {"rest": "baseline_zero", "movement": True}
    assert by_context(derived, "pct_spid")["rest"] == "baseline_zero"
    assert by_context(derived, "auc_pain")["rest"] == 7, "an area needs no percent"


def test_s08_worse_is_a_negative_percent_and_no_responder() -> None:
    story = Story("HR-10", study=None)
    found = derive([
        story.procedure("P1", "2026-03-02T09:00:00+03:00"),
        story.score("P1", "baseline", "2026-03-02T08:50:00+03:00", 4),
        story.score("P1", "w1", "2026-03-09T08:50:00+03:00", 6),
    ])  # fmt: skip
    assert one(found, "pct_reduction").value == -50
    assert (one(found, "responder_30").value, one(found, "onset").undefined) == (False, "not_reached")


# --- S09 ---


def corrected(story: Story, version: int, side: str) -> Record:
    target = records.example("procedure")["targets"][0] | {"laterality": side}
    return story.procedure("P5", "2026-02-18T10:15:00+03:00", targets=[target], version=version)


def test_s09_a_correction_gives_a_new_value_under_the_same_key() -> None:
    story = Story("HD-0032", study=None)
    base = story.score("P5", "baseline", "2026-02-18T10:05:00+03:00", 7)
    month = [story.score("P5", "m1", "2026-03-18T10:05:00+03:00", score, version=v) for v, score in ((1, 2), (2, 7))]
    first = one(derive([corrected(story, 1, "right"), base, month[0]]), "pct_reduction")
    second = one(derive([corrected(story, 2, "left"), base, *month]), "pct_reduction")
    assert (shown(first.value), second.value, second.undefined) == (d("71.4"), d("0"), None)
    assert first.key == second.key
    assert (first.inputs[1].version, second.inputs[1].version) == (1, 2)
    assert first.inputs[1].record_id == second.inputs[1].record_id


def test_s09_a_retracted_score_voids_what_rested_on_it_and_moves_to_its_owner() -> None:
    story, owner = Story("HD-0032", study=None), Story("HD-0033", study=None)
    base = story.score("P5", "baseline", "2026-02-18T10:05:00+03:00", 7)
    week = story.score("P5", "w1", "2026-02-25T10:05:00+03:00", 3)
    wrong = story.score("P5", "w1", "2026-02-25T10:05:00+03:00", 3, version=2, record_status="entered_in_error")
    act = corrected(story, 1, "left")
    before, after = derive([act, base, week]), derive([act, base, week, wrong])
    was, now = one(before, "pct_reduction"), one(after, "pct_reduction")
    assert (shown(was.value), now.value, now.undefined, now.key) == (d("57.1"), None, "input_retracted", was.key)
    assert {x.key for x in before if x.timepoint == "w1" and x.value is not None} >= {now.key}
    assert not [x for x in after if x.timepoint == "w1" and x.value is not None]
    moved = owner.score("P5", "w1", "2026-02-25T10:05:00+03:00", 3)
    theirs = derive([owner.score("P5", "baseline", "2026-02-18T10:05:00+03:00", 6), moved])
    assert one(theirs, "pct_reduction").value == 50
    assert one(theirs, "pct_reduction").key != was.key


def test_s09_a_retracted_baseline_voids_all_that_counted_from_it() -> None:
    story = Story("HD-0032", study=None)
    act = corrected(story, 1, "left")
    week = story.score("P5", "w1", "2026-02-25T10:05:00+03:00", 3)
    wrong = story.score("P5", "baseline", "2026-02-18T10:05:00+03:00", 7, version=2, record_status="entered_in_error")
    found = derive([act, week, wrong])
    for formula in ("change", "pct_reduction", "responder_30", "auc_pain", "onset", "sustained_responder_50"):
        assert one(found, formula).undefined == "input_retracted", formula
    again = derive([act, week, wrong, story.score("P5", "baseline", "2026-02-18T10:00:00+03:00", 6, "again")])
    assert one(again, "pct_reduction").value == 50, "another baseline is taken"


# --- S11 ---


@pytest.mark.parametrize(
    ("end", "followup"),
    [
        ("2026-11-01T01:20:00-04:00", "2026-11-01T01:20:00-05:00"),
        ("2026-03-08T01:30:00-05:00", "2026-03-08T03:30:00-04:00"),
    ],
)
def test_s11_an_hour_is_an_hour_when_the_clocks_change(end: str, followup: str) -> None:
    story = Story("HM-01", "America/New_York", None)
    start = end.replace("T01:20", "T01:06").replace("T01:30", "T01:10")
    found = derive([story.procedure("P1", start, end), story.score("P1", "h1", followup, 3)])
    hour = one(found, "elapsed")
    assert (hour.value, hour.unit, hour.labels["window"]) == (60, "min", "inside")


def test_s11_a_week_is_seven_days_when_it_has_167_hours() -> None:
    story = Story("HM-02", "Europe/Berlin", None)
    found = derive([
        story.procedure("P1", "2026-03-25T08:40:00+01:00", "2026-03-25T09:00:00+01:00"),
        story.score("P1", "w1", "2026-04-01T09:00:00+02:00", 3),
    ])  # fmt: skip
    week = one(found, "elapsed")
    assert (week.value, week.unit, week.labels["window"]) == (7, "d", "inside")


@pytest.mark.parametrize("time", ["2026-11-01T01:20:00", "2026-03-08T02:30:00-05:00", "2026-03-08T02:30:00-04:00"])
def test_s11_times_that_do_not_exist_or_are_not_certain_never_arrive_here(time: str) -> None:
    with pytest.raises(RecordRefused):
        Story("HM-01", "America/New_York", None).score("P1", "h1", time, 3)


def meta(name: str, kind: str, **fields: Any) -> Record:
    """A record of a kind of diary."""
    return {
        "kind": kind, "record_id": name, "version": 1, "record_status": "final", "blinding_class": "open",
        "subject_id": "HM-01", "site_timezone": "America/New_York",
    } | fields  # fmt: skip


def diary(start: date, aching: int) -> list[Record]:
    """28 days, the first of them migraine days, and the period over them."""
    found = [meta(f"period-{start}", "headache_period", start=start.isoformat(), days_planned=28, days_recorded=28)]
    for number in range(28):
        day = start + timedelta(days=number)
        told: Record = {"diary_date": day.isoformat(), "headache": number < aching}
        if number < aching:
            told |= {
                "duration_h": d("5.5"),
                "peak_severity": 7,
                "severity_scale": "nrs_0_10",
                "attack_id": f"A{number // 2}",
            }
            told |= {"features": ["pulsating", "unilateral"], "symptoms": ["nausea"]}
        found.append(meta(f"day-{day}", "headache_day", **told))
    return found


def test_s11_migraine_days_halved_are_a_responder() -> None:
    story = Story("HM-01", "America/New_York", None)
    act = story.procedure("P1", "2026-11-01T01:06:00-04:00", "2026-11-01T01:20:00-04:00")
    found = derive([act, *diary(date(2026, 10, 4), 12), *diary(date(2026, 11, 1), 6)])
    assert [x.value for x in of(found, "days-migraine-30min")] == [12, 6]
    reduction = one(found, "days_reduction-migraine-30min", scope="procedure")
    assert (reduction.value, reduction.unit) == (50, "%")
    assert one(found, "headache_responder_50-migraine-30min").value is True
    assert reduction.inputs == (Input("period-2026-10-04", 1), Input("period-2026-11-01", 1))
    assert [x.value for x in of(found, "attack_count")] == [6, 3]
    assert {x.value for x in of(found, "mean_severity")} == {7}


def test_s11_hit6_falls_by_seven_which_meets_six() -> None:
    story = Story("HM-01", "America/New_York", None)
    found = [story.procedure("P1", "2026-11-01T01:06:00-04:00")]
    for code, time, score in (
        ("baseline", "2026-10-31T20:00:00-04:00", "64"),
        ("m1", "2026-12-01T09:00:00-05:00", "57"),
    ):
        found.append(meta(
            f"hit6-{code}", "function_outcome", anchor_procedure_id="P1", timepoint_code=code, assessed_at=time,
            instrument="hit6", domain="adl", score=d(score), score_status="collected",
        ))  # fmt: skip
    derived = derive(found)
    assert one(derived, "change").value == 7
    assert one(derived, "mcid_met-hit6-chronic-migraine").value is True
    assert one(derived, "mcid_met-hit6-primary-care-mean-change").value is True
    assert of(derived, "pct_reduction") == of(derived, "auc_pain") == [], "percents and curves are of pain"
    part = derive([one | {"subscale": "role"} if "instrument" in one else one for one in found])
    assert of(part, "change") != []
    assert of(part, "mcid_met-hit6-chronic-migraine") == [], "thresholds are of the whole"


@pytest.mark.parametrize(
    ("before", "after", "met"), [(8, 6, True), (3, 2, True), (4, 3, False), (0, 0, False), (0, 2, False)]
)
def test_a_change_matters_by_points_or_by_percent(before: int, after: int, met: bool) -> None:
    story = Story(study=None)
    found = derive([
        story.procedure("P1", "2026-02-18T10:15:00+03:00"),
        story.score("P1", "baseline", "2026-02-18T10:05:00+03:00", before),
        story.score("P1", "w1", "2026-02-25T10:05:00+03:00", after),
    ])  # fmt: skip
    assert one(found, "mcid_met-nrs-chronic-pain").value is met
