"""Procedures with targets, findings and what was given."""

from __future__ import annotations

from typing import Any

from tests.foreign.table import Json, read, refused
from tests.foreign.writers import (
    HL7,
    LEFT,
    ME,
    RXNORM,
    SCT,
    SOMEBODY,
    aimed,
    concept,
    finding,
    procedure,
    quantity,
    resource,
    said,
    target,
)

ACT = "Procedure/55"
ONE = aimed("BodyStructure/t-1")
TWO = aimed("BodyStructure/t-1", "BodyStructure/t-2")


def timed(v: str, suffix: str, value: Any) -> Json:
    """The time of the act in another type."""
    stem = "performed" if v == "R4" else "occurrence"
    return {f"{stem}DateTime": None, f"{stem}{suffix}": value}


def given(v: str, status: str = "completed", **more: Any) -> Json:
    """Five millilitres of lidocaine 1 %, marked as injectate with our word."""
    purpose, agent = said("administration-purpose", "injectate"), concept(RXNORM, "6387")
    strength = {"numerator": {"value": 1, "code": "g"}, "denominator": {"value": 100, "code": "mL"}}
    kind = said("agent-class", "local_anaesthetic")
    part = {"itemCodeableConcept": kind, "strength": strength}
    if v == "R5":
        part = {"item": {"concept": kind}, "strengthRatio": strength}
    drug = {"resourceType": "Medication", "id": "m", "code": agent, "ingredient": [part]}
    plain: Json = {
        "status": status, "subject": ME, "partOf": [{"reference": ACT}], "contained": [drug],
        "dosage": {"dose": quantity(5, "mL")},
    }  # fmt: skip
    if v == "R4":
        plain |= {"reasonCode": [purpose], "medicationReference": {"reference": "#m"}}
    else:
        plain |= {"reason": [{"concept": purpose}], "medication": {"reference": {"reference": "#m"}}}
    return resource("MedicationAdministration", "g-1", plain, more)


# -- read ---------------------------------------------------------------------------------------------------------

read("our word for the technique, and a target", ACT, lambda v: [procedure(v, extension=ONE), target(v)],
     procedure_id="55", technique="nerve_hydrodissection", performed_status="completed", targets__1__target_no=1,
     targets__1__structure_code="median_nerve", targets__1__laterality="right", targets__2=None)  # fmt: skip
read("a target inside the Procedure", ACT, lambda v: [procedure(v, extension=aimed("#t-1"), contained=[{k: x for k, x in target(v).items() if k != "meta"}])],
     targets__1__structure_code="median_nerve")  # fmt: skip
read("two procedures at one target", ACT, lambda v: [procedure(v, extension=ONE), {**procedure(v, extension=ONE), "id": "56"}, target(v)],
     targets__1__structure_code="median_nerve")  # fmt: skip
read("a finding of the second of two targets", ACT,
     lambda v: [finding(v, "target-before", "BodyStructure/t-2"), procedure(v, extension=TWO), target(v, side=LEFT), target(v, "t-2", "58696008")],
     targets__1__layers_before=None, targets__2__layers_before=5, targets__2__structure_code="ulnar_nerve")  # fmt: skip
read("a finding that names no target where there is one", ACT,
     lambda v: [procedure(v, extension=ONE), target(v), finding(v, "target-after", None)], targets__1__layers_after=5)  # fmt: skip
read("an act over some time", ACT, lambda v: [procedure(v, **timed(v, "Period", {"start": "2026-02-18T10:15:00+00:00", "end": "2026-02-18T10:40:00+00:00"}))],
     started_at="2026-02-18T10:15:00+00:00", ended_at="2026-02-18T10:40:00+00:00")  # fmt: skip
read(
    "a category of somebody else's list",
    ACT,
    lambda v: [procedure(v, category=concept(SCT, "387713003") if v == "R4" else [concept(SCT, "387713003")])],
    purpose=None,
)
read("an act not done", ACT, lambda v: [procedure(v, status="not-done")], performed_status="not_done")
read("an injectate with its strength", ACT, lambda v: [procedure(v), given(v)],
     injectate_components__1__agent="lidocaine", injectate_components__1__volume_ml=5,
     injectate_components__1__conc_unit="percent_wv")  # fmt: skip
read(
    "a course whose order lies elsewhere",
    ACT,
    lambda v: [procedure(v, basedOn=[{"reference": "ServiceRequest/77"}])],
    course_id=None,
)
read("a performer by identifier alone", ACT, lambda v: [procedure(v, performer=[{"actor": {"type": "Practitioner", "identifier": {"value": "OP-7"}}}])],
     operator_id="OP-7")  # fmt: skip

