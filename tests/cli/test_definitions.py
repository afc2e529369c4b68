"""`push --definitions`: a folder or a server gets what our resources mean, once; nobody else's server does."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from pytest_httpserver import HTTPServer
from werkzeug import Request, Response

from adapter.assembly import assemble
from adapter.fhir.versions import FHIR_VERSION
from tests.cli.conftest import Corpus, Run, rows

KINDS = ["CodeSystem", "ConceptMap", "Questionnaire", "StructureDefinition", "ValueSet"]


@pytest.mark.parametrize("version", ["R4", "R5"])
def test_a_folder_gets_a_file_for_each_type(run: Run, version: str) -> None:
    made = assemble().definitions(version)
    found = run("push", "--definitions", "--to", "./out", "--fhir", version, "--json")
    assert found.exit_code == 0
    assert json.loads(found.stdout)["definitions"]["counts"] == {"offered": len(made), "sent": len(made)}
    files = {path.name: path.read_bytes() for path in Path("out").iterdir()}
    assert sorted(files) == [*(f"{kind}.ndjson" for kind in KINDS), "manifest.json"]
    written = [resource for kind in KINDS for resource in rows(f"out/{kind}.ndjson")]
    assert {one["url"] for one in written} == {one["url"] for one in made}
    assert len(written) == len(made)

    again = run("push", "--definitions", "--to", "./out", "--fhir", version, "--json")
    assert json.loads(again.stdout)["definitions"]["counts"] == {"offered": len(made), "no_change": len(made)}
    assert {path.name: path.read_bytes() for path in Path("out").iterdir()} == files


def test_records_beside_them_are_read_and_nothing_else(run: Run, corpus: Corpus) -> None:
    for arguments in (["push", "--definitions"], ["push", corpus.path]):
        assert run(*arguments, "--to", "./out", "--fhir", "R4").exit_code == 0
    found = run("pull", "--from", "./out", "--fhir", "R4", "--store-url", "sqlite:///b.sqlite", "--out", "b", "--json")
    assert found.exit_code == 0
    counts = json.loads(found.stdout)["counts"]
    assert (counts["records"] - counts["derived_left_out"], counts.get("foreign")) == (len(corpus.lines), None)


@pytest.mark.parametrize(
    "arguments",
    [
        ["records.ndjson", "--to", "./out", "--fhir", "R4"],
        ["--store", "--to", "./out", "--fhir", "R4"],
        ["--retry-dead", "--to", "./out", "--fhir", "R4"],
        ["--to", "hapi-r4"],
        ["--to", "./out"],
    ],
)
def test_what_cannot_be_meant_is_exit_code_2(run: Run, corpus: Corpus, arguments: list[str]) -> None:
    found = run("push", "--definitions", *arguments)
    assert found.exit_code == 2
    assert "Traceback" not in found.output
    assert not Path("out").exists()


SETTINGS = """
[targets.ward]
base_url = "{base}"
fhir = "R4"
max_retries = 0
"""


class Server:
    """Says what it can do, and answers transactions as a test wants it to."""

    def __init__(self, httpserver: HTTPServer, types: list[str], transactions: bool = True) -> None:
        resource = [{"type": kind, "searchParam": [{"name": "url"}]} for kind in types]
        rest: dict[str, Any] = {"mode": "server", "resource": resource}
        rest["interaction"] = [{"code": "transaction"}] * transactions
        statement = {"resourceType": "CapabilityStatement", "fhirVersion": FHIR_VERSION["R4"], "rest": [rest]}
        self.bundles: list[list[str]] = []
        self.answer: Callable[[list[str]], Response | None] = lambda urls: None
        httpserver.expect_request("/fhir/metadata").respond_with_json(statement)
        httpserver.expect_request("/fhir", method="POST").respond_with_handler(self)
        Path("hydrofhir.toml").write_text(SETTINGS.format(base=httpserver.url_for("/fhir")))

    def __call__(self, request: Request) -> Response:
        bundle = json.loads(request.get_data())
        urls = [entry["request"]["url"] for entry in bundle["entry"]]
        self.bundles.append(urls)
        found = self.answer(urls)
        if found is not None:
            return found
        entries = [{"response": {"status": "201 Created"}} for _ in urls]
        body = {"resourceType": "Bundle", "type": "transaction-response", "entry": entries}
        return Response(json.dumps(body), content_type="application/fhir+json")


def test_a_server_gets_them_in_order_by_canonical_address(run: Run, httpserver: HTTPServer) -> None:
    server = Server(httpserver, KINDS)
    assert run("push", "--definitions", "--to", "ward").exit_code == 0
    made = assemble().definitions("R4")
    assert [url for bundle in server.bundles for url in bundle] == [f"{o['resourceType']}?url={o['url']}" for o in made]
    assert {len(bundle) for bundle in server.bundles[:-1]} == {100}


def test_what_the_server_refuses_is_named_and_the_rest_goes_on(run: Run, httpserver: HTTPServer) -> None:
    server = Server(httpserver, KINDS)
    bad = f"ValueSet?url={next(o['url'] for o in assemble().definitions('R4') if o['resourceType'] == 'ValueSet')}"
    server.answer = lambda urls: Response("{}", status=422) if bad in urls else None
    found = run("push", "--definitions", "--to", "ward", "--json", "--rejects", "no.ndjson")
    assert found.exit_code == 1
    counts = json.loads(found.stdout)["definitions"]["counts"]
    assert (counts["rejected"], counts["sent"]) == (1, counts["offered"] - 1)
    (refused,) = rows("no.ndjson")
    assert refused["record"] == bad.replace("?url=", "/").replace(bad.partition("=")[2], bad.rpartition("/")[2])
    assert refused["rule"] == "target_422"


def test_a_server_that_is_away_is_exit_code_3(run: Run, httpserver: HTTPServer) -> None:
    server = Server(httpserver, KINDS)
    server.answer = lambda urls: Response("", status=503) if len(server.bundles) > 1 else None
    found = run("push", "--definitions", "--to", "ward", "--json")
    assert found.exit_code == 3
    assert json.loads(found.stdout)["definitions"]["counts"]["sent"] == 100
    assert len(server.bundles) == 2


@pytest.mark.parametrize(
    ("types", "transactions", "said"),
    [(KINDS, False, "does not offer transactions"), (KINDS[:-1], True, "ValueSet: the server does not know")],
)
def test_a_server_that_cannot_take_them_is_exit_code_2(
    run: Run, httpserver: HTTPServer, types: list[str], transactions: bool, said: str
) -> None:
    server = Server(httpserver, types, transactions)
    found = run("push", "--definitions", "--to", "ward")
    assert found.exit_code == 2
    assert said in found.stderr
    assert server.bundles == []


def test_a_server_that_wants_to_know_who_asks_is_exit_code_4(run: Run, httpserver: HTTPServer) -> None:
    server = Server(httpserver, KINDS)
    server.answer = lambda urls: Response("", status=401)
    assert run("push", "--definitions", "--to", "ward").exit_code == 4
