"""JSON Schema and examples agree with the schemas; every field says what it is."""

from __future__ import annotations

import re
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adapter import codec, records
from adapter.records.absent import below, fields_of
from adapter.records.base import Item
from tests.strategies import records as valid


def problems(schema: dict[str, Any], value: Any, path: str = "$") -> list[str]:
    """What a value breaks of the JSON Schema words we use."""
    found = []
    types = {"object": dict, "array": list, "string": str, "boolean": bool, "integer": int, "number": object}
    if "type" in schema and not isinstance(value, types[schema["type"]]):
        return [f"{path}: type"]
    if "const" in schema and value != schema["const"]:
        found.append(f"{path}: const")
    if "enum" in schema and value not in schema["enum"]:
        found.append(f"{path}: enum")
    if "pattern" in schema and not re.search(schema["pattern"], value):
        found.append(f"{path}: pattern")
    if "minimum" in schema and not schema["minimum"] <= value <= schema["maximum"]:
        found.append(f"{path}: range")
    if isinstance(value, str) and not schema.get("minLength", 0) <= len(value) <= schema.get("maxLength", 10**6):
        found.append(f"{path}: length")
    if isinstance(value, list):
        for number, item in enumerate(value):
            found += problems(schema["items"], item, f"{path}[{number}]")
    if isinstance(value, dict):
        found += [f"{path}: missing {name}" for name in schema.get("required", ()) if name not in value]
        for name, item in value.items():
            known = schema.get("properties", {}).get(name, schema["additionalProperties"])
            found += [f"{path}: unknown {name}"] if known is False else problems(known, item, f"{path}.{name}")
    return found


@pytest.mark.parametrize("kind", records.KINDS)
@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_valid_records_fit_the_json_schema(kind, data):
    assert problems(records.json_schema(kind), data.draw(valid(kind))) == []


@pytest.mark.parametrize("kind", records.KINDS)
def test_the_json_schema_is_json_and_says_what_it_is(kind):
    schema = codec.loads(codec.dumps(records.json_schema(kind)))
    assert schema["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    assert schema["title"] == kind
    assert "dose_mg" not in str(schema)
    for name, field in schema["properties"].items():
        assert field["description"], name
        assert field["x-disclosure"] in ("open", "revealing", "allocation")


@pytest.mark.parametrize("kind", records.KINDS)
def test_every_field_has_a_meaning_a_need_and_a_class(kind):
    def check(item: type[Item]) -> None:
        for name, field in fields_of(item).items():
            about = field.metadata
            assert about["description"], name
            assert about["required"] in ("R", "C", "O", "-"), name
            assert about["disclosure"] in ("open", "revealing", "allocation"), name
            assert about["required"] != "C" or about["condition"], name
            assert len(name) <= 27, name
            inner = below(field)
            if inner is not None:
                check(inner)

    check(records.schema(kind))


def test_units_and_lists_are_described():
    volume = records.json_schema("procedure")["properties"]["targets"]["items"]["properties"]["volume_ml"]
    assert volume["x-unit"] == "mL"
    assert codec.dumps([volume["minimum"], volume["maximum"]]) == b"[0.1,60]"
    side = records.json_schema("pain_outcome")["properties"]["laterality"]
    assert side["enum"] == ["left", "right", "bilateral", "midline", "na"]


@pytest.mark.parametrize("kind", records.KINDS)
def test_examples_are_synthetic_valid_and_their_own(kind):
    record = records.example(kind)
    assert record["synthetic"] is True
    assert records.load(kind, record) == record
    record["record_status"] = "draft"
    assert records.example(kind)["record_status"] == "final"


def test_the_examples_tell_one_story():
    examples = {kind: records.example(kind) for kind in records.KINDS}
    subject, study, procedure = (examples[kind] for kind in ("subject", "study", "procedure"))
    enrolment, pain = examples["enrolment"], examples["pain_outcome"]
    assert {r["subject_id"] for kind, r in examples.items() if kind != "study"} == {"HD-0017"}
    assert {r["study_id"] for r in examples.values() if "study_id" in r} == {"HD-PS-01"}
    assert pain["anchor_procedure_id"] == procedure["procedure_id"]
    assert procedure["indication"] in {item["condition_id"] for item in subject["conditions"]}
    assert enrolment["assigned_arm"] in {arm["arm_id"] for arm in study["arms"]}
    assert pain["timepoint_code"] in {point["code"] for point in study["timepoints"]}
