"""What another writer's resource must not say otherwise: `agree` rows, and extensions that change the meaning.

A constant or a copy is written and never read: whoever leaves out a refuted diagnosis, a denied consent or the name of
another patient has read something else than what was written. Resources of ours are not asked; their meaning is in the
rows that are read. Knows no element by name but those that FHIR has on every resource.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from adapter.mapping.context import ReadCtx, Tracer
from adapter.mapping.nodes import SHAPE, Json, absent
from adapter.mapping.rows import Row
from adapter.mapping.via.base import Refuse, Via


class Agreed:
    """One element that must say what the row would write, or one of the further values that the row allows."""

    phase, readable, doubts = 0, True, True

    def __init__(self, key: str, row: Row, allowed: tuple[Any, ...], via: Via | None) -> None:
        self.key, self.row, self.allowed, self.via = key, row, allowed, via

    def read(self, ctx: ReadCtx, el: Json) -> None:
        found = el.get(self.key)
        if found is None or absent(found) or any(same(one, found) for one in self.allowed):
            return
        if self.via is None:
            ctx.differs(self.row)
        else:
            ctx.later.append((self, ctx, found))

    def settle(self, ctx: ReadCtx, record: Json, found: Any) -> None:
        """Once the record is read: is ``found`` what its fields would have written here?"""
        assert self.via is not None
        values = [record.get(n[1:]) if n.startswith("/") else ctx.out.get(n) for n in self.row.fields]
        if self.row.via == "reference":
            try:
                told = self.via.read(ctx, found)
            except Refuse:
                told = None
            if values != [told]:
                ctx.differs(self.row)
            return
        try:
            wanted = self.via.write(None, *values)
        except (Refuse, *SHAPE):
            wanted = None
        if wanted is None or not same(wanted, found):
            ctx.differs(self.row)

    def trace(self, el: Json, path: str, sink: Tracer) -> None: ...


def same(wanted: Any, found: Any) -> bool:
    """Do two elements say the same? Concepts do when they share a coding, in either case of its letters: HL7 changed
    the case of some codes between versions."""
    if isinstance(wanted, dict) and "coding" in wanted:
        return bool(_pairs(wanted) & _pairs(found))
    return type(wanted) is type(found) and bool(wanted == found)


def _pairs(concept: Any) -> set[tuple[str, str]]:
    codings = concept.get("coding") if isinstance(concept, dict) else None
    each = codings if isinstance(codings, list) else []
    return {(str(c.get("system")), str(c.get("code")).lower()) for c in each if isinstance(c, dict)}


def known_modifiers(rows: Iterable[Row]) -> Iterator[str]:
    """Names of the modifier extensions that these rows are about."""
    for row in rows:
        yield from (s.slice for s in row.path if s.name == "modifierExtension" and s.slice)
        yield from known_modifiers(row.rows)


def modified(resource: Any, known: frozenset[str], path: str = "") -> str | None:
    """Where a resource holds something of which FHIR says that who does not know it must not read on: a modifier
    extension, or rules made for its place of origin. None where there is none."""
    if isinstance(resource, dict):
        for key, value in resource.items():
            here = f"{path}.{key}" if path else key
            if key == "implicitRules":
                return here
            if key == "modifierExtension":
                each = value if isinstance(value, list) else [value]
                if any(not isinstance(one, dict) or one.get("url") not in known for one in each):
                    return here
            elif isinstance(value, dict | list):
                found = modified(value, known, here)
                if found is not None:
                    return found
    elif isinstance(resource, list):
        for item in resource:
            found = modified(item, known, path)
            if found is not None:
                return found
    return None
