"""What a receiver wants differently: a hospital's own Patient and practitioners are referred to, never written."""

from __future__ import annotations

from types import MappingProxyType
from typing import Any

import pytest

from adapter import codec, records
from adapter.assembly import assemble
from adapter.fhir.gate import Gate
from adapter.mill import Mill
from adapter.settings import Target

HOSPITAL = Target(
    name="ward", fhir="R4", base_url="https://fhir.ward.example/r4", patient="hospital", patient_system="urn:oid:1.2.3",
    actors=MappingProxyType({"OP3": "Practitioner/dr7"}),
)  # fmt: skip


def sent(kind: str, target: Target | None = HOSPITAL, **change: Any) -> list[dict[str, Any]]:
    record = records.load(kind, {**records.example(kind), **change})
    return [codec.loads_wire(data) for _, _, data in Mill(assemble(), "R4", target).resources(record)]


def references(node: Any) -> list[str]:
    if isinstance(node, dict):
        own = [node["reference"]] if isinstance(node.get("reference"), str) else []
        return own + [r for v in node.values() for r in references(v)]
    return [r for v in node for r in references(v)] if isinstance(node, list) else []


@pytest.mark.parametrize("kind", ["subject", "enrolment", "procedure", "pain_outcome", "adverse_event", "headache_day"])
def test_a_hospitals_patient_is_found_by_identifier_and_never_written(kind: str) -> None:
    resources = sent(kind)
    assert all(r["resourceType"] != "Patient" for r in resources)
    to_patient = {r for r in references(resources) if r.startswith("Patient")}
    assert to_patient == {"Patient?identifier=urn:oid:1.2.3|HD-0017"}
    assert all(Gate("R4").check(codec.dumps(r)) == [] for r in resources)


def test_values_in_a_search_are_escaped() -> None:
    resources = sent("pain_outcome", subject_id="HD/0017:x")
    assert {r for r in references(resources) if r.startswith("Patient")} == {
        "Patient?identifier=urn:oid:1.2.3|HD/0017:x"
    }


def test_the_receivers_own_people_are_pointed_at() -> None:
    performer = sent("procedure")[0]["performer"][0]["actor"]
    assert performer["reference"] == "Practitioner/dr7"
    assert performer["identifier"]["value"] == "OP3"


def test_everybody_else_gets_our_patient() -> None:
    ours = sent("subject", None)
    assert ours[0]["resourceType"] == "Patient"
    assert f"Patient/{ours[0]['id']}" in references(ours[1:])


def test_a_record_reads_the_same_whoever_owns_the_patient() -> None:
    mill = Mill(assemble(), "R4", HOSPITAL)
    record = records.load("procedure", records.example("procedure"))
    (taken,) = mill.records([codec.loads_wire(d) for _, _, d in mill.resources(record)])
    assert taken.record == record


def test_another_policy_sends_again() -> None:
    ours, theirs = Mill(assemble(), "R4"), Mill(assemble(), "R4", HOSPITAL)
    assert ours.receiver.policy != theirs.receiver.policy
