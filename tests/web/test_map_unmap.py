"""map and unmap: round trip with every digit, forms of input and answer, refusals, bounds."""

from __future__ import annotations

import copy
import random
from collections.abc import Callable, Iterator
from decimal import Decimal
from typing import Any

import pytest
from fhir.resources.bundle import Bundle as BundleR5
from fhir.resources.R4B.bundle import Bundle as BundleR4
from flask import Flask
from flask.testing import FlaskClient

from adapter import codec, records
from adapter.errors import Issue, MappingError

from .conftest import all_kinds, ndjson, post


@pytest.mark.parametrize("version", ["R4", "R5"])
@pytest.mark.parametrize("kind", records.KINDS)
def test_round_trip_keeps_every_kind_and_digit(client: FlaskClient, kind: str, version: str) -> None:
    record = records.example(kind)
    mapped = post(client, f"/v1/map?fhir={version}", record)
    assert (mapped.status_code, mapped.content_type) == (200, "application/json")
    resources = codec.loads_wire(mapped.data)
    assert resources["refused"] == []
    back = post(client, f"/v1/unmap?fhir={version}", resources["resources"])
    assert back.status_code == 200
    # text against text: 10.0 is not 10, and the order of fields is kept
    assert back.data == b'{"records":[' + codec.dumps(record) + b'],"refused":[]}'


def test_decimals_are_never_floats(client: FlaskClient) -> None:
    record = {**records.example("procedure")}
    record["targets"] = [{**record["targets"][0], "fascia_mm_after": Decimal("1.90")}]
    mapped = post(client, "/v1/map?fhir=R4", record)
    assert b"1.90" in mapped.data
    assert (
        b"1.90"
        in post(client, "/v1/unmap?fhir=R4", mapped.data.split(b'"resources":')[1][: -len(b',"refused":[]}')]).data
    )


@pytest.mark.parametrize(
    ("media", "write"),
    [
        ("application/json", codec.dumps),
        ("application/json", codec.dumps_pretty),
        ("application/x-ndjson", ndjson),
        ("application/json; charset=utf-8", codec.dumps),
    ],
)
def test_input_forms_are_equal(client: FlaskClient, media: str, write: Callable[[Any], bytes]) -> None:
    expected = post(client, "/v1/map?fhir=R5", codec.dumps(all_kinds()))
    found = post(client, "/v1/map?fhir=R5", write(all_kinds()), media)
    assert found.status_code == 200
    assert found.data == expected.data


def test_one_record_over_several_lines(client: FlaskClient) -> None:
    found = post(client, "/v1/map?fhir=R4", b"\xef\xbb\xbf\n " + codec.dumps_pretty(records.example("study")))
    assert found.status_code == 200


@pytest.mark.parametrize(("version", "model"), [("R4", BundleR4), ("R5", BundleR5)])
def test_bundle_is_fhir_and_reads_back(client: FlaskClient, version: str, model: Any) -> None:
    found = post(client, f"/v1/map?fhir={version}", all_kinds(), Accept="application/fhir+json; fhirVersion=9.9")
    assert found.status_code == 200
    assert found.content_type == f"application/fhir+json; fhirVersion={'4.0' if version == 'R4' else '5.0'}"
    bundle = model.model_validate_json(found.data)
    assert bundle.type == "collection"
    urls = [entry.fullUrl for entry in bundle.entry]
    assert len(urls) == len(set(urls)) > len(records.KINDS)
    back = post(client, f"/v1/unmap?fhir={version}", found.data, "application/fhir+json")
    assert codec.loads(back.data)["records"] == all_kinds()


def test_lines_read_back_in_any_order(client: FlaskClient) -> None:
    found = post(client, "/v1/map?fhir=R4", ndjson(all_kinds()), "application/x-ndjson", Accept="application/x-ndjson")
    assert found.content_type == "application/x-ndjson"
    lines = found.data.splitlines()
    assert len(lines) > len(records.KINDS)
    body = b"\n".join(reversed(lines))
    back = codec.loads(post(client, "/v1/unmap?fhir=R4", body, "application/x-ndjson").data)
    assert sorted(r["kind"] for r in back["records"]) == sorted(records.KINDS)
    assert all(record in all_kinds() for record in back["records"])


