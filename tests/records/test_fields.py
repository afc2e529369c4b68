"""Every field type: what it keeps as it came, and by which rule it refuses. The compiled form agrees."""

from __future__ import annotations

from decimal import Decimal as D

import pytest
from marshmallow import ValidationError

from adapter.records import fields as f
from adapter.records import nested as n
from adapter.records import number_fields as nf
from adapter.records import time_fields as t
from adapter.records.base import Base, Item, Refusal
from adapter.records.loader import Refused, _compile

KEPT = [
    (f.Text(), "ağrı  πόνος 痛み 😀\u00a0x"),
    (f.Text(longest=3), "abc"),
    (f.Key(), "TR-IST-01"),
    (f.Key(), "a" * 64),
    (f.SubjectKey(), "HD-0017"),
    (f.Uuid(), "6f0c9a52-8f1e-4d2a-9a3b-0123456789ab"),
    (f.Code("laterality"), "na"),
    (f.Bool(), False),
    (f.Bool(true_only=True), True),
    (nf.Int(18, 32), 18),
    (nf.Int(18, 32), 32),
    (nf.Dec("0", "10"), D("4.50")),
    (nf.Dec("0", "10"), D("10.000000")),
    (nf.Dec("0", "10", step="0.5"), D("4.50")),
    (t.Instant(), "2026-02-18T10:15:00+03:00"),
    (t.Instant(), "2026-02-18T10:15:00.250Z"),
    (t.Partial(), "2024"),
    (t.Partial(), "2024-02-29"),
    (t.DateTimeOrPartial(), "2024-11"),
    (t.DateTimeOrPartial(), "2024-11-30T00:00:00-09:30"),
    (t.Duration(), "PT1H"),
    (t.Duration(), "P0D"),
    (t.Zone(), "Europe/Istanbul"),
    (n.Codes("symptom"), ["numbness", "tingling"]),
    (n.Codes("complication", none=True), ["none"]),
    (n.Codes("agent", none=True), ["none"]),
    (n.List(f.Text()), ["a", "a"]),
]
REFUSED = [
    (f.Text(), None, "null"),
    (f.Text(), 5, "type"),
    (f.Text(), "", "empty"),
    (f.Text(), " x", "whitespace"),
    (f.Text(), "x\u3000", "whitespace"),
    (f.Text(), "a\nb", "control"),
    (f.Text(), "a\x00b", "control"),
    (f.Text(), "a\x85b", "control"),
    (f.Text(), "a\ud800b", "surrogate"),
    (f.Text(longest=3), "abcd", "length"),
    (f.Key(), "-x", "format"),
    (f.Key(), "a b", "format"),
    (f.Key(), "a ", "whitespace"),
    (f.Key(), "a\t", "control"),
    (f.Key(), "", "empty"),
    (f.Key(), "ä1", "format"),
    (f.Key(), "a" * 65, "length"),
    (f.SubjectKey(), "Ayse", "pseudonym"),
    (f.SubjectKey(), "0123456", "pseudonym"),
    (f.SubjectKey(), "12.05.1984", "pseudonym"),
    (f.Uuid(), "6F0C9A52-8F1E-4D2A-9A3B-0123456789AB", "format"),
    (f.Code("laterality"), "Left", "code"),
    (f.Code("laterality"), "", "code"),
    (f.Code("laterality"), ["left"], "type"),
    (f.Code("laterality", only=("left",)), "right", "code"),
    (f.Code("agent", but=("none",)), "none", "code"),
    (f.Bool(), 1, "type"),
    (f.Bool(), "true", "type"),
    (f.Bool(true_only=True), False, "code"),
    (nf.Int(18, 32), 17, "range"),
    (nf.Int(18, 32), 33, "range"),
    (nf.Int(0, 1), True, "type"),
    (nf.Int(18, 32), D("20.0"), "type"),
    (nf.Int(18, 32), "20", "type"),
    (nf.Dec("0", "10"), 4.5, "type"),
    (nf.Dec("0", "10"), True, "type"),
    (nf.Dec("0", "10"), "4.5", "type"),
    (nf.Dec("0", "10"), D("NaN"), "type"),
    (nf.Dec("0", "10"), D("Infinity"), "type"),
    (nf.Dec("0", "10"), D("10.000001"), "range"),
    (nf.Dec("0", "10"), D("1.0000000"), "places"),
    (nf.Dec("-1", "10"), D("-0.0"), "format"),
    (nf.Dec("0", "10"), D("1E+1"), "format"),
    (nf.Dec("0", "10", step="0.5"), D("4.25"), "step"),
    (t.Instant(), "2026-02-18T10:15:00", "naive_time"),
    (t.Instant(), "2026-02-18T10:15+03:00", "format"),
    (t.Instant(), "2026-02-18 10:15:00+03:00", "format"),
    (t.Instant(), "2026-02-30T10:15:00+03:00", "format"),
    (t.Instant(), "2026-02-18T24:00:00+03:00", "format"),
    (t.Instant(), "2026-02-18T10:15:60Z", "format"),
    (t.Instant(), "2026-02-18", "format"),
    (t.Instant(), "", "empty"),
    (t.Partial(), "2026-13", "format"),
    (t.Partial(), "2025-02-29", "format"),
    (t.Partial(), "26", "format"),
    (t.Partial(), "2026-02-18T10:15:00Z", "format"),
    (t.DateTimeOrPartial(), "2026-02-18T10:15", "naive_time"),
    (t.DateTimeOrPartial(), 2026, "type"),
    (t.Duration(), "P1Y2M", "format"),
    (t.Duration(), "P1.5D", "format"),
    (t.Duration(), "PT", "format"),
    (t.Zone(), "Istanbul", "zone"),
    (t.Zone(), "+03:00", "zone"),
    (t.Zone(), "Factory", "zone"),
    (n.Codes("symptom"), [], "empty"),
    (n.Codes("symptom"), "numbness", "type"),
    (n.Codes("symptom"), ["numbness", "numbness"], "duplicate"),
    (n.Codes("symptom"), ["none"], "code"),
    (n.Codes("symptom"), [None], "null"),
    (n.Codes("complication", none=True), ["none", "haematoma"], "none_exclusive"),
    (n.List(f.Key(), most=2), ["a", "b", "c"], "too_many"),
    (n.List(f.Key(), unique=True), ["a", "a"], "duplicate"),
    (f.Derived(""), 1, "derived_input"),
    (f.Derived(""), None, "derived_input"),
]


