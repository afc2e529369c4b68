"""The compiled tree of one resource: each node writes its element from a record and reads it back.

Writing has three passes, so that presence is data (architecture.md section 4):
  1  values: what record fields fill; only these bring a block or a resource into being
  2  links and copies: may add elements to a resource, never make one
  3  company: constants, absent reasons; only into blocks that exist
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from adapter.mapping.context import ReadCtx, Tracer, WriteCtx
from adapter.mapping.rows import Row
from adapter.mapping.via.base import Refuse, Via

Json = dict[str, Any]
Matcher = Callable[[ReadCtx, Json], bool]
SHAPE = (AttributeError, KeyError, TypeError, ValueError, IndexError, ArithmeticError)
DAR = "http://hl7.org/fhir/StructureDefinition/data-absent-reason"


def getter(name: str) -> Callable[[WriteCtx], Any]:
    """How a leaf finds its field: ``/f`` in the record, ``@part`` a reference to a part, ``.`` the list item itself,
    else in the current scope."""
    if name == ".":
        return lambda ctx: ctx.rec
    plain = name.lstrip("/@")
    if name.startswith("/"):
        return lambda ctx: ctx.root.get(plain)
    if name.startswith("@"):
        return lambda ctx: ctx.ref(plain)
    return lambda ctx: ctx.rec.get(plain)


def absent(element: Any) -> bool:
    """Does an element say only why it is absent?"""
    if not isinstance(element, dict) or "extension" not in element:
        return False
    return any(isinstance(e, dict) and e.get("url") == DAR for e in element["extension"])


class Leaf:
    """One row's element under an object: ``key`` (or ``key`` + suffix for a choice)."""

    def __init__(self, key: str, row: Row, via: Via, choice: tuple[str, ...] = (), code_like: bool = False) -> None:
        self.key, self.row, self.via, self.choice = key, row, via, choice
        self.names = row.fields
        self.gets = [getter(n) for n in (*row.fields, *row.uses)]
        self.count = len(row.fields)
        self.phase = {"both": 1, "copy": 2, "read": 0, "link": 2}[row.mode]
        self.readable = row.mode in ("both", "read")

    def value(self, ctx: WriteCtx) -> Any:
        if len(self.gets) == 1:
            value = self.gets[0](ctx)
            return None if value is None else self.via.write(ctx, value)
        values = [get(ctx) for get in self.gets]
        if all(v is None for v in values[: self.count]):
            return None
        return self.via.write(ctx, *values)

    def write(self, ctx: WriteCtx, out: Json, phase: int) -> None:
        try:
            made = self.value(ctx)
        except Refuse as refused:
            ctx.refuse(self.row, refused)
            return
        if made is None:
            if self.row.missing and phase == 3:
                key = f"_{self.key}{self.choice[0]}" if self.choice else f"_{self.key}"
                if not any(f"{self.key}{s}" in out for s in self.choice or ("",)):
                    out[key] = {"extension": [{"url": DAR, "valueCode": self._reason(ctx)}]}
            return
        if self.choice:
            suffix, made = made
            out[self.key + suffix] = made
        elif self.key not in out:
            out[self.key] = made

    def _reason(self, ctx: WriteCtx) -> str:
        name = self.names[0]
        scope = ctx.root_absent if name.startswith("/") else ctx.absent
        return ctx.dar(scope.get(name.lstrip("/"))) or str(self.row.missing)

    def element(self, el: Json) -> Any:
        if not self.choice:
            return el.get(self.key)
        for suffix in self.choice:
            value = el.get(self.key + suffix)
            if value is not None:
                return suffix, value
        for key, value in el.items():
            if key.startswith(self.key) and key[len(self.key) :][:1].isupper():
                return key[len(self.key) :], value
        return None

    def read(self, ctx: ReadCtx, el: Json) -> None:
        found = self.element(el)
        if found is not None and absent(found):
            return
        if found is not None or self.via.reads_absence:
            self.take(ctx, found)

    def take(self, ctx: ReadCtx, found: Any) -> None:
        try:
            value = self.via.read(ctx, found)
        except Refuse as refused:
            ctx.refuse(self.row, refused)
            return
        except SHAPE:
            ctx.refuse(self.row, Refuse("type", "the shape FHIR gives this element"))
            return
        if self.count == 1:
            if value is not None:
                ctx.set(self.names[0], value, self.row)
        elif value is not None:
            for name, each in zip(self.names, value, strict=True):
                if each is not None:
                    ctx.set(name, each, self.row)

    def trace(self, el: Json, path: str, sink: Tracer) -> None:
        for suffix in self.choice or ("",):
            for key in (self.key + suffix, f"_{self.key}{suffix}"):
                if key in el and not (key.startswith("_") and key[1:] in el):
                    sink(f"{path}.{key}", self.row)


class Fixed:
    """A constant under an object."""

    phase, readable = 3, False

    def __init__(self, key: str, row: Row, value: Any) -> None:
        self.key, self.row, self.value = key, row, value

    def write(self, ctx: WriteCtx, out: Json, phase: int) -> None:
        out.setdefault(self.key, self.value)

    def read(self, ctx: ReadCtx, el: Json) -> None: ...

    def trace(self, el: Json, path: str, sink: Tracer) -> None:
        if self.key in el:
            sink(f"{path}.{self.key}", self.row)


