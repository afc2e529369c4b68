"""What intake derives: ids, hashes, keys, scale and nominal offset; always the same for the same source."""

from __future__ import annotations

import hashlib
from decimal import Decimal
from uuid import UUID, uuid5

import pytest

from adapter import records
from adapter.records.derive import RECORD_NAMESPACE, standard_offset

from .helpers import GONE, changed


@pytest.mark.parametrize("kind", records.KINDS)
def test_identity_comes_from_the_source_pair(kind):
    record = records.load(None, changed(kind, dict.fromkeys(("record_id", "idempotency_key"), GONE)))
    pair = f"{kind}\n{record['source_system']}\n{record['source_record_id']}"
    assert record["record_id"] == str(uuid5(RECORD_NAMESPACE, pair))
    assert UUID(record["record_id"]).version == 5
    assert record["idempotency_key"] == hashlib.sha256(f"{pair}\n1".encode()).hexdigest()


def test_a_new_version_keeps_its_id_and_gets_another_idempotency_key():
    gone = dict.fromkeys(("record_id", "idempotency_key"), GONE)
    later = {"version": 2, "supersedes_version": 1, "change_reason": "typing error"}
    first, second = (records.load(None, changed("subject", gone | more)) for more in ({}, later))
    assert first["record_id"] == second["record_id"]
    assert first["idempotency_key"] != second["idempotency_key"]


def test_what_the_source_gives_is_kept():
    given = {
        "record_id": "00000000-0000-4000-8000-000000000000",
        "business_key": "X/1",
        "idempotency_key": "k1",
    }
    record = records.load(None, changed("subject", given))
    assert {name: record[name] for name in given} == given


@pytest.mark.parametrize(
    ("kind", "changes", "expected"),
    [
        ("subject", {}, "HD-0017"),
        ("study", {}, "HD-PS-01"),
        ("enrolment", {"unit_id": "left-wrist"}, "HD-PS-01/HD-0017/left-wrist"),
        ("procedure", {}, "HD-0017/P2"),
        ("pain_outcome", {}, "HD-0017/P2/T1/nrs_0_10/movement/w1"),
        ("pain_outcome", {"target_no": GONE}, "HD-0017/P2/gluteal-left/nrs_0_10/movement/w1"),
    ],
)
def test_business_keys(kind, changes, expected):
    record = records.load(None, changed(kind, changes | {"business_key": GONE}))
    assert record["business_key"] == expected


def test_the_scale_is_the_instruments():
    gone = dict.fromkeys(("scale_min", "scale_max", "direction"), GONE)
    record = records.load(None, changed("pain_outcome", gone | {"instrument": "vas_0_100_mm", "score": 62}))
    assert (record["scale_min"], record["scale_max"]) == (Decimal(0), Decimal(100))
    assert record["direction"] == "lower_better"
    assert record["score"] == Decimal(62)


@pytest.mark.parametrize(
    ("code", "offset"),
    [
        ("baseline", "PT0S"),
        ("screening", "PT0S"),
        ("immediate", "PT0S"),
        ("min10", "PT10M"),
        ("h1", "PT1H"),
        ("w1", "P7D"),
        ("w12", "P84D"),
        ("m1", "P1M"),
        ("m3", "P3M"),
        ("d2", "P2D"),
        ("y1", "P1Y"),
        ("x1", None),
        ("visit", None),
        ("", None),
    ],
)
def test_standard_offsets(code, offset):
    assert standard_offset(code) == offset


def test_every_time_point_of_the_list_has_an_offset():
    from adapter.records.lists import codes

    for code in codes("timepoint"):
        changes = {"timepoint_code": code, "nominal_offset": GONE}
        assert records.load(None, changed("pain_outcome", changes))["nominal_offset"] == standard_offset(code)


def test_an_excused_offset_stays_absent():
    changes = {"nominal_offset": GONE, "field_absent_reason": {"nominal_offset": "not_in_source"}}
    assert "nominal_offset" not in records.load(None, changed("pain_outcome", changes))


@pytest.mark.parametrize(
    ("kind", "changes", "expected"),
    [
        ("subject", {}, ("HD-0017",)),
        ("study", {}, ("HD-PS-01",)),
        ("enrolment", {}, ("HD-PS-01", "HD-0017", "")),
        ("enrolment", {"unit_id": "L"}, ("HD-PS-01", "HD-0017", "L")),
        ("procedure", {}, ("HD-0017", "P2")),
    ],
)
def test_keys(kind, changes, expected):
    assert records.key(records.load(None, changed(kind, changes))) == expected


def test_the_key_of_an_outcome_is_its_record_id():
    record = records.example("pain_outcome")
    assert records.key(record) == (record["record_id"],)