def compiled(field: Base):
    """The compiled form of a schema of this one field."""
    return _compile(type("Only", (Item,), {"it": field}), {"Refused": Refused, "missing": object()})


def first_rule(messages) -> str:
    """The rule of the first fault in an error tree."""
    while not hasattr(messages, "rule"):
        messages = next(iter(messages.values())) if isinstance(messages, dict) else messages[0]
    return messages.rule


@pytest.mark.parametrize(("field", "value"), KEPT)
def test_a_legal_value_is_kept_as_it_came(field, value):
    found = field.deserialize(value)
    assert found == value
    assert str(found) == str(value)
    assert compiled(field)({"it": value}) == {"it": value}


@pytest.mark.parametrize(("field", "value", "rule"), REFUSED)
def test_an_illegal_value_names_its_rule(field, value, rule):
    with pytest.raises(ValidationError) as caught:
        field.deserialize(value)
    assert first_rule(caught.value.messages) == rule
    with pytest.raises((Refused, Refusal, TypeError)):
        compiled(field)({"it": value})


def test_a_whole_number_becomes_a_decimal_of_the_same_digits():
    for number in (nf.Dec("0", "100").deserialize(10), compiled(nf.Dec("0", "100"))({"it": 10})["it"]):
        assert (str(number), type(number)) == ("10", D)


def test_refusals_do_not_repeat_the_value():
    with pytest.raises(ValidationError) as caught:
        f.Text().deserialize(" Ayse Kaya")
    assert "Ayse" not in str(caught.value.messages)
