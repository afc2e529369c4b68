"""One error shape, in two forms; safe words only; nothing unexpected gets out."""

from __future__ import annotations

import logging
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from fhir.resources.R4B.operationoutcome import OperationOutcome
from flask import Flask
from flask.testing import FlaskClient

from adapter import codec, records
from adapter.errors import (
    CodecError,
    ConfigError,
    Issue,
    RecordRefused,
    Retry,
    Stop,
    TargetAuth,
    TargetRefused,
    TargetUnavailable,
    UnsafeLink,
)

from .conftest import MARK, TOKEN, Ward, all_kinds, ndjson, post

OURS = [
    (RecordRefused([Issue("r", "sex", "code")]), 422, "refused"),
    (CodecError("json"), 422, "refused"),
    (TargetRefused("no", 422), 502, "target"),
    (TargetAuth("no", 401), 502, "target"),
    (UnsafeLink("no"), 502, "target"),
    (TargetUnavailable("no", after=1.2), 503, "unavailable"),
    (Retry("no"), 503, "unavailable"),
    (ConfigError("no"), 400, "configuration"),
    (Stop("no"), 500, "stopped"),
]


@pytest.mark.parametrize(("error", "status", "slug"), OURS)
def test_what_each_of_our_errors_becomes(
    make_app: Callable[..., Flask], tmp_path: Path, error: Exception, status: int, slug: str
) -> None:
    def failing(target: Any) -> Any:
        raise error

    app = make_app(targets=f'[targets.one]\nfolder = "{tmp_path}"\nfhir = "R4"\n', connect=failing)
    found = app.test_client().post("/v1/pull?target=one")
    assert found.status_code == status
    assert codec.loads(found.data)["type"] == f"https://hydrofhir.example/problem/{slug}"
    waits = {TargetUnavailable: "2", Retry: "30"}
    assert found.headers.get("Retry-After") == waits.get(type(error))


MEMBERS = {"type", "title", "status", "detail", "instance", "incident", "issues", "request_id", "report"}


def test_problem_has_the_members_of_the_rfc(client: FlaskClient) -> None:
    found = post(client, "/v1/map?fhir=R4", {"kind": "subject"}, X_Request_ID="abc-1.2_3")
    problem = codec.loads(found.data)
    assert problem.keys() <= MEMBERS
    assert problem["type"] == "https://hydrofhir.example/problem/refused"
    assert (problem["status"], problem["request_id"]) == (422, "abc-1.2_3")
    assert all({"rule", "line"} <= issue.keys() for issue in problem["issues"])


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("POST", "/v1/map?fhir=R4", 422, "required"),
        ("POST", "/v1/map", 400, "invariant"),
        ("GET", "/v1/map", 405, "not-supported"),
        ("GET", "/nowhere", 404, "not-found"),
        ("POST", "/v1/push?target=x", 404, "not-found"),
    ],
)
def test_outcome_where_fhir_is_asked_for(client: FlaskClient, method: str, path: str, status: int, code: str) -> None:
    headers = {"Accept": "application/fhir+json; fhirVersion=4.0, application/json;q=0.1"}
    found = client.open(
        path, method=method, data=b'{"kind":"subject"}', content_type="application/json", headers=headers
    )
    assert (found.status_code, found.content_type) == (status, "application/fhir+json")
    outcome = OperationOutcome.model_validate_json(found.data)
    assert code in [issue.code for issue in outcome.issue]


@pytest.mark.parametrize(
    ("accept", "status"),
    [
        ("*/*", 200),
        ("application/*", 200),
        ("application/json;q=0.1, text/html", 200),
        ("text/html", 406),
        ("application/json;q=0", 406),
    ],
)
def test_negotiation(client: FlaskClient, accept: str, status: int) -> None:
    found = post(client, "/v1/map?fhir=R4", records.example("subject"), Accept=accept)
    assert found.status_code == status
    assert found.content_type == ("application/json" if status == 200 else "application/problem+json")


def test_better_quality_wins(client: FlaskClient) -> None:
    accept = "application/json;q=0.5, application/fhir+json"
    assert "fhir" in post(client, "/v1/map?fhir=R4", records.example("subject"), Accept=accept).content_type
    assert post(client, "/v1/unmap?fhir=R4", b"{}", Accept="application/fhir+json").status_code == 406


@pytest.mark.parametrize("query", ["", "?fhir=R3", "?fhir=R4&fihr=R5", "?fhir=R4&timezone=Mars/Base"])
def test_parameters_are_strict(client: FlaskClient, query: str) -> None:
    path = "unmap" if "timezone" in query else "map"
    found = post(client, f"/v1/{path}{query}", records.example("subject"))
    assert found.status_code == 400
    assert codec.loads(found.data)["type"].endswith("/parameter")


def test_headers_of_every_answer(client: FlaskClient) -> None:
    for answer in (client.get("/v1/health"), client.get("/nowhere"), client.post("/v1/map")):
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert answer.headers["Cache-Control"] == "no-store"
        assert not [name for name in [name for name, _ in answer.headers] if name.startswith("Access-Control")]


@pytest.mark.parametrize("given", ["a b", "x" * 65, "<script>", "é"])
def test_unsafe_request_ids_are_replaced(client: FlaskClient, given: str) -> None:
    found = client.get("/v1/health", headers={"X-Request-ID": given}).headers["X-Request-ID"]
    assert re.fullmatch(r"[0-9a-f-]{36}", found)


