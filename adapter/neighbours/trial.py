"""Order of events in a trial: criteria and consent before randomisation (V9), randomisation before treatment (V10), no
new outcome after a withdrawal from everything (Enrolment, scenario S04).

A subject may have several enrolments in one study, one a unit; which unit a procedure belongs to is not said, so it
breaks a rule only where it breaks it for all of them.
"""

from __future__ import annotations

from collections.abc import Iterator

from adapter.measures import times

from .model import DONE, FLAG, OUTCOMES, REFUSE, WAIT, Circle, Finding, Name, Record, study_of

CLOSED = ("screen_failed", "completed", "withdrawn", "lost_to_follow_up")


def criteria(record: Record, circle: Circle) -> Iterator[Finding]:
    """V9: who is randomised has met every criterion of inclusion and none of exclusion, by evidence from before."""
    randomised = record.get("randomised_at")
    if randomised is None:
        return
    given = {one["criterion_id"]: (n, one) for n, one in enumerate(record.get("eligibility_results", ()), 1)}
    for criterion in circle.studies.get(record["study_id"], {}).get("eligibility", ()):
        name = criterion["criterion_id"]
        if name not in given:
            outcome = REFUSE if given else FLAG  # a source without any results has said why
            yield Finding("V9.criteria", outcome, "eligibility_results", f"a result of {name} before randomisation")
        elif given[name][1]["met"] != (criterion["kind"] == "include"):
            limit = "met, to be randomised" if criterion["kind"] == "include" else "not met, to be randomised"
            yield Finding("V9.criteria", REFUSE, f"eligibility_results.{given[name][0]}.met", limit)
    for number, state in enumerate(record.get("status_history", ()), 1):
        if state["status"] == "eligible" and "at" in state and times.before(randomised, state["at"]):
            yield Finding("V9.criteria", REFUSE, f"status_history.{number}.at", "not after randomised_at")
    evidence = {one["evidence_id"]: n for n, one in given.values() if "evidence_id" in one}
    for score in (one for kind in OUTCOMES for one in circle.live(kind)):
        if score["record_id"] in evidence and times.before(randomised, str(score.get("assessed_at", randomised))):
            field = f"eligibility_results.{evidence[score['record_id']]}.evidence_id"
            yield Finding("V9.evidence", REFUSE, field, "taken before randomised_at")


def evidence(record: Record, circle: Circle) -> Iterator[Finding]:
    """V9: a score that an enrolment cites as evidence was taken before randomisation. Which of the two is wrong is not
    known when the score comes later, so it is kept and flagged."""
    for enrolment in circle.enrolments(record.get("study_id")):
        cited = {one.get("evidence_id") for one in enrolment.get("eligibility_results", ())}
        randomised = enrolment.get("randomised_at")
        if record["record_id"] not in cited or randomised is None or "assessed_at" not in record:
            continue
        if times.before(randomised, record["assessed_at"]):
            yield Finding("V9.evidence", FLAG, "assessed_at", "before randomised_at of the enrolment that cites it")


def consent(record: Record, circle: Circle) -> Iterator[Finding]:
    """V9: consent comes before the first act of the study, the diagnostic injection included."""
    entered = circle.enrolments(record.get("study_id"))
    start = record.get("started_at")
    if not entered or start is None or record["performed_status"] not in DONE:
        return
    if all("consent_at" in one and times.before(start, one["consent_at"]) for one in entered):
        yield Finding("V9.consent", REFUSE, "started_at", "not before consent_at of the enrolment")


def treatment(record: Record, circle: Circle) -> Iterator[Finding]:
    """V10: in a randomised trial nothing but the diagnostic injection is performed before randomisation.

    As long as the enrolment does not say so and is open, the procedure waits for it.
    """
    study_id = record.get("study_id")
    study = circle.studies.get(study_id or "", {})
    if study.get("allocation") != "randomised" and study.get("design") != "prospective_rct":
        return
    entered = circle.enrolments(study_id)
    if not entered or record.get("purpose") == "diagnostic" or record["performed_status"] not in DONE:
        return
    randomised = [one["randomised_at"] for one in entered if "randomised_at" in one]
    if not randomised:
        if all(any(state["status"] in CLOSED for state in one.get("status_history", ())) for one in entered):
            yield Finding("V10", REFUSE, "purpose", "diagnostic, for a subject who was never randomised")
        else:
            waits = Name("enrolment", (str(study_id), record["subject_id"]))
            yield Finding("V10", WAIT, "started_at", message="the randomisation is not known yet", waits=waits)
        return
    start = record.get("started_at")
    if start is None:
        return
    limit = "not before randomised_at of the enrolment"
    if all(times.before(start, one) for one in randomised):
        yield Finding("V10", REFUSE, "started_at", limit)
    elif not any(times.not_after(one, start) for one in randomised):
        yield Finding("V10", FLAG, "started_at", limit, "the date is known only in part, or the clock is not")


def withdrawal(record: Record, circle: Circle) -> Iterator[Finding]:
    """No new outcome after a withdrawal of scope all (Enrolment.withdrawal_scope); that a score was not taken may still
    be recorded, and adverse events always."""
    taken = record.get("assessed_at", record.get("diary_date"))
    if taken is None or record.get("score_status") == "not_done":
        return
    ends = [_end(one) for one in circle.enrolments(study_of(record, circle))]
    known = [end for end in ends if end is not None]
    if not ends or len(known) < len(ends):
        return
    field = "assessed_at" if "assessed_at" in record else "diary_date"
    limit = "not after the withdrawal of scope all"
    if all(times.before(end, taken) for end in known):
        yield Finding("withdrawal", REFUSE, field, limit)
    elif not any(times.not_after(taken, end) for end in known):
        yield Finding("withdrawal", FLAG, field, limit, "a date is known only in part")


def _end(enrolment: Record) -> str | None:
    """When a subject withdrew from everything; None where that did not happen, or nobody says when."""
    if enrolment.get("withdrawal_scope") != "all":
        return None
    if "consent_withdrawn_at" in enrolment:
        return str(enrolment["consent_withdrawn_at"])
    for state in enrolment.get("status_history", ()):
        if state["status"] == "withdrawn" and "at" in state:
            return str(state["at"])
    return None
