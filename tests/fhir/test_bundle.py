"""Transactions are joined from bytes; answers are matched only when all are there."""

from __future__ import annotations

import uuid
from typing import Any

import pytest

from adapter import codec
from adapter.errors import Stop, TransactionMismatch
from adapter.fhir import bundle
from adapter.fhir.gate import Gate

from .samples import sample

ID = "3f2c0a52-7e0e-5d55-9d0b-0f1f3c6d9b11"


@pytest.mark.parametrize("version", ["R4", "R5"])
@pytest.mark.parametrize("base", ["", "http://127.0.0.1:8080/fhir", "http://127.0.0.1:8080/fhir/"])
def test_transactions_are_valid_bundles_with_untouched_resources(version: str, base: str) -> None:
    data = codec.dumps(sample(version, "Observation"))
    made = bundle.transaction([("Observation", ID, data), ("Patient", "p-1", b'{"resourceType":"Patient"}')], base)
    assert data in made
    assert Gate(version).check(made) == []
    first, second = codec.loads(made)["entry"]
    assert first["request"] == {"method": "PUT", "url": f"Observation/{ID}"}
    if base:
        assert first["fullUrl"] == f"http://127.0.0.1:8080/fhir/Observation/{ID}"
        assert second["fullUrl"] == "http://127.0.0.1:8080/fhir/Patient/p-1"
    else:
        assert first["fullUrl"] == f"urn:uuid:{ID}"
        assert uuid.UUID(second["fullUrl"].removeprefix("urn:uuid:"))


def test_deletes_and_conditional_creates() -> None:
    create = bundle.Create("Patient", uuid.UUID(ID), b'{"resourceType":"Patient"}', 'identifier=a|"b')
    made = codec.loads(bundle.transaction([create], remove=[("Observation", "o-1")]))
    assert made["entry"][0]["request"] == {"method": "POST", "url": "Patient", "ifNoneExist": 'identifier=a|"b'}
    assert made["entry"][0]["fullUrl"] == f"urn:uuid:{ID}"
    assert made["entry"][1] == {"request": {"method": "DELETE", "url": "Observation/o-1"}}
    assert codec.loads(bundle.transaction([])) == {"resourceType": "Bundle", "type": "transaction"}


@pytest.mark.parametrize(
    "entries",
    [
        [("Patient", "a", b"{}"), ("Patient", "a", b"{}")],
        [("Patient", "a/b", b"{}")],
        [("Patient", 'a"', b"{}")],
        [("patient", "a", b"{}")],
        [("Patient", "a" * 65, b"{}")],
    ],
)
def test_what_would_spoil_a_transaction_is_refused(entries: list[tuple[str, str, bytes]]) -> None:
    with pytest.raises(ValueError, match=r"resource type and id|twice"):
        bundle.transaction(entries)


def test_same_resource_written_and_removed_is_refused() -> None:
    with pytest.raises(ValueError, match="twice"):
        bundle.transaction([("Patient", "a", b"{}")], remove=[("Patient", "a")])


@pytest.mark.parametrize("version", ["R4", "R5"])
def test_collections_are_valid_and_give_their_resources_back(version: str) -> None:
    resources = [sample(version, "Patient"), sample(version, "Provenance")]
    made = bundle.collection(resources)
    assert Gate(version).check(made) == []
    assert bundle.resources(made) == resources
    assert bundle.collection([]) == {"resourceType": "Bundle", "type": "collection"}


def test_search_outcomes_are_not_resources() -> None:
    entry = [{"resource": {"resourceType": "OperationOutcome"}, "search": {"mode": "outcome"}}, {"fullUrl": "x"}]
    assert bundle.resources({"resourceType": "Bundle", "type": "searchset", "entry": entry}) == []


def answer(*responses: dict[str, Any], type_: str = "transaction-response") -> dict[str, Any]:
    return {"resourceType": "Bundle", "type": type_, "entry": [{"response": r} for r in responses]}


def outcome(code: str) -> dict[str, Any]:
    coding = [{"system": "https://hapifhir.io/fhir/CodeSystem/hapi-fhir-storage-response-code", "code": code}]
    return {"resourceType": "OperationOutcome", "issue": [{"severity": "information", "details": {"coding": coding}}]}


def test_answers_as_hapi_gives_them() -> None:
    found = bundle.read_response(
        answer(
            {
                "status": "201 Created",
                "location": "Patient/p-1/_history/1",
                "etag": "1",
                "outcome": outcome("SUCCESSFUL_UPDATE_AS_CREATE"),
            },
            {
                "status": "200 OK",
                "location": f"http://h/fhir/Observation/{ID}/_history/4",
                "outcome": outcome("SUCCESSFUL_UPDATE_NO_CHANGE"),
            },
            {"status": "204 No Content"},
            {"status": "200", "etag": 'W/"7"', "outcome": {"issue": "odd"}},
        ),
        4,
    )
    assert found == [
        bundle.EntryResult(0, 201, "Patient/p-1", "1", "SUCCESSFUL_UPDATE_AS_CREATE"),
        bundle.EntryResult(1, 200, f"Observation/{ID}", "4", "SUCCESSFUL_UPDATE_NO_CHANGE"),
        bundle.EntryResult(2, 204),
        bundle.EntryResult(3, 200, "", "7"),
    ]
    assert [r.unchanged for r in found] == [False, True, False, False]


@pytest.mark.parametrize(
    ("body", "sent"),
    [
        (answer({"status": "200 OK"}), 2),
        (answer({"status": "200 OK"}, {"status": "200 OK"}), 1),
        (answer({"status": "200 OK"}, type_="searchset"), 1),
        (answer({"status": "fine"}), 1),
        ({"resourceType": "Bundle", "type": "transaction-response", "entry": [{}]}, 1),
        ({"resourceType": "Bundle", "type": "transaction-response", "entry": ["x"]}, 1),
        ({"resourceType": "Bundle", "type": "transaction-response"}, 1),
        ({"resourceType": "OperationOutcome"}, 1),
        ([], 0),
        (None, 0),
    ],
)
def test_answers_that_cannot_be_matched_stop(body: Any, sent: int) -> None:
    with pytest.raises(TransactionMismatch) as caught:
        bundle.read_response(body, sent)
    assert isinstance(caught.value, Stop)