def test_pages_of_a_browser_may_not_post(client: FlaskClient) -> None:
    for origin in ("https://evil.example", "null", "http://localhost"):
        found = post(client, "/v1/map?fhir=R4", records.example("subject"), Origin=origin)
        assert found.status_code == 403


def test_the_unexpected_is_an_incident(
    make_app: Callable[..., Flask], tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(target: Any) -> Any:
        raise RuntimeError(f"value {MARK} in {target.name}")

    app = make_app(targets=f'[targets.one]\nfolder = "{tmp_path}"\nfhir = "R4"\n', connect=broken)
    for accept in ("application/json", "application/fhir+json, application/json;q=0.9"):
        caplog.clear()
        with caplog.at_level(logging.DEBUG):
            found = post(app.test_client(), "/v1/pull?target=one", b"", Accept=accept)
        assert found.status_code == 500
        assert b"RuntimeError" not in found.data
        assert b"Traceback" not in found.data
        incident = re.search(rb"urn:uuid:([0-9a-f-]{36})", found.data)
        assert incident is not None
        assert incident[1].decode() in caplog.text
        assert "RuntimeError" in caplog.text
        assert MARK not in caplog.text + found.get_data(as_text=True)


def marked() -> list[bytes]:
    """Bodies with a mark where a value, a name or a key can stand, each refused for another reason."""
    subject, outcome = records.example("subject"), records.example("pain_outcome")
    return [
        codec.dumps({**subject, "subject_id": MARK}),
        codec.dumps({**subject, MARK: 1}),
        codec.dumps({**subject, "sex": MARK, "record_id": MARK}),
        codec.dumps({**outcome, "score": MARK, "field_absent_reason": {MARK: "unknown"}}),
        codec.dumps({"kind": MARK}),
        f'{{"kind": "subject", "{MARK}": 1, "{MARK}": 2}}'.encode(),
        f'{{"{MARK}'.encode(),
        f'["{MARK}"]'.encode(),
    ]


def test_errors_and_logs_never_hold_values(
    make_app: Callable[..., Flask], ward: Ward, caplog: pytest.LogCaptureFixture
) -> None:
    client = make_app(targets=ward.target()).test_client()
    answers = []
    with caplog.at_level(logging.DEBUG):
        for body in marked():
            for path in ("/v1/map?fhir=R4", "/v1/unmap?fhir=R4", "/v1/push?target=ward"):
                for accept in ("application/json", "application/fhir+json, application/json;q=0.5"):
                    answers.append(post(client, path, body, Accept=accept))
        said = {"resourceType": "OperationOutcome", "issue": [{"severity": "error", "code": "x", "diagnostics": MARK}]}
        record = {**records.example("subject"), "conditions": []}
        del record["conditions"]
        parents = [records.example(kind) for kind in ("study", "subject", "enrolment")]
        procedure = {**records.example("procedure"), "technique_verbatim": MARK}
        waiting = {**records.example("pain_outcome"), "anchor_procedure_id": MARK}
        for status in (400, 401, 422, 500, 503):
            ward.fault = (status, codec.dumps(said), {"Location": f"http://{MARK}/"})
            answers.append(
                post(
                    client,
                    "/v1/push?target=ward",
                    ndjson([record, *parents, procedure, waiting]),
                    "application/x-ndjson",
                )
            )
        ward.fault = None
        resource = {"resourceType": "Patient", "id": "x", "identifier": MARK, MARK: MARK}
        answers.append(post(client, "/v1/unmap?fhir=R4", [resource, {**resource, "id": f"{MARK} {MARK}"}]))
        answers.append(post(client, f"/v1/map?fhir={MARK}&{MARK}=1", b"{}"))
        answers.append(client.post(f"/v1/pull?target={MARK}&study={MARK}%20"))
        answers.append(client.get(f"/v1/schemas/{MARK}"))
        answers.append(client.get(f"/{MARK}"))
    assert len(answers) > 50
    for answer in answers:
        assert answer.status_code >= 400 or b'"counts"' in answer.data
        text = answer.get_data(as_text=True) + str(answer.headers)
        assert MARK not in text
        assert TOKEN not in text
    assert MARK not in caplog.text
    assert TOKEN not in caplog.text
    assert "/v1/push 400" in caplog.text or "/v1/push 502" in caplog.text


def test_access_log_names_routes_only(client: FlaskClient, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO, "hydrofhir.access"):
        client.get("/v1/schemas/study?who=" + MARK)
        post(client, "/v1/map?fhir=R4", all_kinds())
    lines = [record.getMessage() for record in caplog.records]
    assert "GET /v1/schemas/<kind> 200" in lines[0]
    assert "POST /v1/map 200" in lines[1]


def test_health_says_when_the_store_is_gone(make_app: Callable[..., Flask], tmp_path: Path) -> None:
    app = make_app()
    client = app.test_client()
    well = client.get("/v1/health")
    assert (well.status_code, codec.loads(well.data)["status"]) == (200, "ok")
    app.extensions["hydrofhir"].store.close()
    for file in (tmp_path / "state-0").iterdir():
        file.unlink()
    ill = client.get("/v1/health")
    assert (ill.status_code, codec.loads(ill.data)["store"]) == (503, "unreachable")
    assert str(tmp_path).encode() not in ill.data
