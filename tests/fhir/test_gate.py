"""The gate lets valid resources through and names path and rule of what it stops, never a value."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from typing import Any

import pytest

from adapter import codec
from adapter.errors import ResourceRefused
from adapter.fhir import versions
from adapter.fhir.gate import Gate

from .samples import SAMPLES, THO, TYPES, concept, quantity, ref, sample

GATES = {version: Gate(version) for version in SAMPLES}
BOTH = ("R4", "R5")
Change = Callable[[dict[str, Any]], object]


@pytest.mark.parametrize("version", BOTH)
@pytest.mark.parametrize("type_", TYPES)
def test_valid_resources_pass(version: str, type_: str) -> None:
    resource = sample(version, type_)
    gate = GATES[version]
    assert gate.check(resource) == []
    assert gate.check(codec.dumps(resource)) == []
    assert gate.check(codec.dumps_pretty(resource)) == []
    assert gate.check_tolerant(resource) == []
    versions.model(version, type_).model_validate_json(codec.dumps(resource))


def put(*path: Any) -> Change:
    """A change that sets what the last argument says at the path before it."""

    def change(resource: Any) -> None:
        *way, last, value = path
        for step in way:
            resource = resource[step]
        resource[last] = value

    return change


def drop(*path: Any) -> Change:
    def change(resource: Any) -> None:
        for step in path[:-1]:
            resource = resource[step]
        del resource[path[-1]]

    return change


CLINICAL = THO + "condition-clinical"
ALLERGY = THO + "allergyintolerance-verification"
CASES: list[tuple[tuple[str, ...], str, Change, str, str]] = [
    # versions, type, change, path below the resource, rule
    (BOTH, "Observation", put("status", "nope"), "status", "code"),
    (BOTH, "Observation", drop("status"), "status", "required"),
    (BOTH, "Observation", drop("code"), "code", "required"),
    (BOTH, "Observation", put("code", {}), "code", "empty"),
    (BOTH, "Observation", put("code", None), "code", "empty"),
    (BOTH, "Observation", put("code", "coding", []), "code.coding", "empty"),
    (BOTH, "Observation", put("code", "text", ""), "code.text", "empty"),
    (BOTH, "Observation", put("code", {"id": "a"}), "code", "empty"),
    (BOTH, "Observation", put("code", "text", 5), "code.text", "type"),
    (BOTH, "Observation", put("code", "coding", {"code": "a"}), "code.coding", "type"),
    (BOTH, "Observation", put("colour", "red"), "colour", "unknown"),
    (BOTH, "Observation", put("code", "coding", 0, "colour", "red"), "code.coding[0].colour", "unknown"),
    (BOTH, "Observation", put("code", "coding", 0, "code", " x"), "code.coding[0].code", "format"),
    (BOTH, "Observation", put("code", "coding", 0, "code", "x\n"), "code.coding[0].code", "format"),
    (BOTH, "Observation", put("code", "coding", 0, "system", "a b"), "code.coding[0].system", "format"),
    (BOTH, "Observation", put("identifier", 0, "system", "a b"), "identifier[0].system", "format"),
    (BOTH, "Observation", put("extension", 0, "url", "a b"), "extension[0].url", "format"),
    (BOTH, "Observation", put("text", {"status": "generated", "div": "<div/>"}), "text", "narrative"),
    (BOTH, "Observation", put("id", "a_b"), "id", "format"),
    (BOTH, "Observation", put("id", "a" * 65), "id", "format"),
    (BOTH, "Observation", put("id", "a\n"), "id", "format"),
    (BOTH, "Observation", put("valueString", "x"), "value[x]", "choice"),
    (BOTH, "Observation", put("component", 0, "valueString", "x"), "component[0].value[x]", "choice"),
    (BOTH, "Observation", put("_valueString", {"extension": [{"url": "u", "valueCode": "c"}]}), "value[x]", "choice"),
    (BOTH, "Observation", put("component", 2, "valueInteger", 2**31), "component[2].valueInteger", "range"),
    (BOTH, "Observation", put("component", 2, "valueInteger", Decimal("4.5")), "component[2].valueInteger", "type"),
    (BOTH, "Observation", put("component", 2, "valueInteger", True), "component[2].valueInteger", "type"),
    (BOTH, "Observation", put("valueQuantity", "value", "4.5"), "valueQuantity.value", "type"),
    (BOTH, "Observation", put("valueQuantity", "comparator", "="), "valueQuantity.comparator", "code"),
    (BOTH, "Observation", put("valueQuantity", "code", "m L"), "valueQuantity.code", "ucum"),
    (BOTH, "Observation", put("valueQuantity", "code", "{score"), "valueQuantity.code", "ucum"),
    (BOTH, "Observation", drop("valueQuantity", "system"), "valueQuantity.system", "qty-3"),
    (BOTH, "Observation", put("dataAbsentReason", {"text": "x"}), "dataAbsentReason", "obs-6"),
    (
        BOTH,
        "Observation",
        put("component", 1, "code", concept("http://loinc.org", "72514-3")),
        "component[1].code",
        "obs-7",
    ),
    (BOTH, "Observation", put("referenceRange", [{"appliesTo": [{"text": "x"}]}]), "referenceRange[0]", "obs-3"),
    (("R5",), "Observation", put("bodyStructure", ref("BodyStructure")), "bodyStructure", "obs-8"),
    (("R4",), "Observation", put("bodyStructure", ref("BodyStructure")), "bodyStructure", "unknown"),
    (BOTH, "Observation", put("subject", ref("Encounter")), "subject.reference", "target"),
    (BOTH, "Observation", put("subject", "reference", "Patient/a b"), "subject.reference", "target"),
    (BOTH, "Observation", put("subject", "reference", "Patient"), "subject.reference", "target"),
    (BOTH, "Observation", put("subject", "reference", "#p"), "subject.reference", "ref-1"),
    (BOTH, "Observation", put("effectiveDateTime", "2024-02-30"), "effectiveDateTime", "format"),
    (BOTH, "Observation", put("effectiveDateTime", "2023-02-29"), "effectiveDateTime", "format"),
    (BOTH, "Observation", put("effectiveDateTime", "2024-05-06T07:08:09"), "effectiveDateTime", "format"),
    (BOTH, "Observation", put("effectiveDateTime", "2024-05-06T07:08Z"), "effectiveDateTime", "format"),
    (BOTH, "Observation", put("effectiveDateTime", "2024-05-06T24:00:00Z"), "effectiveDateTime", "format"),
    (BOTH, "Observation", put("issued", "2024-05-06"), "issued", "format"),
    (BOTH, "Observation", put("extension", 0, "valueString", "x"), "extension[0]", "ext-1"),
    (BOTH, "Observation", drop("extension", 0, "extension"), "extension[0]", "ext-1"),
    (BOTH, "Observation", drop("extension", 0, "url"), "extension[0].url", "required"),
    (BOTH, "Observation", put("extension", 0, "extension", 0, "valueCode", "x"), "extension[0].extension[0]", "ext-1"),
    (BOTH, "Patient", put("birthDate", "1980-04-31"), "birthDate", "format"),
    (BOTH, "Patient", put("birthDate", "0000"), "birthDate", "format"),
    (BOTH, "Patient", put("gender", "f"), "gender", "code"),
    (BOTH, "Patient", put("deceasedDateTime", "2024"), "deceased[x]", "choice"),
    (BOTH, "Patient", put("contact", [{"gender": "male"}]), "contact[0]", "pat-1"),
    (BOTH, "Patient", put("telecom", [{"value": "x"}]), "telecom[0].system", "cpt-2"),
    (BOTH, "Patient", put("photo", [{"data": "AAAA"}]), "photo[0].contentType", "att-1"),
    (BOTH, "Patient", put("name", [{"given": [None, "x"]}]), "name[0].given[0]", "empty"),
    (("R4",), "Condition", drop("clinicalStatus"), "clinicalStatus", "con-3"),
    (("R5",), "Condition", drop("clinicalStatus"), "clinicalStatus", "required"),
    (BOTH, "Condition", put("clinicalStatus", {"text": "x"}), "clinicalStatus", "binding"),
    (BOTH, "Condition", put("clinicalStatus", concept(CLINICAL, "on")), "clinicalStatus", "binding"),
    (BOTH, "Condition", put("verificationStatus", concept(CLINICAL, "active")), "verificationStatus", "binding"),
    (("R4",), "Condition", put("abatementDateTime", "2024"), "clinicalStatus", "con-4"),
    (("R5",), "Condition", put("abatementDateTime", "2024"), "clinicalStatus", "con-3"),
    (
        ("R4",),
        "Condition",
        put("verificationStatus", concept(THO + "condition-ver-status", "entered-in-error")),
        "clinicalStatus",
        "con-5",
    ),
    (BOTH, "Condition", put("stage", [{"type": {"text": "x"}}]), "stage[0]", "con-1"),
    (("R4",), "Condition", put("evidence", [{"extension": [{"url": "u", "valueCode": "c"}]}]), "evidence[0]", "con-2"),
    (("R4",), "AllergyIntolerance", drop("clinicalStatus"), "clinicalStatus", "ait-1"),
    (
        ("R4",),
        "AllergyIntolerance",
        put("verificationStatus", concept(ALLERGY, "entered-in-error")),
        "clinicalStatus",
        "ait-2",
    ),
    (
        ("R4",),
        "AllergyIntolerance",
        put("verificationStatus", concept(ALLERGY, "presumed")),
        "verificationStatus",
        "binding",
    ),
    (BOTH, "AllergyIntolerance", put("category", ["medication", "dust"]), "category[1]", "code"),
    (("R4",), "MedicationAdministration", put("dosage", {"text": "x"}), "dosage", "mad-1"),
    (BOTH, "MedicationAdministration", put("dosage", {"site": {"text": "x"}}), "dosage", "mad-1"),
    (("R4",), "MedicationAdministration", drop("effectiveDateTime"), "effective[x]", "required"),
    (("R5",), "MedicationAdministration", drop("occurenceDateTime"), "occurence[x]", "required"),
    (("R5",), "MedicationAdministration", put("occurrenceDateTime", "2024"), "occurrenceDateTime", "unknown"),
    (
        BOTH,
        "MedicationAdministration",
        put("dosage", "rateRatio", {"numerator": {"value": 1}}),
        "dosage.rateRatio",
        "rat-1",
    ),
    (("R4",), "Procedure", put("performedPeriod", "start", "2025-01-01T00:00:00Z"), "performedPeriod", "per-1"),
    (("R5",), "Procedure", put("occurrencePeriod", "start", "2025-01-01T00:00:00Z"), "occurrencePeriod", "per-1"),
    (("R4",), "Procedure", put("occurrenceDateTime", "2024"), "occurrenceDateTime", "unknown"),
    (("R5",), "Procedure", put("reason", 0, "reference", ref("Patient")), "reason[0].reference.reference", "target"),
    (
        ("R5",),
        "Procedure",
        put("performer", 0, {"actor": ref("Practitioner"), "onBehalfOf": ref("Organization")}),
        "performer[0].onBehalfOf",
        "prc-1",
    ),
    (("R5",), "Procedure", put("subject", {"type": "Patient"}), "subject", "ref-2"),
    (("R4",), "Group", put("member", [{"entity": ref("Patient")}]), "member", "grp-1"),
    (BOTH, "Group", put("quantity", -1), "quantity", "range"),
    (BOTH, "Group", drop("characteristic", 0, "valueRange"), "characteristic[0].value[x]", "required"),
    (
        BOTH,
        "Group",
        put("characteristic", 0, "valueRange", "low", quantity("80", "a")),
        "characteristic[0].valueRange",
        "rng-2",
    ),
    (("R4",), "Consent", drop("policy"), "", "ppc-1"),
    (("R4",), "AdverseEvent", put("severity", concept(THO + "adverse-event-severity", "worst")), "severity", "binding"),
    (("R4",), "AdverseEvent", put("outcome", {"text": "fine"}), "outcome", "binding"),
    (
        ("R5",),
        "ResearchSubject",
        put("progress", 0, "subjectState", concept(THO + "research-subject-state", "gone")),
        "progress[0].subjectState",
        "binding",
    ),
    (("R5",), "ResearchSubject", put("status", "on-study"), "status", "code"),
    (("R4",), "ResearchSubject", put("status", "active"), "status", "code"),
    (BOTH, "Provenance", drop("target"), "target", "required"),
    (BOTH, "Provenance", drop("agent", 0, "who"), "agent[0].who", "required"),
    (("R5",), "Provenance", put("entity", 0, "role", "derivation"), "entity[0].role", "code"),
    (
        BOTH,
        "MedicationStatement",
        drop("dosage", 0, "timing", "repeat", "periodUnit"),
        "dosage[0].timing.repeat.periodUnit",
        "tim-2",
    ),
    (
        BOTH,
        "PlanDefinition",
        put("action", 0, "timingDuration", "system", "http://example.org"),
        "action[0].timingDuration",
        "drt-1",
    ),
]


@pytest.mark.parametrize(
    ("version", "type_", "change", "path", "rule"),
    [(v, t, c, p, r) for vs, t, c, p, r in CASES for v in vs],
)
def test_what_breaks_a_rule_is_named(version: str, type_: str, change: Change, path: str, rule: str) -> None:
    resource = sample(version, type_)
    change(resource)
    issues = GATES[version].check(resource)
    assert [(i.path, i.rule) for i in issues] == [(f"{type_}.{path}" if path else type_, rule)]


@pytest.mark.parametrize(
    ("type_", "change"),
    [
        ("Observation", lambda r: (r.pop("status"), r.update(_status={"extension": [ABSENT]}))),
        ("Observation", lambda r: r.update(_issued={"id": "x", "extension": [ABSENT]})),
        ("Observation", lambda r: r["code"].update(id="x")),
        ("Observation", lambda r: r["subject"].update(reference="urn:uuid:3f2c0a52-7e0e-5d55-9d0b-0f1f3c6d9b11")),
        ("Observation", lambda r: r["subject"].update(reference="https://example.org/fhir/Patient/1/_history/2")),
        ("Observation", lambda r: r["subject"].update(reference="Patient?identifier=a%7Cb")),
        ("Observation", lambda r: r.update(subject={"display": "a subject"})),
        ("Observation", lambda r: r["code"].update(text=" spaced  out ")),
        ("Observation", lambda r: r["valueQuantity"].update(code="mg/(mL.{x})[in_i]")),
        ("Observation", lambda r: r.update(effectiveDateTime="2024-02-29")),
        ("Observation", lambda r: r.update(effectiveDateTime="2016-12-31T23:59:60Z")),
        ("Patient", lambda r: r.update(name=[{"given": ["x", None], "_given": [None, {"extension": [ABSENT]}]}])),
        ("Patient", lambda r: r.update(contained=[{"resourceType": "Organization", "id": "o", "name": "N"}])),
        ("Condition", lambda r: r["clinicalStatus"]["coding"].append({"system": "http://a.example", "code": "b"})),
    ],
)
@pytest.mark.parametrize("version", BOTH)
def test_rarely_used_but_allowed(version: str, type_: str, change: Change) -> None:
    resource = sample(version, type_)
    change(resource)
    if "contained" in resource:
        resource["managingOrganization"] = {"reference": "#o"}
    assert GATES[version].check(resource) == []
    versions.model(version, type_).model_validate_json(codec.dumps(resource))


ABSENT = {"url": "http://hl7.org/fhir/StructureDefinition/data-absent-reason", "valueCode": "unknown"}


def test_required_choice_may_be_absent_with_a_reason() -> None:
    resource = sample("R4", "MedicationAdministration")
    del resource["effectiveDateTime"]
    resource["_effectiveDateTime"] = {"extension": [ABSENT]}
    assert GATES["R4"].check(resource) == []


@pytest.mark.parametrize(
    ("contained", "rule"),
    [
        ({"resourceType": "Organization", "id": "x"}, "dom-3"),
        ({"resourceType": "Organization", "id": "o", "meta": {"versionId": "1"}}, "dom-4"),
        ({"resourceType": "Organization", "id": "o", "meta": {"security": [{"code": "x"}]}}, "dom-5"),
        ({"resourceType": "Organization", "id": "o", "contained": [{"resourceType": "Patient", "id": "p"}]}, "dom-2"),
        ({"resourceType": "Organization", "id": "o", "colour": "red"}, "unknown"),
        ({"resourceType": "Nothing", "id": "o"}, "resource-type"),
    ],
)
def test_contained_resources(contained: dict[str, Any], rule: str) -> None:
    resource = sample("R4", "Patient") | {"contained": [contained], "managingOrganization": {"reference": "#o"}}
    issues = GATES["R4"].check(resource)
    assert rule in {i.rule for i in issues}
    assert {i.path.split(".")[1] for i in issues if i.rule == rule} == {"contained[0]"}


def test_bundle_entries_are_checked_and_named() -> None:
    good, bad = sample("R5", "Patient"), sample("R5", "Observation")
    bad["status"] = "nope"
    entry = [{"fullUrl": f"urn:uuid:{i}", "resource": r} for i, r in enumerate((good, bad))]
    bundle: dict[str, Any] = {"resourceType": "Bundle", "type": "collection", "entry": entry}
    assert [(i.path, i.rule) for i in GATES["R5"].check(bundle)] == [("Bundle.entry[1].resource.status", "code")]
    entry[1] = {"fullUrl": "urn:uuid:0", "resource": good}
    assert [(i.path, i.rule) for i in GATES["R5"].check(bundle)] == [("Bundle.entry[1].fullUrl", "bdl-7")]
    entry[1] = {"fullUrl": "urn:uuid:1", "request": {"method": "DELETE", "url": "Patient/1"}}
    assert [(i.path, i.rule) for i in GATES["R5"].check(bundle)] == [("Bundle.entry[1].request", "bdl-3")]


def test_versions_are_not_mixed() -> None:
    assert GATES["R5"].check(sample("R4", "Procedure"))
    assert GATES["R4"].check(sample("R5", "Procedure"))
    resource = {"resourceType": "DeviceUsage"}
    assert [i.rule for i in GATES["R4"].check(resource)] == ["resource-type"]


@pytest.mark.parametrize("data", [b"", b"{", b"[]", b"\xff", b"null", b"5", b'{"resourceType":"Observation"', b"{}"])
def test_broken_bytes_are_refused(data: bytes) -> None:
    assert len(GATES["R4"].check(data)) == 1


@pytest.mark.parametrize("hollow", [b"{}", b"{ }", b"{\n\t}", b'{"id":"x"}', b'{ "id" : "x" }', b"null"])
@pytest.mark.parametrize("lean", [True, False])
def test_an_element_without_a_value_is_refused_however_it_is_spaced(hollow: bytes, lean: bool) -> None:
    id_ = b"" if lean else b'"id":"c",'  # ids of elements are checked on another way
    data = b'{"resourceType":"Observation","status":"final","code":{%b"text":"pain"},"method":%b}' % (id_, hollow)
    for version in BOTH:
        assert [issue.path for issue in GATES[version].check(data)] == ["Observation.method"]
        assert GATES[version].check(data.replace(b',"method":' + hollow, b"")) == []


@pytest.mark.parametrize("version", BOTH)
def test_issues_never_carry_values(version: str) -> None:
    mark = "Marked-Value-7"
    gate = GATES[version]
    for type_ in TYPES:
        for path, value in _leaves(sample(version, type_)):
            resource = sample(version, type_)
            put(*path, f" {mark}" if isinstance(value, str) else mark)(resource)
            assert mark not in repr(gate.check(resource)), path
            assert mark not in repr(gate.check_tolerant(resource)), path


def _leaves(value: Any, path: tuple[Any, ...] = ()) -> Any:
    if isinstance(value, dict):
        for name, child in value.items():
            yield from _leaves(child, (*path, name))
    elif isinstance(value, list):
        for i, child in enumerate(value):
            yield from _leaves(child, (*path, i))
    else:
        yield path, value


def test_require_raises_with_the_record() -> None:
    resource = sample("R4", "Observation") | {"status": "nope"}
    with pytest.raises(ResourceRefused) as caught:
        GATES["R4"].require(resource, "record-1")
    (issue,) = caught.value.issues
    assert (issue.record, issue.field, issue.rule) == ("record-1", "Observation.status", "code")
    GATES["R4"].require(sample("R4", "Observation"), "record-1")


def test_tolerant_ignores_what_it_does_not_know() -> None:
    gate = GATES["R4"]
    resource = sample("R4", "Observation") | {"colour": 1, "text": {"status": "generated", "div": "<div/>"}}
    resource["_status"] = {"extension": []}
    resource["status"] = "from the future"
    del resource["code"]
    resource["note"] = None
    assert gate.check_tolerant(resource) == []


@pytest.mark.parametrize(
    ("change", "path"),
    [
        (put("status", 5), "status"),
        (put("status", {"value": "final"}), "status"),
        (put("component", {}), "component"),
        (put("component", 0, "code", "coding", 0, "code", []), "component[0].code.coding[0].code"),
        (put("valueQuantity", "value", "4.5"), "valueQuantity.value"),
        (put("valueQuantity", 4), "valueQuantity"),
    ],
)
def test_tolerant_names_wrong_types(change: Change, path: str) -> None:
    resource = sample("R4", "Observation")
    change(resource)
    issues = GATES["R4"].check_tolerant(resource)
    assert [(i.path, i.rule) for i in issues] == [(f"Observation.{path}", "type")]


def test_threads_may_share_a_new_gate() -> None:
    gate = Gate("R4")
    bad = codec.dumps(sample("R4", "Observation") | {"subject": ref("Encounter")})
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(gate.check, [bad] * 16))
    assert {tuple(i.rule for i in issues) for issues in found} == {("target",)}


def test_an_id_of_a_contained_resource_that_is_no_text_is_refused() -> None:
    resource = {
        "resourceType": "Patient",
        "id": "a",
        "contained": [{"resourceType": "Patient", "id": [7]}],
        "generalPractitioner": [{"reference": "#a"}],
    }
    assert Gate("R4").check(codec.dumps(resource))


@pytest.mark.parametrize("version", ["R4", "R5"])
def test_two_contained_resources_of_one_id_are_refused(version: str) -> None:
    """A reference to it would have two answers."""
    inside = {"resourceType": "Organization", "id": "a", "name": "x"}
    resource = {
        "resourceType": "Patient",
        "id": "p",
        "contained": [inside, {**inside, "name": "y"}],
        "managingOrganization": {"reference": "#a"},
    }
    assert {issue.rule for issue in Gate(version).check(codec.dumps(resource))} == {"contained-id"}
    assert Gate(version).check(codec.dumps({**resource, "contained": [inside]})) == []
