"""A rich valid resource of every type we write, in R4 and R5, built from the shape HL7 gives them."""

from __future__ import annotations

import copy
from decimal import Decimal
from typing import Any

THO = "http://terminology.hl7.org/CodeSystem/"
OWN = "https://hydrofhir.example/fhir/CodeSystem/"
IDS = "https://hydrofhir.example/fhir/sid/"
UCUM = "http://unitsofmeasure.org"
SCT = "http://snomed.info/sct"
WHEN = "2024-05-06T07:08:09.120+02:00"
LATER = "2024-05-06T08:00:00+02:00"


def concept(system: str, code: str, *more: tuple[str, str], text: str = "") -> dict[str, Any]:
    coding = [{"system": s, "code": c, "display": f"the concept {c}"} for s, c in ((system, code), *more)]
    return {"coding": coding, **({"text": text} if text else {})}


def own(system: str, code: str) -> dict[str, Any]:
    return concept(OWN + system, code, (SCT, "123037004"))


def ref(type_: str, id_: str = "0b2f4a0e-3c52-5d41-9d7a-6b1f00000001") -> dict[str, Any]:
    return {"reference": f"{type_}/{id_}"}


def named(system: str, value: str) -> dict[str, Any]:
    return {"identifier": {"system": IDS + system, "value": value}}


def quantity(value: str, unit: str) -> dict[str, Any]:
    return {"value": Decimal(value), "unit": unit, "system": UCUM, "code": unit}


def head(type_: str) -> dict[str, Any]:
    parts = [
        {"url": "source", "valueString": "clinic-export"},
        {"url": "version", "valueInteger": 3},
        {"url": "recordedAt", "valueDateTime": WHEN},
        {"url": "blinding", "valueCode": "open"},
        {"url": "share", "valueDecimal": Decimal("0.10")},
    ]
    return {
        "resourceType": type_,
        "id": "3f2c0a52-7e0e-5d55-9d0b-0f1f3c6d9b11",
        "meta": {"security": [{"system": THO + "v3-ActReason", "code": "HTEST", "display": "test health data"}]},
        "extension": [{"url": "https://hydrofhir.example/fhir/StructureDefinition/record", "extension": parts}],
        "identifier": [{"system": IDS + "record", "value": "r-1"}, {"system": IDS + "key", "value": "k|1"}],
    }


