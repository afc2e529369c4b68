"""`doctor` tells what is there and what is wrong, and never a secret; `sandbox` tells what runs."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from pytest_httpserver import HTTPServer

from tests.cli.conftest import Corpus, Run

MARK = "s3cr3t-4-nobody"


def test_a_healthy_installation(run: Run, corpus: Corpus) -> None:
    run("push", corpus.path, "--to", "./outbox", "--fhir", "R4")
    found = run("doctor")
    assert found.exit_code == 0
    for word in ("version:", "python:", "namespace:", "digest:", "proof: holds", "Java", "hapi-r4"):
        assert word in found.stdout
    told = json.loads(run("doctor", "./outbox", "--fhir", "R4", "--json").stdout)["found"]
    kept = told["store"]["records"]
    assert sum(kept.values()) - kept["derived_measure"] == len(corpus.lines) < kept["derived_measure"]
    assert told["target"]["fhirVersion"] == "4.0.1"
    assert sum(told["target"]["counts"].values()) > len(corpus.lines)


def test_secrets_are_never_shown(run: Run, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WARD_TOKEN", MARK)
    monkeypatch.setenv("WARD_PROXY", f"http://me:{MARK}@127.0.0.1:9")
    monkeypatch.setenv("HYDROFHIR_STORE", f"postgresql+psycopg://me:{MARK}@127.0.0.1:9/records?password={MARK}")
    (home / "hydrofhir.toml").write_text(
        '[targets.ward]\nbase_url = "http://127.0.0.1:9/fhir"\nfhir = "R4"\nauth = "bearer"\n'
        'token_env = "WARD_TOKEN"\nproxy_env = "WARD_PROXY"\n'
    )
    for options in ([], ["--json"], ["--debug"]):
        found = run("doctor", "ward", *options)
        assert found.exit_code != 0
        assert MARK not in found.output
        assert "ward" in found.stdout


def test_a_wrong_setting_is_a_finding(run: Run, home: Path) -> None:
    (home / "hydrofhir.toml").write_text('colour = "red"\n')
    found = run("doctor", "--json")
    assert found.exit_code == 2
    told = json.loads(found.stdout)
    assert "colour" in told["found"]["settings"]["problem"]
    assert "sandbox" in told["found"]


def test_what_a_server_can_do(run: Run, httpserver: HTTPServer) -> None:
    resource = {
        "type": "Patient",
        "interaction": [{"code": "read"}, {"code": "search-type"}],
        "searchParam": [{"name": "identifier"}],
    }
    statement = {
        "resourceType": "CapabilityStatement",
        "fhirVersion": "4.0.1",
        "software": {"name": "Some Server", "version": "7"},
        "rest": [{"mode": "server", "interaction": [{"code": "transaction"}], "resource": [resource]}],
    }
    httpserver.expect_request("/fhir/metadata").respond_with_json(statement)
    found = run("doctor", httpserver.url_for("/fhir"), "--fhir", "R4")
    assert found.exit_code == 0
    assert "Some Server 7" in found.stdout
    assert "Patient: no update" in found.stdout
    assert "Procedure: the server does not know this resource type" in found.stdout
    assert "transactions of PUT" in found.stdout


def test_a_server_that_is_away_is_a_finding(run: Run) -> None:
    found = run("doctor", "http://127.0.0.1:9/fhir", "--fhir", "R4")
    assert found.exit_code == 3
    assert "problem: " in found.stdout
    assert "proof: holds" in found.stdout


def test_no_sandbox_runs_here(run: Run) -> None:
    found = run("sandbox", "status", "--json")
    assert (found.exit_code, json.loads(found.stdout)["running"]) == (0, [])
    assert "no such sandbox" in run("sandbox", "down", "R4").stderr
    assert run("sandbox", "down", "R3").exit_code == 4
    assert run("sandbox", "up", "--heap", "much").exit_code == 4
