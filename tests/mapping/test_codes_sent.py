"""No resource that we send holds a code that nobody has checked, over synthetic records of every kind, in both versions.

A coding is of a list of ours, of an open system of ours (a study's own words), of a standard with its line in
`sources.csv` or a fixed row in `fields/`, or of an HL7 code system at an element whose binding has the code. Displays
count: a server's validator compares them.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from adapter import catalog, codec, records, synthetic
from adapter.assembly import assemble
from adapter.mill import Mill
from tests.derived import derived_of
from tests.test_terminology import LOINC, sources

CATALOG = catalog.load()
OWN = f"{catalog.BASE}/CodeSystem/"
THO = "http://terminology.hl7.org/CodeSystem/"
UCUM = "http://unitsofmeasure.org"
UNITS = {
    *(
        "%",
        "MHz",
        "a",
        "cm",
        "cm2",
        "d",
        "deg",
        "g",
        "h",
        "kPa",
        "kg",
        "kgf/cm2",
        "m/s",
        "mL",
        "mg",
        "min",
        "mm",
        "mm2",
    ),
    *("mo", "ms", "s", "{gauge}", "{score}", "{session}", "{attacks}", "{score}.d", "mm.d", "cm.d"),
}

Codes = dict[str, str]
_CLINICAL = {"active": "Active", "inactive": "Inactive", "resolved": "Resolved"}
_COURSE = {**_CLINICAL, "recurrence": "Recurrence", "relapse": "Relapse", "remission": "Remission"}
_CHECKED = {
    "unconfirmed": "Unconfirmed",
    "confirmed": "Confirmed",
    "refuted": "Refuted",
    "entered-in-error": "Entered in Error",
}
_DIAGNOSED = {**_CHECKED, "provisional": "Provisional", "differential": "Differential"}
_MILESTONE = {"SignedUp": "Signed up", "Screened": "Screened", "Randomized": "Randomized"}
_STATE_TYPE = {"Milestone": "Milestone status", "Enrollment": "Enrollment status"}
_OBSERVED = {
    "social-history": "Social History", "vital-signs": "Vital Signs", "imaging": "Imaging", "laboratory": "Laboratory",
    "procedure": "Procedure", "survey": "Survey", "exam": "Exam", "therapy": "Therapy", "activity": "Activity",
}  # fmt: skip
# FHIR version, end of the element's path, code system: the codes of the binding with their displays, as HL7 has them
# (FHIR 4.0.1, FHIR 5.0.0 with hl7.terminology 5.1.0)
_PARTICIPANTS = {"enterer": "Enterer", "performer": "Performer", "author": "Author"}
HL7: dict[tuple[str, str, str], Codes] = {
    ("R4", "AdverseEvent.seriousness", THO + "adverse-event-seriousness"): {"Serious": "Serious", "Non-serious": "Non-serious"},
    ("R5", "AdverseEvent.seriousness", THO + "adverse-event-seriousness"): {"serious": "Serious", "non-serious": "Non-serious"},
    ("R4", "AllergyIntolerance.verificationStatus", THO + "allergyintolerance-verification"): _CHECKED,
    ("R5", "AllergyIntolerance.verificationStatus", THO + "allergyintolerance-verification"): {**_CHECKED, "presumed": "Presumed"},
    ("R4", "Condition.clinicalStatus", THO + "condition-clinical"): _COURSE,
    ("R5", "Condition.clinicalStatus", THO + "condition-clinical"): {**_COURSE, "unknown": "Unknown"},
    ("R4", "Consent.scope", THO + "consentscope"): {"research": "Research", "treatment": "Treatment"},
    ("R4", "Consent.policyRule", THO + "v3-ActCode"): {"OPTIN": "opt-in"},
    ("R4", "ResearchSubject.extension.extension.valueCodeableConcept", THO + "research-subject-milestone"): _MILESTONE,
    ("R5", "ResearchSubject.progress.milestone", THO + "research-subject-milestone"): _MILESTONE,
    ("R4", "ResearchSubject.extension.extension.valueCodeableConcept", THO + "research-subject-state-type"): _STATE_TYPE,
    ("R5", "ResearchSubject.progress.type", THO + "research-subject-state-type"): _STATE_TYPE,
    ("R5", "ResearchStudy.associatedParty.role", "http://hl7.org/fhir/research-study-party-role"): {
        "general-contact": "general-contact", "recruitment-contact": "recruitment-contact",
    },
} | {
    (version, element, system): allowed
    for version in ("R4", "R5")
    for element, system, allowed in (
        ("AllergyIntolerance.clinicalStatus", THO + "allergyintolerance-clinical", _CLINICAL),
        ("Condition.verificationStatus", THO + "condition-ver-status", _DIAGNOSED),
        ("Condition.category", THO + "condition-category", {"encounter-diagnosis": "Encounter Diagnosis"}),
        ("Consent.category", THO + "consentcategorycodes", {"research": "Research Information Access"}),
        ("Observation.category", THO + "observation-category", _OBSERVED),
        ("Observation.component.valueCodeableConcept", THO + "v2-0136", {"Y": "Yes", "N": "No"}),
        ("Observation.valueCodeableConcept", THO + "v2-0136", {"Y": "Yes", "N": "No"}),
        ("PlanDefinition.type", THO + "plan-definition-type", {"clinical-protocol": "Clinical Protocol"}),
        ("Provenance.agent.type", THO + "provenance-participant-type", _PARTICIPANTS),
        (".meta.security", THO + "v3-ActReason", {"HTEST": "test health data"}),
    )
}  # fmt: skip


def _rows(value: Any) -> Iterator[dict[str, Any]]:
    """Every mapping within the field mappings."""
    below: list[Any] = []
    if isinstance(value, dict):
        yield value
        below = list(value.values())
    elif isinstance(value, list | tuple):
        below = list(value)
    for one in below:
        yield from _rows(one)


ROWS = [row for file in CATALOG.fields.values() for row in _rows(file)]
OPEN = {row["with"] for row in ROWS if row.get("via") == "label"}
CONSTANTS = [row["concept"].split("|") for row in ROWS if isinstance(row.get("concept"), str)]
FIXED = {(LOINC, code): display for name, code, *rest in CONSTANTS if name == "loinc" for display in rest}
KNOWN = {pair: line["display"] for pair, line in sources().items()} | FIXED


def codings(value: Any, path: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """Every Coding and Quantity of a resource, with the path of its element."""
    if isinstance(value, dict):
        if "code" in value and ("system" in value or path.endswith(".coding")):
            yield path.removesuffix(".coding"), value
        for name, below in value.items():
            yield from codings(below, f"{path}.{name}")
    elif isinstance(value, list):
        for one in value:
            yield from codings(one, path)


def fault(version: str, path: str, coding: dict[str, Any]) -> str | None:
    """Why a coding must not be sent, None if it may."""
    system, code, display = coding.get("system", ""), coding["code"], coding.get("display")
    if system == UCUM:
        return None if "value" in coding and code in UNITS else "unit"
    if system.startswith(OWN):
        name = system.removeprefix(OWN)
        if name in OPEN:
            return None
        if name == "formula":  # the same words as the list of measures, by version
            return None if code in CATALOG.lists["measure"].codes and coding.get("version") else "no formula"
        if name not in CATALOG.lists:
            return "no list of ours"
        return None if CATALOG.lists[name].codes.get(code) == display else "not in the list, or another display"
    if (system, code) in KNOWN:
        return None if KNOWN[system, code] == display else "another display"
    for (of, element, bound), allowed in HL7.items():
        if (of, bound) == (version, system) and path.endswith(element):
            return None if allowed.get(code) == display else "not in the binding, or another display"
    return "not checked by anybody"


@pytest.fixture(scope="module")
def corpus() -> list[dict[str, Any]]:
    made = list(synthetic.generate(40, seed=1))
    derived = derived_of(records.load(None, codec.loads(codec.dumps(one))) for one in made)
    found = [*made, *(records.example(kind) for kind in records.KNOWN), *derived]
    assert {one["kind"] for one in found} == set(records.KNOWN)
    return found


@pytest.mark.parametrize("version", ["R4", "R5"])
def test_every_code_sent_is_known(version: str, corpus: list[dict[str, Any]]) -> None:
    mill = Mill(assemble(), version)
    wrong: set[tuple[str, ...]] = set()
    used: set[tuple[str, str]] = set()
    for record in corpus:
        for kind, _, data in mill.resources(record):
            for path, coding in codings(codec.loads_wire(data), kind):
                why = fault(version, path, coding)
                used.add((coding.get("system", ""), path))
                if why:
                    wrong.add((path, coding.get("system", ""), coding["code"], why))
    assert wrong == set()
    assert {LOINC, UCUM, OWN + "technique", OWN + "arm-guess"} <= {system for system, _ in used}
    unused = [row for row in HL7 if row[0] == version and not any(s == row[2] and p.endswith(row[1]) for s, p in used)]
    assert unused == [], "a row of the table that nothing needs"


@pytest.mark.parametrize(
    ("path", "coding", "why"),
    [
        ("Procedure.code", {"system": OWN + "technique", "code": "massage", "display": "Massage"}, "not in the list, or another display"),
        ("Procedure.code", {"system": OWN + "techniques", "code": "other"}, "no list of ours"),
        ("Procedure.code", {"system": "http://snomed.info/sct", "code": "71388002", "display": "Procedure"}, "not checked by anybody"),
        ("Observation.code", {"system": LOINC, "code": "29463-7", "display": "Weight"}, "another display"),
        ("Observation.category", {"system": THO + "condition-category", "code": "encounter-diagnosis"}, "not checked by anybody"),
        ("Condition.clinicalStatus", {"system": THO + "condition-clinical", "code": "unknown", "display": "Unknown"}, "not in the binding, or another display"),
        ("Observation.valueQuantity", {"system": UCUM, "code": "furlong", "value": 1}, "unit"),
        ("Observation.code", {"code": "29463-7"}, "not checked by anybody"),
    ],
)  # fmt: skip
def test_a_code_that_is_not_known_is_seen(path: str, coding: dict[str, Any], why: str) -> None:
    ((where, seen),) = codings({"coding": [coding]}, path) if "value" not in coding else codings(coding, path)
    assert fault("R4", where, seen) == why
