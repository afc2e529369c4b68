"""The version door: what the models say, with R4 as HL7 published it and not as R4B has it."""

from __future__ import annotations

import pytest

from adapter.fhir import versions
from adapter.fhir.codes import BOUND, CODES

from .samples import TYPES


def test_elements_of_a_resource() -> None:
    found = versions.elements("R4", "Observation")
    assert list(found)[:3] == ["id", "implicitRules", "language"] or "id" in found
    assert found["status"].type == "code"
    assert found["status"].required
    assert found["status"].primitive
    assert "corrected" in (found["status"].codes or ())
    assert found["code"].type == "CodeableConcept"
    assert found["code"].required
    assert not found["code"].primitive
    assert found["component"].type == "ObservationComponent"
    assert found["component"].many
    assert found["valueQuantity"].choice == "value"
    assert not found["valueQuantity"].choice_required
    assert found["subject"].targets == ("Patient", "Group", "Device", "Location")
    assert found["contained"].type == "Resource"
    assert found["effectiveInstant"].type == "instant"
    assert not any(name.startswith("_") or "__" in name for name in found)


@pytest.mark.parametrize(
    ("version", "type_", "name", "type_name", "many"),
    [
        ("R4", "Encounter", "class", "Coding", False),
        ("R5", "Encounter", "class", "CodeableConcept", True),
        ("R4", "HumanName", "given", "string", True),
        ("R4", "Attachment", "size", "unsignedInt", False),
        ("R5", "Attachment", "size", "integer64", False),
        ("R4", "Attachment", "data", "base64Binary", False),
        ("R4", "Patient", "active", "boolean", False),
        ("R4", "TimingRepeat", "timeOfDay", "time", True),
        ("R4", "Quantity", "value", "decimal", False),
        ("R5", "MedicationAdministration", "occurenceDateTime", "dateTime", False),
        ("R5", "Procedure", "reason", "CodeableReference", True),
    ],
)
def test_types(version: str, type_: str, name: str, type_name: str, many: bool) -> None:
    element = versions.elements(version, type_)[name]
    assert (element.type, element.many) == (type_name, many)


def test_choices() -> None:
    groups = versions.choices("R4", "MedicationAdministration")
    assert {e.name for e in groups["effective"]} == {"effectiveDateTime", "effectivePeriod"}
    assert all(e.choice_required for e in groups["effective"])
    assert set(versions.choices("R5", "MedicationAdministration")) == {"occurence"}


def test_what_r4b_has_and_r4_has_not_is_left_out() -> None:
    extension = versions.elements("R4", "Extension")
    assert "valueRatioRange" not in extension
    assert "valueCodeableReference" not in extension
    assert "valueCodeableReference" in versions.elements("R5", "Extension")
    assert "subjectCanonical" not in versions.elements("R4", "PlanDefinition")
    assert "RelatedPerson" not in (versions.elements("R4", "GroupMember")["entity"].targets or ())


@pytest.mark.parametrize("version", ["R4", "R5"])
@pytest.mark.parametrize("type_", TYPES)
def test_every_status_has_its_closed_list(version: str, type_: str) -> None:
    status = versions.elements(version, type_).get("status")
    assert status is None or (status.codes and "+" not in status.codes)


def test_code_tables_name_real_elements() -> None:
    for version, type_, name in [*CODES, *BOUND]:
        element = versions.elements(version, type_)[name]
        assert element.type == ("code" if (version, type_, name) in CODES else "CodeableConcept")


def test_names() -> None:
    assert versions.known("R4", "ObservationComponent")
    assert versions.known("R4", "Quantity")
    assert not versions.known("R4", "DeviceUsage")
    assert not versions.known("R4", "code")
    assert not versions.known("R4", "../os")
    assert versions.is_resource("R5", "DeviceUsage")
    assert not versions.is_resource("R5", "Quantity")
    assert not versions.is_resource("R5", "DomainResource")
    assert versions.model("R4", "Observation").__module__.startswith("fhir.resources.R4B.")
    assert versions.model("R5", "Observation").__module__ == "fhir.resources.observation"
    with pytest.raises(KeyError):
        versions.elements("R4", "Nothing")
