"""Adverse event: what went wrong, how bad it was, what may have caused it, and how it ended.

Severity is how intense it was, seriousness what it led to (ICH E2A): neither follows from the other. That every
complication of a procedure has its adverse event is a rule between records and not checked here.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from .base import KEY, REVEALING, C, O, R
from .fields import Bool, Code, Constant, Derived, Key, SubjectKey, Text
from .meta import RecordSchema
from .nested import Codes
from .number_fields import Int
from .rules import Out, Record, forbid, need, not_after, recorded_after
from .time_fields import DateTimeOrPartial, Instant

SUSPECTED = ("possible", "probable", "related")
RESOLVED = ("resolved", "resolved_with_sequelae")
GOING_ON = ("recovering", "ongoing")
REPORT_WITHIN = timedelta(hours=24)


def course(record: Record, out: Out) -> None:
    """It ends after it began, and was known and told in that order; how it ended agrees with whether it has."""
    not_after(record, out, "onset_at", "end_at")
    not_after(record, out, "onset_at", "aware_at")
    not_after(record, out, "aware_at", "reported_at")
    outcome = record.get("ae_outcome")
    if outcome in GOING_ON:
        forbid(record, out, "", ("end_at",), "ae_outcome", "not while it goes on")
    if outcome == "resolved":
        need(record, out, "end_at", record, when="ae_outcome is resolved")
    if outcome == "fatal":
        need(record, out, "end_at", record, when="ae_outcome is fatal: the date of death")


def seriousness(record: Record, out: Out) -> None:
    """Serious is what meets a criterion; what is serious was known and reported at some time."""
    serious, criteria = record.get("serious"), record.get("serious_criteria", ())
    if serious:
        for name in ("serious_criteria", "aware_at", "reported_at"):
            need(record, out, name, record, when="serious is true")
    else:
        forbid(record, out, "", ("serious_criteria",), "serious", "only when serious is true")
    if ("death" in criteria) != (record.get("ae_outcome") == "fatal") and criteria and "ae_outcome" in record:
        out.add("serious_criteria", "fatal", "death if and only if ae_outcome is fatal")
    if record.get("ae_outcome") == "fatal" and serious is False:
        out.add("serious", "fatal", "true when ae_outcome is fatal")


def grading(record: Record, out: Out) -> None:
    """A grade says its scale with version, and a scale its grade; grade 5 is death and nothing else."""
    if ("grade" in record) != ("grading_scale" in record):
        missing = "grading_scale" if "grade" in record else "grade"
        out.add(missing, "grade", "grade and grading_scale together")
    elif "grade" in record and "ae_outcome" in record and (record["grade"] == 5) != (record["ae_outcome"] == "fatal"):
        out.add("grade", "fatal", "5 if and only if ae_outcome is fatal")


def causes(record: Record, out: Out) -> None:
    """Who suspects a relation says what is suspected; the procedure can be suspected only where one is named."""
    if record.get("relatedness") in SUSPECTED:
        need(record, out, "suspect", record, when="a relation is suspected")
    elif record.get("relatedness") == "unrelated":
        forbid(record, out, "", ("suspect",), "relatedness", "not when relatedness is unrelated")
    if "procedure" in record.get("suspect", ()) and "procedure_id" not in record:
        out.add("procedure_id", "reference", "needed when the procedure is suspected")


def late_report(record: Record, out: Out) -> None:
    """Warning: reported more than 24 hours after it was known (the limit of a study may differ)."""
    if "aware_at" in record and "reported_at" in record:
        waited = datetime.fromisoformat(record["reported_at"]) - datetime.fromisoformat(record["aware_at"])
        if waited > REPORT_WITHIN:
            out.add("reported_at", "W.late", "24 h after aware_at")


class AdverseEvent(RecordSchema):
    """An adverse event."""

    kind = Constant("adverse_event", KEY, "Record kind")
    ae_id = Key(KEY, "Key of the event within the subject")
    subject_id = SubjectKey(KEY, "Study pseudonym")
    study_id = Key(O, "Key of the study; absent in registry use")
    procedure_id = Key(O, "Procedure of the subject that it may have to do with")
    ae_term = Text(R, "The event in the source's words", longest=500)
    ae_code = Code("ae-code", R, "Kind of event", other_text="ae_term")
    onset_at = DateTimeOrPartial(R, "When it began, as far as known")
    end_at = DateTimeOrPartial(C("resolved or fatal"), "When it ended, or the time of death, as far as known")
    severity = Code("ae-severity", R, "How intense it was")
    grade = Int(1, 5, C("grading_scale is given", excusable=False), "Grade on that scale")
    grading_scale = Code("grading-scale", C("grade is given", excusable=False), "Scale of the grade, with its version")
    serious = Bool(R, "Whether it meets a criterion of seriousness")
    serious_criteria = Codes("serious-criterion", C("serious"), "The criteria that it meets")
    relatedness = Code("relatedness", R, "Whether the treatment caused it, as judged")
    suspect = Codes(
        "suspect", C("possible, probable or related"), "What is suspected: procedure, device, agents", see=REVEALING
    )
    expected = Bool(R, "Whether such an event was expected")
    action_taken = Code("action-taken", R, "What was done with the treatment")
    treatment_given = Text(O, "How the event was treated", longest=1000)
    ae_outcome = Code("ae-outcome", R, "How it ended, or how it stands")
    caused_withdrawal = Bool(R, "Whether the subject left the study for it")
    aware_at = Instant(C("serious"), "When the site knew of it")
    reported_at = Instant(C("serious"), "When it was reported to who must know")
    onset_interval = Derived("Time from the procedure to the onset")

    key_fields = ("subject_id", "ae_id")
    rules = (
        course,
        seriousness,
        grading,
        causes,
        recorded_after("onset_at", "end_at", "aware_at", "reported_at"),
    )
    warnings = (late_report,)
