"""The real server on loopback, started as the Procfile does."""

from __future__ import annotations

import gzip
import http.client
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

from adapter import codec, records

from .conftest import MARK, Service, all_kinds, ndjson


def test_lines_in_chunks_of_unknown_length(service: Service) -> None:
    def chunks() -> Iterator[bytes]:
        body = ndjson(all_kinds())
        for start in range(0, len(body), 700):
            yield body[start : start + 700]

    found = service.post(
        "/v1/map?fhir=R5", chunks(), "application/x-ndjson", headers={"Accept": "application/x-ndjson"}
    )
    assert (found.status_code, found.headers["Content-Type"]) == (200, "application/x-ndjson")
    back = service.post("/v1/unmap?fhir=R5", found.content, "application/x-ndjson")
    assert codec.loads(back.content) == {"records": all_kinds(), "refused": []}


def test_bodies_above_the_limit(service: Service) -> None:
    for body in (b" " * 200_001, iter([b" " * 150_000, b" " * 150_000])):
        found = service.post("/v1/map?fhir=R4", body)
        assert (found.status_code, found.headers["Content-Type"]) == (413, "application/problem+json")
        assert "hydrofhir map" in found.json()["detail"]
    found = service.post("/v1/map?fhir=R4", ndjson(all_kinds() * 5), "application/x-ndjson")
    assert found.status_code == 413


def test_bad_bodies(service: Service) -> None:
    for body in (b"{", b'{"kind":"subject","kind":"subject"}', b'{"kind":"pain_outcome","score":NaN}', b"\x00", b""):
        assert service.post("/v1/map?fhir=R4", body).status_code == 422
    assert service.post("/v1/map?fhir=R4", gzip.compress(b"{}")).status_code == 415


def test_threads_share_the_service(service: Service) -> None:
    bodies = [codec.dumps(record) for record in all_kinds()] * 4
    with ThreadPoolExecutor(6) as pool:
        answers = list(pool.map(lambda body: service.post("/v1/map?fhir=R4", body), bodies))
    assert {answer.status_code for answer in answers} == {200}
    kinds = len(all_kinds())
    assert [a.content for a in answers[:kinds]] == [a.content for a in answers[kinds : 2 * kinds]]


def test_push_and_pull_through_a_folder(service: Service) -> None:
    body = codec.dumps(all_kinds())
    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(lambda _: service.post("/v1/push?target=outbox", body).status_code, range(9)))
    assert set(answers) <= {200, 409}
    assert service.post("/v1/push?target=outbox", codec.dumps(all_kinds())).status_code == 200
    pulled = codec.loads(service.post("/v1/pull?target=outbox", b"").content)
    assert sorted(r["record_id"] for r in pulled["records"]) == sorted(r["record_id"] for r in all_kinds())


def test_log_holds_no_values(service: Service) -> None:
    marked = {**records.example("subject"), "subject_id": MARK, MARK: MARK}
    for body in (codec.dumps(marked), f'{{"{MARK}'.encode()):
        assert MARK not in service.post(f"/v1/map?fhir=R4&{MARK}={MARK}", body).text
        assert MARK not in service.post("/v1/map?fhir=R4", body).text
        assert MARK not in service.post("/v1/push?target=outbox", body, headers={"X-Request-ID": f"{MARK}!"}).text
    host, port = service.base.removeprefix("http://").split(":")
    connection = http.client.HTTPConnection(host, int(port), timeout=20)
    connection.request("POST", f"/{MARK}", body=MARK.encode(), headers={"Content-Type": MARK})
    assert connection.getresponse().status == 404
    connection.close()
    log = service.log.read_text()
    assert MARK not in log
    assert "Traceback" not in log
    assert "POST /v1/push 422" in log