class Absent:
    """The reason why a field is empty, on its element, for FHIR readers; the record's own extension is the truth."""

    def __init__(self, row: Row, kind: str, key: str, taken: tuple[str, ...]) -> None:
        self.row, self.name, self.kind, self.key, self.taken = row, row.fields[0], kind, key, taken

    def write(self, ctx: WriteCtx, out: Json) -> None:
        reason = ctx.absent.get(self.name)
        if reason is None or any(key in out for key in self.taken):
            return
        code = ctx.dar(reason)
        extension = [{"url": DAR, "valueCode": code}]
        if self.kind == "primitive":
            out["_" + self.key] = {"extension": extension}
        elif self.kind == "value":
            out["dataAbsentReason"] = ctx.dar_concept(reason)
        else:
            out[self.key] = {"extension": extension}

    def trace(self, el: Json, path: str, sink: Tracer) -> None:
        if self.kind == "value" and "dataAbsentReason" in el and not any(k in el for k in self.taken[:1]):
            sink(f"{path}.dataAbsentReason", self.row)


class Obj:
    """An object element with its children. As a list member it is told apart by ``matchers``."""

    def __init__(self, key: str, type_name: str, fixed: Json | None = None) -> None:
        self.key, self.type, self.fixed = key, type_name, fixed or {}
        self.children: list[Any] = []
        self.absents: list[Absent] = []
        self.matchers: list[Matcher] = []
        self.slice: str | None = None
        self.always = False
        self.constant = False  # nothing but constants inside: comes with the block around it
        self.needed = False  # FHIR requires the element: absent reasons alone bring it into being
        self.p: dict[int, list[Any]] = {}

    def seal(self) -> None:
        """Sort children into passes, once."""
        for child in self.children:
            if hasattr(child, "seal"):
                child.seal()
        if self.slice not in (None, "0") and not self.matchers:
            keys = {c.key for c in self.children}
            self.matchers.append(lambda ctx, el: any(k in el for k in keys))
        self.p = {n: [c for c in self.children if n in passes(c)] for n in (1, 2, 3)}
        self.readers = [c for c in self.children if reads(c)]
        self.constant = bool(self.children) and all(
            isinstance(c, Fixed) or (isinstance(c, Obj) and c.constant) for c in self.children
        )

    @property
    def phases(self) -> set[int]:
        inner = {n for c in self.children for n in passes(c)}
        return inner | ({3} if self.absents else set())

    @property
    def readable(self) -> bool:
        return any(reads(c) for c in self.children)

    def build(self, ctx: WriteCtx) -> Json | None:
        """All three passes at once: for whole resources and repeated elements."""
        el: Json = {}
        for node in self.p[1]:
            node.write(ctx, el, 1)
        if not el and not self.always:
            return None
        self.more(ctx, el, 2)
        self.more(ctx, el, 3)
        return {**self.fixed, **el} if self.fixed else el

    def more(self, ctx: WriteCtx, el: Json, phase: int) -> None:
        for node in self.p[phase]:
            node.write(ctx, el, phase)
        if phase == 3 and ctx.absent:
            for absent in self.absents:
                absent.write(ctx, el)

    def write(self, ctx: WriteCtx, out: Json, phase: int) -> None:
        el = out.get(self.key)
        if phase == 3:
            if el is not None:
                self.more(ctx, el, 3)
            elif (self.constant or (self.needed and ctx.absent)) and (made := self.whole(ctx)):
                out[self.key] = made
            return
        new: Json = {} if el is None else el
        for node in self.p[phase]:
            node.write(ctx, new, phase)
        if el is None and new:
            out[self.key] = {**self.fixed, **new}

    def add(self, ctx: WriteCtx, items: list, phase: int) -> None:
        """The same as a member of a list."""
        el = None if phase == 1 or self.constant else ctx.slots.get(id(self))
        if phase == 3:
            if el is not None:
                self.more(ctx, el, 3)
            elif (self.constant or (self.needed and ctx.absent)) and (made := self.whole(ctx)):
                items.append(made)
            return
        new: Json = {} if el is None else el
        for node in self.p[phase]:
            node.write(ctx, new, phase)
        if el is None:
            el = {**self.fixed, **new} if new else None
            if el is not None:
                items.append(el)
            ctx.slots[id(self)] = el

    def whole(self, ctx: WriteCtx) -> Json:
        """A block of constants and absent reasons only; empty when there are none."""
        el: Json = {}
        self.more(ctx, el, 3)
        return {**self.fixed, **el} if el else el

    def matches(self, ctx: ReadCtx, el: Any) -> bool:
        return isinstance(el, dict) and all(m(ctx, el) for m in self.matchers)

    def read(self, ctx: ReadCtx, el: Json) -> None:
        inner = el.get(self.key)
        if isinstance(inner, dict):
            self.read_inner(ctx, inner)

    def read_inner(self, ctx: ReadCtx, inner: Json) -> None:
        for node in self.readers:
            node.read(ctx, inner)

    def read_list(self, ctx: ReadCtx, items: list) -> None:
        for el in items:
            if self.matches(ctx, el):
                self.read_inner(ctx, el)
                return

    def trace(self, el: Json, path: str, sink: Tracer) -> None:
        inner = el.get(self.key)
        if isinstance(inner, dict):
            self.trace_inner(inner, f"{path}.{self.key}", sink)

    def trace_inner(self, inner: Json, path: str, sink: Tracer) -> None:
        for node in (*self.children, *self.absents):
            node.trace(inner, path, sink)


def passes(node: Any) -> set[int]:
    phases = getattr(node, "phases", None)
    if phases is not None:
        return phases
    if getattr(getattr(node, "row", None), "missing", None):
        return {node.phase, 3}
    return {node.phase} if node.phase else set()


def reads(node: Any) -> bool:
    return bool(node.readable)
