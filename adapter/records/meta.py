"""RecordMeta: what lies flat in every record, the rules on it, and the schema base that runs all rules of a
kind.

A kind's schema adds its own fields and rules. Keys, version and status decide identity and history and are
never excused. It must not know any kind.
"""

from __future__ import annotations

from functools import cache
from typing import Any, ClassVar

from marshmallow import ValidationError, post_load, validates_schema

from .absent import absent_rule, below, fields_of
from .base import KEY, REVEALING, C, Item, Need, O
from .derive import identity
from .fields import Bool, Code, Constant, Key, Pattern, Text, Uuid
from .nested import Items, Reasons
from .number_fields import Int
from .rules import Out, Record, Rule
from .time_fields import DateTimeOrPartial, Instant, Zone
from .times import offset_fits

FILLED = Need("R", excusable=False)
SOURCE = "[A-Za-z0-9][A-Za-z0-9._-]*"


class RecordSchema(Item):
    """RecordMeta fields, and the one place where the rules of a record run."""

    kind = Constant("", KEY, "Record kind")
    record_id = Uuid(FILLED, "Opaque id, the same in all versions; made from the source pair when absent", filled=True)
    business_key = Key(
        FILLED, "Readable key, unique among records not retracted; made when absent", longest=400, filled=True
    )
    source_system = Pattern(SOURCE, KEY, "System the record came from", limit="letters, digits and . _ -")
    source_record_id = Text(KEY, "Key of the record in its source system", longest=200)
    version = Int(1, 10000, KEY, "Version of the record, counted from 1 without gaps")
    supersedes_version = Int(1, 9999, C("version > 1", excusable=False), "The version this one replaces")
    record_status = Code("record-status", KEY, "State of the record itself")
    recorded_at = Instant(KEY, "When this version was recorded")
    recorded_by = Key(KEY, "Pseudonym of the person or system that recorded it")
    change_reason = Text(
        C("version > 1", excusable=False), "Why this version replaces the former", longest=1000, see=REVEALING
    )
    idempotency_key = Key(FILLED, "Hash of source pair and version; made when absent", longest=128, filled=True)
    blinding_class = Code("blinding-class", KEY, "What the record as a whole would reveal of the allocation")
    site_timezone = Zone(KEY, "Time zone of the site; every offset in the record must be valid in it")
    field_absent_reason = Reasons(
        Need("C", when="an R or C field is empty", excusable=False),
        "Why a field is absent: field path (items counted from 1) to reason",
        see=REVEALING,
    )
    synthetic = Bool(
        Need("O", excusable=False), "true marks made-up test data; real data leaves it out", true_only=True
    )

    key_fields: ClassVar[tuple[str, ...]] = ("record_id",)
    rules: ClassVar[tuple[Rule, ...]] = ()
    warnings: ClassVar[tuple[Rule, ...]] = ()

    @classmethod
    def all_rules(cls) -> tuple[Rule, ...]:
        """The rules on RecordMeta and those of the kind, in the order they run."""
        return _all_rules(cls)

    @validates_schema
    def single_record_rules(self, data: Record, **_: Any) -> None:
        """Run every single-record rule on a record whose fields are right by themselves."""
        out = Out()
        for rule in self.all_rules():
            rule(data, out)
        if out.found:
            raise ValidationError(out.tree())

    @post_load
    def derive(self, data: Record, **_: Any) -> Record:
        """Add what intake derives, and put the fields in the order of the schema."""
        return self.finish(data)

    @classmethod
    def key(cls, record: Record) -> tuple[str, ...]:
        """What other records refer to this one by (decisions, Kinds and keys); ``""`` for an absent part."""
        fields = cls.key_fields
        if len(fields) == 1:
            return (record[fields[0]],)
        return tuple([record.get(name, "") for name in fields])

    @classmethod
    def business(cls, record: Record) -> str:
        """The business key of a record, when the source gives none: its key, unless the kind knows better."""
        return "/".join(part for part in cls.key(record) if part)

    @classmethod
    def fill(cls, record: Record) -> None:
        """Fill what the kind derives beside RecordMeta; nothing by default."""

    @classmethod
    def finish(cls, record: Record) -> Record:
        """Add what intake derives to a checked record, in place, and return it in schema order."""
        size = len(record)
        identity(record)
        if "business_key" not in record:
            record["business_key"] = cls.business(record)
        cls.fill(record)
        if len(record) == size:
            return record
        return {name: record[name] for name in cls._declared_fields if name in record}


