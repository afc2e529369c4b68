"""Over the subjects of a study: the flow of participants and the guesses of the arm."""

from __future__ import annotations

from typing import Any

from adapter.measures import Derived, flow, guesses
from tests.measures.story import Record, Story

DAY = "2026-02-18T09:30:00+03:00"


def enrolment(number: int, *states: str, arm: str | None = None, **changes: Any) -> Record:
    told: Record = {"status_history": [{"status": state, "at": DAY} for state in states]}
    if arm is None:
        told |= {
            "randomised_at": None,
            "randomisation_no": None,
            "assigned_arm": None,
            "actual_arm": None,
            "stratum": None,
        }
    else:
        told |= {"assigned_arm": arm, "actual_arm": arm}
    if "screen_failed" in states:
        told["screen_fail_reason"] = "diagnostic_negative"
    if "withdrawn" in states:
        told |= {"withdrawal_reason": "consent_withdrawn", "withdrawal_scope": "all", "data_retention": "keep"}
    absent = {} if arm else dict.fromkeys(("stratum", "actual_arm"), "not_applicable")
    told |= {"field_absent_reason": absent or None, "consent_withdrawn_at": None}
    return Story(f"HD-{number:04d}").make("enrolment", "e", told | changes)


COHORT = [
    enrolment(1, "screening", "screen_failed"),
    enrolment(2, "screening", "eligible"),
    enrolment(3, "screening", "eligible", "on_study", "on_intervention", "follow_up", "completed", arm="A1"),
    enrolment(4, "screening", "eligible", "on_study", "on_intervention", "withdrawn", arm="A1"),
    enrolment(5, "screening", "eligible", "on_study", "on_intervention", "lost_to_follow_up", arm="A2"),
    enrolment(6, "screening", "eligible", "on_study", arm="A2"),
]


def table(found: list[Derived]) -> dict[tuple[str, ...], Any]:
    return {(one.formula, *one.key[2:]): one.value for one in found}


def test_the_flow_in_all_and_by_arm() -> None:
    told = table(flow(COHORT, "HD-PS-01"))
    counts = {"screened": 6, "eligible": 5, "randomised": 4, "received": 3, "lost": 1, "withdrawn": 1, "analysed": 1}
    assert {k[0]: v for k, v in told.items() if len(k) == 1} == {f"flow_{k}": v for k, v in counts.items()}
    assert (told["flow_received", "A1"], told["flow_received", "A2"], told["flow_randomised", "A2"]) == (2, 1, 2)
    assert told["flow_withdrawn", "A2"] == 0, "nobody is a number too"
    assert ("flow_screened", "A1") not in told


def test_the_flow_knows_its_study_and_the_newest_versions() -> None:
    moved = COHORT[5] | {
        "version": 2,
        "status_history": [*COHORT[5]["status_history"], {"status": "completed", "at": DAY}],
    }
    wrong = COHORT[2] | {"version": 2, "record_status": "entered_in_error"}
    told = table(flow([*COHORT, moved, wrong], "HD-PS-01"))
    assert (told["flow_screened",], told["flow_analysed",], told["flow_analysed", "A2"]) == (5, 1, 1)
    assert set(table(flow(COHORT, "another")).values()) == {0}


def test_who_is_in_which_arm_stays_hidden() -> None:
    assert {one.blinding_class for one in (*flow(COHORT, "HD-PS-01"), *guesses(guessed(), "HD-PS-01"))} == {
        "allocation"
    }


def guessed() -> list[Record]:
    """Guesses by two roles; the first subject guessed anew at three months."""
    found = list(COHORT)
    marks = (
        (3, "m1", "2026-03-18T10:00:00+03:00", "A2", "first_assessor"), (3, "m3", "2026-05-18T10:00:00+03:00", "A1", "first_assessor"),
        (4, "m1", "2026-03-18T10:00:00+03:00", "unsure", "first_assessor"), (5, "m1", "2026-03-18T10:00:00+03:00", "A1", "first_assessor"),
        (5, "w1", "2026-02-25T10:00:00+03:00", "A2", "self_report"), (2, "w1", "2026-02-25T10:00:00+03:00", "A2", "first_assessor"),
    )  # fmt: skip
    for number, code, time, guess, role in marks:
        found.append(Story(f"HD-{number:04d}").score("P2", code, time, 3, blind_guess=guess, assessor_role=role))
    return found


def test_the_last_guess_of_a_role_counts_against_the_arm_assigned() -> None:
    told = {one.key[2:]: one.value for one in guesses(guessed(), "HD-PS-01")}
    assert told == {
        ("first_assessor", "A1", "A1"): 1,
        ("first_assessor", "A1", "unsure"): 1,
        ("first_assessor", "A2", "A1"): 1,
        ("self_report", "A2", "A2"): 1,
    }
    assert guesses(reversed(guessed()), "HD-PS-01") == guesses(guessed(), "HD-PS-01")
