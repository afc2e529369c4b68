"""Nodes of lists: contained resources, single and repeated items, slices; told apart when they are read."""

from __future__ import annotations

from typing import Any

from adapter.mapping.context import ReadCtx, Tracer
from adapter.mapping.nodes import SHAPE, Fixed, Json, Leaf, Obj, absent, passes, reads
from adapter.mapping.rows import Row
from adapter.mapping.shelves import Shelves, shelf_of
from adapter.mapping.via.base import Refuse
from adapter.mapping.via.coded import Coded
from adapter.mapping.via.concepts import Concepts


class Contained:
    """A contained resource behind a reference at ``key``; its rows share the scope of the resource around it."""

    phase, readable = 1, True

    def __init__(self, key: str, row: Row, obj: Obj) -> None:
        self.key, self.row, self.obj = key, row, obj
        self.name, self.type = row.to, row.type

    def seal(self) -> None:
        self.obj.seal()

    def found(self, ctx: ReadCtx, reference: Any) -> Json | None:
        """The contained resource that the reference names, if it is of this row's type and shape."""
        literal = reference.get("reference") if isinstance(reference, dict) else None
        if not isinstance(literal, str):
            return None
        if literal.startswith("#"):
            pool = ctx.resource.get("contained", ())
            inner = next((r for r in pool if isinstance(r, dict) and r.get("id") == literal[1:]), None)
        else:
            inner = ctx.graph.resource(literal) if ctx.graph is not None else None
        if inner is None or inner.get("resourceType") != self.type or not self.obj.matches(ctx, inner):
            return None
        return inner

    def read(self, ctx: ReadCtx, el: Json) -> None:
        inner = self.found(ctx, el.get(self.key))
        if inner is not None:
            self.obj.read_inner(ctx, inner)

    def read_list(self, ctx: ReadCtx, items: list) -> None:
        for item in items:
            inner = self.found(ctx, item)
            if inner is not None:
                self.obj.read_inner(ctx, inner)
                return

    def trace(self, el: Json, path: str, sink: Tracer) -> None:
        if self.found(sink.ctx, el.get(self.key)) is not None:
            self.trace_inner(sink)
            sink(f"{path}.{self.key}", self.row)

    def trace_inner(self, sink: Tracer) -> None:
        """The rows behind the contained resource itself."""
        for n, inner in enumerate(sink.ctx.resource.get("contained", ())):
            if inner.get("id") == self.name:
                self.obj.trace_inner(inner, f".contained[{n}]", sink)


class Item:
    """One row that fills one (``[0]``) or many (``[]``) elements of a list directly."""

    def __init__(self, leaf: Leaf | Fixed, many: bool) -> None:
        self.leaf, self.many, self.row = leaf, many, leaf.row
        self.phase, self.readable = leaf.phase, leaf.readable
        self.alone = False  # the list has no other row: what this one does not know is unknown

    def read_list(self, ctx: ReadCtx, items: list) -> None:
        leaf = self.leaf
        if isinstance(leaf, Fixed):
            return
        if leaf.via.whole:
            if items:
                leaf.take(ctx, items)
            return
        mine = self.alone and not ctx.ours
        owned = [el for el in items if (mine or leaf.via.owns(el)) and not absent(el)]
        if not self.many:
            if len(owned) > 1 and self.row.mode == "both" and not ctx.ours:
                ctx.refuse(self.row, Refuse("ambiguous", "one element"))
            elif owned:
                leaf.take(ctx, owned[0])
            return
        values: list[Any] = []
        for el in owned:
            try:
                value = leaf.via.read(ctx, el)
            except Refuse as refused:
                ctx.refuse(self.row, refused)
                continue
            except SHAPE:
                ctx.refuse(self.row, Refuse("type", "the shape FHIR gives this element"))
                continue
            if value is not None:
                values.append(value)
        if values:
            ctx.set(leaf.names[0], values, self.row)


class Repeat:
    """One element per item of a list field: ``each`` rows, and slices that repeat."""

    def __init__(self, name: str, obj: Obj, row: Row, scalar: bool) -> None:
        self.name, self.obj, self.row, self.scalar = name, obj, row, scalar
        self.phase = 2 if row.mode in ("link", "copy") else 1
        self.readable = row.mode in ("both", "each", "read") and not name.startswith("/")
        self.matchers = obj.matchers

    def seal(self) -> None:
        self.obj.seal()

    def read_list(self, ctx: ReadCtx, items: list) -> None:
        values: list[Any] = []
        for el in items:
            if not self.obj.matches(ctx, el):
                continue
            inner = ctx.item(self.name, len(values) + 1)
            self.obj.read_inner(inner, el)
            out = inner.close()
            value = out.get(".") if self.scalar else out
            if value is not None and value != {}:
                values.append(value)
        if values:
            ctx.set(self.name, values, self.row)


class ListNode:
    """A list element shared by rows: slices, single items, repeated items; told apart, never by position."""

    def __init__(self, key: str) -> None:
        self.key = key
        self.members: list[Any] = []

    def seal(self) -> None:
        for m in self.members:
            if hasattr(m, "seal"):
                m.seal()
        readable = [m for m in self.members if reads(m)]
        if len(readable) == 1 and isinstance(readable[0], Item) and isinstance(readable[0].leaf, Leaf):
            leaf = readable[0].leaf
            readable[0].alone = isinstance(leaf.via, Coded | Concepts) and not leaf.open
        self.readers = []
        for m in self.members:
            if reads(m):
                matchers = getattr(m, "matchers", [])
                shelf = shelf_of(matchers)
                sure = shelf is not None and len(matchers) == 1 and isinstance(m, Obj)
                self.readers.append((m, shelf, sure))

    @property
    def phases(self) -> set[int]:
        return {n for m in self.members for n in passes(m)}

    @property
    def readable(self) -> bool:
        return any(reads(m) for m in self.members)

    def read(self, ctx: ReadCtx, el: Json) -> None:
        items = el.get(self.key)
        if items is None:
            items = []
        if isinstance(items, list):
            shelves = Shelves(items)
            for member, shelf, sure in self.readers:
                if shelf is None:
                    member.read_list(ctx, items)
                elif some := shelves.get(shelf):
                    if sure:  # the shelf is all that it is told by
                        if len(some) == 1:
                            member.read_inner(ctx, some[0])
                        else:
                            member.read_one(ctx, some)
                    else:
                        member.read_list(ctx, some)

    def trace(self, el: Json, path: str, sink: Tracer) -> None:
        for n, item in enumerate(el.get(self.key) or ()):
            for m in self.members:
                here = f"{path}.{self.key}[{n}]"
                if isinstance(m, Contained):
                    if m.found(sink.ctx, item) is not None:
                        m.trace_inner(sink)
                        sink(here, m.row)
                        break
                elif isinstance(m, Item):
                    leaf = m.leaf
                    if leaf.value == item if isinstance(leaf, Fixed) else leaf.via.owns(item):
                        sink(here, m.row)
                        break
                else:
                    obj = m.obj if isinstance(m, Repeat) else m
                    if obj.matches(sink.ctx, item):
                        obj.trace_inner(item, here, sink)
                        break
