"""Record to FHIR to record, for every kind and both versions: equal to the last digit, in whatever order they come."""

from __future__ import annotations

import random
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from adapter import codec, records
from adapter.assembly import assemble
from adapter.fhir.gate import Gate
from adapter.mill import Mill, Part, Stranger
from tests.strategies import records as valid

VERSIONS = ("R4", "R5")
MILLS = {v: Mill(assemble(), v) for v in VERSIONS}


def there_and_back(record: dict[str, Any], version: str, seed: int = 0) -> dict[str, Any]:
    mill = MILLS[version]
    resources = [codec.loads_wire(data) for _, _, data in mill.resources(record)]
    random.Random(seed).shuffle(resources)
    (taken,) = mill.records(resources)
    assert not taken.issues, [str(i) for i in taken.issues]
    assert taken.record is not None
    return taken.record


def read_back(mill: Mill, record: dict[str, Any]) -> list[Part]:
    """The resources of a record that are read again: not what is said of one version of it."""
    return [part for part in mill.resources(record) if part[0] not in mill.of_versions]


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("kind", records.KNOWN)
@settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(data=st.data(), seed=st.integers(0, 1 << 16))
def test_every_record_comes_back_equal(kind: str, version: str, data: st.DataObject, seed: int) -> None:
    record = data.draw(valid(kind))
    assert codec.dumps(there_and_back(record, version, seed)) == codec.dumps(record)


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("kind", records.KNOWN)
def test_the_example_uses_its_fields_and_each_leaf_matters(kind: str, version: str) -> None:
    """Leaving any optional leaf out changes what is sent: no field is silently ignored."""
    full = records.load(kind, records.example(kind))
    sent = codec.dumps(MILLS[version].assembly.mappings.forward(full, version))
    for name in full:
        if name in ("kind", "idempotency_key", "business_key"):
            continue
        less = {k: v for k, v in full.items() if k != name}
        try:
            less = records.load(kind, less)
        except Exception:
            continue
        if less == full:
            continue  # intake derives it again
        assert codec.dumps(MILLS[version].assembly.mappings.forward(less, version)) != sent, name


@pytest.mark.parametrize("version", VERSIONS)
def test_records_of_one_pool_keep_apart(version: str) -> None:
    """Resources of several records, mixed: each record gets its own."""
    mill = MILLS[version]
    all_records = [records.load(k, records.example(k)) for k in records.KNOWN]
    pool = [codec.loads_wire(d) for r in all_records for _, _, d in mill.resources(r)]
    random.Random(3).shuffle(pool)
    back = {t.record["kind"]: t.record for t in mill.records(pool) if t.record}
    assert [codec.dumps(back[r["kind"]]) for r in all_records] == [codec.dumps(r) for r in all_records]


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("kind", ["subject", "study", "enrolment", "procedure", "adverse_event"])
def test_a_missing_part_is_named_and_nothing_is_read(kind: str, version: str) -> None:
    """A graph that has not wholly come is not a record without the part: it waits."""
    mill = MILLS[version]
    parts = read_back(mill, records.load(kind, records.example(kind)))
    for gone in range(1, len(parts)):
        resources = [codec.loads_wire(d) for n, (_, _, d) in enumerate(parts) if n != gone]
        (taken,) = mill.records(resources)
        assert taken.record is None
        assert [i.rule for i in taken.issues] == ["incomplete"]


