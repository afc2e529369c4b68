"""Compiles the writing side of a tree to one Python function per object, as dataclasses and attrs do for theirs.

A row becomes a few straight lines (take the field, transform it, put it in its place), and the three passes of
`nodes` follow each other without a call per node: about three times as fast as walking the tree. Must not know
kinds, versions or transforms.
"""

from __future__ import annotations

import linecache
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from adapter.mapping.context import WriteCtx
from adapter.mapping.lists import Contained, Item, ListNode, Repeat
from adapter.mapping.nodes import Absent, Fixed, Json, Leaf, Obj, passes
from adapter.mapping.via.base import Refuse
from adapter.mapping.via.basics import Same

Build = Callable[[WriteCtx], Json | None]
"""The element of an object in a scope; None where no field gives it anything."""


def builder(obj: Obj) -> Build:
    """The function that writes ``obj``, all three passes: for whole resources and repeated elements."""
    return _Function(obj).compiled()


class _Function:
    """The source of one function, and the objects that its names stand for.

    Every object and list below has a variable of its own: None, or an empty list, until something fills it.
    """

    def __init__(self, obj: Obj) -> None:
        self.obj = obj
        self.lines: list[str] = []
        self.depth = 1
        self.globals: dict[str, Any] = {"Refuse": Refuse}
        self.variables: dict[int, str] = {}
        self.starts: list[str] = []

    def compiled(self) -> Build:
        obj = self.obj
        self.children(obj, "el", 1)
        if not obj.always:
            self.put("if not el: return None")
        self.children(obj, "el", 2)
        self.children(obj, "el", 3)
        self.absents(obj, "el")
        self.put(f"return {{**{self.constant(obj.fixed)}, **el}}" if obj.fixed else "return el")
        head = ["def build(ctx):", "    rec, root, absent, el = ctx.rec, ctx.root, ctx.absent, {}"]
        source = "\n".join([*head, *self.starts, *self.lines, ""])
        name = f"<mapping {obj.type} {id(obj):x}>"
        linecache.cache[name] = (len(source), None, source.splitlines(True), name)
        exec(compile(source, name, "exec"), self.globals)  # noqa: S102 - made of our own rows, names through repr()
        build: Build = self.globals["build"]
        return build

    # -- source -----------------------------------------------------------------------------------------------
    def put(self, line: str) -> None:
        self.lines.append("    " * self.depth + line)

    @contextmanager
    def block(self, head: str) -> Iterator[None]:
        self.put(head)
        self.depth += 1
        yield
        self.depth -= 1

    def constant(self, value: Any) -> str:
        name = f"c{len(self.globals)}"
        self.globals[name] = value
        return name

    def variable(self, node: Any, start: str) -> str:
        """The node's variable, there from the beginning of the function."""
        name = self.variables.get(id(node))
        if name is None:
            name = self.variables[id(node)] = f"v{len(self.variables)}"
            self.starts.append(f"    {name} = {start}")
        return name

    @contextmanager
    def refusable(self, row: Any) -> Iterator[None]:
        with self.block("try:"):
            yield
        with self.block("except Refuse as refused:"):
            self.put(f"ctx.refuse({self.constant(row)}, refused)")

    # -- nodes ------------------------------------------------------------------------------------------------
    def children(self, obj: Obj, out: str, phase: int) -> None:
        for node in obj.children:
            if phase not in passes(node):
                continue
            if isinstance(node, Leaf):
                self.leaf(node, out, phase)
            elif isinstance(node, Fixed):
                with self.block(f"if {node.key!r} not in {out}:"):
                    self.put(f"{out}[{node.key!r}] = {self.constant(node.value)}")
            elif isinstance(node, Obj):
                self.object(node, f"{out}[{node.key!r}] = %s", phase)
            elif isinstance(node, ListNode):
                self.list(node, out, phase)
            else:
                self.contained(node, f"{out}[{node.key!r}] = %s")

    def object(self, obj: Obj, attach: str, phase: int) -> None:
        """``attach``: the line that puts a new element in its place."""
        if not obj.children and not obj.absents:
            return
        own = self.variable(obj, "None")
        new = f"{own}n"
        whole = f"{{**{self.constant(obj.fixed)}, **{new}}}" if obj.fixed else new
        if phase == 1:
            self.put(f"{new} = {{}}")
        elif phase == 2 or obj.constant:
            self.put(f"{new} = {{}} if {own} is None else {own}")
        else:  # an absent reason alone brings only such an element into being that FHIR requires
            self.put(f"{new} = {{}} if {own} is None and absent else {own}" if obj.needed else f"{new} = {own}")
        with self.block(f"if {new} is not None:"):
            self.children(obj, new, phase)
            if phase == 3:
                self.absents(obj, new)
            with self.block(f"if {own} is None and {new}:"):
                self.put(f"{own} = {whole}")
                self.put(attach % own)

    def list(self, node: ListNode, out: str, phase: int) -> None:
        items = self.variable(node, "[]")
        for member in node.members:
            if phase not in passes(member):
                continue
            if isinstance(member, Item):
                self.item(member, items)
            elif isinstance(member, Repeat):
                self.repeat(member, items)
            elif isinstance(member, Contained):
                self.contained(member, f"{items}.append(%s)")
            else:
                self.object(member, f"{items}.append(%s)", phase)
        self.put(f"if {items}: {out}[{node.key!r}] = {items}")

    def leaf(self, leaf: Leaf, out: str, phase: int) -> None:
        if phase == 3:  # comes a second time only for what has to be said of an absent value
            keys = [leaf.key + suffix for suffix in leaf.choice or ("",)]
            with self.block("if " + " and ".join(f"{key!r} not in {out}" for key in keys) + ":"):
                self.put(f"{self.constant(leaf.missing)}(ctx, {out})")
            return
        with self.transformed(leaf):
            if leaf.choice:
                self.put(f"{out}[{leaf.key!r} + made[0]] = made[1]")
            else:
                with self.block(f"if {leaf.key!r} not in {out}:"):
                    self.put(f"{out}[{leaf.key!r}] = made")

    def item(self, item: Item, items: str) -> None:
        leaf = item.leaf
        if isinstance(leaf, Fixed):
            self.put(f"{items}.append({self.constant(leaf.value)})")
        elif leaf.via.whole or not item.many:
            with self.transformed(leaf):
                self.put(f"{items}.{'extend' if leaf.via.whole else 'append'}(made)")
        else:
            write = self.constant(leaf.via.write)
            more = "".join(f", {self.get(name)}" for name in (*leaf.names, *leaf.row.uses)[1:])
            with self.refusable(item.row), self.block(f"for value in {self.get(leaf.names[0])} or ():"):
                self.put(f"made = {write}(ctx, value{more})")
                self.put(f"if made is not None: {items}.append(made)")

    def repeat(self, node: Repeat, items: str) -> None:
        with self.block(f"for n, value in enumerate({self.get(node.name)} or (), 1):"):
            build = self.constant(builder(node.obj))
            self.put(f"made = {build}(ctx.item({node.name!r}, n, value, {node.scalar}))")
            self.put(f"if made is not None: {items}.append(made)")

    def contained(self, node: Contained, attach: str) -> None:
        self.put(f"made = {self.constant(builder(node.obj))}(ctx)")
        with self.block("if made is not None:"):
            self.put(f"ctx.contained.append({{'resourceType': {node.type!r}, 'id': {node.name!r}, **made}})")
            self.put(attach % f"{{'reference': {'#' + node.name!r}}}")

    def absents(self, obj: Obj, out: str) -> None:
        if obj.absents:
            with self.block("if absent:"):
                for node in obj.absents:
                    self.absent(node, out)

    def absent(self, node: Absent, out: str) -> None:
        self.put(f"{self.constant(node.write)}(ctx, {out})")

    # -- values -----------------------------------------------------------------------------------------------
    @contextmanager
    def transformed(self, leaf: Leaf) -> Iterator[None]:
        """What follows is done where the leaf's fields give an element, in ``made``."""
        names = (*leaf.names, *leaf.row.uses)
        values = [f"value{n}" for n in range(len(names))]
        for value, name in zip(values, names, strict=True):
            self.put(f"{value} = {self.get(name)}")
        there = " or ".join(f"{value} is not None" for value in values[: leaf.count])
        with self.block(f"if {there}:"):
            if type(leaf.via) is Same:
                self.put("made = value0")
                yield
                return
            with self.refusable(leaf.row):
                self.put(f"made = {self.constant(leaf.via.write)}(ctx, {', '.join(values)})")
                with self.block("if made is not None:"):
                    yield

    @staticmethod
    def get(name: str) -> str:
        """Where a field's value is: ``/f`` in the record, ``@part`` a reference to a part, ``.`` the list item
        itself, else in the current scope."""
        if name == ".":
            return "rec"
        plain = name.lstrip("/@")
        if name.startswith("/"):
            return f"root.get({plain!r})"
        return f"ctx.ref({plain!r})" if name.startswith("@") else f"rec.get({plain!r})"
