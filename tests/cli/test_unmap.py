"""Resources back to records: any order, any wrapping, incomplete and foreign graphs."""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Any

import pytest

from adapter import codec
from adapter.mapping.graph import identifiers_of
from tests.cli.conftest import Corpus, Run, rows


def mapped(run: Run, corpus: Corpus, version: str = "R4") -> list[dict[str, Any]]:
    assert run("map", corpus.path, "--fhir", version, "--out", "mapped.ndjson").exit_code == 0
    return [codec.loads_wire(line) for line in Path("mapped.ndjson").read_bytes().splitlines()]


def write(path: str, resources: list[Any]) -> None:
    Path(path).write_text("".join(text(one) + "\n" for one in resources))


def text(value: Any) -> str:
    """JSON on one line, decimals digit by digit."""
    return codec.dumps(value).decode()


def pretty(value: Any) -> str:
    """The same over many lines."""
    return codec.dumps_pretty(value).decode()


def back(path: str = "back.ndjson") -> list[str]:
    return sorted(Path(path).read_text().splitlines())


@pytest.mark.parametrize("version", ["R4", "R5"])
def test_there_and_back_in_any_order(run: Run, corpus: Corpus, version: str) -> None:
    mapped(run, corpus, version)
    lines = Path("mapped.ndjson").read_text().splitlines()
    random.Random(7).shuffle(lines)
    Path("shuffled.ndjson").write_text("\n".join(lines))
    found = run("unmap", "shuffled.ndjson", "--fhir", version, "--out", "back.ndjson", "--json")
    assert found.exit_code == 0
    assert back() == sorted(corpus.lines)  # byte by byte: decimals, dates and key order too
    assert json.loads(found.stdout)["counts"] == {"resources": len(lines), "records": len(corpus.lines)}


def test_bundles_documents_arrays_and_standard_input(run: Run, corpus: Corpus) -> None:
    resources = mapped(run, corpus)
    entries = [{"fullUrl": f"https://x.example/{r['resourceType']}/{r['id']}", "resource": r} for r in resources]
    outcome = {"resource": {"resourceType": "OperationOutcome", "issue": []}, "search": {"mode": "outcome"}}
    put = [{**e, "request": {"method": "PUT", "url": e["fullUrl"][18:]}} for e in entries]
    shapes = {
        "searchset": pretty({"resourceType": "Bundle", "type": "searchset", "entry": [*entries, outcome]}),
        "transaction": pretty({"resourceType": "Bundle", "type": "transaction", "entry": put}),
        "array": pretty(resources),
        "mixed": text({"resourceType": "Bundle", "type": "collection", "entry": entries[:40]})
        + "\n"
        + "\n".join(text(one) for one in resources[40:]),
    }
    for name, shape in shapes.items():
        found = run("unmap", "-", "--fhir", "R4", "--out", "back.ndjson", stdin=shape.encode())
        assert (name, found.exit_code) == (name, 0), found.stderr
        assert back() == sorted(corpus.lines), name
    run("map", corpus.path, "--fhir", "R4", "--bundle", "--out", "bundles.ndjson")
    run("unmap", "bundles.ndjson", "--fhir", "R4", "--out", "back.ndjson")
    assert back() == sorted(corpus.lines)


def test_bad_lines_are_reported_and_the_rest_goes_on(run: Run, corpus: Corpus) -> None:
    lines = [text(one) for one in mapped(run, corpus)]
    bad = ['{"resourceType":"Patient"', "[]", '"text"', '{"resourceType":"Patient"}',
           '{"resourceType":"Bundle","type":"collection","entry":[5]}']  # fmt: skip
    Path("in.ndjson").write_text("\n".join([*bad, *lines]))
    found = run("unmap", "in.ndjson", "--fhir", "R4", "--out", "back.ndjson", "--rejects", "no.ndjson")
    assert found.exit_code == 1
    assert [one["line"] for one in rows("no.ndjson")] == [1, 2, 3, 4, 5]
    assert back() == sorted(corpus.lines)


def test_a_document_that_is_too_long_or_broken(run: Run, home: Path) -> None:
    Path("hydrofhir.toml").write_text("[limits]\nbody_bytes = 2000\n")
    long = text({"resourceType": "Bundle", "entry": [{"resource": {"resourceType": "Basic", "id": "x" * 3000}}]})
    for shape in (long, pretty(json.loads(long)), '{\n"resourceType": "Bundle",\n'):
        found = run("unmap", "-", "--fhir", "R4", "--out", "back.ndjson", stdin=shape.encode())
        assert found.exit_code == 1
        assert "too_long" in found.stderr or "json" in found.stderr


