"""Graphs that others wrote: read where standard codes give one answer, refused with the reason where not."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from adapter.assembly import assemble
from adapter.mill import Mill, Stranger, Taken

SCT, LOINC, RXNORM = "http://snomed.info/sct", "http://loinc.org", "http://www.nlm.nih.gov/research/umls/rxnorm"
UPDATED = {"meta": {"versionId": "3", "lastUpdated": "2026-03-01T10:00:00.000+00:00"}}
PATIENT = {
    "resourceType": "Patient", "id": "1001", **UPDATED, "gender": "female", "birthDate": "1984-05-06",
    "managingOrganization": {"reference": "Organization/7"},
}  # fmt: skip


def concept(system: str, code: str, text: str | None = None) -> dict[str, Any]:
    return {"coding": [{"system": system, "code": code}], **({"text": text} if text else {})}


def nrs(**more: Any) -> dict[str, Any]:
    return {
        "resourceType": "Observation", "id": "2001", **UPDATED, "status": "final", "code": concept(LOINC, "72514-3"),
        "subject": {"reference": "Patient/1001"}, "effectiveDateTime": "2026-02-25T10:05:00+00:00",
        "valueQuantity": {"value": 3, "unit": "{score}", "system": "http://unitsofmeasure.org", "code": "{score}"},
        **more,
    }  # fmt: skip


def take(version: str, *resources: dict[str, Any]) -> dict[str, Taken]:
    mill = Mill(assemble(), version)
    found = mill.records(resources, Stranger("ward-7", "UTC"))
    return {f"{t.found.root['resourceType']}/{t.found.root['id']}": t for t in found}


def record(taken: Taken) -> dict[str, Any]:
    assert taken.record is not None, [str(i) for i in taken.issues]
    assert taken.record["source_system"] == "ward-7"
    assert taken.record["blinding_class"] == "allocation"
    return taken.record


# -- read ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("version", ["R4", "R5"])
def test_a_pain_score_with_its_loinc_code(version: str) -> None:
    got = record(take(version, PATIENT, nrs(partOf=[{"reference": "Procedure/55"}]))["Observation/2001"])
    assert got["instrument"] == "nrs_0_10"
    assert str(got["score"]) == "3"
    assert got["subject_id"] == "1001"
    assert got["anchor_procedure_id"] == "55"
    assert got["score_status"] == "collected"
    assert got["source_record_id"] == "Observation/2001"
    assert got["field_absent_reason"]["pain_context"] == "not_in_source"


@pytest.mark.parametrize("version", ["R4", "R5"])
def test_a_patient_with_condition_and_allergy(version: str) -> None:
    condition = {
        "resourceType": "Condition", "id": "3001", "subject": {"reference": "Patient/1001"},
        "clinicalStatus": concept("http://terminology.hl7.org/CodeSystem/condition-clinical", "active"),
        "code": concept(SCT, "129179000", "piriformis, left"), "onsetDateTime": "2024-11",
        "bodySite": [{"coding": [{"system": SCT, "code": "46862004"}, {"system": SCT, "code": "7771000"}]}],
    }  # fmt: skip
    allergy = {
        "resourceType": "AllergyIntolerance", "id": "3002", "patient": {"reference": "Patient/1001"},
        "clinicalStatus": concept("http://terminology.hl7.org/CodeSystem/allergyintolerance-clinical", "active"),
        "code": concept(RXNORM, "6387"),
    }  # fmt: skip
    got = record(take(version, allergy, PATIENT, condition)["Patient/1001"])
    assert (got["subject_id"], got["site_id"], got["sex"], got["birth_year"]) == ("1001", "7", "female", 1984)
    assert got["allergies"] == ["lidocaine"]
    (one,) = got["conditions"]
    assert one["condition_code"] == "piriformis_syndrome"
    assert (one["body_site"], one["laterality"], one["onset"]) == ("gluteal", "left", "2024-11")
    assert one["condition_text"] == "piriformis, left"


@pytest.mark.parametrize("version", ["R4", "R5"])
def test_a_disability_index_with_its_loinc_code(version: str) -> None:
    """A percent is no {score} elsewhere, a pure number is."""
    odi = nrs(code=concept(LOINC, "97909-6"), valueQuantity={"value": Decimal("32.0"), "unit": "1", "code": "1"})
    got = record(take(version, PATIENT, odi)["Observation/2001"])
    assert (got["kind"], got["instrument"], str(got["score"])) == ("function_outcome", "odi", "32.0")
    assert got["field_absent_reason"]["domain"] == "not_in_source"


def suspect(version: str, code: str, **instance: Any) -> dict[str, Any]:
    judged = concept("http://terminology.hl7.org/CodeSystem/adverse-event-causality-assess", code)
    causality = [{"assessment": judged}] if version == "R4" else {"entityRelatedness": judged}
    return {**instance, "causality": causality}


def event(version: str, *suspects: dict[str, Any], **more: Any) -> dict[str, Any]:
    hl7 = "http://terminology.hl7.org/CodeSystem/adverse-event-"
    serious, outcome = concept(f"{hl7}seriousness", "Serious"), concept(f"{hl7}outcome", "resolved")
    found = {"resourceType": "AdverseEvent", "id": "ae-1", **UPDATED, "actuality": "actual", "seriousness": serious}
    found |= {"subject": {"reference": "Patient/1001"}, "recordedDate": "2026-03-01T09:00:00+00:00"}
    if version == "R4":
        severity = concept(f"{hl7}severity", "severe")
        found |= {"event": concept(SCT, "419076005", "wheeze"), "severity": severity, "outcome": outcome}
        found["date"] = "2026-02-18T10:30:00+00:00"
    else:
        found |= {"code": concept(SCT, "419076005", "wheeze"), "status": "completed", "outcome": [outcome]}
        found["occurrencePeriod"] = {"start": "2026-02-18T10:30:00+00:00", "end": "2026-02-19"}
    return {**found, **({"suspectEntity": list(suspects)} if suspects else {}), **more}


@pytest.mark.parametrize("version", ["R4", "R5"])
def test_an_adverse_event_with_its_suspects(version: str) -> None:
    """Certain is our related; the codes of the other version's case are understood."""
    drug = {"resourceType": "Medication", "id": "m-1", "code": concept(RXNORM, "6387"), **UPDATED}
    named = {"instance": {"reference": "Substance/s-1"}}
    if version == "R5":
        named = {"instanceCodeableConcept": concept(SCT, "387480006")}
    act = {"instance" if version == "R4" else "instanceReference": {"reference": "Procedure/55"}}
    substance = {"resourceType": "Substance", "id": "s-1", "code": concept(SCT, "387480006")}
    both = suspect(version, "certain", **act), suspect(version, "Certain", **named)
    got = record(take(version, PATIENT, substance, drug, event(version, *both))["AdverseEvent/ae-1"])
    assert (got["ae_id"], got["ae_code"], got["ae_term"]) == ("ae-1", "allergic_reaction", "wheeze")
    assert (got["procedure_id"], got["relatedness"], got["suspect"]) == ("55", "related", ["procedure", "lidocaine"])
    assert (got["serious"], got["ae_outcome"]) == (True, "resolved")
    assert got["field_absent_reason"]["expected"] == "not_in_source"
    if version == "R4":
        assert got["severity"] == "severe"
        assert got["field_absent_reason"]["end_at"] == "not_in_source"
    else:
        assert got["end_at"] == "2026-02-19"


