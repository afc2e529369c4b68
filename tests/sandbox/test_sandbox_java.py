"""The real thing: both releases of the server, and the validator. Every process is started once."""

import json
import os
import subprocess
import sys
import urllib.error
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from adapter import sandbox

pytestmark = [
    pytest.mark.server,
    pytest.mark.skipif(
        bool(sandbox.missing_tools()) and os.environ.get("CI") != "true",
        reason="needs java, javac and mvn",
    ),
]

OPENER = urllib.request.build_opener(urllib.request.ProxyHandler({}))
OBSERVATION = {
    "resourceType": "Observation",
    "id": "nrs-1",
    "status": "final",
    "code": {"coding": [{"system": "http://loinc.org", "code": "72514-3"}]},
    "effectiveDateTime": "2026-01-02",
    "valueQuantity": {"value": 4, "system": "http://unitsofmeasure.org", "code": "{score}"},
}


def ask(method: str, url: str, body: object = None) -> tuple[int, str]:
    data = None if body is None else (body if isinstance(body, str) else json.dumps(body)).encode()
    request = urllib.request.Request(url, data, {"Content-Type": "application/fhir+json"}, method=method)
    try:
        with OPENER.open(request, timeout=60) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as refused:
        with refused:
            return refused.code, refused.read().decode()


@pytest.fixture(scope="module")
def state(tmp_path_factory):
    folder = tmp_path_factory.mktemp("state")
    yield folder
    sandbox.down(None, folder)


@pytest.fixture(scope="module")
def servers(state):
    """Both servers, started side by side: neither keeps two cores busy."""
    with ThreadPoolExecutor() as pool:
        r4 = pool.submit(sandbox.up, "R4", state=state)
        options = {"validate": True, "id_policy": "ANY", "switches": {"bundle-limit": 2}}
        r5 = pool.submit(sandbox.up, "R5", state=state, wait=240, **options)
        return r4.result(), r5.result()


@pytest.fixture(scope="module")
def r4(servers):
    return servers[0]


@pytest.fixture(scope="module")
def r5(servers):
    return servers[1]


@pytest.fixture(scope="module", params=["R4", "R5"])
def validator(request, tmp_path_factory):
    folder = tmp_path_factory.mktemp("definitions")
    base = "https://hydrofhir.example/fhir"
    system = {
        "resourceType": "CodeSystem",
        "url": f"{base}/CodeSystem/side",
        "status": "active",
        "content": "complete",
        "concept": [{"code": "left", "display": "Left"}],
    }
    extension = {
        "resourceType": "StructureDefinition",
        "url": f"{base}/StructureDefinition/needle-entries",
        "name": "NeedleEntries",
        "status": "active",
        "fhirVersion": "4.0.1",
        "kind": "complex-type",
        "abstract": False,
        "context": [{"type": "element", "expression": "Observation"}],
        "type": "Extension",
        "baseDefinition": "http://hl7.org/fhir/StructureDefinition/Extension",
        "derivation": "constraint",
        "differential": {
            "element": [
                {"id": "Extension", "path": "Extension"},
                {
                    "id": "Extension.url",
                    "path": "Extension.url",
                    "fixedUri": f"{base}/StructureDefinition/needle-entries",
                },
                {
                    "id": "Extension.value[x]",
                    "path": "Extension.value[x]",
                    "min": 1,
                    "type": [{"code": "integer"}],
                },
            ]
        },
    }
    (folder / "CodeSystem-side.json").write_text(json.dumps(system))
    (folder / "StructureDefinition-needle-entries.json").write_text(json.dumps(extension))
    with sandbox.Validator(request.param, folder) as running:
        yield running


def errors(findings: list[sandbox.Finding]) -> list[str]:
    return [finding.location for finding in findings if finding.is_error]


def test_r4_keeps_decimals_and_partial_dates(r4):
    weight = '{"url":"https://hydrofhir.example/w","valueDecimal":4.50}'
    patient = f'{{"resourceType":"Patient","id":"p-1","extension":[{weight}],"birthDate":"1980-05"}}'
    assert ask("PUT", f"{r4.base_url}/Patient/p-1", patient)[0] == 201
    status, text = ask("GET", f"{r4.base_url}/Patient/p-1")
    assert status == 200
    assert '"valueDecimal":4.50' in text
    assert '"birthDate":"1980-05"' in text


def test_r4_runs_transactions_and_searches(r4):
    entries = [
        {"resourceType": "Patient", "id": "p-2", "identifier": [{"system": "urn:x", "value": "a"}]},
        {**OBSERVATION, "subject": {"reference": "Patient/p-2"}},
    ]
    bundle = {
        "resourceType": "Bundle",
        "type": "transaction",
        "entry": [
            {
                "fullUrl": f"{r4.base_url}/{r['resourceType']}/{r['id']}",
                "resource": r,
                "request": {"method": "PUT", "url": f"{r['resourceType']}/{r['id']}"},
            }
            for r in entries
        ],
    }
    status, text = ask("POST", r4.base_url, bundle)
    assert status == 200
    assert [entry["response"]["status"] for entry in json.loads(text)["entry"]] == ["201 Created"] * 2
    status, text = ask("GET", f"{r4.base_url}/Patient?identifier=urn:x|a&_revinclude=Observation:subject")
    assert status == 200, "the bar in the query must reach HAPI"
    assert {entry["resource"]["id"] for entry in json.loads(text)["entry"]} == {"p-2", "nrs-1"}