def test_incomplete_graphs_are_named_with_what_is_missing(run: Run, corpus: Corpus) -> None:
    resources = mapped(run, corpus)
    part = next(one for one in resources if one["resourceType"] == "BodyStructure")
    write("part-missing.ndjson", [one for one in resources if one is not part])
    found = run("unmap", "part-missing.ndjson", "--fhir", "R4", "--out", "back.ndjson", "--json")
    assert found.exit_code == 3
    counts = json.loads(found.stdout)["counts"]
    assert counts["incomplete"] == 1
    assert counts["records"] == len(corpus.lines) - 1
    name = next(i["value"] for i in part["identifier"] if i["system"].endswith("/part"))
    assert name.partition("/")[2] in found.stderr

    record = name.partition("/")[0]
    kept = [one for one in resources if not any(i.get("value") == record for i in identifiers_of(one))]
    assert len(kept) == len(resources) - 1
    write("root-missing.ndjson", kept)
    found = run("unmap", "root-missing.ndjson", "--fhir", "R4", "--out", "back.ndjson", "--json")
    assert found.exit_code == 3
    assert json.loads(found.stdout)["counts"]["incomplete"] == 1
    assert record in found.stderr


def test_an_unreadable_graph_is_named(run: Run, corpus: Corpus) -> None:
    resources = mapped(run, corpus)
    part = next(one for one in resources if one["resourceType"] == "Condition")
    own = next(one for one in part["code"]["coding"] if "hydrofhir" in one["system"])
    own["code"] = "no_such_code"
    write("in.ndjson", resources)
    found = run("unmap", "in.ndjson", "--fhir", "R4", "--out", "back.ndjson", "--json")
    told = json.loads(found.stdout)
    assert (found.exit_code, told["counts"]["unreadable"]) == (1, 1)
    assert told["issues"][0]["record"] == part["subject"]["reference"]
    assert "no_such_code" not in found.output
    assert len(back()) == len(corpus.lines) - 1


SCORE = {
    "resourceType": "Observation",
    "status": "final",
    "code": {"coding": [{"system": "http://loinc.org", "code": "72514-3"}]},
    "subject": {"reference": "urn:uuid:0b9f3f6e-7a3a-4b52-9a39-3c2a6d9c1a11"},
    "effectiveDateTime": "2026-03-02T09:00:00+01:00",
    "valueInteger": 4,
}


def test_other_writers_are_left_out_unless_they_get_a_name(run: Run, corpus: Corpus) -> None:
    patient = {"resourceType": "Patient", "gender": "female", "birthDate": "1961"}
    bundle = {
        "resourceType": "Bundle",
        "type": "transaction",
        "entry": [
            {"fullUrl": "urn:uuid:0b9f3f6e-7a3a-4b52-9a39-3c2a6d9c1a11", "resource": patient},
            {"fullUrl": "urn:uuid:5d0c2c3e-68ad-4f0f-8fc8-1f5a2cb6c7d2", "resource": SCORE},
        ],
    }
    Path("in.json").write_text(text(bundle))
    found = run("unmap", "in.json", "--fhir", "R4", "--out", "back.ndjson", "--json")
    assert found.exit_code == 0
    assert json.loads(found.stdout)["counts"] == {"resources": 2, "foreign": 2}
    assert "other writers" in found.stderr
    found = run("unmap", "in.json", "--fhir", "R4", "--out", "back.ndjson", "--json", "--foreign", "ward-7",
                "--timezone", "Europe/Vienna")  # fmt: skip
    told = json.loads(found.stdout)
    assert "foreign" not in told["counts"]
    taken = rows("back.ndjson")
    assert {one["source_system"] for one in taken} <= {"ward-7"}
    assert {one["site_timezone"] for one in taken} <= {"Europe/Vienna"}
    assert len(taken) + told["counts"].get("unreadable", 0) >= 1
    subjects = [one for one in taken if one["kind"] == "subject"]
    assert [one["subject_id"] for one in subjects] == ["0b9f3f6e-7a3a-4b52-9a39-3c2a6d9c1a11"] or not subjects


@pytest.mark.parametrize("options", [["--foreign", "two words"], ["--foreign", "w", "--timezone", "Mars/Olympus"]])
def test_names_and_zones_are_checked(run: Run, home: Path, options: list[str]) -> None:
    Path("in.ndjson").write_text("")
    assert run("unmap", "in.ndjson", "--fhir", "R4", *options).exit_code == 2