@pytest.mark.parametrize("version", ["R4", "R5"])
def test_a_diary_day_of_our_questionnaire_by_another_writer(version: str) -> None:
    own = "https://hydrofhir.example/fhir"
    answers = {
        "diary-date": [{"valueDate": "2026-02-25"}],
        "headache": [{"valueBoolean": False}],
        "symptoms": [{"valueCoding": {"system": f"{own}/CodeSystem/headache-symptom", "code": "nausea"}}],
        "mood": [{"valueString": "fair"}],
    }
    form = {
        "resourceType": "QuestionnaireResponse", "id": "q-1", **UPDATED, "status": "amended",
        "questionnaire": f"{own}/Questionnaire/headache-day", "authored": "2026-02-25T20:00:00+00:00",
        "subject": {"reference": "Patient/1001"},
        "item": [{"linkId": link, "answer": answer} for link, answer in answers.items()],
    }  # fmt: skip
    got = record(take(version, PATIENT, form)["QuestionnaireResponse/q-1"])
    assert (got["kind"], got["diary_date"], got["headache"]) == ("headache_day", "2026-02-25", False)
    assert (got["symptoms"], got["entered_at"]) == (["nausea"], "2026-02-25T20:00:00+00:00")


def test_unilateral_left_is_understood_as_left() -> None:
    component = {"code": concept(SCT, "272741003"), "valueCodeableConcept": concept(SCT, "419161000")}
    own = {
        "code": concept("https://hydrofhir.example/fhir/CodeSystem/component", "laterality"),
        "valueCodeableConcept": concept(SCT, "419161000"),
    }
    assert record(take("R4", nrs(component=[component, own]))["Observation/2001"])["laterality"] == "left"


