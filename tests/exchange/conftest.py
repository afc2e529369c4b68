"""A small server that behaves like HAPI where it matters here, with faults that a test puts in front of it."""

import json
import re
import threading
from collections import deque
from dataclasses import replace

import pytest
from pytest_httpserver import HTTPServer
from werkzeug import Request, Response

from adapter.exchange import Parcel, Timing
from adapter.settings import Target

CAPABILITY = {
    "resourceType": "CapabilityStatement",
    "fhirVersion": "4.0.1",
    "software": {"name": "HAPI FHIR Server", "version": "8.8.0"},
    "format": ["application/fhir+json", "json"],
    "rest": [
        {
            "mode": "server",
            "interaction": [{"code": "transaction"}],
            "resource": [
                {
                    "type": "Patient",
                    "interaction": [{"code": c} for c in ("read", "create", "update", "search-type")],
                    "searchParam": [{"name": "identifier"}],
                }
            ],
        }
    ],
}


def outcome(code: str, text: str = "") -> dict:
    return {
        "resourceType": "OperationOutcome",
        "issue": [{"severity": "error", "code": "processing", "diagnostics": f"{code}: {text}"}],
    }


def answer(body, status: int = 200, headers: dict | None = None) -> Response:
    data = body if isinstance(body, bytes | str) else json.dumps(body)
    return Response(data, status=status, headers=headers, content_type="application/fhir+json")


class MiniHapi:
    """Transactions of PUT and DELETE with whole rollback, references checked, bad entries never named."""

    def __init__(self) -> None:
        self.stored: dict[str, tuple[int, dict]] = {}
        self.faults: deque = deque()
        self.requests: list[tuple[str, str, bytes, dict]] = []
        self.bundles: list[list[str]] = []
        self.flying: list[set[str]] = []
        self.overlaps = 0
        self.most_at_once = 0
        self.bad: dict[str, int] = {}
        self.largest = 10_000
        self.pages: dict[str, dict] = {}
        self.lock = threading.Lock()

    def __call__(self, request: Request) -> Response:
        body = request.get_data()
        with self.lock:
            seen = (request.method, request.full_path, body, dict(request.headers))
            self.requests.append(seen)
            fault = None
            if self.faults and not request.path.endswith("/metadata"):
                fault = self.faults.popleft()
        if fault is not None:
            made = fault if isinstance(fault, Response) else fault(self, request, body)
            if made is not None:
                return made
        if request.path.endswith("/metadata"):
            return answer(CAPABILITY)
        if request.method == "POST" and request.path == "/fhir":
            return self.transaction(json.loads(body))
        if request.method == "GET" and request.path in self.pages:
            return answer(self.pages[request.path])
        found = re.fullmatch(r"/fhir/(\w+/[\w.-]+)", request.path)
        if found and request.method == "GET":
            kept = self.stored.get(found[1])
            return answer(kept[1]) if kept else answer(outcome("HAPI-2001"), 404)
        if found and request.method == "DELETE":
            return answer({}, 200 if self.stored.pop(found[1], None) else 404)
        return answer(outcome("HAPI-0302"), 404)

    def transaction(self, bundle: dict) -> Response:
        entries = bundle["entry"]
        urls = [entry["request"]["url"] for entry in entries]
        subjects = {e["resource"]["subject"] for e in entries if "subject" in e.get("resource", {})}
        with self.lock:
            self.overlaps += any(not subjects.isdisjoint(other) for other in self.flying)
            self.flying.append(subjects)
            self.most_at_once = max(self.most_at_once, len(self.flying))
        try:
            threading.Event().wait(0.002)
            with self.lock:
                return self._apply(entries, urls)
        finally:
            with self.lock:
                self.flying.remove(subjects)

    def _apply(self, entries: list[dict], urls: list[str]) -> Response:
        if len(entries) > self.largest:
            return Response("<html>too big</html>", status=413)
        for url in urls:
            if url in self.bad:
                return answer(outcome("HAPI-0450", "value SECRETVALUE is bad"), self.bad[url])
        for entry in entries:
            for wanted in entry.get("resource", {}).get("refs", ()):
                if wanted not in self.stored and wanted not in urls:
                    return answer(outcome("HAPI-1094", f"Resource {wanted} not found"), 400)
        results = []
        self.bundles.append(urls)
        for entry, url in zip(entries, urls, strict=True):
            if entry["request"]["method"] == "DELETE":
                self.stored.pop(url, None)
                results.append({"response": {"status": "204 No Content"}})
                continue
            old = self.stored.get(url)
            same = old is not None and old[1] == entry["resource"]
            version = old[0] if same else (old[0] + 1 if old else 1)
            self.stored[url] = (version, entry["resource"])
            done = "NO_CHANGE" if same else ("UPDATE" if old else "UPDATE_AS_CREATE")
            code = "SUCCESSFUL_UPDATE_NO_CHANGE" if same else f"SUCCESSFUL_{done}"
            results.append(
                {
                    "response": {
                        "status": "200 OK" if old else "201 Created",
                        "location": f"{url}/_history/{version}",
                        "etag": str(version),
                        "outcome": {
                            "resourceType": "OperationOutcome",
                            "issue": [{"severity": "information", "details": {"coding": [{"code": code}]}}],
                        },
                    }
                }
            )
        return answer({"resourceType": "Bundle", "type": "transaction-response", "entry": results})


class Clock:
    """Time that passes by sleeping only."""

    def __init__(self) -> None:
        self.time, self.slept = 1_800_000_000.0, []
        self.lock = threading.Lock()

    def sleep(self, seconds: float) -> None:
        with self.lock:
            self.slept.append(seconds)
            self.time += seconds

    def timing(self) -> Timing:
        return Timing(self.sleep, lambda: self.time, lambda: self.time, lambda: 1.0)


@pytest.fixture(scope="session")
def make_httpserver(httpserver_listen_address, httpserver_ssl_context):
    host, port = httpserver_listen_address
    server = HTTPServer(host=host or "localhost", port=port or 0, ssl_context=httpserver_ssl_context, threaded=True)
    server.start()
    yield server
    server.clear()
    server.stop()


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def hapi(httpserver: HTTPServer) -> MiniHapi:
    server = MiniHapi()
    httpserver.expect_request(re.compile("/.*")).respond_with_handler(server)
    return server


@pytest.fixture
def target(httpserver: HTTPServer) -> Target:
    return Target(name="ward", fhir="R4", base_url=httpserver.url_for("/fhir"), read_timeout=5)


def parcel(
    key: str, subject: str = "", *, parts: int = 1, refs: tuple[str, ...] = (), body: str = "", **more
) -> Parcel:
    made = []
    for number in range(parts):
        name = f"{key}-{number}"
        resource = {"resourceType": "Observation", "id": name, "text": body}
        if subject:
            resource["subject"] = subject
        if refs:
            resource["refs"] = list(refs)
        made.append(("Observation", name, json.dumps(resource).encode()))
    fresh = Parcel("pain_outcome", key, subject, tuple(made), f"hash-{key}-{body}", record_id=f"rec-{key}")
    return replace(fresh, **more)
