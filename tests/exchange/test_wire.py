"""Each row of the retry table, on the wire."""

import json
import logging
import socket
import threading
from dataclasses import replace

import pytest
from werkzeug import Response

from adapter.errors import (
    ConfigError,
    TargetAuth,
    TargetRefused,
    TargetUnavailable,
    UnsafeLink,
    VersionMismatch,
)
from adapter.exchange import FhirClient
from adapter.exchange.retry import TABLE, Fault, pause, retry_after, rule_for
from adapter.settings import Secret

from .conftest import CAPABILITY, answer, outcome

BUNDLE = json.dumps(
    {
        "resourceType": "Bundle",
        "type": "transaction",
        "entry": [{"resource": {"resourceType": "Patient"}, "request": {"method": "PUT", "url": "Patient/a"}}],
    }
).encode()


@pytest.fixture
def client(target, clock, hapi):
    made = FhirClient(target, timing=clock.timing())
    yield made
    made.close()


@pytest.mark.parametrize("status", [408, 409, 429, 500, 502, 503, 504])
def test_passing_trouble_is_waited_out(client, clock, hapi, status):
    hapi.faults.append(answer(outcome("HAPI-0550"), status))
    [result] = client.transaction(BUNDLE, 1)
    assert result.outcome_code == "SUCCESSFUL_UPDATE_AS_CREATE"
    assert clock.slept == [0.5]


@pytest.mark.parametrize("asked", ["7", "Fri, 15 Jan 2027 08:00:07 GMT"])
def test_retry_after_is_obeyed_as_seconds_and_as_date(client, clock, hapi, asked):
    assert clock.time == 1_800_000_000  # = Fri, 15 Jan 2027 08:00:00 GMT
    hapi.faults.append(answer(outcome(""), 429, {"Retry-After": asked}))
    client.transaction(BUNDLE, 1)
    assert sum(clock.slept) == pytest.approx(7)


def test_retry_after_is_clamped_and_capped():
    assert retry_after("Fri, 15 Jan 2027 07:00:00 GMT", 1_800_000_000) == 0.0
    assert retry_after("soon", 0) is None
    assert retry_after(None, 0) is None
    assert pause(1, 86_400.0, 60, 1.0) == 60
    assert [pause(n, None, 60, 1.0) for n in (1, 2, 3, 30)] == [0.5, 1, 2, 60]


def test_waiting_ends_after_max_retries(client, clock, hapi):
    hapi.faults.extend(answer(outcome(""), 503) for _ in range(6))
    with pytest.raises(TargetUnavailable) as caught:
        client.transaction(BUNDLE, 1)
    assert caught.value.status == 503
    assert len(clock.slept) == 5
    assert len([r for r in hapi.requests if r[0] == "POST"]) == 6


@pytest.mark.parametrize("status", [400, 412, 413, 422])
def test_refused_content_is_not_repeated(client, clock, hapi, status):
    hapi.faults.append(answer(outcome("HAPI-0450", "SECRETVALUE"), status))
    with pytest.raises(TargetRefused) as caught:
        client.transaction(BUNDLE, 1)
    assert caught.value.status == status
    assert clock.slept == []
    assert "SECRETVALUE" not in str(caught.value)


def test_404_on_the_base_stops(client, hapi):
    hapi.faults.append(Response("<html>nothing here</html>", status=404))
    with pytest.raises(ConfigError, match="nothing FHIR"):
        client.transaction(BUNDLE, 1)


def test_404_for_a_conditional_reference_without_match_is_the_records_trouble(client, hapi):
    hapi.faults.append(answer(outcome("HAPI-1091"), 404))
    found = client.post_bundle(BUNDLE, 1)
    assert isinstance(found, Fault)
    assert found.missing_target


@pytest.mark.parametrize("status", [401, 403])
def test_a_refused_secret_is_read_again_once(target, clock, hapi, tmp_path, status):
    place = tmp_path / "token"
    place.write_text("old-token")
    client = FhirClient(replace(target, auth="bearer", secret=Secret(file=place)), timing=clock.timing())

    def rotate(*_):
        place.write_text("new-token")
        return Response("who?", status=status)

    hapi.faults.append(rotate)
    client.transaction(BUNDLE, 1)
    assert [r[3].get("Authorization") for r in hapi.requests] == [
        "Bearer old-token",
        "Bearer old-token",
        "Bearer new-token",
    ]
    hapi.faults.extend(Response("no", status=status) for _ in range(2))
    with pytest.raises(TargetAuth) as caught:
        client.transaction(BUNDLE, 1)
    assert caught.value.status == status
    client.close()


