"""push and pull: journeys through the store, to a folder and to a server played at the wire."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from adapter import codec, records
from adapter.errors import TargetUnavailable
from adapter.settings import Target

from .conftest import TOKEN, Ward, all_kinds, post

KINDS = len(records.KINDS)


@pytest.fixture
def app(make_app: Callable[..., Flask], tmp_path: Path, ward: Ward) -> Flask:
    outbox = f'[targets.outbox]\nfolder = "{tmp_path / "outbox"}"\nfhir = "R5"\n'
    return make_app(f"batch_records = {KINDS + 1}", ward.target() + outbox)


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    return app.test_client()


@pytest.mark.parametrize("target", ["ward", "outbox"])
def test_push_then_pull_brings_the_same_records(client: FlaskClient, ward: Ward, target: str) -> None:
    pushed = post(client, f"/v1/push?target={target}", all_kinds())
    assert pushed.status_code == 200, pushed.data
    counts = codec.loads(pushed.data)["counts"]
    assert (counts["read"], counts["new"], counts["sent"]) == (KINDS, KINDS, KINDS + counts["derived_new"])
    again = codec.loads(post(client, f"/v1/push?target={target}", all_kinds()).data)["counts"]
    assert again == {"read": KINDS, "unchanged": KINDS}
    pulled = client.post(f"/v1/pull?target={target}")
    assert pulled.status_code == 200, pulled.data
    found = codec.loads(pulled.data)
    assert "unfinished" not in found["report"]
    assert found["report"]["counts"]["derived_left_out"] == counts["derived_new"] > KINDS
    order = {record["record_id"]: record for record in found["records"]}
    assert [order[record["record_id"]] for record in all_kinds()] == all_kinds()
    assert len(order) == KINDS
    if target == "ward":
        assert ward.tokens == {f"Bearer {TOKEN}"}


def test_push_leaves_the_rest_of_the_store_alone(app: Flask, client: FlaskClient, ward: Ward) -> None:
    assert post(client, "/v1/push?target=outbox", records.example("study")).status_code == 200
    assert post(client, "/v1/push?target=ward", records.example("subject")).status_code == 200
    assert {name.partition("/")[0] for name in ward.resources}.isdisjoint({"ResearchStudy"})


def test_push_to_a_hospital_leaves_its_patients_alone(make_app: Callable[..., Flask], ward: Ward) -> None:
    client = make_app(targets=ward.target(more='patient = "hospital"')).test_client()
    assert post(client, "/v1/push?target=ward", all_kinds()).status_code == 200
    assert ward.resources
    assert not [name for name in ward.resources if name.startswith("Patient/")]


def test_push_reports_refused_records(client: FlaskClient) -> None:
    bad = {**records.example("pain_outcome"), "score": 99}
    found = post(client, "/v1/push?target=ward", [records.example("subject"), bad])
    assert found.status_code == 200
    report = codec.loads(found.data)
    assert (report["counts"]["sent"], report["counts"]["refused"]) == (1 + report["counts"]["derived_new"], 1)
    assert report["issues"][0]["field"] == "score"
    found = post(client, "/v1/push?target=ward", bad)
    assert found.status_code == 422
    assert codec.loads(found.data)["issues"][0]["field"] == "score"


def test_pull_is_bounded(make_app: Callable[..., Flask], tmp_path: Path) -> None:
    outbox = f'[targets.outbox]\nfolder = "{tmp_path / "outbox"}"\nfhir = "R4"\nbundle_entries = 1\n'
    client = make_app("batch_records = 2", outbox).test_client()
    for record in all_kinds():
        assert post(client, "/v1/push?target=outbox", record).status_code == 200
    found = codec.loads(client.post("/v1/pull?target=outbox").data)
    assert len(found["records"]) == 2
    assert "hydrofhir pull" in found["report"]["unfinished"]
    found = codec.loads(client.post("/v1/pull?target=outbox&limit=1").data)
    assert len(found["records"]) == 1
    assert client.post("/v1/pull?target=outbox&limit=0").status_code == 400


def test_a_cut_pull_does_not_move_the_cursor(app: Flask, client: FlaskClient, ward: Ward) -> None:
    assert post(client, "/v1/push?target=ward", all_kinds()).status_code == 200
    for resource in ward.resources.values():
        resource["meta"] = {**resource.get("meta", {}), "lastUpdated": "2026-03-01T00:00:00.000Z"}
    store = app.extensions["hydrofhir"].store
    assert "unfinished" in codec.loads(client.post("/v1/pull?target=ward&limit=1").data)["report"]
    assert store.cursor(ward.base) is None
    assert "unfinished" not in codec.loads(client.post("/v1/pull?target=ward").data)["report"]
    assert store.cursor(ward.base) is not None
    assert client.post("/v1/pull?target=ward&since=last").status_code == 200


def test_a_pull_that_lacks_something_says_so(app: Flask, client: FlaskClient, ward: Ward) -> None:
    ward.hidden = 1
    found = codec.loads(client.post("/v1/pull?target=ward").data)
    assert "pull again" in found["report"]["unfinished"]
    assert app.extensions["hydrofhir"].store.cursor(ward.base) is None


@pytest.mark.parametrize(
    "query",
    ["", "?target=", "?target=nobody", "?target=http://127.0.0.1:1/fhir", "?target=/tmp", "?target=.", "?target=../x"],
)
@pytest.mark.parametrize("journey", ["push", "pull"])
def test_only_names_of_configured_targets(client: FlaskClient, ward: Ward, journey: str, query: str) -> None:
    found = post(client, f"/v1/{journey}{query}", records.example("subject"))
    assert found.status_code == (404 if query else 400)
    assert not ward.tokens
    name = query.partition("=")[2]
    assert len(name) < 2 or name.encode() not in found.data


def test_address_of_a_configured_target_is_no_name(client: FlaskClient, ward: Ward) -> None:
    assert post(client, f"/v1/push?target={ward.base}", records.example("subject")).status_code == 404
    assert not ward.resources


@pytest.mark.parametrize("since", ["yesterday", "2026-02-16", "2026-02-16T09:00:00", ""])
def test_since_is_an_instant(client: FlaskClient, since: str) -> None:
    found = client.post(f"/v1/pull?target=ward&since={since}")
    assert found.status_code == 400
    assert codec.loads(found.data)["issues"][0]["field"] == "since"


def test_since_with_a_time_zone(client: FlaskClient) -> None:
    assert client.post("/v1/pull?target=ward&since=2026-02-16T09:00:00%2B01:00").status_code == 200


@pytest.mark.parametrize(
    ("fault", "status", "slug"),
    [(401, 502, "target"), (403, 502, "target"), (503, 503, "unavailable"), (429, 503, "unavailable"), (404, 400, "")],
)
@pytest.mark.parametrize("journey", ["push", "pull"])
def test_troubles_of_the_target(
    client: FlaskClient, ward: Ward, fault: int, status: int, slug: str, journey: str
) -> None:
    ward.fault = (fault, b"{}", {})
    found = post(client, f"/v1/{journey}?target=ward", records.example("subject"))
    assert (found.status_code, found.content_type) == (status, "application/problem+json")
    problem = codec.loads(found.data)
    assert problem["type"].endswith(f"/{slug or 'configuration'}")
    assert ("Retry-After" in found.headers) == (status == 503)
    if journey == "push":
        assert problem["report"]["counts"]["new"] == 1  # kept all the same
        ward.fault = None
        again = codec.loads(post(client, "/v1/push?target=ward", records.example("subject")).data)
        derived = problem["report"]["counts"]["derived_new"]
        assert (again["counts"]["unchanged"], again["counts"]["sent"]) == (1, 1 + derived)


def test_delivery_that_waits_is_accepted_only(client: FlaskClient, ward: Ward) -> None:
    ward.busy = True
    found = post(client, "/v1/push?target=ward", records.example("subject"))
    assert found.status_code == 202, found.data
    report = codec.loads(found.data)
    assert report["counts"]["waiting"] == 1 + report["counts"]["derived_new"]
    assert report["unfinished"]
    ward.busy = False
    assert post(client, "/v1/push?target=ward", records.example("subject")).status_code == 200
    assert ward.resources


def test_what_lacks_its_subject_waits_for_it(client: FlaskClient, ward: Ward) -> None:
    """Kept apart and answered with 202; once its parents are there, posting it again sends it."""
    score = records.example("pain_outcome")
    found = post(client, "/v1/push?target=ward", score)
    assert found.status_code == 202, found.data
    report = codec.loads(found.data)
    assert report["counts"] == {"read": 1, "waiting": 1, "issues": 1}
    assert [issue["rule"] for issue in report["issues"]] == ["V11.subject"]
    assert not ward.resources
    parents = [records.example(kind) for kind in ("study", "subject", "enrolment", "procedure")]
    assert post(client, "/v1/push?target=ward", parents).status_code == 200
    assert not cited(ward), "what follows from a score goes when the score has gone"
    assert codec.loads(post(client, "/v1/push?target=ward", score).data)["counts"]["sent"] > 1
    assert cited(ward) <= ward.resources.keys()


def cited(ward: Ward) -> set[str]:
    """What the Observations of the server were derived from."""
    return {
        each["reference"]
        for one in ward.resources.values()
        for each in one.get("derivedFrom", ())
        if "formula" in str(one)
    }


class Slow:
    """A partner that waits until it is told to go on."""

    def __init__(self) -> None:
        self.started, self.go = threading.Event(), threading.Event()
        self.stopped = False

    def __call__(self, target: Target) -> Slow:
        self.target = target
        return self

    def send(self, parcels: Any, before: Any = None) -> Iterator[list[Any]]:
        self.started.set()
        assert self.go.wait(20)
        raise TargetUnavailable("no more today", after=7)
        yield []

    def close(self) -> None:
        pass


def test_one_push_per_target_at_a_time(make_app: Callable[..., Flask], tmp_path: Path) -> None:
    slow = Slow()
    one = f'[targets.one]\nfolder = "{tmp_path / "one"}"\nfhir = "R4"\n'
    same = f'[targets.same]\nfolder = "{tmp_path / "one"}"\nfhir = "R4"\n'
    app = make_app(targets=one + same, connect=slow)
    first: list[Any] = []
    thread = threading.Thread(
        target=lambda: first.append(post(app.test_client(), "/v1/push?target=one", records.example("subject")))
    )
    thread.start()
    try:
        assert slow.started.wait(20)
        for name in ("one", "same"):
            second = post(app.test_client(), f"/v1/push?target={name}", records.example("study"))
            assert second.status_code == 409
            assert codec.loads(second.data)["type"].endswith("/already-running")
            assert int(second.headers["Retry-After"]) > 0
    finally:
        slow.go.set()
        thread.join(20)
    assert (first[0].status_code, first[0].headers["Retry-After"]) == (503, "7")
    third = post(app.test_client(), "/v1/push?target=one", records.example("subject"))
    assert third.status_code == 503  # the lock is free again
