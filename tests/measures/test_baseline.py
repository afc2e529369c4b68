"""Which score is the baseline (V4, decisions 6c): what counts, what never does, and what is said when none is certain."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from adapter.measures import derive
from tests.measures.story import Record, Story, of, one

STORY = Story("HD-0040", study=None)
FIRST = STORY.procedure("P1", "2026-01-12T10:00:00+03:00", course_id="C1", session_number=1)
SECOND = STORY.procedure("P2", "2026-02-09T10:00:00+03:00", course_id="C1", session_number=2)


def base(score: int, procedure: str = "P2", time: str = "2026-02-09T09:50:00+03:00", **changes: Any) -> Record:
    return STORY.score(procedure, changes.pop("code", "baseline"), time, score, **changes)


def week(score: int | None = 4, **changes: Any) -> Record:
    return STORY.score("P2", "w1", "2026-02-16T10:00:00+03:00", score, **changes)


def percent(*found: Record) -> Any:
    """Percent of the follow-up of session 2 against the baseline of that session, or the reason."""
    told = one(derive([FIRST, SECOND, *found]), "pct_reduction", scope="procedure", timepoint="w1", procedure_id="P2")
    return told.value if told.undefined is None else told.undefined


def test_the_last_score_before_the_session_counts_whichever_session_it_belongs_to() -> None:
    month = base(5, "P1", "2026-02-09T09:40:00+03:00", code="m1")
    assert percent(month, week()) == 20
    assert percent(month, base(8), week()) == 50, "its own was taken later"
    earlier = base(8, time="2026-02-09T09:30:00+03:00")
    assert percent(month, earlier, week()) == 20, "its own was taken earlier"


def test_a_score_before_the_next_session_is_no_followup_of_the_one_before_unless_recorded_so() -> None:
    first = base(8, "P1", "2026-01-12T09:50:00+03:00")
    found = derive([FIRST, SECOND, first, base(6), week()])
    assert {(x.procedure_id, x.timepoint) for x in of(found, "pct_reduction")} == {("P2", "w1")}
    both = derive([FIRST, SECOND, first, base(6), base(5, "P1", "2026-02-08T09:50:00+03:00", code="m1"), week()])
    assert one(both, "pct_reduction", procedure_id="P1").value == Decimal("37.5")


@pytest.mark.parametrize("change", [
    {"pain_context": "rest"},
    {"laterality": "right"},
    {"body_site": "hip"},
    {"instrument": "vas_0_10_cm"},
    {"recall_period": "7d"},
    {"site_relation": "referred"},
    {"code": "screening"},
    {"time": "2026-02-09T10:30:00+03:00"},
], ids=str)  # fmt: skip
def test_what_is_not_the_same_or_not_before_is_no_baseline(change: dict[str, Any]) -> None:
    assert percent(base(8), week()) == 50
    assert percent(base(8, **change), week()) == "baseline_missing"


def test_screening_of_an_earlier_session_is_no_baseline_either() -> None:
    assert percent(base(8, "P1", "2026-01-12T09:50:00+03:00"), week()) == 50
    assert percent(base(8, "P1", "2026-01-12T09:50:00+03:00", code="screening"), week()) == "baseline_missing"


def test_a_score_of_another_course_is_no_baseline() -> None:
    other = STORY.procedure("P0", "2026-01-02T10:00:00+03:00", course_id="C0")
    assert percent(other, base(8, "P0", "2026-02-01T09:50:00+03:00", code="m1"), week()) == "baseline_missing"


def test_a_score_after_a_diagnostic_injection_is_no_baseline_of_the_treatment() -> None:
    probe = STORY.procedure("P0", "2026-02-08T10:00:00+03:00", course_id="C1", session_number=3, purpose="diagnostic",
                            technique="diagnostic_injection")  # fmt: skip
    numb = base(1, "P0", "2026-02-08T11:00:00+03:00", code="h1")
    assert percent(probe, numb, week()) == "baseline_missing"
    assert percent(probe, numb, base(8), week()) == 50


def test_targets_of_one_procedure_are_told_apart() -> None:
    two = [base(8, name="t1", target_no=1), base(5, name="t2", target_no=2)]
    assert percent(*two, week(target_no=2)) == 20
    assert percent(*two, week()) == "baseline_ambiguous"


def test_two_last_scores_that_differ_are_no_baseline_and_two_that_agree_are_one() -> None:
    assert percent(base(8, name="a"), base(5, name="b"), week()) == "baseline_ambiguous"
    assert percent(base(8, name="a"), base(8, name="b"), week()) == 50


@pytest.mark.parametrize("name", ["pain_context", "body_site", "laterality"])
def test_what_is_not_known_is_not_known_to_be_the_same(name: str) -> None:
    gone: dict[str, Any] = {name: None, "field_absent_reason": {name: "not_in_source"}}
    assert percent(base(8, **gone), week(**gone)) == "comparability_unknown"


def test_dates_known_in_part_leave_it_to_the_time_points() -> None:
    assert percent(base(8, time="2026-02"), week()) == 50
    assert percent(base(5, "P1", "2026-02", code="w4"), week()) == "baseline_missing", (
        "before or after P2, nobody knows"
    )
    assert percent(base(5, "P1", "2026-01", code="w1"), week()) == 20, "January is over when P2 begins"


def test_without_the_procedure_its_own_baseline_still_counts() -> None:
    found = derive([base(8), week()])
    assert one(found, "pct_reduction").value == 50
    assert one(found, "auc_pain").undefined == "anchor_missing"


def test_a_retracted_procedure_takes_what_counts_from_it_along() -> None:
    gone = SECOND | {"version": 2, "record_status": "entered_in_error"}
    found = derive([gone, base(8), week()])
    assert {x.undefined for x in found if x.formula != "intercurrent"} == {"input_retracted"}


def test_a_followup_that_belongs_nowhere_says_so() -> None:
    no_anchor = week(anchor_procedure_id=None, field_absent_reason={"anchor_procedure_id": "unknown"})
    assert one(derive([no_anchor]), "pct_reduction").undefined == "anchor_missing"
    no_code = week(timepoint_code=None, field_absent_reason={"timepoint_code": "unknown"}, nominal_offset="P7D")
    assert one(derive([SECOND, base(8), no_code]), "pct_reduction").undefined == "timepoint_missing"
    early = STORY.score("P2", "w1", "2026-02-09T09:00:00+03:00", 4)
    assert one(derive([SECOND, base(8), early]), "pct_reduction").undefined == "before_anchor"


def test_a_draft_makes_its_values_preliminary() -> None:
    found = derive([SECOND, base(8, record_status="draft"), week()])
    assert one(found, "pct_reduction").preliminary
    assert not one(derive([SECOND, base(8), week()]), "pct_reduction").preliminary


def test_the_first_session_performed_begins_the_course() -> None:
    refused = FIRST | {"performed_status": "not_done", "not_done_reason": "refused"}
    third = STORY.procedure("P3", "2026-03-09T10:00:00+03:00", course_id="C1", session_number=3)
    followup = STORY.score("P3", "w1", "2026-03-16T10:00:00+03:00", 2)
    found = derive([refused, SECOND, third, base(8), base(4, "P3", "2026-03-09T09:00:00+03:00"), followup])
    told = {x.scope: x.value for x in of(found, "pct_reduction", procedure_id="P3")}
    assert told == {"procedure": 50, "course": 75}
