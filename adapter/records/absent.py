"""Absent values: every required field has a value or a reason, and every reason belongs to a field that is
absent.

Decisions, Records 3: a reason is needed for an R field left empty; conditional fields are asked for by the
rules of their kind. Keys and RecordMeta can never be excused. Paths are names joined by dots, items counted
from 1.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from .base import Base, Item
from .nested import Items, Nested
from .rules import Out, Record, Rule


def fields_of(schema: type[Item]) -> dict[str, Base]:
    """The declared fields of a schema class, in order."""
    return dict(schema._declared_fields)  # type: ignore[arg-type]


def below(field: Base) -> type[Item] | None:
    """The schema of a field that holds objects, else None."""
    return field.item if isinstance(field, Items | Nested) else None


def _asked(schema: type[Item]) -> tuple[str, ...]:
    """Names of the R fields that may be excused, and are not filled by intake."""
    return tuple(
        name
        for name, field in fields_of(schema).items()
        if field.need.level == "R" and not field.need.always and not field.metadata.get("filled")
    )


def _inside(schema: type[Item]) -> tuple[tuple[str, bool, tuple[str, ...]], ...]:
    """For each field that holds objects: name, whether it is a list, and the R fields of the object."""
    found = []
    for name, field in fields_of(schema).items():
        item = below(field)
        if item is not None:
            found.append((name, isinstance(field, Items), _asked(item)))
    return tuple(found)


def _holders(record: Record, name: str, many: bool) -> Iterator[tuple[str, Record]]:
    if name in record:
        if many:
            yield from ((f"{name}.{number}.", item) for number, item in enumerate(record[name], 1))
        else:
            yield f"{name}.", record[name]


def absent_rule(schema: type[Item]) -> Rule:
    """The rule on absent values, compiled for one record kind. Rules absent_reason, absent_path,
    absent_conflict.
    """
    asked, inside = _asked(schema), _inside(schema)

    def rule(record: Record, out: Out) -> None:
        reasons = record.get("field_absent_reason", {})
        for name in asked:
            if name not in record and name not in reasons:
                out.add(name, "absent_reason", "a value, or its absent reason")
        for name, many, parts in inside:
            for prefix, holder in _holders(record, name, many):
                for part in parts:
                    if part not in holder and prefix + part not in reasons:
                        out.add(prefix + part, "absent_reason", "a value, or its absent reason")
        for path in reasons:
            _check_reason(schema, record, path, out)

    return rule


def _check_reason(schema: type[Item], record: Record, path: str, out: Out) -> None:
    """A reason names a field that exists, may be excused, and is absent."""
    holder: Any = record
    names = fields_of(schema)
    steps = path.split(".") if isinstance(path, str) and len(path) < 100 else [""]
    for position, step in enumerate(steps):
        field = names.get(step) if isinstance(holder, dict) else None
        if field is None:
            return out.add("field_absent_reason", "absent_path", "path of a field of this record")
        if position == len(steps) - 1:
            if not field.need.excusable or field.metadata.get("derived"):
                return out.add("field_absent_reason", "absent_path", "a field that may be absent with a reason")
            if step in holder:
                return out.add(path, "absent_conflict", "a value or an absent reason, not both")
            return None
        item = below(field)
        if item is None or step not in holder:
            return out.add("field_absent_reason", "absent_path", "path of a field of this record")
        names, holder = fields_of(item), holder[step]
        if isinstance(field, Items):
            return _check_item_reason(names, holder, steps[position + 1 :], path, out)
    return None


def _check_item_reason(names: dict[str, Base], items: list[Any], steps: list[str], path: str, out: Out) -> None:
    """The rest of a path inside a list: item number from 1, then the name of a field."""
    known = len(steps) == 2 and steps[0].isascii() and steps[0].isdigit() and steps[0][0] != "0"
    field = names.get(steps[1]) if known else None
    if field is None or int(steps[0]) > len(items):
        return out.add("field_absent_reason", "absent_path", "path of a field of this record")
    if not field.need.excusable or field.metadata.get("derived"):
        return out.add("field_absent_reason", "absent_path", "a field that may be absent with a reason")
    if steps[1] in items[int(steps[0]) - 1]:
        out.add(path, "absent_conflict", "a value or an absent reason, not both")
    return None
