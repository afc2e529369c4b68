"""V11: what a record refers to is known; until then it waits.

Subject, study, enrolment, procedure, target, condition and arm. A retracted record is known all the same.
What an enrolment cites as evidence is not waited for, since the evidence itself waits for the enrolment.
"""

from __future__ import annotations

from collections.abc import Iterator

from .model import WAIT, Circle, Finding, Name, Record, anchor


def _wait(rule: str, field: str, waits: Name, what: str) -> Finding:
    return Finding(f"V11.{rule}", WAIT, field, message=f"{what} is not known yet", waits=waits)


def subject_known(record: Record, circle: Circle) -> Iterator[Finding]:
    """The subject, and in procedures the condition that is treated."""
    if record["kind"] == "subject":
        return
    name = Name("subject", (record["subject_id"],))
    if circle.subject is None:
        yield _wait("subject", "subject_id", name, "the subject")
    elif "indication" in record and circle.condition(record["indication"]) is None:
        yield _wait("condition", "indication", name, "the condition of the subject")


def study_known(record: Record, circle: Circle) -> Iterator[Finding]:
    """The study, the subject's enrolment in it, and in enrolments the arms."""
    if "study_id" not in record:
        return
    name = Name("study", (record["study_id"],))
    study = circle.studies.get(record["study_id"])
    if study is None:
        yield _wait("study", "study_id", name, "the study")
    elif record["kind"] == "enrolment":
        arms = {one["arm_id"] for one in study.get("arms", ())}
        for field in ("assigned_arm", "actual_arm"):
            if field in record and record[field] not in arms:
                yield _wait("arm", field, name, "the arm")
        for number, arm in enumerate(record.get("period_arms", ()), 1):
            if arm not in arms:
                yield _wait("arm", f"period_arms.{number}", name, "the arm")
    if record["kind"] not in ("enrolment", "subject"):
        enrolled = [one for one in circle.known("enrolment") if one["study_id"] == record["study_id"]]
        if not enrolled:
            told = Name("enrolment", (record["study_id"], record["subject_id"]))
            yield _wait("enrolment", "study_id", told, "the enrolment in the study")


def procedure_known(record: Record, circle: Circle) -> Iterator[Finding]:
    """The procedure that a score or an event speaks of, and its target."""
    called = anchor(record)
    if record["kind"] == "procedure" or called is None:
        return
    field = "anchor_procedure_id" if "anchor_procedure_id" in record else "procedure_id"
    name = Name("procedure", (record["subject_id"], called))
    procedure = circle.procedure(called)
    if procedure is None:
        yield _wait("procedure", field, name, "the procedure")
    elif record.get("target_no") not in (None, *(one["target_no"] for one in procedure.get("targets", ()))):
        yield _wait("target", "target_no", name, "the target of the procedure")