def test_without_a_secret_401_stops_at_once(client, hapi):
    hapi.faults.append(Response(status=401))
    with pytest.raises(TargetAuth):
        client.transaction(BUNDLE, 1)
    assert len([r for r in hapi.requests if r[0] == "POST"]) == 1


@pytest.mark.parametrize(
    "cut",
    [
        b'{"resourceType": "Bundle", "type": "transaction-resp',
        b"<html>ok</html>",
        b'{"resourceType": "Bundle", "type": "transaction-response", "entry": []}',
    ],
)
def test_unknown_outcome_is_sent_again_and_changes_nothing(client, hapi, cut):
    def after_writing(server, request, body):
        server.transaction(json.loads(body))
        return answer(cut)

    hapi.faults.append(after_writing)
    [result] = client.transaction(BUNDLE, 1)
    assert result.outcome_code == "SUCCESSFUL_UPDATE_NO_CHANGE"
    assert result.version == "1"


def test_an_answer_that_stays_short_is_isolated(client, hapi):
    short = {"resourceType": "Bundle", "type": "transaction-response", "entry": []}
    hapi.faults.extend(answer(short) for _ in range(3))
    found = client.post_bundle(BUNDLE, 1)
    assert isinstance(found, Fault)
    assert (found.kind, found.action.value) == ("short_answer", "isolate")


@pytest.fixture
def raw_server():
    """Plain sockets: serves each connection with the next script entry (bytes to send, then close)."""
    listener = socket.create_server(("127.0.0.1", 0))
    script: list[bytes] = []

    def serve():
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            with connection:
                connection.settimeout(2)
                connection.recv(1 << 16)
                if script:
                    connection.sendall(script.pop(0))

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{listener.getsockname()[1]}/fhir", script
    listener.shutdown(socket.SHUT_RDWR)
    listener.close()
    thread.join(5)


def _http(body: dict, length: int | None = None) -> bytes:
    data = json.dumps(body).encode()
    head = f"HTTP/1.1 200 OK\r\nContent-Length: {length or len(data)}\r\nConnection: close\r\n\r\n"
    return head.encode() + data


def test_connection_lost_after_the_write_is_repeated(target, clock, raw_server):
    base, script = raw_server
    response = {"resourceType": "Bundle", "type": "transaction-response"}
    good = {**response, "entry": [{"response": {"status": "200 OK"}}]}
    script += [_http(CAPABILITY), b"", _http(good, 5_000), _http(good)]  # nothing; cut off; whole
    client = FhirClient(replace(target, base_url=base), timing=clock.timing())
    assert client.transaction(BUNDLE, 1)[0].status == 200
    assert len(clock.slept) == 2
    client.close()


def test_no_connection_is_retry_and_names_no_address(target, clock):
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    client = FhirClient(replace(target, base_url=f"http://127.0.0.1:{port}/fhir"), timing=clock.timing())
    with pytest.raises(TargetUnavailable, match="connect") as caught:
        client.metadata()
    assert str(port) not in str(caught.value)
    assert caught.value.__cause__ is None
    client.close()


def test_a_slow_server_is_a_timeout(target, clock, httpserver):
    release = threading.Event()

    def slow(_):
        release.wait(3)
        return answer(CAPABILITY)

    httpserver.expect_request("/fhir/metadata").respond_with_handler(slow)
    client = FhirClient(replace(target, read_timeout=0.1, max_retries=0), timing=clock.timing())
    with pytest.raises(TargetUnavailable, match="timeout"):
        client.metadata()
    release.set()
    client.close()


def test_redirect_to_another_host_is_not_followed_and_the_secret_stays(target, clock, hapi, httpserver):
    secret = Secret(env="HF_TEST_TOKEN")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HF_TEST_TOKEN", "MARKED")
        client = FhirClient(replace(target, auth="bearer", secret=secret), timing=clock.timing())
        client.metadata()
        hapi.faults.append(Response(status=307, headers={"Location": "http://evil.example/fhir"}))
        with pytest.raises(UnsafeLink) as caught:
            client.transaction(BUNDLE, 1)
        assert "evil" not in str(caught.value)
        hapi.faults.append(Response(status=301, headers={"Location": httpserver.url_for("/fhir/x")}))
        with pytest.raises(ConfigError, match="redirect"):
            client.transaction(BUNDLE, 1)
        client.close()


