"""Provenance of every version of every record: who, when, why, from what. For readers: nothing is read from it."""

from __future__ import annotations

from typing import Any

import pytest

from adapter import codec, records
from adapter.assembly import assemble
from adapter.mill import Mill
from adapter.settings import Target

VERSIONS = ("R4", "R5")
MILLS = {v: Mill(assemble(), v) for v in VERSIONS}


def made(fhir: str, kind: str, **more: Any) -> tuple[dict[str, Any], list[Any]]:
    """(Root, all Provenances) of the example of a kind, with some fields changed."""
    record = records.load(kind, {**records.example(kind), **more})
    found = [codec.loads_wire(data) for _, _, data in MILLS[fhir].resources(record)]
    return found[0], [r for r in found if r["resourceType"] == "Provenance"]


def codes(concept: dict[str, Any]) -> list[str]:
    return [coding["code"] for coding in concept["coding"]]


def told(activity: dict[str, Any]) -> tuple[str, str]:
    """(Our status, standard activity): one coding alone, since a binding looks at all of them."""
    (own,), (standard,) = activity["extension"], codes(activity)
    return own["valueCoding"]["code"], standard


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("kind", records.KINDS)
def test_every_record_has_one(kind: str, version: str) -> None:
    root, (provenance,) = made(version, kind)
    record = records.load(kind, records.example(kind))
    (target,) = provenance["target"]
    assert target["reference"] == f"{root['resourceType']}/{root['id']}"
    assert provenance["recorded"] == record["recorded_at"]
    assert provenance["extension"][0]["valuePositiveInt"] == record["version"]
    agents = {agent["type"]["coding"][0]["code"]: agent["who"]["identifier"]["value"] for agent in provenance["agent"]}
    assert agents["enterer"] == record["recorded_by"]
    (source,) = [e["what"]["identifier"] for e in provenance["entity"] if e["role"] == "source"]
    assert source["system"].endswith(f"/source/{record['source_system']}")
    assert source["value"] == record["source_record_id"]
    assert provenance["meta"]["security"] == root["meta"]["security"], "it follows the class of its target"


@pytest.mark.parametrize("version", VERSIONS)
def test_who_performed_and_who_assessed(version: str) -> None:
    for kind, name, field in (
        ("procedure", "performer", "operator_id"),
        ("pain_outcome", "author", "assessor_id"),
        ("function_outcome", "author", "assessor_id"),
    ):
        _, (provenance,) = made(version, kind)
        agents = {a["type"]["coding"][0]["code"]: a["who"]["identifier"]["value"] for a in provenance["agent"]}
        assert agents[name] == records.example(kind)[field]


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize(
    ("status", "activity"), [("amended", "UPDATE"), ("corrected", "UPDATE"), ("entered_in_error", "NULLIFY")]
)
def test_a_later_version_says_why_and_what_it_supersedes(version: str, status: str, activity: str) -> None:
    _, (first,) = made(version, "pain_outcome")
    assert told(first["activity"]) == ("final", "CREATE")
    later = {"version": 2, "supersedes_version": 1, "record_status": status, "change_reason": "typed one off"}
    root, (second,) = made(version, "pain_outcome", **later)
    assert second["id"] != first["id"], "the first stays where it is"
    assert told(second["activity"]) == (status, activity)
    assert second["activity"]["text"] == "typed one off"
    (former,) = [e["what"] for e in second["entity"] if e["role"] == "revision"]
    assert former["extension"][0]["valuePositiveInt"] == 1
    assert former["identifier"] in root["identifier"]


@pytest.mark.parametrize("version", VERSIONS)
def test_an_absent_reason_makes_no_agent(version: str) -> None:
    raw = {name: value for name, value in records.example("pain_outcome").items() if name != "assessor_id"}
    record = records.load("pain_outcome", {**raw, "field_absent_reason": {"assessor_id": "not_in_source"}})
    found = [codec.loads_wire(data) for _, _, data in MILLS[version].resources(record)]
    (provenance,) = [r for r in found if r["resourceType"] == "Provenance"]
    assert [codes(agent["type"]) for agent in provenance["agent"]] == [["enterer"]]


@pytest.mark.parametrize("version", VERSIONS)
def test_nothing_is_read_from_it(version: str) -> None:
    mill = MILLS[version]
    record = records.load("pain_outcome", records.example("pain_outcome"))
    resources = [codec.loads_wire(data) for _, _, data in mill.resources(record)]
    for resource in resources:
        if resource["resourceType"] == "Provenance":
            resource["recorded"] = "1999-01-01T00:00:00Z"
            resource["agent"][0]["who"]["identifier"]["value"] = "somebody else"
    (taken,) = mill.records(resources)
    assert taken.record is not None
    assert codec.dumps(taken.record) == codec.dumps(record)


@pytest.mark.parametrize("version", VERSIONS)
def test_a_hospitals_own_patient_has_none_of_ours(version: str) -> None:
    target = Target(name="registry", fhir=version, base_url="https://fhir.hospital.example/fhir", patient="hospital")
    mill = Mill(assemble(), version, target)
    subject = [kind for kind, _, _ in mill.resources(records.load("subject", records.example("subject")))]
    assert "Patient" not in subject
    assert "Provenance" not in subject
    assert "Provenance" in [k for k, _, _ in mill.resources(records.load("procedure", records.example("procedure")))]
