"""Courses: gaps, plans, times that run together, what a missing or doubled point does."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from adapter import records
from adapter.measures import derive
from tests.measures.story import Record, Story, of, one

STORY = Story("HD-0050")
ACT = STORY.procedure("P2", "2026-01-31T10:15:00+03:00", "2026-01-31T10:30:00+03:00")
TIMES = {
    "baseline": "2026-01-31T10:05:00+03:00",
    "h1": "2026-01-31T11:30:00+03:00",
    "w1": "2026-02-07T09:00:00+03:00",
    "m1": "2026-02-28T09:00:00+03:00",
    "m3": "2026-04-30T09:00:00+03:00",
}


def course(marks: dict[str, int | None], *more: Record, plan: list[str] | None = None) -> list[Any]:
    act = ACT if plan is None else ACT | {"planned_follow_up": plan}
    study = [] if plan == [] else [records.example("study")]
    return derive([*study, act, *(STORY.score("P2", code, TIMES[code], mark) for code, mark in marks.items()), *more])


FULL = {"baseline": 8, "h1": 2, "w1": 4, "m1": 6, "m3": 4}


def test_a_gap_is_bridged_named_and_counted() -> None:
    found = one(course({k: v for k, v in FULL.items() if k not in ("h1", "m1")}), "auc_pain")
    assert found.value == (8 + 4) * 7 // 2 + 4 * 82
    assert (found.missing_timepoints, found.labels["gaps"]) == (("h1", "m1"), "2")


def test_months_end_with_the_month() -> None:
    found = course(FULL)
    assert one(found, "elapsed", timepoint="m1").value == 28
    hour = Decimal(1) / 24
    nominal = (8 + 2) * hour / 2 + (2 + 4) * (7 - hour) / 2 + (4 + 6) * Decimal(21) / 2 + (6 + 4) * Decimal(61) / 2
    assert one(found, "auc_pain-nominal").value == round(nominal, 6)


@pytest.mark.parametrize("missing", ["m3"])
def test_nothing_is_extrapolated(missing: str) -> None:
    found = course({k: v for k, v in FULL.items() if k != missing})
    for formula in ("auc_pain", "twa_pain", "spid", "pct_spid", "auc_pain-nominal"):
        assert one(found, formula).undefined == "last_point_missing"
    assert one(found, "sustained_responder_50").value is False, "one miss is enough to know"


def test_lasting_relief_needs_every_point_to_be_certain() -> None:
    good = {"baseline": 8, "w1": 4, "m1": 4, "m3": 1}
    assert one(course(good), "sustained_responder_50").value is True
    gap = one(course({k: v for k, v in good.items() if k != "m1"}), "sustained_responder_50")
    assert (gap.undefined, gap.missing_timepoints) == ("followup_missing", ("m1",))
    assert one(course(good | {"m3": 5}), "sustained_responder_50").value is False


def test_onset_names_the_points_before_it_that_have_no_score() -> None:
    onset = one(course({"baseline": 8, "w1": 7, "m1": 5, "m3": 0}), "onset")
    assert (onset.timepoint, onset.value, onset.missing_timepoints) == ("m1", TIMES["m1"], ("h1",))
    assert len(onset.inputs) == 3


def test_the_procedures_own_plan_comes_before_that_of_the_study() -> None:
    found = one(course({"baseline": 8, "w1": 4}, plan=["w1"]), "auc_pain")
    assert (found.value, found.until) == (42, TIMES["w1"])


def test_without_any_plan_the_last_score_is_the_last_point() -> None:
    found = course({"baseline": 8, "w1": 4, "m1": None}, plan=[])
    assert one(found, "auc_pain").undefined == "last_point_missing", "it was planned, and not taken"
    assert one(course({"baseline": 8, "w1": 4}, plan=[]), "auc_pain").value == 42


def test_two_scores_for_one_point_make_no_curve() -> None:
    twin = STORY.score("P2", "w1", "2026-02-07T12:00:00+03:00", 5, "twin", assessor_id="AS2")
    found = course(FULL, twin)
    assert one(found, "auc_pain").undefined == one(found, "sustained_responder_50").undefined == "followup_ambiguous"
    assert len(of(found, "pct_reduction", timepoint="w1")) == 2, "each has its own percent"


def test_a_baseline_of_zero_has_an_area_and_no_percent() -> None:
    found = course({"baseline": 0, "h1": 0, "w1": 0, "m1": 0, "m3": 0})
    assert one(found, "auc_pain").value == one(found, "spid").value == 0
    assert one(found, "pct_spid").undefined == one(found, "onset").undefined == "baseline_zero"


def test_the_curve_follows_the_times_at_which_the_scores_were_taken() -> None:
    late = STORY.score("P2", "w1", "2026-03-05T09:00:00+03:00", 4)
    act = ACT | {"planned_follow_up": ["w1", "m1"]}
    found = derive(
        [act, late, *(STORY.score("P2", code, TIMES[code], mark) for code, mark in (("baseline", 8), ("m1", 6)))]
    )
    assert one(found, "auc_pain").value == (8 + 6) * 28 // 2 + (6 + 4) * 5 // 2
    assert one(found, "auc_pain-nominal").value == (8 + 4) * 7 // 2 + (4 + 6) * 21 // 2


def test_a_score_from_before_the_end_has_no_place_on_the_curve() -> None:
    early = STORY.score("P2", "immediate", "2026-01-31T10:29:00+03:00", 4)
    found = derive([ACT | {"planned_follow_up": ["immediate", "w1"]}, early,
                    *(STORY.score("P2", code, TIMES[code], 8) for code in ("baseline", "w1"))])  # fmt: skip
    assert one(found, "auc_pain").undefined == "before_anchor"
    assert one(found, "elapsed", timepoint="immediate").value == -1


def test_the_same_scale_written_with_other_digits_is_the_same() -> None:
    told = {"scale_min": Decimal("0.0"), "scale_max": Decimal("10.00"), "direction": "lower_better"}
    week = STORY.score("P2", "w1", TIMES["w1"], 4, **told)
    found = derive(
        [ACT, STORY.score("P2", "baseline", TIMES["baseline"], 8), week, STORY.score("P2", "m1", TIMES["m1"], 4)]
    )
    assert len(of(found, "auc_pain")) == 1
    assert one(found, "pct_reduction", timepoint="w1").value == 50


def test_contexts_are_never_one_curve() -> None:
    rest = [
        STORY.score("P2", code, TIMES[code], 1, f"rest.{code}", pain_context="rest")
        for code in ("baseline", "h1", "w1", "m1", "m3")
    ]
    areas = {x.labels["pain_context"]: x.value for x in of(course(FULL, *rest), "auc_pain")}
    assert areas["rest"] == 89
    assert areas["movement"] != 89


def test_a_length_that_only_the_calendar_knows_needs_the_day() -> None:
    act = ACT | {"started_at": "2026-01"}
    act.pop("ended_at")
    found = derive([act, *(STORY.score("P2", code, TIMES[code], 4) for code in ("baseline", "m1"))])
    assert one(found, "auc_pain").undefined == one(found, "auc_pain-nominal").undefined == "time_unknown"


# --- windows ---


@pytest.mark.parametrize(
    ("code", "time", "where"),
    [
        ("h1", "2026-01-31T11:20:00+03:00", "inside"),
        ("h1", "2026-01-31T11:19:59+03:00", "outside"),
        ("h1", "2026-01-31T12:00:00+03:00", "inside"),
        ("h1", "2026-01-31T12:00:01+03:00", "outside"),
        ("w1", "2026-02-06", "inside"),
        ("w1", "2026-02-09T23:59:59+03:00", "inside"),
        ("w1", "2026-02-10T00:00:00+03:00", "outside"),
        ("w1", "2026-02", "unknown"),
        ("m1", "2026-02-25", "inside"),
        ("m1", "2026-02-24", "outside"),
        ("m1", "2026-03", "unknown"),
        ("m1", "2026-04", "outside"),
        ("m3", "2026-04", "unknown"),
    ],
)
@pytest.mark.parametrize("in_study", [True, False])
def test_windows(code: str, time: str, where: str, in_study: bool) -> None:
    study = [records.example("study")] if in_study else []
    assert one(derive([*study, ACT, STORY.score("P2", code, time, 4)]), "elapsed").labels["window"] == where


def test_a_studys_own_window_and_event_come_first() -> None:
    study = records.example("study")
    rows = {
        "code": "w1",
        "anchor_event": "randomisation",
        "offset": "P14D",
        "window_before": "P0D",
        "window_after": "P0D",
    }
    study["timepoints"] = [rows]
    entered = STORY.make("enrolment", "e", {})
    found = one(derive([study, entered, ACT, STORY.score("P2", "w1", "2026-03-04T09:00:00+03:00", 4)]), "elapsed")
    assert (found.value, found.labels["window"], found.labels["counted_from"]) == (14, "inside", "randomisation")
    assert found.blinding_class == "allocation", "as hidden as the enrolment"


def test_which_of_two_limbs_was_randomised_is_not_guessed() -> None:
    study = records.example("study")
    study["timepoints"] = [study["timepoints"][2] | {"anchor_event": "randomisation"}]
    limbs = [STORY.make("enrolment", unit, {"unit_id": unit}) for unit in ("left", "right")]
    score = STORY.score("P2", "w1", "2026-02-25T09:00:00+03:00", 4)
    assert one(derive([study, limbs[0], score]), "elapsed").value == 7
    assert one(derive([study, *limbs, score]), "elapsed").undefined == "anchor_missing"


def test_a_procedure_without_an_end_is_counted_from_its_start_and_says_so() -> None:
    act = {k: v for k, v in ACT.items() if k != "ended_at"}
    found = one(derive([act, STORY.score("P2", "h1", TIMES["h1"], 4)]), "elapsed")
    assert (found.value, found.labels["counted_from"]) == (75, "procedure_start")