def test_a_score_that_was_refused_by_the_patient() -> None:
    not_done = nrs(
        dataAbsentReason=concept("http://terminology.hl7.org/CodeSystem/data-absent-reason", "asked-declined")
    )
    del not_done["valueQuantity"]
    got = record(take("R4", not_done)["Observation/2001"])
    assert (got["score_status"], got["missing_reason"]) == ("not_done", "refused")


def test_a_completed_study_in_r4_and_a_recruiting_one_in_r5() -> None:
    study = {"resourceType": "ResearchStudy", "id": "s-1", **UPDATED, "title": "Elsewhere", "status": "completed"}
    got = record(take("R4", {**study, "arm": [{"name": "A"}, {"name": "B"}]})["ResearchStudy/s-1"])
    assert (got["study_id"], got["study_status"]) == ("s-1", "completed")
    assert [a["arm_id"] for a in got["arms"]] == ["A", "B"]
    state = concept("http://hl7.org/fhir/research-study-status", "recruiting")
    got = record(take("R5", {**study, "status": "active", "progressStatus": [{"state": state}]})["ResearchStudy/s-1"])
    assert got["study_status"] == "recruiting"


def test_an_enrolment_in_r4_and_r5() -> None:
    subject = {"resourceType": "ResearchSubject", "id": "e-1", **UPDATED, "study": {"reference": "ResearchStudy/s-1"}}
    r4 = {**subject, "status": "on-study", "individual": {"reference": "Patient/1001"}}
    got = record(take("R4", r4)["ResearchSubject/e-1"])
    assert [s["status"] for s in got["status_history"]] == ["on_study"]
    assert (got["study_id"], got["subject_id"]) == ("s-1", "1001")
    state = concept("http://terminology.hl7.org/CodeSystem/research-subject-state", "screening")
    kind = concept("http://terminology.hl7.org/CodeSystem/research-subject-state-type", "Enrollment")
    progress = [{"type": kind, "subjectState": state, "startDate": "2026-02-16"}]
    r5 = {**subject, "status": "active", "subject": {"reference": "Patient/1001"}, "progress": progress}
    got = record(take("R5", r5)["ResearchSubject/e-1"])
    assert got["status_history"][0]["status"] == "screening"


def test_a_procedure_with_its_target_and_our_word_for_the_technique() -> None:
    """Standard codes cannot say hydrodissection; with the published own code they need not."""
    own = "https://hydrofhir.example/fhir/CodeSystem/technique"
    target = {
        "resourceType": "BodyStructure", "id": "t-1", "patient": {"reference": "Patient/1001"},
        "location": concept(SCT, "38464002"), "locationQualifier": [concept(SCT, "24028007")],
    }  # fmt: skip
    url = "http://hl7.org/fhir/StructureDefinition/procedure-targetBodyStructure"
    procedure = {
        **PROCEDURE, "code": concept(own, "nerve_hydrodissection"),
        "extension": [{"url": url, "valueReference": {"reference": "BodyStructure/t-1"}}],
    }  # fmt: skip
    got = record(take("R4", procedure, target, PATIENT)["Procedure/55"])
    assert (got["procedure_id"], got["technique"], got["performed_status"]) == (
        "55",
        "nerve_hydrodissection",
        "completed",
    )
    (one,) = got["targets"]
    assert (one["target_no"], one["structure_code"], one["laterality"]) == (1, "median_nerve", "right")
    assert got["field_absent_reason"]["targets.1.structure_type"] == "not_in_source"


# -- refused ------------------------------------------------------------------------------------------------------