@pytest.mark.parametrize("version", ["5.0.0", "4.3.0", ""])
def test_another_fhir_version_is_refused(target, clock, httpserver, version):
    statement = {**CAPABILITY, "fhirVersion": version}
    httpserver.expect_request("/fhir/metadata").respond_with_json(statement)
    client = FhirClient(target, timing=clock.timing())
    with pytest.raises(VersionMismatch):
        client.transaction(BUNDLE, 1)
    client.close()


def test_headers_and_gzip(target, clock, hapi):
    import gzip

    client = FhirClient(replace(target, gzip=True), timing=clock.timing())
    hapi.faults.append(lambda server, request, body: server.transaction(json.loads(gzip.decompress(body))))
    client.transaction(BUNDLE, 1)
    headers = hapi.requests[-1][3]
    assert headers["Content-Type"] == headers["Accept"] == "application/fhir+json; fhirVersion=4.0"
    assert headers["Content-Encoding"] == "gzip"
    assert headers["Cache-Control"] == "no-cache"
    assert headers["Accept-Encoding"] == "gzip"
    client.close()


def test_an_endless_answer_is_cut(client, hapi, monkeypatch):
    monkeypatch.setattr("adapter.exchange.wire.MAX_ANSWER", 1000)
    client.metadata()
    hapi.faults.append(answer(b" " * 100_000))
    with pytest.raises(ConfigError, match="size limit"):
        client.transaction(BUNDLE, 1)


def test_pace_keeps_requests_apart(target, clock, hapi):
    client = FhirClient(replace(target, pace=2.0), timing=clock.timing())
    for _ in range(3):
        client.transaction(BUNDLE, 1)
    assert sum(clock.slept) == pytest.approx(6)  # metadata and three transactions
    client.close()


def test_no_secret_and_no_data_in_logs_or_errors(target, clock, hapi, caplog, monkeypatch):
    monkeypatch.setenv("HF_TEST_PASSWORD", "MARKEDPASSWORD")
    caplog.set_level(logging.DEBUG)
    own = replace(target, auth="basic", user="MARKEDUSER", secret=Secret(env="HF_TEST_PASSWORD"))
    client = FhirClient(own, timing=clock.timing())
    marked = BUNDLE.replace(b'"Patient"}', b'"Patient", "name": "MARKEDNAME"}')
    said = [repr(own), repr(own.secret)]
    for fault in (
        answer(outcome("HAPI-0450", "MARKEDNAME is not good"), 400),
        answer("MARKEDNAME", 422),
        answer(outcome("HAPI-0450", "MARKEDNAME"), 418),
    ):
        hapi.faults.append(fault)
        with pytest.raises((TargetRefused, ConfigError)) as caught:
            client.transaction(marked, 1)
        said.append(repr(caught.value) + str(caught.value))
    hapi.faults.append(answer(outcome("", "MARKEDNAME"), 404))
    with pytest.raises(ConfigError) as stopped:
        list(client.search_pages("Patient", {"identifier": "s|MARKEDNAME"}))
    said.append(str(stopped.value))
    said += [one.getMessage() for one in caplog.records if one.name != "werkzeug"]
    assert "MARKED" not in "\n".join(said)
    assert not any("MARKED" in request[1] for request in hapi.requests)
    client.close()


def test_a_token_no_header_can_carry_is_named_not_shown(target, clock, hapi, monkeypatch):
    monkeypatch.setenv("HF_TEST_TOKEN", "MARKED\nX-Evil: 1")
    client = FhirClient(replace(target, auth="bearer", secret=Secret(env="HF_TEST_TOKEN")), timing=clock.timing())
    with pytest.raises(ConfigError) as caught:
        client.metadata()
    assert "MARKED" not in str(caught.value)
    client.close()


def test_every_row_of_the_table_says_why():
    assert all(rule.reason and (rule.action.value != "retry" or rule.then.value != "retry") for rule in TABLE.values())
    assert rule_for(599) is TABLE[503]
    assert rule_for(418).action.value == "stop"
    assert rule_for(404, frozenset({"HAPI-1091"})) is TABLE[400]