@pytest.mark.parametrize("version", VERSIONS)
def test_unknown_elements_do_not_stop_reading(version: str) -> None:
    mill = MILLS[version]
    record = records.load("procedure", records.example("procedure"))
    resources = [codec.loads_wire(d) for _, _, d in mill.resources(record)]
    for r in resources:
        r["somethingNew"] = {"a": [1, {"b": None}]}
        r.setdefault("extension", []).append({"url": "http://elsewhere.example/x", "valueString": "y"})
        r["meta"] = {
            **r.get("meta", {}),
            "versionId": "7",
            "lastUpdated": "2026-11-21T10:00:00.000+00:00",
            "source": "#x",
        }
        r["text"] = {"status": "generated", "div": "<div xmlns='http://www.w3.org/1999/xhtml'>x</div>"}
    (taken,) = mill.records(resources)
    assert taken.record == record


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("kind", records.KNOWN)
def test_server_assigned_ids_do_not_matter(kind: str, version: str) -> None:
    """A server that refuses client ids gives its own; identifiers and links still bring the graph together."""
    mill = MILLS[version]
    record = records.load(kind, records.example(kind))
    text = b"\n".join(d for _, _, d in mill.resources(record))
    for n, (_, rid, _) in enumerate(mill.resources(record)):
        text = text.replace(rid.encode(), str(9000 + n).encode())
    (taken,) = mill.records([codec.loads_wire(line) for line in text.split(b"\n")])
    assert taken.record == record


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("kind", records.KNOWN)
def test_explain_names_a_row_for_every_element(kind: str, version: str) -> None:
    mill = MILLS[version]
    record = records.load(kind, records.example(kind))
    told = mill.explain(record)["elements"]
    assert all(e["row"].startswith("fields/") and int(e["row"].rpartition(":")[2]) > 0 for e in told)
    explained = {(e["resource"], e["path"].split(".")[1].split("[")[0].lstrip("_")) for e in told}
    for kind_, rid, data in mill.resources(record):
        for name in codec.loads_wire(data):
            if name not in ("resourceType", "id", "contained", "identifier"):
                assert (f"{kind_}/{rid}", name.lstrip("_")) in explained, name


def test_gate_sees_every_resource() -> None:
    """The gate is on the way: what a mapping would get wrong is refused with the element's path."""
    resource = MILLS["R4"].assembly.mappings.forward(records.load("subject", records.example("subject")), "R4")[0]
    assert Gate("R4").check(codec.dumps(resource)) == []
    broken = {**resource, "gender": "fem"}
    assert [i.path for i in Gate("R4").check(codec.dumps(broken))] == ["Patient.gender"]


@pytest.mark.parametrize("version", VERSIONS)
def test_a_required_element_is_there_even_when_only_reasons_are_known(version: str) -> None:
    """R5 requires BodyStructure.includedStructure: with everything about a target absent, the reason fills it."""
    raw = records.example("procedure")
    keep = ("target_no", "structure_type")
    raw["technique"], raw["technique_verbatim"] = "other", "not yet known"
    raw["targets"] = [{k: v for k, v in raw["targets"][0].items() if k in keep}]
    raw["field_absent_reason"] = {
        f"targets.1.{name}": "not_in_source"
        for name in (
            "structure_code",
            "structure_level",
            "region",
            "laterality",
            "volume_ml",
            "plane_deep",
            "plane_superficial",
        )
    }
    record = records.load("procedure", raw)
    assert there_and_back(record, version) == record


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("end", ["2015", "2015-03", "2016", "2015-03-27"])
def test_a_period_of_uneven_precision_keeps_its_digits(version: str, end: str) -> None:
    """An end that holds the start cannot be compared with it (per-1 has no answer): it stands in an extension."""
    raw = records.example("subject")
    raw["prior_therapies"] = [{"therapy": "medication", "period_start": "2015-03-27", "period_end": end}]
    record = records.load("subject", raw)
    (statement,) = [
        r for r in map(codec.loads_wire, (d for _, _, d in MILLS[version].resources(record))) if "effectivePeriod" in r
    ]
    assert ("end" in statement["effectivePeriod"]) == (end in ("2016", "2015-03-27"))
    assert there_and_back(record, version) == record


@pytest.mark.parametrize("version", VERSIONS)
def test_a_retracted_adverse_event_says_so_to_every_reader(version: str) -> None:
    """R4 has no status: a modifier extension and the verification status of the Condition tell it. Content stays."""
    said = {
        "record_status": "entered_in_error",
        "version": 2,
        "supersedes_version": 1,
        "change_reason": "other subject",
    }
    record = records.load("adverse_event", {**records.example("adverse_event"), **said})
    event, effect = (codec.loads_wire(data) for _, _, data in read_back(MILLS[version], record))
    assert effect["verificationStatus"]["coding"][0]["code"] == "entered-in-error"
    assert "abatementDateTime" not in effect
    if version == "R4":
        (retracted,) = event["modifierExtension"]
        assert (retracted["url"].rpartition("/")[2], retracted["valueBoolean"]) == ("retracted", True)
        assert "clinicalStatus" not in effect
    else:
        assert event["status"] == "entered-in-error"
        assert effect["clinicalStatus"]["coding"][0]["code"] == "unknown"
    assert there_and_back(record, version) == record