def _both() -> dict[str, dict[str, Any]]:
    period = {"start": WHEN, "end": LATER}
    status = concept(THO + "condition-clinical", "active")
    verified = concept(THO + "condition-ver-status", "confirmed", (OWN + "diagnosis-basis", "clinical"))
    return {
        "Patient": {
            **head("Patient"),
            "active": True,
            "gender": "female",
            "birthDate": "1980",
            "deceasedBoolean": False,
            "managingOrganization": named("site", "site-1"),
        },
        "Condition": {
            **head("Condition"),
            "clinicalStatus": status,
            "verificationStatus": verified,
            "code": own("condition", "carpal_tunnel"),
            "bodySite": [own("body-site", "wrist"), own("laterality", "left")],
            "subject": ref("Patient"),
            "onsetDateTime": "2023-11",
            "note": [{"text": "Worse at night."}],
        },
        "AllergyIntolerance": {
            **head("AllergyIntolerance"),
            "clinicalStatus": concept(THO + "allergyintolerance-clinical", "active"),
            "verificationStatus": concept(THO + "allergyintolerance-verification", "confirmed"),
            "category": ["medication"],
            "criticality": "high",
            "code": {"text": "an agent"},
            "patient": ref("Patient"),
            "reaction": [{"manifestation": [], "severity": "mild"}],
        },
        "Procedure": {
            **head("Procedure"),
            "status": "completed",
            "code": own("technique", "hydrodissection"),
            "subject": ref("Patient"),
            "performer": [{"function": own("operator-role", "physician"), "actor": named("operator", "op-1")}],
            "bodySite": [own("structure", "median_nerve")],
            "outcome": own("immediate-response", "relief"),
            "note": [{"text": "Two passes."}],
        },
        "Observation": {
            **head("Observation"),
            "partOf": [ref("Procedure")],
            "status": "final",
            "category": [concept(THO + "observation-category", "survey")],
            "code": concept("http://loinc.org", "72514-3", (OWN + "instrument", "nrs_pain")),
            "subject": ref("Patient"),
            "effectiveDateTime": WHEN,
            "performer": [named("assessor", "as-1")],
            "valueQuantity": quantity("4.50", "{score}"),
            "bodySite": own("body-site", "wrist"),
            "component": [
                {"code": own("component", "timepoint"), "valueCodeableConcept": own("timepoint", "week_4")},
                {"code": own("x-component", "offset"), "valueQuantity": quantity("4", "wk")},
                {"code": own("y-component", "reported"), "valueInteger": 40},
            ],
        },
        "MedicationAdministration": {
            **head("MedicationAdministration"),
            "partOf": [ref("Procedure")],
            "status": "completed",
            "subject": ref("Patient"),
            "dosage": {"text": "as injected", "site": own("region", "wrist"), "dose": quantity("2.50", "mL")},
        },
        "BodyStructure": {**head("BodyStructure"), "active": True, "patient": ref("Patient")},
        "DeviceRequest": {
            **head("DeviceRequest"),
            "status": "active",
            "intent": "proposal",
            "subject": ref("Patient"),
            "occurrencePeriod": period,
        },
        "ResearchStudy": {
            **head("ResearchStudy"),
            "title": "A study of two injectates",
            "primaryPurposeType": concept(THO + "research-study-prim-purp-type", "treatment"),
            "period": {"start": "2024-01", "end": "2025"},
            "objective": [
                {"name": "Pain at 4 weeks", "type": concept(THO + "research-study-objective-type", "primary")}
            ],
        },
        "ResearchSubject": {
            **head("ResearchSubject"),
            "study": ref("ResearchStudy"),
            "period": {"start": "2024-02-03"},
        },
        "Group": {
            **head("Group"),
            "active": True,
            "type": "person",
            "quantity": 42,
            "characteristic": [
                {
                    "code": own("group-characteristic", "age"),
                    "valueRange": {"low": quantity("18", "a"), "high": quantity("75", "a")},
                    "exclude": False,
                }
            ],
        },
        "PlanDefinition": {
            **head("PlanDefinition"),
            "url": "https://hydrofhir.example/fhir/PlanDefinition/p1",
            "version": "1",
            "name": "Timepoints",
            "status": "active",
            "action": [
                {
                    "title": "week 4",
                    "code": [],
                    "timingDuration": quantity("4", "wk"),
                    "relatedAction": [
                        {
                            "relationship": "after-end",
                            "offsetRange": {"low": quantity("3", "wk"), "high": quantity("5", "wk")},
                        }
                    ],
                }
            ],
        },
        "Consent": {
            **head("Consent"),
            "status": "active",
            "category": [concept("http://loinc.org", "59284-0")],
        },
        "AdverseEvent": {
            **head("AdverseEvent"),
            "actuality": "actual",
            "subject": ref("Patient"),
            "recordedDate": "2024-05-06",
            "seriousness": concept(THO + "adverse-event-seriousness", "non-serious"),
            "study": [ref("ResearchStudy")],
        },
        "Provenance": {
            "resourceType": "Provenance",
            "id": "3f2c0a52-7e0e-5d55-9d0b-0f1f3c6d9b12",
            "target": [ref("Procedure"), ref("Observation")],
            "occurredPeriod": period,
            "recorded": WHEN,
            "agent": [{"type": own("assessor-role", "author"), "who": named("operator", "op-1")}],
            "entity": [{"role": "source", "what": named("source", "row-1")}],
        },
        "MedicationStatement": {
            **head("MedicationStatement"),
            "category": [concept(THO + "medication-statement-category", "patientspecified")],
            "subject": ref("Patient"),
            "effectivePeriod": {"start": "2024-01-02"},
            "dateAsserted": WHEN,
            "dosage": [{"text": "once", "timing": {"repeat": {"frequency": 1, "period": 1, "periodUnit": "d"}}}],
        },
    }