# -- refused ------------------------------------------------------------------------------------------------------

refused(
    "an injection is not yet a hydrodissection",
    ACT,
    lambda v: [procedure(v, code=concept(SCT, "59108006"))],
    "technique",
    "ambiguous",
)
refused(
    "an operation that we do not know",
    ACT,
    lambda v: [procedure(v, code=concept(SCT, "80146002"))],
    "technique",
    "unknown_code",
)
refused(
    "a technique in words alone",
    ACT,
    lambda v: [procedure(v, code={"text": "hydrodissection"})],
    "technique",
    "required",
)
refused("two of our own codes", ACT, lambda v: [procedure(v, code=concept("https://hydrofhir.example/fhir/CodeSystem/technique", "nerve_hydrodissection", "fascial_hydrorelease"))],
        "technique", "ambiguous")  # fmt: skip
refused(
    "a Procedure entered in error", ACT, lambda v: [procedure(v, status="entered-in-error")], "performed_status", "code"
)
refused("a Procedure of unknown status", ACT, lambda v: [procedure(v, status="unknown")], "performed_status", "code")
refused(
    "stopped is partial or abandoned", ACT, lambda v: [procedure(v, status="stopped")], "performed_status", "ambiguous"
)
refused("a target that has not come", ACT, lambda v: [procedure(v, extension=ONE)], "", "incomplete")
refused("a target by its identifier alone", ACT,
        lambda v: [procedure(v, extension=[{**ONE[0], "valueReference": {"identifier": {"value": "t"}}}]), target(v)], "", "incomplete")  # fmt: skip
refused(
    "a target of another Patient",
    ACT,
    lambda v: [procedure(v, extension=ONE), target(v, patient=SOMEBODY)],
    "targets.1.patient",
    "agree",
)
refused(
    "a target no longer in use",
    ACT,
    lambda v: [procedure(v, extension=ONE), target(v, active=False)],
    "targets.1.active",
    "agree",
)
refused("a finding that names none of two targets", ACT,
        lambda v: [procedure(v, extension=TWO), target(v), target(v, "t-2"), finding(v, "target-before", None)], "targets", "ambiguous")  # fmt: skip
refused("two findings of one target", ACT,
        lambda v: [procedure(v, extension=ONE), target(v), *(finding(v, "target-before", "BodyStructure/t-1", rid) for rid in ("f-1", "f-2"))],
        "targets", "ambiguous")  # fmt: skip
refused("a finding that two procedures claim", ACT,
        lambda v: [procedure(v, extension=ONE), {**procedure(v, extension=ONE), "id": "56"}, target(v), finding(v, "target-before", "BodyStructure/t-1", partOf=[{"reference": ACT}, {"reference": "Procedure/56"}])],
        "targets", "ambiguous")  # fmt: skip
refused("a finding of another Patient", ACT,
        lambda v: [procedure(v, extension=ONE), target(v), finding(v, "target-before", "BodyStructure/t-1", subject=SOMEBODY)],
        "targets.1.subject", "agree")  # fmt: skip
refused(
    "what was not given after all",
    ACT,
    lambda v: [procedure(v), given(v, "not-done")],
    "injectate_components.1.status",
    "agree",
)
refused("a volume of at least so much", ACT,
        lambda v: [procedure(v), given(v, dosage={"dose": {"value": 5, "comparator": ">=", "code": "mL"}})],
        "injectate_components.1.volume_ml", "comparator")  # fmt: skip
refused("an act at some time of somebody's life", ACT, lambda v: [procedure(v, **timed(v, "Age", {"value": 41, "code": "a"}))],
        "started_at", "choice")  # fmt: skip
refused("two performers", ACT, lambda v: [procedure(v, performer=[{"actor": {"reference": f"Practitioner/{n}"}} for n in (1, 2)])],
        "operator_id", "ambiguous")  # fmt: skip
refused("an order not to do it", ACT,
        lambda v: [procedure(v, basedOn=[{"reference": "ServiceRequest/77"}]), resource("ServiceRequest", "77", {"status": "active", "intent": "order", "doNotPerform": True, "subject": ME})],
        "doNotPerform", "agree")  # fmt: skip
refused("a modifier extension deep inside", ACT,
        lambda v: [procedure(v, performer=[{"actor": {"reference": "Practitioner/1"}, "modifierExtension": [{"url": "https://elsewhere.example/not", "valueBoolean": True}]}])],
        "performer.modifierExtension", "modifier")  # fmt: skip
refused(
    "a follow-up of another list",
    ACT,
    lambda v: [procedure(v, outcome=concept(f"{HL7}/outcome", "good"))],
    "immediate_response",
    "unknown_code",
)