def test_bad_records_are_named_beside_the_good_ones(client: FlaskClient) -> None:
    good, bad = records.example("subject"), {**records.example("pain_outcome"), "score": 99}
    body = ndjson([good, bad]) + b"{broken\n"
    found = codec.loads_wire(post(client, "/v1/map?fhir=R4", body, "application/x-ndjson").data)
    assert found["resources"][0]["resourceType"] == "Patient"
    assert [(issue["line"], issue["rule"]) for issue in found["refused"]][-1] == (3, "json")
    first = found["refused"][0]
    assert (first["line"], first["field"], first["record"]) == (2, "score", bad["record_id"])

    bundle = codec.loads_wire(
        post(client, "/v1/map?fhir=R4", body, "application/x-ndjson", Accept="application/fhir+json").data
    )
    BundleR4.model_validate(bundle)
    assert [e["resource"]["resourceType"] for e in bundle["entry"]].index("OperationOutcome") == len(
        bundle["entry"]
    ) - 1
    lines = post(client, "/v1/map?fhir=R4", body, "application/x-ndjson", Accept="application/fhir+ndjson").data
    assert codec.loads_wire(lines.splitlines()[-1])["resourceType"] == "OperationOutcome"
    # what was refused there is no record here
    assert codec.loads(post(client, "/v1/unmap?fhir=R4", lines, "application/fhir+ndjson").data)["refused"] == []


@pytest.mark.parametrize(
    ("body", "rule"),
    [
        (b"", "empty"),
        (b"[]", "empty"),
        (b"{", "json"),
        (b'{"kind": "subject", "kind": "subject"}', "duplicate_key"),
        (b'{"kind": "pain_outcome", "score": NaN}', "nan"),
        (b'{"kind": "pain_outcome", "score": 1e3}', "exponent"),
        (b'{"kind": "subject", "weight_kg": null}', "null"),
        (b'{"kind": "martian"}', "kind"),
        (b"17", "type"),
        (b'"\xff"', "encoding"),
    ],
)
def test_nothing_to_map_is_a_problem(client: FlaskClient, body: bytes, rule: str) -> None:
    found = post(client, "/v1/map?fhir=R4", body)
    assert (found.status_code, found.content_type) == (422, "application/problem+json")
    problem = codec.loads(found.data)
    assert problem["status"] == 422
    if rule != "null":
        assert rule in [issue["rule"] for issue in problem["issues"]]
    else:
        assert [issue["field"] for issue in problem["issues"]].count("weight_kg") == 1


class Picky:
    """A mill that maps nothing."""

    def resources(self, record: dict[str, Any]) -> Any:
        raise MappingError("no", [Issue(None, "sex", "code", message="Patient.gender")])


def test_records_that_cannot_be_mapped_are_named(make_app: Callable[..., Flask]) -> None:
    app = make_app()
    app.extensions["hydrofhir"].mills["R4"] = Picky()
    record = records.example("subject")
    found = post(app.test_client(), "/v1/map?fhir=R4", ndjson([record]), "application/x-ndjson")
    assert found.status_code == 422
    issue = {"record": record["record_id"], "field": "sex", "rule": "code", "line": 1, "message": "Patient.gender"}
    assert codec.loads(found.data)["issues"] == [issue]


def test_a_record_comes_once(client: FlaskClient) -> None:
    record = records.example("subject")
    found = codec.loads_wire(post(client, "/v1/map?fhir=R4", [record, record]).data)
    once = codec.loads_wire(post(client, "/v1/map?fhir=R4", [record]).data)
    assert found["resources"] == once["resources"]
    assert [(issue["rule"], issue["line"]) for issue in found["refused"]] == [("duplicate", 1)]


def test_more_records_than_the_limit(make_app: Callable[..., Flask]) -> None:
    client = make_app("batch_records = 2").test_client()
    assert post(client, "/v1/map?fhir=R4", all_kinds()[:2]).status_code == 200
    found = post(client, "/v1/map?fhir=R4", all_kinds()[:3])
    assert found.status_code == 413
    assert "hydrofhir map" in codec.loads(found.data)["detail"]
    study = codec.loads_wire(post(client, "/v1/map?fhir=R4", records.example("study")).data)["resources"]
    score = codec.loads_wire(post(client, "/v1/map?fhir=R4", records.example("pain_outcome")).data)["resources"]
    few = make_app("batch_records = 1").test_client()
    assert post(few, "/v1/unmap?fhir=R4", score).status_code == 200
    assert post(few, "/v1/unmap?fhir=R4", study + score).status_code == 413
    many = [{"resourceType": "Basic", "id": str(n)} for n in range(41)]
    found = post(client, "/v1/unmap?fhir=R4", many)
    assert found.status_code == 413
    assert "hydrofhir unmap" in codec.loads(found.data)["detail"]


def test_larger_bodies_and_records_than_the_limit(make_app: Callable[..., Flask]) -> None:
    client = make_app("body_bytes = 20000\nline_bytes = 1000").test_client()
    found = post(client, "/v1/map?fhir=R4", b" " * 20001)
    assert found.status_code == 413
    assert "hydrofhir map" in codec.loads(found.data)["detail"]
    found = post(client, "/v1/map?fhir=R4", records.example("study"))
    assert [issue["rule"] for issue in codec.loads(found.data)["issues"]] == ["too_long"]