def test_r4_by_default_refuses_numeric_ids_and_validates_nothing(r4):
    status, text = ask("PUT", f"{r4.base_url}/Patient/12", {"resourceType": "Patient", "id": "12"})
    assert status == 400
    assert "HAPI-0960" in text
    assert ask("PUT", f"{r4.base_url}/Observation/o", {"resourceType": "Observation", "id": "o"})[0] == 201


def test_a_second_up_finds_the_first_server(r4, state):
    assert sandbox.up("R4", state=state) == r4
    assert sandbox.up("R4", r4.port, state=state) == r4
    with pytest.raises(sandbox.SandboxError, match="other options"):
        sandbox.up("R4", r4.port, validate=True, state=state)
    assert r4 in sandbox.status(state)


def test_another_process_recognises_the_servers(r4, r5, state):
    code = "import sys; from pathlib import Path; from adapter import sandbox\n"
    code += "print([server.pid for server in sandbox.status(Path(sys.argv[1]))])"
    seen = subprocess.run([sys.executable, "-c", code, state], capture_output=True, text=True, check=True)
    assert sorted(json.loads(seen.stdout)) == sorted([r4.pid, r5.pid])


def test_r5_with_its_switches(r5):
    status, text = ask("GET", f"{r5.base_url}/metadata?_elements=fhirVersion")
    assert status == 200
    assert json.loads(text)["fhirVersion"] == "5.0.0"
    numeric = ask("PUT", f"{r5.base_url}/Patient/12", {"resourceType": "Patient", "id": "12"})
    assert numeric[0] == 201, "id policy ANY"
    bad = {"resourceType": "Observation", "id": "o", "code": {"text": "no status"}}
    assert ask("PUT", f"{r5.base_url}/Observation/o", bad)[0] == 422
    get = {"request": {"method": "GET", "url": "Patient/12"}}
    bundle = {"resourceType": "Bundle", "type": "transaction", "entry": [get] * 3}
    assert ask("POST", r5.base_url, bundle)[0] == 413, "bundle limit 2"


def test_the_validator_knows_good_from_bad(validator):
    good = json.dumps(OBSERVATION, indent=2).encode()
    wrong_status = json.dumps({**OBSERVATION, "status": "nope"}).encode()
    bundle = {
        "resourceType": "Bundle",
        "type": "collection",
        "entry": [{"resource": json.loads(wrong_status)}],
    }
    assert errors(validator.check(good)) == []
    assert "Observation.status" in errors(validator.check(wrong_status))
    assert errors(validator.check(json.dumps(bundle).encode()))


def test_the_validator_survives_what_is_no_resource(validator):
    for rubbish in (
        b"not json",
        b"[]",
        b"",
        b"{} {}",
        b"\xff\xfe",
        b'{"resourceType":"Nothing"}',
        b"[" * 5000,
    ):
        assert any(finding.is_error for finding in validator.check(rubbish)), rubbish[:20]
    assert errors(validator.check(json.dumps(OBSERVATION).encode())) == []


def test_the_validator_uses_our_definitions(validator):
    base = "https://hydrofhir.example/fhir"
    side = {"system": f"{base}/CodeSystem/side", "code": "left"}
    entries = {"url": f"{base}/StructureDefinition/needle-entries", "valueInteger": 2}
    ours = {**OBSERVATION, "bodySite": {"coding": [side]}, "extension": [entries]}
    wrong_code = {**ours, "bodySite": {"coding": [{**side, "code": "leftish"}]}}
    wrong_type = {**ours, "extension": [{"url": entries["url"], "valueString": "two"}]}
    answers = validator.check_many(json.dumps(r).encode() for r in (ours, wrong_code, wrong_type))
    fine, code, kind = answers
    assert [finding for finding in fine if finding.severity != "information"] == []
    assert any("bodySite" in place for place in errors(code))
    assert any("extension" in place for place in errors(kind))


def test_the_validator_keeps_order_when_answers_are_left_behind(validator):
    many = [json.dumps({**OBSERVATION, "status": s}).encode() for s in ("nope", "final") * 30]
    answers = validator.check_many(iter(many))
    assert errors(next(answers))
    answers.close()
    assert errors(validator.check(many[1])) == []


def test_down_stops_the_servers(r4, r5, state):
    assert sandbox.down("R5", state) == [r5]
    assert sandbox.status(state) == [r4]
    assert sandbox.down(r4.port, state) == [r4]
    assert not r4.is_alive()
    with pytest.raises(urllib.error.URLError):
        OPENER.open(f"{r4.base_url}/metadata", timeout=5)
    assert Path(r4.log_path).exists()