VAS = nrs(code=concept(LOINC, "38214-3"))
PROCEDURE = {
    "resourceType": "Procedure", "id": "55", **UPDATED, "status": "completed", "subject": {"reference": "Patient/1001"},
    "code": concept(SCT, "59108006"), "performedDateTime": "2026-02-18T10:15:00+00:00",
}  # fmt: skip
LOST = {
    **nrs(dataAbsentReason=concept("http://terminology.hl7.org/CodeSystem/data-absent-reason", "not-performed")),
    "valueQuantity": None,
}
ENDED = {
    "resourceType": "ResearchSubject", "id": "e-1", **UPDATED, "study": {"reference": "ResearchStudy/s-1"},
    "individual": {"reference": "Patient/1001"}, "status": "off-study",
}  # fmt: skip
OWN = "https://hydrofhir.example/fhir/CodeSystem/instrument"
ROM = nrs(
    code=concept(OWN, "rom"),
    valueQuantity={"value": 1, "unit": "rad", "system": "http://unitsofmeasure.org", "code": "rad"},
)
PERIOD = {**nrs(code=concept("https://hydrofhir.example/fhir/CodeSystem/finding", "headache-period"))}
PERIOD = {k: v for k, v in PERIOD.items() if k not in ("effectiveDateTime", "valueQuantity")}
REFUSED = {
    "two scales share the code": ("R4", VAS, "instrument", "ambiguous"),
    "an injection is not yet a hydrodissection": ("R4", PROCEDURE, "technique", "ambiguous"),
    "an injection is not yet a hydrodissection, R5": (
        "R5", {**PROCEDURE, "occurrenceDateTime": "2026-02-18"}, "technique", "ambiguous",
    ),
    "not performed has three reasons": (
        "R4", {k: v for k, v in LOST.items() if v is not None}, "score_status", "ambiguous",
    ),
    "off-study has several ways": ("R4", ENDED, "status_history", "ambiguous"),
    "another unit": ("R5", nrs(valueQuantity={"value": 3, "unit": "%", "code": "%"}), "score", "unit"),
    "an index beyond its end": ("R5", nrs(code=concept(LOINC, "82237-9"), valueQuantity={"value": 51, "code": "1"}), "score", "V1.range"),
    "a motion in radians": ("R4", ROM, "score", "unit"),
    "two judgements of one event": (
        "R4",
        event("R4", *(suspect("R4", code, instance={"reference": f"Procedure/{code}"}) for code in ("Possible", "Unlikely"))),
        "procedure_id", "ambiguous",
    ),
    "a suspect that is not here": (
        "R4", event("R4", suspect("R4", "Possible", instance={"reference": "Substance/9"})), "procedure_id", "reference",
    ),
    "a suspect we do not know": (
        "R5", event("R5", suspect("R5", "possible", instanceCodeableConcept=concept(SCT, "387207008"))),
        "procedure_id", "unknown_code",
    ),
    "one of several ways to be serious": (
        "R4",
        event("R4", seriousness=concept("http://terminology.hl7.org/CodeSystem/adverse-event-seriousness", "SeriousIsBirthDefect")),
        "serious", "unknown_code",
    ),
    "resolved, and its end before its start": (
        "R5", event("R5", occurrencePeriod={"start": "2026-02-18", "end": "2026-02-17"}), "end_at", "order",
    ),
    "a diary month that is not whole days": (
        "R4", PERIOD | {"effectivePeriod": {"start": "2026-02-19T08:00:00+00:00", "end": "2026-03-18"}}, "start", "period",
    ),
    "a comparator": (
        "R4", nrs(valueQuantity={"value": 3, "comparator": ">", "code": "{score}"}), "score", "comparator",
    ),
    "a score off its scale": (
        "R4", nrs(valueQuantity={"value": 62, "unit": "{score}", "code": "{score}"}), "score", "V1.range",
    ),
    "a body site we do not know": ("R4", nrs(bodySite=concept(SCT, "76752008")), "body_site", "unknown_code"),
    "a text where a list belongs": ("R4", nrs(valueQuantity="3"), "score", "type"),
    "active may be recruiting or unknown": (
        "R4", {"resourceType": "ResearchStudy", "id": "s-1", **UPDATED, "status": "active"}, "study_status", "ambiguous",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", REFUSED)
def test_what_has_no_single_answer_is_refused_with_the_reason(name: str) -> None:
    version, resource, field, rule = REFUSED[name]
    (taken,) = take(version, resource).values()
    assert taken.record is None
    assert (field, rule) in {(i.field, i.rule) for i in taken.issues}, [str(i) for i in taken.issues]
    assert all(i.record == f"{resource['resourceType']}/{resource['id']}" for i in taken.issues)


def test_what_is_none_of_our_business_is_left_alone() -> None:
    pulse = nrs(code=concept(LOINC, "8867-4"))
    assert take("R4", pulse) == {}
    form = {"resourceType": "QuestionnaireResponse", "id": "q", **UPDATED, "status": "completed"}
    assert take("R5", {**form, "questionnaire": "https://elsewhere.example/Questionnaire/sleep"}) == {}


def test_without_leave_nothing_foreign_is_read() -> None:
    assert list(Mill(assemble(), "R4").records([PATIENT, nrs()])) == []