@pytest.mark.parametrize("media", ["text/plain", "application/x-www-form-urlencoded", "application/xml", ""])
def test_other_content_types_are_refused(client: FlaskClient, media: str) -> None:
    assert post(client, "/v1/map?fhir=R4", b"{}", media).status_code == 415
    assert post(client, "/v1/unmap?fhir=R4", b"{}", media).status_code == 415


def test_compressed_bodies_are_refused(client: FlaskClient) -> None:
    import gzip

    body = gzip.compress(codec.dumps(records.example("subject")))
    assert post(client, "/v1/map?fhir=R4", body).status_code == 415
    assert post(client, "/v1/map?fhir=R4", body, "application/x-ndjson").status_code == 415
    assert post(client, "/v1/map?fhir=R4", body, Content_Encoding="gzip").status_code == 415


@pytest.mark.parametrize(
    ("body", "rule"),
    [
        (b"", "empty"),
        (b"[1]", "required"),
        (b'{"resourceType":"Bundle","entry":7}', "structure"),
        (b'{"resourceType":"Bundle","entry":[{"resource":{"resourceType":"a patient"}}]}', "required"),
        (b'{"resourceType":"Patient","id":"x y"}', "format"),
        (b'{"resourceType":"Patient","id":"x","identifier":"text"}', "type"),
        (b'{"resourceType":"Patient","id":"x","extension":[17]}', "type"),
        (b'{"resourceType":"Patient","id":"x","identifier":null}', "null"),
        (b'{"resourceType":"Patient","id":"x","identifier":[null]}', "null"),
        (b'{"resourceType":"Patient","id":"x","contained":[7]}', "type"),
        (b'{"resourceType":"Patient","id":"x","contained":[{"resourceType":"Patient","name":7}]}', "type"),
        (b'{"resourceType":"Martian","id":"x"}', "resource-type"),
        (b'{"resourceType":"Patient","id":"x"}', "no_record"),
        (b"[[[[", "json"),
    ],
)
def test_nothing_to_unmap_is_a_problem(client: FlaskClient, body: bytes, rule: str) -> None:
    found = post(client, "/v1/unmap?fhir=R4", body)
    assert found.status_code == 422, found.data
    assert rule in [issue["rule"] for issue in codec.loads(found.data)["issues"]]


def test_a_record_with_parts_missing_is_named(client: FlaskClient) -> None:
    resources = codec.loads_wire(post(client, "/v1/map?fhir=R4", records.example("procedure")).data)["resources"]
    found = post(client, "/v1/unmap?fhir=R4", resources[:1])
    assert found.status_code == 422
    issue = codec.loads(found.data)["issues"][0]
    assert (issue["record"], issue["rule"]) == (f"Procedure/{resources[0]['id']}", "incomplete")


def test_resources_of_other_writers(client: FlaskClient) -> None:
    patient = codec.loads_wire(post(client, "/v1/map?fhir=R4", records.example("subject")).data)["resources"][0]
    del patient["extension"]  # now it is any Patient that has the keys
    patient["meta"] = {"lastUpdated": "2026-01-01T00:00:00Z"}
    assert post(client, "/v1/unmap?fhir=R4", patient).status_code == 422
    found = post(client, "/v1/unmap?fhir=R4&foreign=ward-3&timezone=Europe/Vienna", patient)
    record = codec.loads(found.data)["records"][0]
    assert (record["source_system"], record["site_timezone"]) == ("ward-3", "Europe/Vienna")
    assert record["source_record_id"] == f"Patient/{patient['id']}"
    assert record["recorded_at"] == "2026-01-01T01:00:00.000+01:00"
    assert post(client, "/v1/unmap?fhir=R4&foreign=ward%203", patient).status_code == 400


def places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    if path:
        yield path
    children = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for name, child in children:
        yield from places(child, (*path, name))


ODD = [
    None,
    1,
    "",
    "x",
    True,
    [],
    {},
    [None],
    [{}],
    [1],
    {"x": 1},
    "9" * 30,
    {"coding": None},
    {"reference": "Patient/z"},
]


@pytest.mark.parametrize("version", ["R4", "R5"])
def test_odd_shapes_are_refused_or_read_but_never_break(client: FlaskClient, version: str) -> None:
    chance = random.Random(version)
    whole = codec.loads_wire(post(client, f"/v1/map?fhir={version}", all_kinds()).data)["resources"]
    for number in range(40):
        pool = copy.deepcopy(whole)
        for _ in range(3):
            path = chance.choice(list(places(pool)))
            parent: Any = pool
            for step in path[:-1]:
                parent = parent[step]
            parent[path[-1]] = copy.deepcopy(chance.choice(ODD))
        found = post(client, f"/v1/unmap?fhir={version}{'&foreign=x' if number % 2 else ''}", pool)
        assert found.status_code in (200, 422), (number, path)
