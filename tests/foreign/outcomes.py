"""Scores of pain and function."""

from __future__ import annotations

from decimal import Decimal

from tests.foreign.table import left_alone, read, refused
from tests.foreign.writers import (
    LEFT,
    LOINC,
    ME,
    NDI,
    ODI,
    OWN,
    RIGHT,
    SCT,
    VAS,
    coding,
    concept,
    patient,
    quantity,
    said,
    score,
    unscored,
)

IT = "Observation/2001"
SIDE = {"code": said("component", "laterality")}
INVERTED = [{"reference": "Procedure/55"}, {"reference": "Procedure/56"}]


def side(code: str) -> dict[str, object]:
    return {**SIDE, "valueCodeableConcept": concept(SCT, code)}


# -- read ---------------------------------------------------------------------------------------------------------

read("a pain score by LOINC code", IT, lambda v: [patient(), score()],
     kind="pain_outcome", instrument="nrs_0_10", score=Decimal(3), subject_id="1001", anchor_procedure_id="55",
     score_status="collected", assessed_at="2026-02-25T10:05:00+00:00", record_status="final", timepoint_code=None)  # fmt: skip
read("LOINC beside a code of the ward's own", IT,
     lambda v: [score({"coding": [coding("https://ward.example/obs", "PAIN"), coding(LOINC, "72514-3")]})], instrument="nrs_0_10")  # fmt: skip
read("a disability index, a pure number", IT, lambda v: [score(ODI, valueQuantity={"value": Decimal("32.0"), "unit": "1", "code": "1"})],
     kind="function_outcome", instrument="odi", score=Decimal("32.0"))  # fmt: skip
read(
    "no Patient and no Procedure at hand",
    IT,
    lambda v: [score(partOf=None)],
    subject_id="1001",
    anchor_procedure_id=None,
)
read("the Patient by absolute url and version", IT,
     lambda v: [score(subject={"reference": "https://ward.example/fhir/Patient/1001/_history/4"})], subject_id="1001")  # fmt: skip
read(
    "the side in bodySite",
    IT,
    lambda v: [score(bodySite=concept(SCT, "8205005", LEFT))],
    body_site="wrist",
    laterality="left",
)
read("the side in a component", IT, lambda v: [score(component=[side("419161000"), {"code": concept(SCT, "272741003"), "valueCodeableConcept": concept(SCT, RIGHT)}])],
     laterality="left")  # fmt: skip
read(
    "a site without a side", IT, lambda v: [score(bodySite=concept(SCT, "8205005"))], body_site="wrist", laterality=None
)
read(
    "the patient declined",
    IT,
    lambda v: [unscored("asked-declined")],
    score_status="not_done",
    missing_reason="refused",
    score=None,
)
read("a preliminary score", IT, lambda v: [score(status="preliminary")], record_status="draft")
read(
    "a score entered in error stays retracted",
    IT,
    lambda v: [score(status="entered-in-error")],
    record_status="entered_in_error",
)
read(
    "corrected elsewhere, first version here",
    IT,
    lambda v: [score(status="corrected")],
    record_status="final",
    version=1,
)
read("a day and no time", IT, lambda v: [score(effectiveDateTime="2026-02-25")], assessed_at="2026-02-25")
read(
    "an instant",
    IT,
    lambda v: [score(effectiveDateTime=None, effectiveInstant="2026-02-25T10:05:00Z")],
    assessed_at="2026-02-25T10:05:00Z",
)
read("a Period of one moment", IT,
     lambda v: [score(effectiveDateTime=None, effectivePeriod=dict.fromkeys(("start", "end"), "2026-02-25T10:05:00+00:00"))],
     assessed_at="2026-02-25T10:05:00+00:00")  # fmt: skip
read("elements that nobody here reads", IT,
     lambda v: [score(interpretation=[{"text": "high"}], note=[{"text": "tired"}], encounter={"reference": "Encounter/3"})], score=Decimal(3))  # fmt: skip

# -- refused ------------------------------------------------------------------------------------------------------

