"""Patients with what belongs to them: conditions, allergies, prior therapies, measurements."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from tests.foreign.table import Json, read, refused
from tests.foreign.writers import (
    DAR,
    HL7,
    ICD,
    LEFT,
    ME,
    RXNORM,
    SCT,
    SOMEBODY,
    absent,
    allergy,
    coding,
    concept,
    condition,
    patient,
    resource,
    said,
    weight,
)

WHO = "Patient/1001"
GLUTEAL, WRIST = "46862004", "8205005"
PIRIFORMIS = concept(SCT, "129179000", text="piriformis, left")
SITED = {"bodySite": [concept(SCT, GLUTEAL, LEFT)]}
LIDOCAINE = concept(RXNORM, "6387")
UNKNOWN_EXTENSION = [{"url": "https://elsewhere.example/mood", "valueString": "fair"}]
DANGER = {"modifierExtension": [{"url": "https://elsewhere.example/not", "valueBoolean": True}]}


def verified(code: str) -> Json:
    return {"verificationStatus": concept(f"{HL7}/condition-ver-status", code)}


def clinically(code: str) -> Json:
    return {"clinicalStatus": concept(f"{HL7}/condition-clinical", code)}


def sure(code: str) -> Json:
    return {"verificationStatus": concept(f"{HL7}/allergyintolerance-verification", code)}


def statement(v: str, status: str, **more: Any) -> Json:
    """A drug therapy tried before, in our words."""
    drug = said("therapy", "medication")
    plain: Json = {"status": status, "subject": ME}
    plain |= {"medicationCodeableConcept": drug} if v == "R4" else {"medication": {"concept": drug}}
    return resource("MedicationStatement", "d-1", plain, more)


def prior(v: str, status: str) -> Json:
    kind = said("procedure-kind", "prior-therapy")
    plain = {"status": status, "subject": ME, "category": kind if v == "R4" else [kind]}
    return resource("Procedure", "p-1", {**plain, "code": said("therapy", "physical_therapy")})


# -- read ---------------------------------------------------------------------------------------------------------

read(
    "a Patient with the id that its server gave", WHO, lambda v: [patient()],
    subject_id="1001", site_id="7", sex="female", birth_year=1984, conditions=None,
    field_absent_reason={"conditions": "not_in_source"},
)  # fmt: skip
read(
    "a Condition by SNOMED CT code, its side in bodySite", WHO,
    lambda v: [patient(), condition(PIRIFORMIS, onsetDateTime="2024-11", **SITED)],
    conditions__1__condition_id="c-1", conditions__1__condition_code="piriformis_syndrome",
    conditions__1__body_site="gluteal", conditions__1__laterality="left", conditions__1__onset="2024-11",
    conditions__1__condition_text="piriformis, left",
)  # fmt: skip
read(
    "a Condition by ICD-10-CM code alone", WHO, lambda v: [patient(), condition(concept(ICD, "G54.8", "M54.81"))],
    conditions__1__condition_code="occipital_neuralgia", conditions__1__onset=None,
)  # fmt: skip
read(
    "several codings, one of them known", WHO,
    lambda v: [patient(), condition({"coding": [coding("https://ward.example/dx", "X1"), *concept(SCT, "57406009")["coding"]]})],
    conditions__1__condition_code="carpal_tunnel",
)  # fmt: skip
read(
    "a translation of the site into a list of the ward's own", WHO,
    lambda v: [patient(), condition(bodySite=[{"coding": [coding(SCT, WRIST), coding("https://ward.example/site", "w")]}])],
    conditions__1__body_site="wrist", conditions__1__laterality=None,
)  # fmt: skip
read("unilateral left is left", WHO, lambda v: [patient(), condition(bodySite=[concept(SCT, WRIST, "419161000")])],
     conditions__1__laterality="left")  # fmt: skip
read("a relapse is a condition that is there", WHO, lambda v: [patient(), condition(**clinically("relapse"))],
     conditions__1__condition_code="carpal_tunnel")  # fmt: skip
read(
    "an allergy by RxNorm code", WHO, lambda v: [patient(), allergy(LIDOCAINE)], allergies=["lidocaine"],
)  # fmt: skip
read("an allergy by SNOMED CT code", WHO, lambda v: [patient(), allergy(concept(SCT, "387480006"))],
     allergies=["lidocaine"])  # fmt: skip
read("extensions that nobody here knows", WHO, lambda v: [patient(extension=UNKNOWN_EXTENSION, maritalStatus=concept(f"{HL7}/v3-MaritalStatus", "M"))],
     subject_id="1001")  # fmt: skip
read("a month of birth, and why the day is not told", WHO,
     lambda v: [patient(birthDate="1984-05", _birthDate={"extension": UNKNOWN_EXTENSION})], birth_year=1984)  # fmt: skip
read("a birth date that is masked", WHO, lambda v: [patient(birthDate=None, _birthDate=absent("masked"))],
     birth_year=None)  # fmt: skip
read("a date of death that is known in part", WHO, lambda v: [patient(deceasedDateTime="2026-01")],
     deceased_at="2026-01")  # fmt: skip
read("alive, and said so", WHO, lambda v: [patient(deceasedBoolean=False, active=True)], deceased_at=None)
read("every digit of a weight", WHO, lambda v: [patient(), weight("70.120")], weight_kg=Decimal("70.120"))
read("the same weight twice", WHO, lambda v: [patient(), weight(), weight(rid="w-2")], weight_kg=Decimal("70.5"))
read("a weight of somebody else beside", WHO, lambda v: [patient(), weight(), weight("90", rid="w-2", subject=SOMEBODY)],
     weight_kg=Decimal("70.5"))  # fmt: skip
read("a Patient that is named by an absolute url", WHO,
     lambda v: [patient(), condition(subject={"reference": "https://ward.example/fhir/Patient/1001/_history/2"})],
     conditions__1__condition_code="carpal_tunnel")  # fmt: skip
read("two prior therapies of two resource types", WHO,
     lambda v: [patient(), statement(v, "completed" if v == "R4" else "recorded"), prior(v, "completed")],
     prior_therapies__1__therapy="medication", prior_therapies__2__therapy="physical_therapy")  # fmt: skip
read("a Patient that replaces another", WHO, lambda v: [patient(link=[{"other": {"reference": "Patient/9"}, "type": "replaces"}])],
     subject_id="1001")  # fmt: skip

# -- refused ------------------------------------------------------------------------------------------------------

refused("a Condition that was refuted", WHO, lambda v: [patient(), condition(**verified("refuted"))],
        "conditions.1.verificationStatus", "agree")  # fmt: skip
refused("a Condition entered in error", WHO, lambda v: [patient(), condition(**verified("entered-in-error"))],
        "conditions.1.verificationStatus", "agree")  # fmt: skip
refused("a Condition that is over", WHO, lambda v: [patient(), condition(**clinically("resolved"))],
        "conditions.1.clinicalStatus", "agree")  # fmt: skip
refused("a Condition in words alone", WHO, lambda v: [patient(), condition({"text": "carpal tunnel"})],
        "conditions.1.condition_code", "required")  # fmt: skip
refused("a Condition that is none of our list", WHO, lambda v: [patient(), condition(concept(SCT, "73211009"))],
        "conditions.1.condition_code", "unknown_code")  # fmt: skip
refused("two codes for two of our conditions", WHO, lambda v: [patient(), condition(concept(SCT, "57406009", "56177003"))],
        "conditions.1.condition_code", "ambiguous")  # fmt: skip
refused("a side that no list knows, beside the site", WHO,
        lambda v: [patient(), condition(bodySite=[concept(SCT, WRIST, "260548002")])],
        "conditions.1.laterality", "unknown_code")  # fmt: skip
refused(
    "a Condition at a site of no list",
    WHO,
    lambda v: [patient(), condition(bodySite=[concept(SCT, "76752008")])],
    "conditions.1.body_site",
    "unknown_code",
)
refused("a Condition at two sites", WHO, lambda v: [patient(), condition(bodySite=[concept(SCT, WRIST), concept(SCT, GLUTEAL)])],
        "conditions.1.body_site", "ambiguous")  # fmt: skip
refused("an onset as an age", WHO, lambda v: [patient(), condition(onsetAge={"value": 40, "code": "a"})],
        "conditions.1.onset", "choice")  # fmt: skip
refused("an allergy that was refuted", WHO, lambda v: [patient(), allergy(LIDOCAINE, **sure("refuted"))],
        "allergies.1.verificationStatus", "agree")  # fmt: skip
refused("an allergy that is not confirmed", WHO, lambda v: [patient(), allergy(LIDOCAINE, **sure("unconfirmed"))],
        "allergies.1.verificationStatus", "agree")  # fmt: skip
refused("no known allergy is not an allergy", WHO, lambda v: [patient(), allergy(concept(SCT, "716186003"))],
        "allergies.1", "unknown_code")  # fmt: skip
refused("dead, and nobody says when", WHO, lambda v: [patient(deceasedBoolean=True)], "deceasedBoolean", "agree")
refused("a Patient not in use", WHO, lambda v: [patient(active=False)], "active", "agree")
refused("a Patient replaced by another", WHO,
        lambda v: [patient(link=[{"other": {"reference": "Patient/8"}, "type": "seealso"}, {"other": {"reference": "Patient/9"}, "type": "replaced-by"}])],
        "link[0].type", "agree")  # fmt: skip
refused("a modifier extension on the Patient", WHO, lambda v: [patient(**DANGER)], "modifierExtension", "modifier")
refused(
    "a modifier extension on a part", WHO, lambda v: [patient(), condition(**DANGER)], "modifierExtension", "modifier"
)
refused("rules made elsewhere", WHO, lambda v: [patient(implicitRules="https://elsewhere.example/rules")],
        "implicitRules", "modifier")  # fmt: skip
refused(
    "a weight with 20 digits is not rounded",
    WHO,
    lambda v: [patient(), weight("70.123456789012345678")],
    "weight_kg",
    "places",
)
refused("a Patient of no site", WHO, lambda v: [patient(managingOrganization=None)], "site_id", "required")
refused("two weights", WHO, lambda v: [patient(), weight(), weight("71", rid="w-2")], "weight_kg", "ambiguous")
refused("a weight in pounds", WHO, lambda v: [patient(), weight("155", "[lb_av]")], "weight_kg", "unit")
refused("a weight in grams", WHO, lambda v: [patient(), weight("70500", "g")], "weight_kg", "unit")
refused("a weight below a limit of the scale", WHO,
        lambda v: [patient(), weight(valueQuantity={"value": 30, "comparator": "<", "code": "kg"})],
        "weight_kg", "comparator")  # fmt: skip
refused("a weight entered in error", WHO, lambda v: [patient(), weight(status="entered-in-error")], "status", "agree")
refused("a weight of seven tons", WHO, lambda v: [patient(), weight("7000")], "weight_kg", "range")
refused("a drug that was not taken", WHO,
        lambda v: [patient(), statement(v, "not-taken") if v == "R4" else statement(v, "recorded", adherence={"code": concept("http://hl7.org/fhir/CodeSystem/medication-statement-adherence", "not-taking")})],
        "prior_therapies.1.status", "agree", versions=("R4",))  # fmt: skip
refused("a drug that was not taken, as R5 says it", WHO,
        lambda v: [patient(), statement(v, "recorded", adherence={"code": concept("http://hl7.org/fhir/CodeSystem/medication-statement-adherence", "not-taking")})],
        "prior_therapies.1.adherence", "agree", versions=("R5",))  # fmt: skip
refused("a prior therapy that was not done", WHO, lambda v: [patient(), prior(v, "not-done")],
        "prior_therapies.1.status", "agree")  # fmt: skip
refused("two pseudonyms of ours for one Patient", WHO,
        lambda v: [patient(identifier=[{"system": "https://hydrofhir.example/fhir/sid/subject", "value": each} for each in ("A-1", "A-2")])],
        "subject_id", "ambiguous")  # fmt: skip
refused("a sex that is no code of FHIR's", WHO, lambda v: [patient(gender="f")], "sex", "code")
refused(
    "an absent reason that is no code",
    WHO,
    lambda v: [patient(gender="F", _gender={"extension": [{"url": DAR}]})],
    "sex",
    "code",
)
