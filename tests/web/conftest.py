"""One service per test, on a store of its own; a FHIR server played at the wire; a real waitress process."""

from __future__ import annotations

import os
import re
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import requests
from flask import Flask, request
from flask import Response as FlaskResponse
from flask.testing import FlaskClient
from pytest_httpserver import HTTPServer
from werkzeug import Request, Response

from adapter import codec, records, settings
from adapter.app import create_app
from adapter.assembly import DEMO_NAMESPACE
from adapter.web.about import API

TOKEN = "token-geheim-4711"
MARK = "Zweigstein-Muster"
"""Stands for a patient's name: no error and no log line may have it."""


@pytest.fixture
def make_app(tmp_path: Path) -> Iterator[Callable[..., Flask]]:
    """Makes services: ``limits`` and ``targets`` as TOML, further parts as create_app takes them."""
    made: list[Flask] = []
    seen: set[tuple[str, str, str, str]] = set()

    def note(response: FlaskResponse) -> FlaskResponse:
        if request.url_rule is not None and response.status_code != 405:
            seen.add((request.url_rule.rule, request.method.lower(), str(response.status_code), response.mimetype))
        return response

    def make(limits: str = "", targets: str = "", **parts: Any) -> Flask:
        file = tmp_path / f"hydrofhir-{len(made)}.toml"
        file.write_text(f"[limits]\n{limits}\n{targets}\n")
        env = {"HYDROFHIR_STATE": str(tmp_path / f"state-{len(made)}"), "HYDROFHIR_NAMESPACE": str(DEMO_NAMESPACE)}
        app = create_app(settings.load(env, file), **parts)
        app.after_request(note)
        made.append(app)
        return app

    yield make
    if made:  # whatever a test got was described
        spec = made[0].extensions[API].spec.to_dict()
        for rule, method, status, media in seen:
            found = spec["paths"][rule.replace("<kind>", "{kind}")][method]["responses"][status]
            if "$ref" in found:
                found = spec["components"]["responses"][found["$ref"].rpartition("/")[2]]
            assert media in found["content"], (rule, method, status, media)
    for app in made:
        app.extensions["hydrofhir"].store.close()


@pytest.fixture
def client(make_app: Callable[..., Flask]) -> FlaskClient:
    return make_app().test_client()


def post(client: FlaskClient, path: str, value: Any, media: str = "application/json", **headers: str) -> Any:
    """POST a value, written with exact decimals, or bytes as they are."""
    body = value if isinstance(value, bytes) else codec.dumps(value)
    return client.post(
        path, data=body, content_type=media, headers={k.replace("_", "-"): v for k, v in headers.items()}
    )


def ndjson(values: list[Any]) -> bytes:
    return b"".join(codec.dumps(value) + b"\n" for value in values)


def all_kinds() -> list[dict[str, Any]]:
    return [records.example(kind) for kind in records.KINDS]


class Ward:
    """A FHIR server as far as pushes and pulls need one. ``fault`` makes it answer everything so, ``busy`` makes it
    refuse transactions for now, ``hidden`` is what it counts beyond what it gives."""

    def __init__(self, server: HTTPServer) -> None:
        self.base = server.url_for("/fhir")
        self.resources: dict[str, dict[str, Any]] = {}
        self.fault: tuple[int, bytes, dict[str, str]] | None = None
        self.busy = False
        self.hidden = 0
        self.tokens: set[str | None] = set()
        self.port = server.port
        server.expect_request(re.compile("^/fhir")).respond_with_handler(self._serve)

    def target(self, name: str = "ward", more: str = "") -> str:
        return (
            f'[targets.{name}]\nbase_url = "{self.base}"\nfhir = "R4"\nauth = "bearer"\n'
            f'token_env = "WARD_TOKEN"\nmax_retries = 0\n{more}\n'
        )

    def _serve(self, request: Request) -> Response:
        self.tokens.add(request.headers.get("Authorization"))
        if self.busy and request.path == "/fhir":
            return Response(b"", 503)
        if self.fault is not None:
            status, body, headers = self.fault
            return Response(body, status, headers, content_type="application/fhir+json")
        place = request.path.removeprefix("/fhir").strip("/")
        if place == "metadata":
            found: dict[str, Any] = {"resourceType": "CapabilityStatement", "fhirVersion": "4.0.1"}
        elif place == "":
            found = self._transaction(codec.loads_wire(request.get_data()))
        else:
            kind = place.partition("/")[0]
            entry = [{"resource": r} for name, r in self.resources.items() if name.startswith(f"{kind}/")]
            found = {"resourceType": "Bundle", "type": "searchset", "total": len(entry) + self.hidden, "entry": entry}
        return Response(codec.dumps(found), content_type="application/fhir+json")

    def _transaction(self, bundle: dict[str, Any]) -> dict[str, Any]:
        done = []
        for entry in bundle["entry"]:
            self.resources[entry["request"]["url"]] = entry["resource"]
            done.append({"response": {"status": "201", "location": f"{entry['request']['url']}/_history/1"}})
        return {"resourceType": "Bundle", "type": "transaction-response", "entry": done}


@pytest.fixture
def ward(httpserver: HTTPServer, monkeypatch: pytest.MonkeyPatch) -> Ward:
    monkeypatch.setenv("WARD_TOKEN", TOKEN)
    return Ward(httpserver)


@dataclass
class Service:
    """A waitress process of our own on loopback; its output is its log."""

    base: str
    log: Path

    def post(self, path: str, body: Any, media: str = "application/json", **more: Any) -> requests.Response:
        headers = {"Content-Type": media, **more.pop("headers", {})}
        return requests.post(self.base + path, data=body, headers=headers, timeout=30, **more)


@pytest.fixture(scope="session")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    home = tmp_path_factory.mktemp("service")
    config = home / "hydrofhir.toml"
    config.write_text(
        f'namespace = "{DEMO_NAMESPACE}"\n[limits]\nbody_bytes = 200000\nbatch_records = 20\n'
        f'[targets.outbox]\nfolder = "{home / "outbox"}"\nfhir = "R4"\n'
    )
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    env = {**os.environ, "HYDROFHIR_CONFIG": str(config), "HYDROFHIR_STATE": str(home / "state"), "PORT": str(port)}
    command = [
        sys.executable,
        "-m",
        "waitress",
        "--host=127.0.0.1",
        f"--port={port}",
        "--call",
        "adapter.app:create_app",
    ]
    log = home / "service.log"
    with log.open("wb") as stream:
        process = subprocess.Popen(command, env=env, stdout=stream, stderr=stream, cwd=home)
    try:
        base = f"http://127.0.0.1:{port}"
        for _ in range(200):
            assert process.poll() is None, log.read_text()
            try:
                if requests.get(f"{base}/v1/health", timeout=5).status_code == 200:
                    break
            except requests.ConnectionError:
                time.sleep(0.1)
        yield Service(base, log)
    finally:
        process.terminate()
        process.wait(20)