def _r4() -> dict[str, dict[str, Any]]:
    all_ = _both()
    all_["AllergyIntolerance"]["type"] = "allergy"
    all_["AllergyIntolerance"]["reaction"][0]["manifestation"] = [own("symptom", "rash")]
    all_["Condition"]["evidence"] = [{"code": [own("symptom", "numbness")]}]
    all_["Procedure"].update(
        category=own("procedure-kind", "hydrodissection"),
        performedPeriod={"start": WHEN, "end": LATER},
        reasonReference=[ref("Condition")],
        complication=[own("complication", "bruise")],
        usedCode=[own("guidance", "ultrasound")],
    )
    drug = own("agent", "dextrose_5")
    all_["MedicationAdministration"].update(medicationCodeableConcept=drug, effectiveDateTime=WHEN)
    all_["MedicationStatement"].update(status="active", medicationCodeableConcept=drug)
    all_["MedicationStatement"]["category"] = all_["MedicationStatement"]["category"][0]
    all_["BodyStructure"].update(
        location=own("structure", "median_nerve"), locationQualifier=[own("laterality", "left")]
    )
    all_["DeviceRequest"].update(codeCodeableConcept=own("equipment-advice", "splint"))
    all_["ResearchStudy"].update(
        status="active",
        category=[own("design", "rct")],
        arm=[{"name": "A", "type": own("arm-type", "active")}],
    )
    all_["ResearchStudy"].update(enrollment=[ref("Group")], condition=[own("condition", "cts")])
    all_["ResearchSubject"].update(
        status="on-study", individual=ref("Patient"), assignedArm="A", consent=ref("Consent")
    )
    all_["Group"]["actual"] = False
    all_["PlanDefinition"]["subjectReference"] = ref("Group")
    all_["PlanDefinition"]["action"][0].update(code=[own("timepoint", "week_4")])
    all_["PlanDefinition"]["action"][0]["relatedAction"][0]["actionId"] = "anchor"
    all_["Consent"].update(
        scope=concept(THO + "consentscope", "research"),
        patient=ref("Patient"),
        dateTime=WHEN,
        policy=[{"uri": "https://hydrofhir.example/consent/1"}],
        provision={"type": "permit", "purpose": [{"system": OWN + "consent-scope", "code": "data_use"}]},
    )
    event = all_["AdverseEvent"]
    event["identifier"] = event["identifier"][0]
    event.update(event=own("complication", "bruise"), date="2024-05-06", suspectEntity=[{"instance": ref("Procedure")}])
    event["severity"] = concept(THO + "adverse-event-severity", "mild")
    event["outcome"] = concept(THO + "adverse-event-outcome", "resolved")
    return all_


def _r5() -> dict[str, dict[str, Any]]:
    all_ = _both()
    all_["AllergyIntolerance"]["type"] = concept("http://hl7.org/fhir/allergy-intolerance-type", "allergy")
    all_["AllergyIntolerance"]["reaction"][0]["manifestation"] = [{"concept": own("symptom", "rash")}]
    all_["Condition"]["evidence"] = [{"concept": own("symptom", "numbness")}]
    all_["Procedure"].update(
        category=[own("procedure-kind", "hydrodissection")],
        occurrencePeriod={"start": WHEN, "end": LATER},
        reason=[{"reference": ref("Condition")}],
        complication=[{"concept": own("complication", "bruise")}],
        used=[{"concept": own("guidance", "ultrasound")}],
    )
    drug = {"concept": own("agent", "dextrose_5")}
    all_["MedicationAdministration"].update(medication=drug, occurenceDateTime=WHEN)
    all_["MedicationStatement"].update(status="recorded", medication=drug)
    all_["BodyStructure"]["includedStructure"] = [
        {"structure": own("structure", "median_nerve"), "laterality": own("laterality", "left")}
    ]
    all_["DeviceRequest"]["code"] = {"concept": own("equipment-advice", "splint")}
    all_["ResearchStudy"].update(
        status="active",
        studyDesign=[own("design", "rct")],
        comparisonGroup=[{"linkId": "a", "name": "A", "type": own("arm-type", "active")}],
        progressStatus=[{"state": own("study-status", "active"), "actual": True}],
        recruitment={"targetNumber": 42, "eligibility": ref("Group")},
        condition=[own("condition", "cts")],
    )
    all_["ResearchSubject"].update(
        status="active",
        subject=ref("Patient"),
        progress=[{"subjectState": concept(THO + "research-subject-state", "on-study"), "startDate": "2024-02-03"}],
        assignedComparisonGroup="a",
        consent=[ref("Consent")],
    )
    all_["Group"]["membership"] = "definitional"
    all_["PlanDefinition"]["subjectReference"] = ref("Group")
    action = all_["PlanDefinition"]["action"][0]
    action.update(code=own("timepoint", "week_4"), linkId="week-4")
    action["relatedAction"][0]["targetId"] = "anchor"
    all_["Consent"].update(
        subject=ref("Patient"),
        date="2024-05-06",
        decision="permit",
        provision=[{"purpose": [{"system": OWN + "consent-scope", "code": "data_use"}]}],
    )
    event = all_["AdverseEvent"]
    event.update(status="completed", code=own("complication", "bruise"), occurrenceDateTime=WHEN)
    event["suspectEntity"] = [{"instanceReference": ref("Procedure")}]
    event["outcome"] = [concept("http://example.org/outcome", "resolved")]
    return all_


SAMPLES = {"R4": _r4(), "R5": _r5()}
TYPES = sorted(SAMPLES["R4"])


def sample(version: str, type_: str) -> dict[str, Any]:
    """A fresh copy, free to change."""
    return copy.deepcopy(SAMPLES[version][type_])
