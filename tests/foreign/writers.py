"""What a ward's system and a clinic's would send: plain resources with standard codes and ids of their server's own.

Each function makes a whole, valid resource of one FHIR version ("R4", "R5"); `more` puts elements in or, with None, takes
them away.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any

Json = dict[str, Any]
OWN = "https://hydrofhir.example/fhir/CodeSystem"
EXT = "https://hydrofhir.example/fhir/StructureDefinition"
HL7 = "http://terminology.hl7.org/CodeSystem"
SCT, LOINC = "http://snomed.info/sct", "http://loinc.org"
RXNORM, ICD = "http://www.nlm.nih.gov/research/umls/rxnorm", "http://hl7.org/fhir/sid/icd-10-cm"
UCUM = "http://unitsofmeasure.org"
NRS, NDI, ODI, VAS = "72514-3", "82237-9", "97909-6", "38214-3"
LEFT, RIGHT = "7771000", "24028007"
DAR = "http://hl7.org/fhir/StructureDefinition/data-absent-reason"
META = {"versionId": "3", "lastUpdated": "2026-03-01T10:00:00.000+00:00"}
ME = {"reference": "Patient/1001"}
SOMEBODY = {"reference": "Patient/2002"}


def coding(system: str, code: str, **more: Any) -> Json:
    return {"system": system, "code": code, **more}


def concept(system: str, *codes: str, text: str | None = None) -> Json:
    return {"coding": [coding(system, code) for code in codes], **({"text": text} if text else {})}


def said(list_name: str, code: str) -> Json:
    """A concept in one of our published code lists."""
    return concept(f"{OWN}/{list_name}", code)


def quantity(value: Any, code: str, **more: Any) -> Json:
    value = Decimal(value) if isinstance(value, str) else value
    return {"value": value, "unit": code, "system": UCUM, "code": code, **more}


def absent(code: str) -> Json:
    return {"extension": [{"url": DAR, "valueCode": code}]}


def resource(kind: str, rid: str, *layers: Json) -> Json:
    """Later layers win; None takes an element away."""
    out = {"resourceType": kind, "id": rid, "meta": META}
    for layer in layers:
        out |= layer
    return {name: value for name, value in out.items() if value is not None}


def patient(**more: Any) -> Json:
    plain = {"gender": "female", "birthDate": "1984-05-06", "managingOrganization": {"reference": "Organization/7"}}
    return resource("Patient", "1001", plain, more)


def condition(code: Json | None = None, rid: str = "c-1", **more: Any) -> Json:
    plain = {
        "subject": ME,
        "clinicalStatus": concept(f"{HL7}/condition-clinical", "active"),
        "verificationStatus": concept(f"{HL7}/condition-ver-status", "confirmed"),
        "code": code or concept(SCT, "57406009"),
    }
    return resource("Condition", rid, plain, more)


def allergy(code: Json, **more: Any) -> Json:
    plain = {
        "patient": ME,
        "clinicalStatus": concept(f"{HL7}/allergyintolerance-clinical", "active"),
        "verificationStatus": concept(f"{HL7}/allergyintolerance-verification", "confirmed"),
        "code": code,
    }
    return resource("AllergyIntolerance", "a-1", plain, more)


def vital(code: str, value: Json, rid: str, **more: Any) -> Json:
    plain = {
        "status": "final", "category": [concept(f"{HL7}/observation-category", "vital-signs")], "subject": ME,
        "code": concept(LOINC, code), "effectiveDateTime": "2026-02-25", "valueQuantity": value,
    }  # fmt: skip
    return resource("Observation", rid, plain, more)


def weight(value: Any = "70.5", unit: str = "kg", rid: str = "w-1", **more: Any) -> Json:
    return vital("29463-7", quantity(value, unit), rid, **more)


def score(code: Json | str = NRS, rid: str = "2001", **more: Any) -> Json:
    """A score of 3 on the numeric rating scale, after procedure 55."""
    plain = {
        "status": "final", "subject": ME, "code": concept(LOINC, code) if isinstance(code, str) else code,
        "effectiveDateTime": "2026-02-25T10:05:00+00:00", "partOf": [{"reference": "Procedure/55"}],
        "valueQuantity": quantity(3, "{score}"),
    }  # fmt: skip
    return resource("Observation", rid, plain, more)


def unscored(reason: str, **more: Any) -> Json:
    return score(valueQuantity=None, dataAbsentReason=concept(f"{HL7}/data-absent-reason", reason), **more)


def procedure(v: str, **more: Any) -> Json:
    """A nerve hydrodissection, in our word for it: no standard code says so."""
    time = "performedDateTime" if v == "R4" else "occurrenceDateTime"
    plain = {
        "status": "completed", "subject": ME, "code": said("technique", "nerve_hydrodissection"),
        time: "2026-02-18T10:15:00+00:00",
    }  # fmt: skip
    return resource("Procedure", "55", plain, more)


def aimed(*targets: str) -> list[Json]:
    """The extension of a Procedure that names its targets."""
    url = "http://hl7.org/fhir/StructureDefinition/procedure-targetBodyStructure"
    return [{"url": url, "valueReference": {"reference": each}} for each in targets]


def target(v: str, rid: str = "t-1", code: str = "38464002", side: str = RIGHT, **more: Any) -> Json:
    place, where = concept(SCT, code), concept(SCT, side)
    r4 = {"location": place, "locationQualifier": [where]}
    r5 = {"includedStructure": [{"structure": place, "laterality": where}]}
    return resource("BodyStructure", rid, {"patient": ME, **(r4 if v == "R4" else r5)}, more)


def finding(v: str, code: str, of: str | None, rid: str = "f-1", **more: Any) -> Json:
    """What was seen at a target before or after the act: our own code, five layers."""
    plain: Json = {
        "status": "final", "subject": ME, "partOf": [{"reference": "Procedure/55"}], "code": said("finding", code),
        "component": [{"code": said("component", "layers"), "valueInteger": 5}],
    }  # fmt: skip
    if of is not None and v == "R4":
        url = "http://hl7.org/fhir/StructureDefinition/bodySite"
        plain["bodySite"] = {"extension": [{"url": url, "valueReference": {"reference": of}}]}
    elif of is not None:
        plain["bodyStructure"] = {"reference": of}
    return resource("Observation", rid, plain, more)


def suspect(v: str, code: str, **instance: Any) -> Json:
    judged = concept(f"{HL7}/adverse-event-causality-assess", code)
    return {**instance, "causality": [{"assessment": judged}] if v == "R4" else {"entityRelatedness": judged}}


def act(v: str, rid: str = "55") -> Json:
    """The procedure as a suspect."""
    return {"instance" if v == "R4" else "instanceReference": {"reference": f"Procedure/{rid}"}}


def event(v: str, *suspects: Json, **more: Any) -> Json:
    """A severe, serious wheeze, over within a day."""
    plain: Json = {
        "actuality": "actual", "subject": ME, "recordedDate": "2026-03-01T09:00:00+00:00",
        "seriousness": concept(f"{HL7}/adverse-event-seriousness", "Serious" if v == "R4" else "serious"),
    }  # fmt: skip
    code, outcome = concept(SCT, "419076005", text="wheeze"), concept(f"{HL7}/adverse-event-outcome", "resolved")
    if v == "R4":
        plain |= {"event": code, "outcome": outcome, "date": "2026-02-18T10:30:00+00:00"}
        plain["severity"] = concept(f"{HL7}/adverse-event-severity", "severe")
    else:
        plain |= {"code": code, "outcome": [outcome], "status": "completed"}
        plain["occurrencePeriod"] = {"start": "2026-02-18T10:30:00+00:00", "end": "2026-02-19"}
    return resource("AdverseEvent", "ae-1", {**plain, **({"suspectEntity": list(suspects)} if suspects else {})}, more)


def study(v: str, state: str | None = None, **more: Any) -> Json:
    """A study that is completed, or in another state of its version's list."""
    if v == "R4":
        return resource("ResearchStudy", "s-1", {"title": "Elsewhere", "status": state or "completed"}, more)
    progress = [{"state": concept("http://hl7.org/fhir/research-study-status", state or "completed")}]
    return resource(
        "ResearchStudy", "s-1", {"title": "Elsewhere", "status": "active", "progressStatus": progress}, more
    )