@cache
def _all_rules(schema: type[RecordSchema]) -> tuple[Rule, ...]:
    return (absent_rule(schema), history, offsets_rule(schema), other_rule(schema), *schema.rules)


def history(record: Record, out: Out) -> None:
    """Versions count on without a gap, say why, and only a later version amends or corrects (V12,
    RecordMeta).
    """
    version, former = record["version"], record.get("supersedes_version")
    if version == 1:
        if former is not None:
            out.add("supersedes_version", "version", "only when version > 1")
        if record["record_status"] in ("amended", "corrected"):
            out.add("record_status", "version", "amended and corrected need version > 1")
        return
    if former != version - 1:
        out.add("supersedes_version", "version", "version - 1")
    if "change_reason" not in record:
        out.add("change_reason", "version", "needed when version > 1")


def offsets_rule(schema: type[Item]) -> Rule:
    """Each time's offset is valid in site_timezone at that instant (scenario S11); partial dates are free."""
    plain, inside = _times_of(schema)

    def rule(record: Record, out: Out) -> None:
        zone = record["site_timezone"]
        for name in plain:
            if name in record and len(record[name]) > 10 and not offset_fits(record[name], zone):
                out.add(name, "offset", "offset valid in site_timezone at that time")
        for holder, names in inside:
            for number, item in enumerate(record.get(holder, ()), 1):
                for name in names:
                    if name in item and len(item[name]) > 10 and not offset_fits(item[name], zone):
                        out.add(
                            f"{holder}.{number}.{name}",
                            "offset",
                            "offset valid in site_timezone at that time",
                        )

    return rule


def _times_of(schema: type[Item]) -> tuple[tuple[str, ...], tuple[tuple[str, tuple[str, ...]], ...]]:
    """Names of the time fields of a schema: its own, and those inside its lists of objects. A time that is copied from
    another record has the offset of the site there."""
    timed = [(n, f) for n, f in fields_of(schema).items() if isinstance(f, Instant | DateTimeOrPartial)]
    plain = tuple(n for n, f in timed if not f.metadata.get("copied"))
    inside = []
    for name, field in fields_of(schema).items():
        item = below(field)
        if isinstance(field, Items) and item is not None and _times_of(item)[0]:
            inside.append((name, _times_of(item)[0]))
    return plain, tuple(inside)


def other_rule(schema: type[Item]) -> Rule:
    """The code `other` says in words which (the `_text` field beside it)."""
    plain = _texts_of(schema)
    inside = [(name, _texts_of(item)) for name, field in fields_of(schema).items() if (item := below(field))]
    lists = [(name, pairs) for name, pairs in inside if pairs]

    def rule(record: Record, out: Out) -> None:
        for name, text in plain:
            if record.get(name) == "other" and text not in record:
                out.add(text, "other_text", f"needed when {name} is other")
        for holder, pairs in lists:
            for number, item in enumerate(record.get(holder, ()), 1):
                for name, text in pairs:
                    if item.get(name) == "other" and text not in item:
                        out.add(f"{holder}.{number}.{text}", "other_text", f"needed when {name} is other")

    return rule


def _texts_of(schema: type[Item]) -> tuple[tuple[str, str], ...]:
    return tuple((n, f.other_text) for n, f in fields_of(schema).items() if isinstance(f, Code) and f.other_text)


__all__ = ["FILLED", "KEY", "O", "RecordSchema"]
