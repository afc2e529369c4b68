"""Studies and enrolments."""

from __future__ import annotations

from typing import Any

from tests.foreign.table import Json, read, refused
from tests.foreign.writers import (
    HL7,
    SOMEBODY,
    coding,
    concept,
    consent,
    enrolled,
    patient,
    resource,
    said,
    study,
)

STUDY, WAY = "ResearchStudy/s-1", "ResearchSubject/e-1"


def arms(v: str, *names: str) -> Json:
    return (
        {"arm": [{"name": n} for n in names]}
        if v == "R4"
        else {"comparisonGroup": [{"linkId": n, "name": n} for n in names]}
    )


def group(v: str, *characteristics: Json, **more: Any) -> Json:
    plain: Json = {"type": "person", "quantity": 60, "characteristic": list(characteristics)}
    plain |= {"actual": False} if v == "R4" else {"membership": "definitional"}
    return resource("Group", "g-1", plain, more)


def eligible(v: str, at: str = "Group/g-1") -> Json:
    return {"enrollment": [{"reference": at}]} if v == "R4" else {"recruitment": {"eligibility": {"reference": at}}}


def only(sex: str, exclude: bool) -> Json:
    value = concept("http://hl7.org/fhir/administrative-gender", sex)
    return {"code": said("group-characteristic", "sex"), "valueCodeableConcept": value, "exclude": exclude}


def agreed(v: str, **more: Any) -> Json:
    reference = {"reference": "Consent/k-1"}
    return {"consent": reference if v == "R4" else [reference], **more}


# -- read ---------------------------------------------------------------------------------------------------------

read("a completed study with its arms", STUDY, lambda v: [study(v, **arms(v, "A", "B"))],
     study_id="s-1", study_status="completed", title="Elsewhere", arms__2__arm_id="B")  # fmt: skip
read(
    "a study whose status R4 calls otherwise",
    STUDY,
    lambda v: [study(v, "closed-to-accrual")],
    ("R4",),
    study_status="active",
)
read("a recruiting study as R5 says it", STUDY, lambda v: [study(v, "recruiting")], ("R5",), study_status="recruiting")
read("a registry number beside another identifier", STUDY,
     lambda v: [study(v, identifier=[{"system": "http://clinicaltrials.gov", "value": "NCT00000000"}, {"value": "ward-9"}])],
     identifiers=["NCT00000000"])  # fmt: skip
read("a study for women", STUDY, lambda v: [study(v, **eligible(v)), group(v, only("female", False))], sex="female")
read("an enrolment", WAY, lambda v: [enrolled(v)],
     study_id="s-1", subject_id="1001", status_history__1__status="on_study", unit_id=None)  # fmt: skip
read("a screening with its date", WAY, lambda v: [enrolled(v, "screening")], ("R5",),
     status_history__1__status="screening", status_history__1__at="2026-02-16")  # fmt: skip
read("an enrolment with its consent", WAY, lambda v: [enrolled(v, **agreed(v)), consent(v)],
     consent_at="2026-02-15T09:00:00+00:00", consent_withdrawn_at=None)  # fmt: skip
read("a consent that serves two enrolments", WAY,
     lambda v: [enrolled(v, **agreed(v)), {**enrolled(v, **agreed(v)), "id": "e-2", "study": {"reference": "ResearchStudy/s-2"}}, consent(v)],
     consent_at="2026-02-15T09:00:00+00:00")  # fmt: skip

# -- refused ------------------------------------------------------------------------------------------------------

refused(
    "active may be recruiting or unknown", STUDY, lambda v: [study(v, "active")], "study_status", "ambiguous", ("R4",)
)
refused(
    "a study without its state", STUDY, lambda v: [study(v, progressStatus=None)], "study_status", "required", ("R5",)
)
refused("a study that is a draft", STUDY, lambda v: [study(v, status="draft")], "status", "agree", ("R5",))
refused("its Group has not come", STUDY, lambda v: [study(v, **eligible(v))], "", "incomplete")
refused("women are left out", STUDY, lambda v: [study(v, **eligible(v)), group(v, only("female", True))],
        "characteristic[sex].exclude", "agree")  # fmt: skip
refused("people counted, not people sought", STUDY,
        lambda v: [study(v, **eligible(v)), group(v, **({"actual": True} if v == "R4" else {"membership": "enumerated"}))],
        "actual", "agree", ("R4",))  # fmt: skip
refused("off-study has several ways", WAY, lambda v: [enrolled(v, "off-study")], "status_history", "ambiguous", ("R4",))
refused(
    "off-study has several ways, R5",
    WAY,
    lambda v: [enrolled(v, "off-study")],
    "status_history.1.status",
    "ambiguous",
    ("R5",),
)
refused("a state of another list", WAY,
        lambda v: [enrolled(v, progress=[{"type": concept(f"{HL7}/research-subject-state-type", "Enrollment"), "subjectState": {"coding": [coding("https://ward.example/state", "in")]}}])],
        "status_history.1.status", "unknown_code", ("R5",))  # fmt: skip
refused("a consent that denies", WAY, lambda v: [enrolled(v, **agreed(v)), consent(v, "deny")],
        "provision.type", "agree", ("R4",))  # fmt: skip
refused("a consent that denies, as R5 says it", WAY, lambda v: [enrolled(v, **agreed(v)), consent(v, "deny")],
        "decision", "agree", ("R5",))  # fmt: skip
refused("a consent no longer in force", WAY, lambda v: [enrolled(v, **agreed(v)), consent(v, status="inactive")],
        "status", "agree")  # fmt: skip
refused("the consent of somebody else", WAY,
        lambda v: [enrolled(v, **agreed(v)), consent(v, **{"patient" if v == "R4" else "subject": SOMEBODY})],
        "patient", "agree", ("R4",))  # fmt: skip
refused("the consent of somebody else, R5", WAY, lambda v: [enrolled(v, **agreed(v)), consent(v, subject=SOMEBODY)],
        "subject", "agree", ("R5",))  # fmt: skip
refused("the consent has not come", WAY, lambda v: [enrolled(v, **agreed(v)), patient()], "", "incomplete")
refused("a subject that is no Patient", WAY,
        lambda v: [enrolled(v, **{"individual" if v == "R4" else "subject": {"reference": "Group/5"}})],
        "subject_id", "reference")  # fmt: skip
