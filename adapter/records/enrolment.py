"""Enrolment: one unit of one subject in one study, from screening to the end.

Arms stand here and nowhere else; the whole record is of class allocation for blinded readers. It must not
compare with the study or procedure records: that takes several records.
"""

from __future__ import annotations

from .base import ALLOCATION, KEY, C, Item, O, R
from .fields import Bool, Code, Constant, Key, Pattern, SubjectKey, Text, Uuid
from .meta import RecordSchema
from .nested import Codes, Items, List
from .number_fields import Dec, Int
from .rules import Out, Record, each, need, not_after, recorded_after, unique
from .study import ARM, ARM_LIMIT
from .time_fields import DateTimeOrPartial, Instant
from .times import later

TERMINAL = ("screen_failed", "completed", "withdrawn", "lost_to_follow_up")
AFTER_CONSENT = ("eligible", "on_study", "on_intervention", "follow_up", "completed")


class EligibilityResult(Item):
    """The result of one criterion, with the evidence it must re-derive from."""

    criterion_id = Key(KEY, "criterion_id of the study")
    met = Bool(KEY, "Whether the criterion is met")
    value = Dec("-100000", "100000", O, "The measured value, in the unit of the measure")
    evidence_id = Uuid(O, "record_id of the evidence")
    evidence_version = Int(1, 10000, C("evidence_id is given", excusable=False), "Version of the evidence")


class StateChange(Item):
    """One step of the subject through the study."""

    status = Code("subject-state", KEY, "State entered")
    at = DateTimeOrPartial(R, "When")
    reason = Text(O, "Why", longest=500)


class Unblinding(Item):
    """Somebody learnt the allocation."""

    at = Instant(R, "When")
    by = Key(R, "Pseudonym of who opened the allocation")
    reason = Code("unblinding-reason", KEY, "Why")
    recipient_role = Code("recipient-role", R, "Role of who learnt it")


def states(record: Record, out: Out) -> None:
    """status_history is append-only and ordered; nothing follows a terminal state."""
    former = None
    closed = False
    for path, item in each(record, "status_history"):
        if closed:
            out.add(path + "status", "terminal_status", "nothing after " + ", ".join(TERMINAL))
        closed = closed or item["status"] in TERMINAL
        if "at" in item:
            if former is not None and later(former, item["at"]):
                out.add(path + "at", "order", "not before the state before it")
            if later(item["at"], record["recorded_at"]):
                out.add(path + "at", "recorded_before", "not after recorded_at")
            former = item["at"]


def consent_first(record: Record, out: Out) -> None:
    """Consent comes before randomisation, withdrawal and every state of taking part (V9, Enrolment)."""
    for name in ("randomised_at", "consent_withdrawn_at"):
        not_after(record, out, "consent_at", name, "V9.consent_first")
    not_after(record, out, "screened_at", "randomised_at", "V9.screened_first")
    for path, item in each(record, "status_history"):
        late = "consent_at" in record and "at" in item and later(record["consent_at"], item["at"])
        if late and item["status"] in AFTER_CONSENT:
            out.add(path + "at", "V9.consent_first", "not before consent_at")


def conditional(record: Record, out: Out) -> None:
    """Fields asked for by what happened: screen failure, randomisation, withdrawal, evidence."""
    reached = {item["status"] for _, item in each(record, "status_history")}
    if "screen_failed" in reached:
        need(record, out, "screen_fail_reason", record, when="screen_failed")
    elif "screen_fail_reason" in record and reached:
        out.add("screen_fail_reason", "screen_fail", "only with the state screen_failed")
    if "randomised_at" in record:
        for name in ("randomisation_no", "assigned_arm"):
            need(record, out, name, record, when="randomised_at is given")
    if "withdrawn" in reached or "consent_withdrawn_at" in record:
        for name in ("withdrawal_reason", "withdrawal_scope", "data_retention"):
            need(record, out, name, record, when="withdrawn")
    for path, item in each(record, "eligibility_results"):
        if ("evidence_id" in item) != ("evidence_version" in item):
            out.add(path + "evidence_version", "evidence", "evidence_id and evidence_version together")


def unblindings(record: Record, out: Out) -> None:
    """Unblinding is recorded after it happened; criteria are answered once."""
    for path, item in each(record, "unblinding"):
        if "at" in item and later(item["at"], record["recorded_at"]):
            out.add(path + "at", "recorded_before", "not after recorded_at")
    unique(record, out, "eligibility_results", "criterion_id")


class Enrolment(RecordSchema):
    """One subject, or one unit of a subject, in one study."""

    kind = Constant("enrolment", KEY, "Record kind")
    subject_id = SubjectKey(KEY, "Study pseudonym")
    study_id = Key(KEY, "Key of the study")
    unit_id = Key(C("the randomisation unit is not the subject", excusable=False), "Limb or target that is randomised")
    screened_at = Instant(R, "When screened")
    eligibility_results = Items(EligibilityResult, R, "Result of each criterion", most=100)
    screen_fail_reason = Code("screen-fail-reason", C("screen_failed"), "Why screening failed")
    consent_at = Instant(R, "When consent was given")
    consent_version = Text(R, "Version of the consent form", longest=50)
    consent_scope = Codes("consent-scope", R, "What the consent covers")
    consent_withdrawn_at = Instant(O, "When consent was withdrawn")
    randomised_at = Instant(C("randomised"), "When randomised")
    randomisation_no = Key(C("randomised_at is given"), "Randomisation number, arm-neutral")
    stratum = Key(C("the study is stratified"), "Stratum")
    assigned_arm = Pattern(ARM, C("randomised_at is given"), "Arm assigned", limit=ARM_LIMIT, see=ALLOCATION)
    actual_arm = Pattern(ARM, C("treated"), "Arm actually received", limit=ARM_LIMIT, see=ALLOCATION)
    period_arms = List(
        Pattern(ARM, limit=ARM_LIMIT),
        C("cross-over or switch"),
        "Arms received, in order",
        most=50,
        see=ALLOCATION,
    )
    status_history = Items(StateChange, KEY, "States, oldest first", most=200)
    withdrawal_reason = Code("withdrawal-reason", C("withdrawn"), "Why withdrawn")
    withdrawal_scope = Code("withdrawal-scope", C("withdrawn"), "What the withdrawal covers")
    data_retention = Code("data-retention", C("withdrawn"), "What happens to data already collected")
    unblinding = Items(Unblinding, C("unblinded"), "Who learnt the allocation", most=50, see=ALLOCATION)

    key_fields = ("study_id", "subject_id", "unit_id")
    rules = (
        states,
        consent_first,
        conditional,
        unblindings,
        recorded_after("screened_at", "consent_at", "consent_withdrawn_at", "randomised_at"),
    )