def enrolled(v: str, state: str = "on-study", **more: Any) -> Json:
    plain: Json = {"study": {"reference": "ResearchStudy/s-1"}}
    if v == "R4":
        return resource("ResearchSubject", "e-1", plain, {"individual": ME, "status": state}, more)
    kind = concept(f"{HL7}/research-subject-state-type", "Enrollment")
    step = {"type": kind, "subjectState": concept(f"{HL7}/research-subject-state", state), "startDate": "2026-02-16"}
    return resource("ResearchSubject", "e-1", plain, {"subject": ME, "status": "active", "progress": [step]}, more)


def consent(v: str, decision: str = "permit", **more: Any) -> Json:
    kind = [concept(f"{HL7}/consentcategorycodes", "research")]
    when = {"start": "2026-02-15T09:00:00+00:00"}
    plain: Json = {"status": "active", "category": kind}
    if v == "R4":
        plain |= {"scope": concept(f"{HL7}/consentscope", "research"), "patient": ME}
        plain |= {"provision": {"type": decision, "period": when}}
    else:
        plain |= {"subject": ME, "decision": decision, "period": when}
    return resource("Consent", "k-1", plain, more)


def diary_day(**answers: Json) -> Json:
    """A day of our published questionnaire, filled in elsewhere; `_` stands for the dash of a linkId."""
    plain = {"diary-date": {"valueDate": "2026-02-25"}, "headache": {"valueBoolean": False}}
    plain |= {name.replace("_", "-"): answer for name, answer in answers.items()}
    form = {
        "status": "completed", "questionnaire": "https://hydrofhir.example/fhir/Questionnaire/headache-day",
        "authored": "2026-02-25T20:00:00+00:00", "subject": ME,
        "item": [{"linkId": link, "answer": [answer]} for link, answer in plain.items()],
    }  # fmt: skip
    return resource("QuestionnaireResponse", "q-1", form)


def diary_month(**more: Any) -> Json:
    plain = {
        "status": "final", "subject": ME, "code": said("finding", "headache-period"),
        "effectivePeriod": {"start": "2026-02-01", "end": "2026-02-28"},
    }  # fmt: skip
    return resource("Observation", "m-1", plain, more)
