"""The compiled tree of one resource: what stands where, and how each node reads its element back.

Writing (`writer`) has three passes, so that presence is data (architecture.md section 4):
  1  values: what record fields fill; only these bring a block or a resource into being
  2  links and copies: may add elements to a resource, never make one
  3  company: constants, absent reasons; only into blocks that exist
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from adapter.mapping.context import ReadCtx, Tracer, WriteCtx
from adapter.mapping.rows import Row
from adapter.mapping.via.base import DAR, Refuse, Via, absent

Json = dict[str, Any]
Matcher = Callable[[ReadCtx, Json], bool]
SHAPE = (AttributeError, KeyError, TypeError, ValueError, IndexError, ArithmeticError)


class Leaf:
    """One row's element under an object: ``key`` (or ``key`` + suffix for a choice)."""

    def __init__(
        self, key: str, row: Row, via: Via, choice: tuple[str, ...] = (), others: tuple[str, ...] = ()
    ) -> None:
        self.key, self.row, self.via, self.choice, self.others = key, row, via, choice, others
        self.open = False  # one of several ways to classify: what is not of the row's list is not the row's business
        self.names = row.fields
        self.count = len(row.fields)
        self.phase = {"both": 1, "copy": 2, "read": 0, "link": 2}[row.mode]
        self.readable = row.mode in ("both", "read")

    def missing(self, ctx: WriteCtx, out: Json) -> None:
        """Say why the element is absent where FHIR requires it."""
        key = f"_{self.key}{self.choice[0]}" if self.choice else f"_{self.key}"
        out[key] = {"extension": [{"url": DAR, "valueCode": self._reason(ctx)}]}

    def _reason(self, ctx: WriteCtx) -> str:
        name = self.names[0]
        scope = ctx.root_absent if name.startswith("/") else ctx.absent
        return ctx.dar(scope.get(name.lstrip("/"))) or str(self.row.missing)

    def element(self, el: Json) -> Any:
        """(suffix, value) of the choice, the suffixes we know first."""
        for suffix in self.choice:
            value = el.get(self.key + suffix)
            if value is not None:
                return suffix, value
        for key, value in el.items():
            if key.startswith(self.key) and key[len(self.key) :][:1].isupper():
                return key[len(self.key) :], value
        return None

    def read(self, ctx: ReadCtx, el: Json) -> None:
        found = self.element(el) if self.choice else el.get(self.key)
        if found is None:
            if self.others and not ctx.ours and any(name in el for name in self.others):
                ctx.refuse(self.row, Refuse("choice", self.key))
            elif self.via.reads_absence:
                self.take(ctx, None)
        elif self.open and not self.via.owns(found):
            return
        elif not (type(found) is dict and "extension" in found and absent(found)):
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

    def seal(self) -> None:
        """Once all children are there: how the object is told apart and read."""
        for child in self.children:
            if hasattr(child, "seal"):
                child.seal()
        if self.slice not in (None, "0") and not self.matchers:
            keys = {c.key for c in self.children}
            self.matchers.append(lambda ctx, el: any(k in el for k in keys))
        own = {c.key for c in self.children}
        for child in self.children:
            if isinstance(child, Leaf):
                child.others = tuple(name for name in child.others if name not in own)
        self.readers = [c for c in self.children if reads(c)]
        self.trusting = [c for c in self.readers if not getattr(c, "doubts", False)]
        written = [c for c in self.children if passes(c) or isinstance(c, Leaf)]
        self.constant = bool(written) and all(
            isinstance(c, Fixed) or (isinstance(c, Obj) and c.constant) for c in written
        )

    @property
    def phases(self) -> set[int]:
        inner = {n for c in self.children for n in passes(c)}
        return inner | ({3} if self.absents else set())

    @property
    def readable(self) -> bool:
        return any(reads(c) for c in self.children)

    def matches(self, ctx: ReadCtx, el: Any) -> bool:
        if not isinstance(el, dict):
            return False
        for matcher in self.matchers:  # noqa: SIM110 - `all` over a generator takes twice as long
            if not matcher(ctx, el):
                return False
        return True

    def read(self, ctx: ReadCtx, el: Json) -> None:
        inner = el.get(self.key)
        if isinstance(inner, dict):
            self.read_inner(ctx, inner)

    def read_inner(self, ctx: ReadCtx, inner: Json) -> None:
        for node in self.trusting if ctx.ours else self.readers:
            node.read(ctx, inner)

    def read_list(self, ctx: ReadCtx, items: list) -> None:
        fitting = [el for el in items if self.matches(ctx, el)]
        if fitting:
            self.read_one(ctx, fitting)

    def read_one(self, ctx: ReadCtx, fitting: list) -> None:
        """Read what stands for one element. Several must say the same of a field, or nobody can say which counts."""
        first = fitting[0]
        if len(fitting) > 1:
            told = [self._told(ctx, el) for el in fitting]
            for name in sorted({name for one in told for name in one}):
                if any(one.get(name) != told[0].get(name) for one in told):
                    ctx.refuse_field(name, Refuse("ambiguous", "one element"), self.key)
        self.read_inner(ctx, first)

    def _told(self, ctx: ReadCtx, el: Json) -> Json:
        apart = ctx.apart()
        self.read_inner(apart, el)
        ctx.issues += [issue for issue in apart.issues if issue not in ctx.issues]
        return {**apart.spare, **apart.out}

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