@pytest.mark.parametrize("version", VERSIONS)
def test_a_retracted_enrolment_says_so_to_every_reader(version: str) -> None:
    """The state of the subject stays as it was, so R4 needs a modifier extension; its consent and results have a status."""
    said = {
        "record_status": "entered_in_error",
        "version": 2,
        "supersedes_version": 1,
        "change_reason": "other subject",
    }
    record = records.load("enrolment", {**records.example("enrolment"), **said})
    resources = [codec.loads_wire(data) for _, _, data in read_back(MILLS[version], record)]
    assert {one["status"] for one in resources[1:]} == {"entered-in-error"}
    assert {one["resourceType"] for one in resources[1:]} == {"Consent", "Observation"}
    if version == "R4":
        (retracted,) = resources[0]["modifierExtension"]
        assert (retracted["url"].rpartition("/")[2], retracted["valueBoolean"]) == ("retracted", True)
    else:
        assert resources[0]["status"] == "retired"
    assert there_and_back(record, version) == record


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize(
    "changes",
    [
        {"suspect": ["lidocaine", "procedure", "device"]},
        {"suspect": ["dextrose"]},
        {"suspect": None, "relatedness": "unlikely"},
        {"suspect": None, "relatedness": "unrelated", "procedure_id": None},
        {"suspect": ["unspecified"], "procedure_id": None},
        {"relatedness": None, "field_absent_reason": {"relatedness": "not_asked"}},
        {"relatedness": None, "suspect": None, "procedure_id": None, "field_absent_reason": {"relatedness": "unknown"}},
    ],
)
def test_suspects_keep_their_order_and_the_procedure_its_judgement(version: str, changes: dict[str, Any]) -> None:
    raw = {**records.example("adverse_event"), **changes}
    record = records.load("adverse_event", {name: value for name, value in raw.items() if value is not None})
    event = codec.loads_wire(MILLS[version].resources(record)[0][2])
    named = [e for e in event.get("suspectEntity", ()) if "Procedure/" in str(e)]
    assert len(named) == ("procedure_id" in record), "the relation to the injection is judged for every event"
    if version == "R5":
        assert len(event.get("suspectEntity", ())) <= 1, "HAPI's search parameter fails on a second one"
    assert there_and_back(record, version) == record


@pytest.mark.parametrize("version", VERSIONS)
def test_a_period_ends_on_its_last_day(version: str) -> None:
    """28 days from 3 October end on the 30th, over a change of the clocks."""
    raw = {**records.example("headache_period"), "start": "2025-10-03", "days_planned": 28}
    record = records.load("headache_period", raw)
    (observation,) = (codec.loads_wire(data) for _, _, data in read_back(MILLS[version], record))
    assert observation["effectivePeriod"] == {"start": "2025-10-03", "end": "2025-10-30"}


def test_another_installations_graph_is_a_strangers() -> None:
    """The same software with other identifier systems: nothing of it passes for ours."""
    record = records.load("pain_outcome", records.example("pain_outcome"))
    mill = MILLS["R4"]
    ours = mill.assembly.sid.encode()
    theirs = [codec.loads_wire(d.replace(ours, b"https://elsewhere.example/sid")) for _, _, d in mill.resources(record)]
    assert list(mill.records(theirs)) == []
    (taken,) = mill.records(theirs, Stranger("elsewhere", "UTC"))
    assert taken.record is not None
    assert taken.record["source_record_id"] == f"Observation/{theirs[0]['id']}"
    assert (taken.record["score"], taken.record["pain_context"]) == (record["score"], record["pain_context"])