refused("two scales share the code", IT, lambda v: [score(VAS)], "instrument", "ambiguous")
refused(
    "two codings, two instruments",
    IT,
    lambda v: [score({"coding": [coding(f"{OWN}/instrument", c) for c in ("nrs_0_10", "vrs_4")]})],
    "instrument",
    "ambiguous",
)
refused(
    "pain or function, the codings differ", IT, lambda v: [score(concept(LOINC, "72514-3", NDI))], "kind", "ambiguous"
)
refused("a score in percent", IT, lambda v: [score(valueQuantity=quantity(3, "%"))], "score", "unit")
refused("a score without a unit", IT, lambda v: [score(valueQuantity={"value": 3})], "score", "unit")
refused(
    "a motion in radians",
    IT,
    lambda v: [score(said("instrument", "rom"), valueQuantity=quantity(1, "rad"))],
    "score",
    "unit",
)
refused(
    "less than three",
    IT,
    lambda v: [score(valueQuantity=quantity(3, "{score}", comparator="<"))],
    "score",
    "comparator",
)
refused(
    "23 digits are not rounded",
    IT,
    lambda v: [score(ODI, valueQuantity=quantity("32.123456789012345678901", "{score}"))],
    "score",
    "places",
)
refused("off the scale", IT, lambda v: [score(valueQuantity=quantity(62, "{score}"))], "score", "V1.range")
refused("an index beyond its end", IT, lambda v: [score(NDI, valueQuantity=quantity(51, "1"))], "score", "V1.range")
refused(
    "between two steps of the scale",
    IT,
    lambda v: [score(valueQuantity=quantity("3.5", "{score}"))],
    "score",
    "V1.step",
)
refused(
    "a range of scores",
    IT,
    lambda v: [score(valueQuantity=None, valueRange={"low": quantity(2, "{score}"), "high": quantity(4, "{score}")})],
    "score",
    "choice",
)
refused("a series of samples", IT,
        lambda v: [score(valueQuantity=None, valueSampledData={"origin": {"value": 0}, ("period" if v == "R4" else "interval"): 10, **({} if v == "R4" else {"intervalUnit": "ms"}), "dimensions": 1, "data": "2 3 4"})],
        "score", "choice")  # fmt: skip
refused("a score in words", IT, lambda v: [score(valueQuantity=None, valueString="three")], "score", "choice")
refused(
    "components and no value",
    IT,
    lambda v: [score(valueQuantity=None, component=[side(LEFT)])],
    "score_status",
    "value",
)
refused(
    "a value and why there is none",
    IT,
    lambda v: [{**unscored("asked-declined"), "valueQuantity": quantity(3, "{score}")}],
    "score_status",
    "obs-6",
)
refused("not performed has three reasons", IT, lambda v: [unscored("not-performed")], "score_status", "ambiguous")
refused("a status that says nothing", IT, lambda v: [score(status="unknown")], "record_status", "code")
refused("registered, and not yet known", IT, lambda v: [score(status="registered")], "record_status", "code")
refused(
    "about a week, not a moment",
    IT,
    lambda v: [score(effectiveDateTime=None, effectivePeriod={"start": "2026-02-18", "end": "2026-02-25"})],
    "assessed_at",
    "period",
)
refused(
    "a time without a zone", IT, lambda v: [score(effectiveDateTime="2026-02-25T10:05:00")], "assessed_at", "naive_time"
)
refused(
    "a body site that no list knows",
    IT,
    lambda v: [score(bodySite=concept(SCT, "76752008"))],
    "body_site",
    "unknown_code",
)
refused(
    "a side that no list knows, beside the site of a score",
    IT,
    lambda v: [score(bodySite=concept(SCT, "8205005", "260548002"))],
    "laterality",
    "unknown_code",
)
refused("left and right", IT, lambda v: [score(component=[side(LEFT), side(RIGHT)])], "laterality", "ambiguous")
refused("after two procedures", IT, lambda v: [score(partOf=INVERTED)], "anchor_procedure_id", "ambiguous")
refused("about a group", IT, lambda v: [score(subject={"reference": "Group/5"})], "subject_id", "reference")
refused(
    "about a Patient that is contained",
    IT,
    lambda v: [score(subject={"reference": "#p"}, contained=[{"resourceType": "Patient", "id": "p"}])],
    "subject_id",
    "reference",
)
refused(
    "about a Patient by an identifier of the ward's",
    IT,
    lambda v: [patient(), score(subject={"identifier": {"system": "https://ward.example/mrn", "value": "77"}})],
    "subject_id",
    "reference",
)
refused(
    "about a Patient by a name of the moment",
    IT,
    lambda v: [score(subject={"reference": "urn:uuid:6f5e0c6a-7d11-4f3b-9c52-5a8e5d0e9c3a"})],
    "subject_id",
    "reference",
)
refused(
    "about whoever a search finds",
    IT,
    lambda v: [score(subject={"reference": "Patient?identifier=x|1001"})],
    "subject_id",
    "reference",
)
refused(
    "two performers of a score",
    IT,
    lambda v: [score(performer=[ME, {"reference": "Practitioner/2"}])],
    "assessor_id",
    "ambiguous",
)
refused("a modifier extension on a component", IT,
        lambda v: [score(component=[{**side(LEFT), "modifierExtension": [{"url": "https://elsewhere.example/not", "valueBoolean": True}]}])], "component.modifierExtension", "modifier")  # fmt: skip

# -- none of our business -----------------------------------------------------------------------------------------

left_alone("a heart rate", IT, lambda v: [score("8867-4", valueQuantity=quantity(70, "/min"))])
left_alone("a pain score in words alone", IT, lambda v: [score({"text": "Pain, 0 to 10"})])
