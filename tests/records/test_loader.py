"""The compiled loader and marshmallow agree: the same record, or the same refusals; and it is fast."""

from __future__ import annotations

import copy
import random
import timeit
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from marshmallow import ValidationError

from adapter import codec, records
from adapter.errors import RecordRefused
from adapter.records.base import Refusal, issues
from adapter.records.loader import Refused, compiled, instance
from tests.strategies import any_records, make, raw_records

from .helpers import faults

JUNK: tuple[Any, ...] = (
    None, "", " x ", "x", "none", "other", "left", "unknown", "NaN", 0, 1, -1, 7, 10**12, True, False, 1.5,
    Decimal("0.1"), Decimal("4.50"), Decimal("NaN"), Decimal("1E+2"), Decimal("-0"), [], {}, ["none"],
    [{}], {"a": 1}, ["x", "x"], "2026-02-18", "2026", "2026-02-18T10:15:00", "2026-02-18T10:15:00+03:00",
    "P7D", "a\x00b",
    "\ud800", "HD-0017", "dry_needling", "not_done", "entered_in_error", "completed", "baseline",
)  # fmt: skip


def spots(value: Any) -> list[tuple[Any, Any]]:
    """Every place in a record: (holder, key or index)."""
    found: list[tuple[Any, Any]] = []
    pairs = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, below in pairs:
        found.append((value, key))
        found += spots(below)
    return found


def damaged(raw: dict[str, Any], seed: int) -> dict[str, Any]:
    """The record with one to three places removed, replaced, or added to."""
    rnd = random.Random(seed)
    raw = copy.deepcopy(raw)
    for _ in range(rnd.choice((1, 1, 2, 3))):
        places = spots(raw)
        if not places:
            break
        holder, key = rnd.choice(places)
        match rnd.choice(("remove", "replace", "replace", "swap", "add")):
            case "remove":
                del holder[key]
            case "replace":
                holder[key] = copy.deepcopy(rnd.choice(JUNK))  # a later round may change it
            case "swap":
                holder[key] = copy.deepcopy(rnd.choice([h[k] for h, k in places]))
            case "add" if isinstance(holder, dict):
                name = rnd.choice(("dose_mg", "pct_reduction_calc", "volume_ml", "Jane Doe", "supersedes_version"))
                holder[name] = copy.deepcopy(rnd.choice(JUNK))
    return raw


def by_marshmallow(kind: str, obj: Any) -> Any:
    """What the schema says: the record, or the set of (field, rule, limit)."""
    try:
        return instance(records.schema(kind)).load(obj)
    except ValidationError as error:
        return {(issue.field, issue.rule, issue.limit) for issue in issues(error.messages, None)}


def by_loader(kind: str, obj: Any) -> Any:
    """What the compiled path says alone: the record, or None where it hands over to marshmallow."""
    try:
        return compiled(records.schema(kind))(obj)
    except (Refused, Refusal, TypeError):
        return None


@pytest.mark.parametrize("kind", records.KNOWN)
@settings(max_examples=150, deadline=None)
@given(data=st.data())
def test_valid_records_take_the_fast_path_and_come_out_the_same(kind, data):
    raw = data.draw(raw_records(kind))
    before = copy.deepcopy(raw)
    found = by_loader(kind, raw)
    assert found == by_marshmallow(kind, raw)
    assert str(found) == str(by_marshmallow(kind, raw))  # digits and order too
    assert raw == before
    order = list(records.schema(kind)._declared_fields)
    assert sorted(found, key=order.index) == list(found)


@pytest.mark.parametrize("kind", records.KNOWN)
@settings(max_examples=300, deadline=None)
@given(data=st.data())
def test_damaged_records_are_judged_alike(kind, data):
    obj = damaged(data.draw(raw_records(kind)), data.draw(st.integers(0, 2**32)))
    slow, fast = by_marshmallow(kind, obj), by_loader(kind, obj)
    if isinstance(slow, set):
        assert fast is None
        if obj.get("kind") == kind:
            with pytest.raises(RecordRefused) as caught:
                records.load(kind, obj)
            assert {(issue.field, issue.rule, issue.limit) for issue in caught.value.issues} == slow
    else:
        assert str(fast) == str(slow)


@settings(max_examples=200, deadline=None)
@given(record=any_records())
def test_a_validated_record_is_stable_and_survives_json(record):
    again = records.load(None, codec.loads(codec.dumps(record)))
    assert str(again) == str(record)


def test_marshmallow_decides_where_the_fast_path_hands_over():
    class Odd(dict):
        """A mapping the decoder never makes."""

    subject = records.example("subject")
    subject["conditions"][0] = Odd(subject["conditions"][0])
    assert by_loader("subject", subject) is None
    assert records.load(None, subject) == records.example("subject")


def test_lists_of_the_input_are_not_shared():
    raw = records.example("procedure")
    found = records.load(None, raw)
    found["guidance"].append("mri")
    found["targets"][0]["pathology"].append("scar")
    assert raw["guidance"] == ["ultrasound"]
    assert raw["targets"][0]["pathology"] == ["adhesion", "thickening"]


@pytest.mark.parametrize("obj", [None, [], "x", 5])
def test_what_is_no_object_is_refused(obj):
    assert faults(obj) == {("", "type")}


def test_the_kind_decides_and_must_agree():
    subject = records.example("subject")
    assert records.load("subject", subject) == subject
    assert faults(subject, "study") == {("kind", "kind")}
    assert faults(subject | {"kind": "patient"}) == {("kind", "kind")}
    assert faults({}) == {("kind", "required")}
    assert faults(subject | {"kind": ["subject"]}) == {("kind", "kind")}


def test_names_of_unknown_fields_are_shown_only_when_they_look_like_names():
    subject = records.example("subject")
    assert faults(subject | {"wieght_kg": 70}) == {("wieght_kg", "unknown_field")}
    assert faults(subject | {"Jane Doe": 1}) == {("?", "unknown_field")}


def test_a_refusal_names_the_record_given_or_made_from_the_source_pair():
    subject = records.example("subject")
    made = {name: value for name, value in subject.items() if name != "record_id"}
    for obj in (subject, made):
        with pytest.raises(RecordRefused) as caught:
            records.load(None, obj | {"sex": "x"})
        assert [issue.record for issue in caught.value.issues] == [subject["record_id"]]
    with pytest.raises(RecordRefused) as caught:
        records.load(None, made | {"record_id": "Jane Doe"})
    assert [issue.record for issue in caught.value.issues] == [None]


def test_at_least_five_times_faster_than_marshmallow():
    schema = records.schema("pain_outcome")
    raws = [make("pain_outcome", seed, 0.7) for seed in range(50)]
    fast = slow = 1e9
    for _ in range(9):  # by turns, so that a busy machine slows both
        fast = min(fast, timeit.timeit(lambda: [records.load(None, raw) for raw in raws], number=1))
        slow = min(slow, timeit.timeit(lambda: [instance(schema).load(raw) for raw in raws], number=1))
    assert slow > 4 * fast  # 5 to 8 when measured alone; the rest is for a busy machine
