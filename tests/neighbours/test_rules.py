"""Every rule between records: what is good, what is bad, and what is on the edge. Scenarios S01, S04, S09, S12."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from adapter import synthetic
from adapter.neighbours import RULES, Circle, Name, Record, decide, flags, name
from tests.neighbours.story import CATALOG, Changes, circle_of, made
from tests.records.helpers import GONE

KINDS = ("study", "subject", "enrolment", "procedure", "pain_outcome")
ALONE = dict.fromkeys(KINDS)
SESSION = {"procedure_id": "P3", "session_number": 2, "sessions_planned": 3}
LIDOCAINE = {
    "injectate_components.1.agent_class": "local_anaesthetic",
    "injectate_components.1.agent": "lidocaine",
    "injectate_components.1.conc_value": Decimal("2"),
}
SKIN = "skin_anaesthetic.agent"
WITHDRAWN = {
    "consent_withdrawn_at": "2026-03-10T09:00:00+03:00",
    "withdrawal_reason": "consent_withdrawn",
    "withdrawal_scope": "all",
    "data_retention": "keep",
    "recorded_at": "2026-03-10T12:00:00+03:00",
}
LATER = {"recorded_at": "2026-06-01T12:00:00+03:00", "timepoint_code": "m1", "nominal_offset": "P1M"}
UNRANDOMISED = dict.fromkeys(("randomised_at", "randomisation_no", "assigned_arm", "actual_arm", "stratum"), GONE)
OPEN_STATES = {"status_history": [{"status": "screening", "at": "2026-02-16T09:00:00+03:00"}]}
FAILED = {
    "status_history": [{"status": "screen_failed", "at": "2026-02-16T12:00:00+03:00"}],
    "screen_fail_reason": "diagnostic_negative",
}


def opened(by: str, role: str | None, at: str | None) -> dict[str, Any]:
    """Somebody opened the allocation; when, or for whom, may not be said."""
    step = {"at": at, "by": by, "reason": "emergency", "recipient_role": role}
    absent = {f"unblinding.1.{name}": "unknown" for name, value in step.items() if value is None}
    step = {name: value for name, value in step.items() if value is not None}
    found: dict[str, Any] = {"unblinding": [step], "recorded_at": "2026-03-10T12:00:00+03:00"}
    return found | ({"field_absent_reason": absent} if absent else {})


NOT_DONE = {
    "score_status": "not_done", "missing_reason": "withdrawn", "score": GONE, "pct_relief_reported": GONE,
    "assessed_at": GONE, "assessor_id": GONE, "mode": GONE,
    "field_absent_reason": {"assessed_at": "withdrawn", "assessor_id": "withdrawn", "mode": "withdrawn"},
}  # fmt: skip


def told(circle: Circle, record: Record) -> set[tuple[str, str, str]]:
    """What decides and what flags, as (rule, outcome, field)."""
    found = flags(record, circle)
    assert set(decide(record, circle)) == {one for one in found if one.outcome != "W"}
    for one in found:
        issue = one.issue(record["record_id"])
        for value in ("HD-0017", "lidocaine-plain", "2026-", "AS1"):
            assert value not in f"{issue.field} {issue.limit} {issue.message}"
    return {(one.rule, one.outcome, one.field) for one in found}


def judged(kind: str, changes: Changes, around: dict[str, Changes | None]) -> set[tuple[str, str, str]]:
    """What the rules say of a changed example among the others; ``around`` changes those, None takes them out."""
    record = made(kind, changes)
    others = [made(k, around.get(k)) for k in KINDS if k != kind and around.get(k, {}) is not None]
    return told(circle_of(*others, *_extra(around), record), record)


def _extra(around: dict[str, Any]) -> list[Record]:
    return [made(*one) if isinstance(one, tuple) else one for one in around.get("and", ())]


CASES: dict[str, tuple[str, Changes, dict[str, Any], set[tuple[str, str, str]]]] = {
    "V11 all known": ("pain_outcome", {}, {}, set()),
    "V11 subject": ("enrolment", {}, {"subject": None}, {("V11.subject", "Q", "subject_id")}),
    "V11 study": ("enrolment", {}, {"study": None}, {("V11.study", "Q", "study_id")}),
    "V11 enrolment": ("procedure", {}, {"enrolment": None}, {("V11.enrolment", "Q", "study_id")}),
    "V11 registry use needs no enrolment": ("procedure", {"study_id": GONE}, {"enrolment": None}, set()),
    "V11 procedure": ("pain_outcome", {}, {"procedure": None}, {("V11.procedure", "Q", "anchor_procedure_id")}),
    "V11 target": ("pain_outcome", {"target_no": 2}, {}, {("V11.target", "Q", "target_no")}),
    "V11 condition": ("procedure", {"indication": "PS-R"}, {}, {("V11.condition", "Q", "indication")}),
    "V11 arm": ("enrolment", {"actual_arm": "A9"}, {}, {("V11.arm", "Q", "actual_arm")}),
    "V11 arm of a period": ("enrolment", {"period_arms": ["A1", "A9"]}, {}, {("V11.arm", "Q", "period_arms.2")}),
    "V11 a retracted parent is known": ("pain_outcome", {}, {"procedure": {"record_status": "entered_in_error"}}, set()),
    "V11 nothing known": (
        "procedure", {}, ALONE,
        {("V11.subject", "Q", "subject_id"), ("V11.study", "Q", "study_id"), ("V11.enrolment", "Q", "study_id")},
    ),
    "V3 last day of the window": ("pain_outcome", {"assessed_at": "2026-02-27T23:59:00+03:00", **LATER,
        "timepoint_code": "w1", "nominal_offset": "P7D"}, {}, set()),
    "V3 a day late": ("pain_outcome", {"assessed_at": "2026-02-28T00:01:00+03:00", **LATER, "timepoint_code": "w1",
        "nominal_offset": "P7D"}, {}, {("V3.window", "W", "assessed_at")}),
    "V3 month alone may be inside": ("pain_outcome", {"assessed_at": "2026-02"}, {}, set()),
    "V4 other side": ("pain_outcome", {"laterality": "right"}, {}, {("V4.side", "E", "laterality")}),
    "V4 contralateral": ("pain_outcome", {"laterality": "right", "site_relation": "contralateral"}, {}, set()),
    "V4 after a wrong-site procedure": (
        "pain_outcome", {"laterality": "right"}, {"procedure": {"complications": ["wrong_site"]}},
        {("V4.side", "W", "laterality")},
    ),
    "V6 second session": ("procedure", SESSION | {"started_at": "2026-02-18T12:00:00+03:00", "ended_at": GONE,
        "recorded_at": "2026-02-18T13:00:00+03:00"}, {"and": [("procedure", {}, "first")]}, set()),
    "V6 same number": (
        "procedure", {"procedure_id": "P3"}, {"and": [("procedure", {}, "first")]},
        {("V6.session", "E", "session_number")},
    ),
    "V6 same number in another course": (
        "procedure", {"procedure_id": "P3", "course_id": "C2"}, {"and": [("procedure", {}, "first")]}, set(),
    ),
    "V6 backwards": (
        "procedure", SESSION | {"study_id": GONE, "started_at": "2026-02-17", "ended_at": GONE},
        {"and": [("procedure", {}, "first")]}, {("V6.order", "E", "started_at")},
    ),
    "V6 partial, overlapping": (
        "procedure", SESSION | {"study_id": GONE, "started_at": "2026-02", "ended_at": GONE},
        {"and": [("procedure", {}, "first")]}, {("V6.order", "W", "started_at")},
    ),
    "V6 partial, apart": (
        "procedure", SESSION | {"study_id": GONE, "started_at": "2026-01", "ended_at": GONE},
        {"and": [("procedure", {}, "first")]}, {("V6.order", "E", "started_at")},
    ),
    "V6 a retracted session does not count": (
        "procedure", {"procedure_id": "P3"},
        {"and": [("procedure", {"record_status": "entered_in_error"}, "first")]}, set(),
    ),
    "V7 other side": ("procedure", {"targets.1.laterality": "right"}, {}, {("V7.side", "E", "targets.1.laterality")}),
    "V7 wrong site, told": (
        "procedure", {"targets.1.laterality": "right", "complications": ["wrong_site"]}, {},
        {("V7.side", "W", "targets.1.laterality"), ("V15.event", "W", "complications.1")},
    ),
    "V7 bilateral condition (S09)": (
        "procedure", {"targets.1.laterality": "right"}, {"subject": {"conditions.1.laterality": "bilateral"}}, set(),
    ),
    "V7 midline is no side": (
        "procedure", {}, {"subject": {"conditions.1.laterality": "midline"}}, {("V7.side", "E", "targets.1.laterality")},
    ),
    "V8 allergic to the skin anaesthetic (S12)": (
        "procedure", {}, {"subject": {"allergies": ["lidocaine"]}}, {("V8.allergy", "E", "skin_anaesthetic.agent")},
    ),
    "V8 allergic to something else": ("procedure", {}, {"subject": {"allergies": ["triamcinolone"]}}, set()),
    "V8 overridden with a reason": (
        "procedure", {"deviations": ["allergy_override_lidocaine_skin_test_negative"]},
        {"subject": {"allergies": ["lidocaine"]}}, {("V8.allergy", "W", "skin_anaesthetic.agent")},
    ),
    "V8 overridden without a reason": (
        "procedure", {"deviations": ["allergy_override_lidocaine_"]},
        {"subject": {"allergies": ["lidocaine"]}}, {("V8.allergy", "E", "skin_anaesthetic.agent")},
    ),
    "V8 the override of another agent": (
        "procedure", {"deviations": ["allergy_override_dextrose_known"]},
        {"subject": {"allergies": ["lidocaine"]}}, {("V8.allergy", "E", "skin_anaesthetic.agent")},
    ),
    "V8 agent not named": (
        "procedure", {SKIN: "unspecified"}, {"subject": {"allergies": ["lidocaine"]}},
        {("V8.allergy", "W", "skin_anaesthetic.agent_class")},
    ),
    "V8 dose just below the limit": (  # 1 % x 0.5 mL and 2 % x 10 mL: 205 mg; 45.6 kg x 4.5 mg/kg = 205.2 mg
        "procedure", LIDOCAINE, {"subject": {"weight_kg": Decimal("45.6")}}, set(),
    ),
    "V8 dose above the limit": (
        "procedure", LIDOCAINE, {"subject": {"weight_kg": Decimal("45.5")}},
        {("V8.dose", "W", "injectate_components")},
    ),
    "V8 no weight": ("procedure", LIDOCAINE, {"subject": {"weight_kg": GONE}}, set()),
    "V8 more than the limit of any weight": (
        "procedure", {"skin_anaesthetic.conc_value": Decimal("4"), "skin_anaesthetic.volume_ml": Decimal("8")},
        {"subject": {"weight_kg": GONE}}, {("V8.dose", "W", "injectate_components")},
    ),
    "V9 a criterion that is not met": (
        "enrolment", {"eligibility_results.1.met": False}, {}, {("V9.criteria", "E", "eligibility_results.1.met")},
    ),
    "V9 a criterion of exclusion that is met": (
        "enrolment", {"eligibility_results.2.met": True}, {}, {("V9.criteria", "E", "eligibility_results.2.met")},
    ),
    "V9 a criterion without a result": (
        "enrolment", {"eligibility_results": [{"criterion_id": "INC-1", "met": True}]}, {},
        {("V9.criteria", "E", "eligibility_results")},
    ),
    "V9 no results at all": (
        "enrolment", {"eligibility_results": GONE, "field_absent_reason": {"eligibility_results": "not_in_source"}}, {},
        {("V9.criteria", "W", "eligibility_results")},
    ),
    "V9 not randomised, not judged": (
        "enrolment", {"eligibility_results.1.met": False, **UNRANDOMISED, **FAILED}, {}, set(),
    ),
    "V9 eligible after randomisation": (
        "enrolment", {"status_history.2.at": "2026-02-18T09:30:01+03:00",
            "status_history.3.at": "2026-02-18T09:31:00+03:00"}, {},
        {("V9.criteria", "E", "status_history.2.at")},
    ),
    "V9 evidence from afterwards": (
        "enrolment", {}, {"pain_outcome": {"record_id": "0b6c1e0e-51f2-5a3c-9b1e-2f6f0a9d7c11"}},
        {("V9.evidence", "E", "eligibility_results.1.evidence_id")},
    ),
    "V9 evidence from afterwards, coming later": (
        "pain_outcome", {"record_id": "0b6c1e0e-51f2-5a3c-9b1e-2f6f0a9d7c11"}, {},
        {("V9.evidence", "W", "assessed_at")},
    ),
    "V9 treated before consent": (
        "procedure", {"purpose": "diagnostic", "started_at": "2026-02-16T08:49:00+03:00"}, {},
        {("V9.consent", "E", "started_at")},
    ),
    "V10 before randomisation": (
        "procedure", {"started_at": "2026-02-18T09:29:59+03:00"}, {}, {("V10", "E", "started_at")},
    ),
    "V10 at randomisation": ("procedure", {"started_at": "2026-02-18T09:30:00+03:00"}, {}, set()),
    "V10 the diagnostic injection": (
        "procedure", {"purpose": "diagnostic", "started_at": "2026-02-16T09:30:00+03:00"}, {}, set(),
    ),
    "V10 on the day, hour unknown": (
        "procedure", {"started_at": "2026-02-18"}, {}, {("V10", "W", "started_at")},
    ),
    "V10 not yet randomised": (
        "procedure", {}, {"enrolment": UNRANDOMISED | OPEN_STATES}, {("V10", "Q", "started_at")},
    ),
    "V10 never randomised": ("procedure", {}, {"enrolment": UNRANDOMISED | FAILED}, {("V10", "E", "purpose")}),
    "V10 not a randomised study": (
        "procedure", {}, {"enrolment": UNRANDOMISED | OPEN_STATES,
            "study": {"allocation": "non_randomised", "design": "prospective_cohort"}}, set(),
    ),
    "withdrawal, new score (S04)": (
        "pain_outcome", {**LATER, "assessed_at": "2026-03-18T10:00:00+03:00"}, {"enrolment": WITHDRAWN},
        {("withdrawal", "E", "assessed_at")},
    ),
    "withdrawal, score from before": ("pain_outcome", {"recorded_at": "2026-06-01T12:00:00+03:00"},
        {"enrolment": WITHDRAWN}, set()),
    "withdrawal, not taken (S04)": ("pain_outcome", {**LATER, **NOT_DONE}, {"enrolment": WITHDRAWN}, set()),
    "withdrawal from treatment only": (
        "pain_outcome", {**LATER, "assessed_at": "2026-03-18T10:00:00+03:00"},
        {"enrolment": WITHDRAWN | {"withdrawal_scope": "treatment_only"}}, set(),
    ),
    "withdrawal, day unknown": (
        "pain_outcome", {**LATER, "assessed_at": "2026-03"}, {"enrolment": WITHDRAWN},
        {("withdrawal", "W", "assessed_at")},
    ),
    "withdrawal, a safety report (S04)": (
        "adverse_event", {"onset_at": "2026-03-18", "ae_code": "infection"}, {"enrolment": WITHDRAWN}, set(),
    ),
    "B2 the operator of the procedure": (
        "pain_outcome", {"assessor_id": "OP3"}, {}, {("B2", "E", "assessor_blinded")},
    ),
    "B2 the operator, who says that he was not blinded": (
        "pain_outcome", {"assessor_id": "OP3", "assessor_blinded": False}, {}, set(),
    ),
    "B2 before he became the operator": (
        "pain_outcome", {"assessor_id": "OP3", "timepoint_code": "baseline", "nominal_offset": "PT0S",
            "assessed_at": "2026-02-18T10:05:00+03:00"}, {}, set(),
    ),
    "B2 the operator of something that was not done": (
        "pain_outcome", {"assessor_id": "OP3"},
        {"procedure": {"record_status": "entered_in_error"}}, set(),
    ),
    "B2 the operator, on a day without hour": (
        "pain_outcome", {"assessor_id": "OP3", "timepoint_code": "baseline", "nominal_offset": "PT0S",
            "assessed_at": "2026-02-18"}, {}, {("B2", "W", "assessor_blinded")},
    ),
    "B2 who opened the allocation (S06)": (
        "pain_outcome", {"assessed_at": "2026-02-25T10:05:00+03:00"},
        {"enrolment": opened("AS1", "assessor", "2026-02-25T10:05:00+03:00")}, {("B2", "E", "assessor_blinded")},
    ),
    "B2 a score from before": (
        "pain_outcome", {"assessed_at": "2026-02-25T10:05:00+03:00"},
        {"enrolment": opened("AS1", "assessor", "2026-02-25T10:06:00+03:00")}, set(),
    ),
    "B2 opened by somebody else, for an assessor": (
        "pain_outcome", {"assessed_at": "2026-02-25T10:05:00+03:00"},
        {"enrolment": opened("INV-1", "assessor", "2026-02-24T10:05:00+03:00")}, {("B2", "W", "assessor_blinded")},
    ),
    "B2 opened by somebody else, for the care": (
        "pain_outcome", {"assessed_at": "2026-02-25T10:05:00+03:00"},
        {"enrolment": opened("INV-1", "care_provider", "2026-02-24T10:05:00+03:00")}, set(),
    ),
    "B2 opened, nobody says for whom": (
        "pain_outcome", {"assessed_at": "2026-02-25T10:05:00+03:00"},
        {"enrolment": opened("INV-1", None, "2026-02-24T10:05:00+03:00")}, {("B2", "W", "assessor_blinded")},
    ),
    "B2 opened by the assessor, nobody says when": (
        "pain_outcome", {"assessed_at": "2026-02-25T10:05:00+03:00"},
        {"enrolment": opened("AS1", "assessor", None)}, {("B2", "W", "assessor_blinded")},
    ),
    "B2 the participant was told": (
        "pain_outcome", {"assessed_at": "2026-02-25T10:05:00+03:00", "assessor_role": "self_report", "assessor_id": "HD-0017"},
        {"enrolment": opened("INV-1", "participant", "2026-02-24T10:05:00+03:00")}, {("B2", "E", "assessor_blinded")},
    ),
    "V15 complication with its event": (
        "procedure", {"complications": ["haematoma"]}, {"and": [("adverse_event", {})]}, set(),
    ),
    "V15 complication without its event": (
        "procedure", {"complications": ["haematoma"]}, {}, {("V15.event", "W", "complications.1")},
    ),
    "V15 event that the procedure denies": ("adverse_event", {}, {}, {("V15.complication", "E", "ae_code")}),
    "V15 event that the procedure knows": (
        "adverse_event", {}, {"procedure": {"complications": ["vascular_puncture"]}}, set(),
    ),
    "V15 correction that denies the event": (
        "procedure", {}, {"and": [("adverse_event", {})]}, {("V15.complication", "E", "complications")},
    ),
    "V15 event of the next day": ("adverse_event", {"onset_at": "2026-02-19"}, {}, set()),
    "V15 day unknown": ("adverse_event", {"onset_at": "2026-02"}, {}, set()),
    "V15 unrelated": ("adverse_event", {"relatedness": "unrelated", "suspect": GONE}, {}, set()),
    "V15 not assessed": (
        "adverse_event", {}, {"procedure": {"ae_assessed": False, "complications": GONE}}, set(),
    ),
    "V15 may happen without being a complication (S12)": (
        "adverse_event", {"ae_code": "temporary_sensory_disturbance"}, {}, set(),
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES)
def test_rule(case: str) -> None:
    kind, changes, around, expected = CASES[case]
    assert judged(kind, changes, around) == expected


def test_every_rule_has_a_case_that_breaks_it() -> None:
    broken = {rule for _, _, _, expected in CASES.values() for rule, _, _ in expected}
    assert {rule.name for rule in RULES} == {rule.partition(".")[0] for rule in broken}


def test_a_retracted_record_breaks_nothing_but_waits_for_its_parents() -> None:
    wrong = made("procedure", {"targets.1.laterality": "right", "record_status": "entered_in_error"})
    assert decide(wrong, circle_of(made("study"), made("subject"), made("enrolment"), wrong)) == []
    assert {one.outcome for one in decide(wrong, circle_of(wrong))} == {"Q"}


def test_what_is_waited_for_is_what_a_record_is_called() -> None:
    """A unit's enrolment is an enrolment: what waits for the subject's enrolment need not know the unit."""
    procedure, score = made("procedure"), made("pain_outcome")
    [found] = decide(procedure, circle_of(made("study"), made("subject"), procedure))
    assert found.waits == name(made("enrolment", {"unit_id": "left"})) == Name("enrolment", ("HD-PS-01", "HD-0017"))
    waits = {one.waits for one in decide(score, circle_of(score))}
    assert waits == {name(made(kind)) for kind in ("subject", "study", "enrolment", "procedure")}


def test_one_of_several_units_may_be_treated() -> None:
    """Two limbs, one randomised before the session and one after it: which was treated is not said, so nothing is
    broken; once both were randomised afterwards, it is."""
    late = {"randomised_at": "2026-02-19T09:30:00+03:00", "recorded_at": "2026-02-19T11:00:00+03:00",
            "status_history.3.at": "2026-02-19T09:30:00+03:00", "status_history.4.at": "2026-02-19T10:00:00+03:00"}  # fmt: skip
    left, right = made("enrolment", {"unit_id": "left"}, "l"), made("enrolment", {"unit_id": "right"} | late, "r")
    rest, procedure = [made("study"), made("subject")], made("procedure")
    assert told(circle_of(*rest, left, right, procedure), procedure) == set()
    left = made("enrolment", {"unit_id": "left"} | late, "l")
    assert told(circle_of(*rest, left, right, procedure), procedure) == {("V10", "E", "started_at")}


def test_a_corrected_neighbour_makes_a_flag_of_what_would_have_been_refused() -> None:
    procedure = made("procedure")
    circle = circle_of(made("study"), made("subject"), made("enrolment"), procedure)
    assert flags(procedure, circle) == []
    right = made("subject", {"conditions.1.laterality": "right"})
    former = circle.put(("subject", right["record_id"]), right)
    assert [(one.rule, one.outcome) for one in flags(procedure, circle)] == [("V7.side", "E")]
    circle.put(("subject", right["record_id"]), former)
    assert flags(procedure, circle) == []


def test_made_up_records_break_no_rule() -> None:
    """The generator's trial and registry: nothing is refused, nothing waits, and the only flags are late scores."""
    from adapter import records

    found = [records.load(None, one) for one in synthetic.generate(40, 5)]
    circles: dict[str, Circle] = {}
    studies = {one["study_id"]: one for one in found if one["kind"] == "study"}
    for record in found:
        if record["kind"] != "study":
            circle = circles.setdefault(record["subject_id"], Circle(CATALOG, studies))
            circle.put((record["kind"], record["record_id"]), record)
    said = [
        (one.rule, one.outcome) for circle in circles.values() for _, r in circle.items() for one in flags(r, circle)
    ]
    assert set(said) == {("V3.window", "W")}
