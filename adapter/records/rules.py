"""What the rules of a record share: the collector of broken rules and small questions asked of a record.

A rule is a plain function of (record, out) that adds a path, a rule id and a limit for everything it finds
wrong. Rules see fully typed values, run only when no field is wrong by itself, and look at one record only;
rules between records are not in this room. Ids with V or B are those of the domain model. It must not know
record kinds.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from decimal import Decimal
from typing import Any

from .base import Fault
from .times import later

Record = dict[str, Any]
TOLERANCE = Decimal("0.1")  # mL; the domain model lets stated totals differ from their sums by this much


class Out:
    """Collects broken rules as (path, fault)."""

    __slots__ = ("found",)

    def __init__(self) -> None:
        self.found: list[tuple[str, Fault]] = []

    def add(self, path: str, rule: str, limit: str = "") -> None:
        """Note that the field at this path breaks this rule; the limit is the bound, never the value."""
        self.found.append((path, Fault(rule, limit)))

    def tree(self) -> dict[Any, Any]:
        """The marshmallow error tree: names, and list indexes counted from 0."""
        tree: dict[Any, Any] = {}
        for path, fault in self.found:
            steps: list[Any] = [int(step) - 1 if step.isdigit() else step for step in path.split(".")]
            place = tree
            for step in steps[:-1]:
                below = place.setdefault(step, {})
                if isinstance(below, list):
                    below = place[step] = {"_schema": below}
                place = below
            last = place.setdefault(steps[-1], [])
            (last.setdefault("_schema", []) if isinstance(last, dict) else last).append(fault)
        return tree


Rule = Callable[[Record, Out], None]


def excused(record: Record, path: str) -> bool:
    """Whether the record gives an absent reason for this path."""
    return path in record.get("field_absent_reason", ())


def need(record: Record, out: Out, path: str, holder: Record, *, when: str, rule: str = "absent_reason") -> None:
    """A conditional field whose condition holds: it has a value, or an absent reason (decisions, absent
    values).
    """
    if path.rpartition(".")[2] not in holder and not excused(record, path):
        out.add(path, rule, f"needed when {when}, or its absent reason")


def forbid(holder: Record, out: Out, prefix: str, names: tuple[str, ...], rule: str, limit: str) -> None:
    """Fields that are not legal here."""
    for name in names:
        if name in holder:
            out.add(prefix + name, rule, limit)


def each(record: Record, name: str) -> Iterator[tuple[str, Record]]:
    """The items of a list of objects with their path prefix, counted from 1: (`targets.1.`, item)."""
    for number, item in enumerate(record.get(name, ()), 1):
        yield f"{name}.{number}.", item


def unique(record: Record, out: Out, name: str, part: str) -> None:
    """No two items of a list share this key."""
    seen: set[Any] = set()
    for path, item in each(record, name):
        if item.get(part) in seen:
            out.add(path + part, "duplicate", "unique in the record")
        seen.add(item.get(part))


def not_after(record: Record, out: Out, first: str, second: str, rule: str = "order") -> None:
    """`second` is not before `first`, as far as both are known; the fault is told of `second`."""
    if first in record and second in record and later(record[first], record[second]):
        out.add(second, rule, f"not before {first}")


def recorded_after(*names: str) -> Rule:
    """What was recorded had happened: none of these times is after recorded_at."""

    def rule(record: Record, out: Out) -> None:
        for name in names:
            if name in record and later(record[name], record["recorded_at"]):
                out.add(name, "recorded_before", "not after recorded_at")

    return rule
