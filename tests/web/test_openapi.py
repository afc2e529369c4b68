"""The published description: valid references, every route, every response, one component per record kind."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from flask import Flask
from flask.testing import FlaskClient

from adapter import codec, records

from .conftest import post


def description(client: FlaskClient) -> dict[str, Any]:
    found = client.get("/v1/openapi.json")
    assert (found.status_code, found.content_type) == (200, "application/json")
    return codec.loads_wire(found.data)


def walk(value: Any) -> Iterator[dict[str, Any]]:
    if isinstance(value, dict):
        yield value
    for child in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from walk(child)


def test_every_reference_is_there(client: FlaskClient) -> None:
    spec = description(client)
    assert spec["openapi"] == "3.1.0"
    references = [node["$ref"] for node in walk(spec) if "$ref" in node]
    assert len(references) > 30
    for reference in references:
        found = spec
        for step in reference.removeprefix("#/").split("/"):
            found = found[step]


def test_every_route_is_described(client: FlaskClient) -> None:
    spec = description(client)
    routes = {
        rule.rule.replace("<kind>", "{kind}"): rule.methods - {"HEAD", "OPTIONS"}
        for rule in client.application.url_map.iter_rules()
    }
    described = {path: {m.upper() for m in item if m in ("get", "post")} for path, item in spec["paths"].items()}
    assert described == routes


def test_every_operation_has_words_answers_and_errors(client: FlaskClient) -> None:
    for path, item in description(client)["paths"].items():
        for method, operation in item.items():
            if method not in ("get", "post"):
                continue
            assert operation["summary"], path
            responses = operation["responses"]
            assert {"200", "500"} <= responses.keys(), path
            assert "default" not in responses
            if method == "post":
                assert {"400", "403", "406"} <= responses.keys(), path
            for code, response in responses.items():
                assert "$ref" in response or (response["content"] and response["description"]), (path, code)


def test_errors_are_described_in_both_forms(client: FlaskClient) -> None:
    for name, response in description(client)["components"]["responses"].items():
        assert set(response["content"]) == {"application/problem+json", "application/fhir+json"}, name


def test_one_component_per_kind_with_exact_bounds(client: FlaskClient) -> None:
    components = description(client)["components"]["schemas"]
    for kind in records.KINDS:
        own = {k: v for k, v in records.json_schema(kind).items() if k not in ("$schema", "$id")}
        assert components[kind] == codec.loads_wire(codec.dumps(own))
    assert [ref["$ref"].rpartition("/")[2] for ref in components["Record"]["oneOf"]] == list(records.KINDS)


def test_answers_are_as_described(client: FlaskClient) -> None:
    components = description(client)["components"]["schemas"]
    mapped = post(client, "/v1/map?fhir=R4", records.example("subject"))
    assert set(codec.loads_wire(mapped.data)) == set(components["Mapped"]["properties"])
    back = post(client, "/v1/unmap?fhir=R4", codec.loads_wire(mapped.data)["resources"])
    assert set(codec.loads(back.data)) == set(components["Unmapped"]["properties"])
    assert set(codec.loads(client.get("/v1/health").data)) == set(components["Health"]["properties"])
    problem = codec.loads(client.post("/v1/map").data)
    assert set(problem) <= set(components["Problem"]["properties"])
    assert set(components["Problem"]["required"]) <= set(problem)


def test_schema_of_each_kind(client: FlaskClient) -> None:
    for kind in records.KINDS:
        found = client.get(f"/v1/schemas/{kind}")
        assert (found.status_code, found.content_type) == (200, "application/schema+json")
        assert found.data == codec.dumps(records.json_schema(kind))
    assert client.get("/v1/schemas/no_such_kind").status_code == 404


def test_two_services_in_one_process(make_app: Callable[..., Flask]) -> None:
    assert description(make_app().test_client()) == description(make_app().test_client())
