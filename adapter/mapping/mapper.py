"""One record kind in one FHIR version: forward to its resources, and back. Compiled once, used for every record."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from adapter.errors import Issue, MappingError
from adapter.mapping.agree import known_modifiers, modified
from adapter.mapping.context import ReadCtx, Tracer, WriteCtx
from adapter.mapping.nodes import Obj
from adapter.mapping.paths import Step
from adapter.mapping.rows import Block, Definition
from adapter.mapping.via import Env
from adapter.mapping.via.base import Refuse
from adapter.mapping.writer import Build, builder

ROOT = "root"


@dataclass(frozen=True)
class Tables:
    """Small tables that nodes need: the standard concept of each absent reason."""

    dar: Mapping[str, Any]


@dataclass(frozen=True)
class Part:
    """A compiled resource block. ``links``: (part it points at, path) for finding graphs of other writers."""

    block: Block
    tree: Obj
    links: tuple[tuple[str, tuple[Step, ...]], ...]

    @cached_property
    def name(self) -> str:
        return self.block.part or ROOT

    @cached_property
    def build(self) -> Build:
        """Writes the resource; compiled when first needed."""
        return builder(self.tree)


class Mapper:
    """Forward and back for one kind and version. ``key`` gives the record's key (decisions.md 1)."""

    def __init__(
        self,
        definition: Definition,
        parts: Sequence[Part],
        env: Env,
        tables: Tables,
        key: Callable[[dict], tuple],
        single: frozenset[str] = frozenset(),
    ) -> None:
        self.kind, self.version, self.env, self.tables = definition.kind, definition.version, env, tables
        self.definition, self.single = definition, single
        self.parts = tuple(parts)
        self.root = next(p for p in parts if p.name == ROOT)
        self.children = tuple(p for p in parts if p.name != ROOT and not p.block.history)
        self.history = tuple(p for p in parts if p.block.history)
        self.by_name = {p.name: p for p in self.children}
        rows = [row for p in parts for row in p.block.rows]
        self.modifiers = frozenset(env.extension_url(name) for name in known_modifiers(rows))
        self.key = key
        self.part_system = f"{env.sid}/part"

    # -- forward ----------------------------------------------------------------------------------------------
    def forward(self, record: dict[str, Any]) -> list[dict[str, Any]]:
        """The record's resources, root first. Raises MappingError naming record, field and rule."""
        rec = dict(record)
        rec["$kind"] = self.kind
        ctx = WriteCtx(rec, self.tables)
        key = self.key(record)
        ids = self.env.ids
        root_type = self.root.block.type
        root_id = ids(self.kind, key, "")
        ctx.refs[ROOT] = {0: {"reference": f"{root_type}/{root_id}", "type": root_type}}
        made: list[dict[str, Any]] = []
        names: list[str] = []
        for part in self.children:
            self._children(ctx, part, key, made, names)
        if names:
            rec["$parts"] = names
        absent = record.get("field_absent_reason")
        if absent:
            rec["$absent"] = [{"field": f, "reason": r} for f, r in absent.items()]
        ctx.contained = []
        root = self.root.build(ctx)
        contained = ctx.contained
        said = [self._of_version(ctx, part, key) for part in self.history]
        if ctx.problems or root is None:
            raise MappingError(
                f"record cannot be mapped to {self.version}",
                issues=[
                    Issue(
                        record=record.get("record_id"), field=row.fields[0] if row.fields else row.text,
                        rule=refused.rule, limit=refused.limit, message=f"{root_type}.{row.text}",
                    )
                    for row, refused in ctx.problems
                ],
            )  # fmt: skip
        return [self._finish(root, root_type, root_id, contained), *made, *said]

    def _of_version(self, ctx: WriteCtx, part: Part, key: tuple) -> dict[str, Any]:
        """What is said of this version of the record: a resource with an id of its own, that no later one replaces."""
        ctx.contained = []
        rid = self.env.ids(self.kind, key, f"{part.name}-{ctx.root['version']}")
        return self._finish(part.build(ctx) or {}, part.block.type, rid, ctx.contained)

    def _children(self, ctx: WriteCtx, part: Part, key: tuple, made: list, names: list[str]) -> None:
        block = part.block
        refs = ctx.refs.setdefault(part.name, {})
        if block.each is None:
            scopes = [(0, ctx)]
        else:
            scopes = [
                (n, ctx.item(block.each, n, item))
                for n, item in enumerate(ctx.rec.get(block.each) or (), 1)
                if block.among is None or item.get(block.among[0]) in block.among[1]
            ]
            if block.each in ctx.rec and not isinstance(ctx.rec[block.each], list):
                scopes = [(0, ctx.item(block.each, 0, ctx.rec[block.each]))]
        for n, scope in scopes:
            scope.contained = []
            el = part.build(scope)
            if el is None:
                continue
            name = f"{part.name}-{n}" if n else part.name
            stem = f"{part.name}-{scope.rec[block.key]}" if block.key else name
            rid = self.env.ids(self.kind, key, stem)
            el.setdefault("identifier", []).append(
                {"system": self.part_system, "value": f"{ctx.root['record_id']}/{name}"}
            )
            names.append(name)
            refs[n] = {"reference": f"{block.type}/{rid}", "type": block.type}
            made.append(self._finish(el, block.type, rid, scope.contained))

    @staticmethod
    def _finish(el: dict, kind: str, rid: str, contained: list[dict]) -> dict[str, Any]:
        head: dict[str, Any] = {"resourceType": kind, "id": rid}
        if contained:
            head["contained"] = contained
        head.update(el)
        return head

    # -- back -------------------------------------------------------------------------------------------------
    def recognises(self, resource: dict[str, Any]) -> bool:
        """Could this resource of another writer be the root of such a record?"""
        return resource.get("resourceType") == self.root.block.type and self.root.tree.matches(
            ReadCtx.loose(), resource
        )

    def claims(self, resource: dict[str, Any]) -> bool:
        """Is this resource of another writer marked as a part of such a record?"""
        return any(
            part.tree.matchers
            and part.block.type == resource.get("resourceType")
            and part.tree.matches(ReadCtx.loose(), resource)
            for part in self.children
        )

    def back(
        self, graph: Any, root: dict[str, Any], ours: bool, parts: Iterable[tuple[Part, int, dict[str, Any]]]
    ) -> tuple[dict[str, Any], list[Issue]]:
        """What ``root`` and its ``parts`` (part, item number, resource) say, as record fields, and what could not be
        read (refused). ``graph`` answers references."""
        ctx = ReadCtx(graph, root, ours)
        if not ours or "modifierExtension" in root:  # our own writing is looked at where it shows
            self._unmodified(ctx, root)
        self.root.tree.read_inner(ctx, root)
        items: dict[str, dict[Any, ReadCtx]] = {}
        single: dict[str, list[dict[str, Any]]] = {}
        for part, n, resource in parts:
            if not ours or "modifierExtension" in resource:
                self._unmodified(ctx.at(resource), resource)
            if part.block.each is None:
                single.setdefault(part.name, []).append(resource)
                continue
            scope = items.setdefault(part.block.each, {})
            inner = scope.get(n)
            if inner is None:
                inner = scope[n] = ctx.item(part.block.each, n)
            inner.resource = resource
            part.tree.read_inner(inner, resource)
        for name, resources in single.items():
            self.by_name[name].tree.read_one(ctx.at(resources[0]), resources)
        for each, scope in items.items():
            filled = [out for n in sorted(scope) if (out := scope[n].close())]
            if filled:
                ctx.out.setdefault(each, filled[0] if set(scope) == {0} else [f.get(".", f) for f in filled])
        out = ctx.close()
        for node, where, element in ctx.later:
            node.settle(where, out, element)
        out.pop("$parts", None)
        out.pop("$kind", None)
        absent = out.pop("$absent", None)
        if absent:
            out["field_absent_reason"] = {a["field"]: a["reason"] for a in absent if len(a) == 2}
        return out, ctx.issues

    def _unmodified(self, ctx: ReadCtx, resource: dict[str, Any]) -> None:
        """Refuse what changes the meaning in a way that we do not know."""
        path = modified(resource, self.modifiers)
        if path is not None:
            ctx.refuse_field(path, Refuse("modifier", "what we know the meaning of"), path)

    def explain(self, resources: list[dict[str, Any]]) -> list[dict[str, Any]]:
        """For each element of a record's resources: the row that made it (file:line), its fields and transform."""
        out = []
        by_name = {p.name: p for p in self.parts}
        for n, resource in enumerate(resources):
            part = by_name.get(ROOT if n == 0 else self._part_name(resource))
            if part is None:
                continue
            tracer = Tracer(resource)
            part.tree.trace_inner(resource, "", tracer)
            kind = resource["resourceType"]
            for path, row in tracer.found:
                about = {"fields": list(row.fields), "mode": row.mode, "via": row.via, "row": row.where}
                out.append({"resource": f"{kind}/{resource['id']}", "path": kind + path, **about})
        return out

    def _part_name(self, resource: dict[str, Any]) -> str:
        part = part_of(resource, self.part_system)
        if part is None:
            return next((p.name for p in self.history if p.block.type == resource["resourceType"]), "")
        return split_part(part[1])[0]


def part_of(resource: dict[str, Any], system: str) -> tuple[str, str] | None:
    """(record_id, part) from the part identifier of a resource, None when it has none."""
    identifiers = resource.get("identifier")
    for identifier in identifiers if isinstance(identifiers, list) else ():
        if isinstance(identifier, dict) and identifier.get("system") == system:
            record, _, part = str(identifier.get("value", "")).partition("/")
            return record, part
    return None


def split_part(part: str) -> tuple[str, int]:
    """``target-2`` -> (``target``, 2); ``consent`` -> (``consent``, 0)."""
    head, _, tail = part.rpartition("-")
    return (head, int(tail)) if head and tail.isdigit() else (part, 0)
