"""Adverse events."""

from __future__ import annotations

from tests.foreign.table import Json, read, refused
from tests.foreign.writers import (
    HL7,
    ME,
    SCT,
    SOMEBODY,
    act,
    concept,
    event,
    resource,
    said,
    suspect,
)

IT = "AdverseEvent/ae-1"
SUBSTANCE = resource("Substance", "s-1", {"code": concept(SCT, "387480006")})


def named(v: str) -> Json:
    """Lidocaine: R4 wants a resource for it."""
    return (
        {"instance": {"reference": "Substance/s-1"}}
        if v == "R4"
        else {"instanceCodeableConcept": concept(SCT, "387480006")}
    )


def serious(code: str) -> Json:
    return {"seriousness": concept(f"{HL7}/adverse-event-seriousness", code)}


def effect(v: str, **more: object) -> list[Json]:
    """A Condition that the event has led to, and the event."""
    found = {
        "clinicalStatus": concept(f"{HL7}/condition-clinical", "resolved"),
        "subject": ME,
        "code": concept(SCT, "419076005"),
    }
    grade = {
        "stage": [
            {
                "summary": concept("https://hydrofhir.example/fhir/CodeSystem/ae-grade", "grade-2"),
                "type": said("grading-scale", "ctcae_5_0"),
            }
        ]
    }
    link = {"resultingCondition" if v == "R4" else "resultingEffect": [{"reference": "Condition/x-1"}]}
    return [event(v, **link), resource("Condition", "x-1", {**found, **grade}, more)]


# -- read ---------------------------------------------------------------------------------------------------------

read("an event with the procedure as suspect", IT, lambda v: [event(v, suspect(v, "certain", **act(v)))],
     ae_id="ae-1", ae_code="allergic_reaction", ae_term="wheeze", serious=True, ae_outcome="resolved", procedure_id="55",
     relatedness="related", suspect=["procedure"], expected=None)  # fmt: skip
read("codes in the case of the other version", IT,
     lambda v: [event(v, suspect(v, "certain", **act(v)), suspect(v, "Certain", **named(v)), **serious("serious" if v == "R4" else "Serious")), SUBSTANCE],
     serious=True, relatedness="related", suspect=["procedure", "lidocaine"])  # fmt: skip
read("severity where R4 has it", IT, lambda v: [event(v)], ("R4",), severity="severe", end_at=None)
read("an end where R5 has it", IT, lambda v: [event(v)], ("R5",), end_at="2026-02-19", severity=None)
read("not serious", IT, lambda v: [event(v, **serious("Non-serious" if v == "R4" else "non-serious"))], serious=False)
read("an event with its grade", IT, lambda v: effect(v), grade=2)
read("an event still written at", IT, lambda v: [event(v, status="in-progress")], ("R5",), record_status="draft")

# -- refused ------------------------------------------------------------------------------------------------------

refused("what might have happened", IT, lambda v: [event(v, actuality="potential")], "actuality", "agree")
refused(
    "two judgements of one event",
    IT,
    lambda v: [event(v, *(suspect(v, code, **act(v)) for code in ("Possible", "Unlikely")))],
    "procedure_id",
    "ambiguous",
)
refused(
    "two procedures suspected",
    IT,
    lambda v: [event(v, *(suspect(v, "Possible", **act(v, rid)) for rid in ("55", "56")))],
    "procedure_id",
    "ambiguous",
)
refused(
    "a suspect that is not here",
    IT,
    lambda v: [event(v, suspect(v, "Possible", instance={"reference": "Substance/9"}))],
    "procedure_id",
    "reference",
    ("R4",),
)
refused(
    "a suspect that no list knows",
    IT,
    lambda v: [event(v, suspect(v, "possible", instanceCodeableConcept=concept(SCT, "387207008")))],
    "procedure_id",
    "unknown_code",
    ("R5",),
)
refused(
    "one of several ways to be serious",
    IT,
    lambda v: [event(v, **serious("SeriousIsBirthDefect"))],
    "serious",
    "unknown_code",
)
refused(
    "over before it began",
    IT,
    lambda v: [event(v, occurrencePeriod={"start": "2026-02-18", "end": "2026-02-17"})],
    "end_at",
    "order",
    ("R5",),
)
refused("an event of unknown status", IT, lambda v: [event(v, status="unknown")], "record_status", "code", ("R5",))
refused(
    "two outcomes",
    IT,
    lambda v: [event(v, outcome=[concept(f"{HL7}/adverse-event-outcome", c) for c in ("resolved", "ongoing")])],
    "ae_outcome",
    "ambiguous",
    ("R5",),
)
refused("the effect on somebody else", IT, lambda v: effect(v, subject=SOMEBODY), "subject", "agree")
refused(
    "an effect that was refuted",
    IT,
    lambda v: effect(v, verificationStatus=concept(f"{HL7}/condition-ver-status", "refuted")),
    "verificationStatus",
    "agree",
)
refused("an effect that has not come", IT, lambda v: effect(v)[:1], "", "incomplete")
refused(
    "an event that befell a group",
    IT,
    lambda v: [event(v, subject={"reference": "Group/5"})],
    "subject_id",
    "reference",
)
refused(
    "an event of another list",
    IT,
    lambda v: [event(v, **{"event" if v == "R4" else "code": concept(SCT, "73211009")})],
    "ae_code",
    "unknown_code",
)
refused(
    "a retraction that another system marked",
    IT,
    lambda v: [event(v, modifierExtension=[{"url": "https://elsewhere.example/retracted", "valueBoolean": True}])],
    "modifierExtension",
    "modifier",
)
