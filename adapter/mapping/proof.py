"""Proves a compiled definition against the record schema: nothing forgotten, nothing that cannot be filled or inverted.

What a single row can show (path, type, cardinality, codes) is checked while it is compiled (compile.Builder).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from adapter.mapping.lists import Contained, Item, ListNode, Repeat
from adapter.mapping.mapper import ROOT, Part
from adapter.mapping.nodes import Fixed, Leaf, Obj, passes
from adapter.mapping.rows import BadRow, Definition, Row
from adapter.mapping.via import Env
from adapter.mapping.via.coded import Coded
from adapter.mapping.via.concepts import Concepts


@dataclass(frozen=True)
class FieldInfo:
    """What proof knows of a record field. ``path`` as ``targets.region``; ``required``: always there, or an absent
    reason stands in its place (``soft``); ``list_id`` the code list of its values; ``many``: a list."""

    path: str
    required: bool = False
    soft: bool = False
    list_id: str | None = None
    codes: tuple[str, ...] = ()
    many: bool = False


class Prover:
    """Findings of one definition in one version."""

    def __init__(
        self, env: Env, definition: Definition, parts: Sequence[Part], fields: Mapping[str, FieldInfo]
    ) -> None:
        self.env, self.definition, self.parts, self.fields = env, definition, parts, fields

    def findings(self) -> Iterator[BadRow]:
        if self.definition.kind != self.definition.file.rpartition("/")[2].removesuffix(".yaml"):
            yield BadRow(f"{self.definition.file}:1", f"says record: {self.definition.kind!r}")
        if sum(p.name == ROOT for p in self.parts) != 1:
            yield BadRow(f"{self.definition.file}:1", "needs exactly one resource without a part name (the root)")
        names = [p.name for p in self.parts]
        for part in self.parts:
            if names.count(part.name) > 1:
                yield BadRow(part.block.where, f"part name {part.name!r} is used twice")
            if part.block.history and (part.block.each or part.tree.readable):
                yield BadRow(part.block.where, "a block with history has only copies, constants and links, and no each")
            for to, _path in part.links:
                if to not in names:
                    yield BadRow(part.block.where, f"link to {to!r}: there is no such part")
        yield from self.forgotten()
        for part in self.parts:
            yield from self.unfilled(part.tree, part.block.type, part.block.where, part.block.each or "")

    # -- every field is mapped --------------------------------------------------------------------------------
    def forgotten(self) -> Iterator[BadRow]:
        """Every field of the schema is written and read, or is listed as not sent with a reason."""
        known = set(self.fields)
        rows = list(self.all_rows())
        carried = {name for name, row in rows if row.mode in ("both", "each")}
        for name, row in rows:
            if name.startswith(("$", "@")) or name in known:
                continue
            if row.mode in ("both", "read", "copy", "each"):
                yield BadRow(row.where, f"the record has no field {name!r}")
        for block in (p.block for p in self.parts):
            if block.each and block.each not in known:
                yield BadRow(block.where, f"the record has no field {block.each!r}")
        blocks = {p.block.each for p in self.parts if p.block.each}
        for path in self.fields:
            if path in carried or path in self.definition.not_sent or path in blocks:
                continue
            if path in ("kind", "field_absent_reason"):
                continue
            if any(other.startswith(path + ".") for other in carried):
                continue
            yield BadRow(f"{self.definition.file}:1", f"field {path!r} is neither mapped nor listed under not_sent")
        for path in self.definition.not_sent:
            if path not in known:
                yield BadRow(f"{self.definition.file}:1", f"not_sent names {path!r}, which the record does not have")
        yield from self.uncoded(rows)

    def all_rows(self) -> Iterator[tuple[str, Row]]:
        for part in self.parts:
            yield from self._rows(part.block.rows, part.block.each or "")

    def _rows(self, rows: Iterable[Row], scope: str) -> Iterator[tuple[str, Row]]:
        for row in rows:
            for name in (*row.fields, *row.uses):
                yield self.full(name, scope), row
            inner = self.full(row.fields[0], scope) if row.mode == "each" else scope
            yield from self._rows(row.rows, inner)

    @staticmethod
    def full(name: str, scope: str) -> str:
        if name.startswith("/"):
            return name[1:]
        if name == ".":
            return scope
        if name.startswith("$") or scope.startswith("$"):
            return name if name.startswith("$") else f"{scope}.{name}"
        return f"{scope}.{name}" if scope else name

    def uncoded(self, rows: list[tuple[str, Row]]) -> Iterator[BadRow]:
        """Every code that the schema allows is one that its transform can write."""
        for part in self.parts:
            for node, scope in walk(part.tree, part.block.each or ""):
                if not isinstance(node, Leaf) or node.row.mode not in ("both", "copy"):
                    continue
                vias = node.via.parts if isinstance(node.via, Concepts) else [node.via]
                for name, via in zip(node.names, vias, strict=False):
                    info = self.fields.get(self.full(name, scope))
                    if info is None or not info.codes:
                        continue
                    if isinstance(via, Coded) and (missing := [c for c in info.codes if c not in via.within]):
                        reason = f"code {missing[0]!r} of list {info.list_id!r} is not in {via.place}"
                        yield BadRow(node.row.where, f"{info.path}: {reason}")
                yield from self._table(node, scope)

    def _table(self, node: Leaf, scope: str) -> Iterator[BadRow]:
        if node.row.via != "table":
            return
        for n, name in enumerate(node.names):
            info = self.fields.get(self.full(name, scope))
            if info is None or not info.codes:
                continue
            column = {cells[n] for cells, _ in node.via.rows}  # type: ignore[attr-defined]
            if "*" not in column and (missing := [c for c in info.codes if c not in column]):
                yield BadRow(
                    node.row.where, f"{getattr(node.via, 'label', 'table')} has no row for {info.path} = {missing[0]!r}"
                )

    # -- every required element is filled ---------------------------------------------------------------------
    def unfilled(self, obj: Obj, type_name: str, where: str, scope: str) -> Iterator[BadRow]:
        """Required elements of every block that may exist are constants, or filled by fields that are always there."""
        if obj.children and not passes(obj):  # never written
            return
        elements = self.env.elements(type_name)
        strong = [c for c in obj.children if 1 in passes(c)] or [c for c in obj.children if 2 in passes(c)]
        choices: dict[str, list[str]] = {}
        for element in elements.values():
            if element.choice and element.choice_required:  # type: ignore[attr-defined]
                choices.setdefault(element.choice, []).append(element.name)
            elif (
                element.required
                and not self.sure(obj, (element.name,), scope, strong)
                and (element.name not in obj.fixed)
            ):
                yield BadRow(where, f"{type_name}.{element.name} is required and not always filled")
        for choice, names in choices.items():
            if not self.sure(obj, (choice, *names), scope, strong):
                yield BadRow(where, f"{type_name}.{choice}[x] is required and not always filled")
        for child in obj.children:
            yield from self._inner(child, elements, scope)

    def _inner(self, child: Any, elements: Mapping[str, Any], scope: str) -> Iterator[BadRow]:
        if isinstance(child, Obj) and child.key in elements:
            yield from self.unfilled(child, child.type, self._where(child), scope)
        elif isinstance(child, Contained):
            yield from self.unfilled(child.obj, child.type, child.row.where, scope)
        elif isinstance(child, ListNode):
            for m in child.members:
                if isinstance(m, Obj):
                    yield from self.unfilled(m, m.type, self._where(m), scope)
                elif isinstance(m, Contained):
                    yield from self.unfilled(m.obj, m.type, m.row.where, scope)
                elif isinstance(m, Repeat):
                    inner = self.full(m.name, scope) if not m.name.startswith("@") else m.name
                    yield from self.unfilled(m.obj, m.obj.type, m.row.where, inner)

    def _where(self, obj: Obj) -> str:
        for node, _ in walk(obj, ""):
            return node.row.where
        return f"{self.definition.file}:1"

    def sure(self, obj: Obj, keys: tuple[str, ...], scope: str, strong: list[Any]) -> bool:
        """Is one of these elements there whenever ``obj`` is?"""
        for child in obj.children:
            key = getattr(child, "key", None)
            if key not in keys and not (isinstance(child, ListNode) and child.key in keys):
                continue
            if strong == [child] or self._always(child, scope):
                return True
        return False

    def _always(self, node: Any, scope: str) -> bool:
        if isinstance(node, Fixed):
            return True
        if isinstance(node, Leaf):
            if node.row.missing or node.row.mode == "link" or node.row.via == "link":
                return True
            if node.row.mode == "read":
                return False
            infos = [self.fields.get(self.full(n, scope)) for n in node.names]
            pseudo = any(n.startswith(("$", "@")) for n in node.names)
            if node.row.via == "table" and any("*" in cells and set(cells) == {"*"} for cells, _ in node.via.rows):  # type: ignore[attr-defined]
                return True
            hard = [i for i in infos if i is not None and i.required and not i.soft]
            soft = [i for i in infos if i is not None and i.required]
            bound = node.row.via in ("code", "table", "own_code")
            excused = bool(soft) and not bound and node.row.mode == "both"  # its absent reason stands on the element
            return pseudo or bool(hard) or excused or node.names == (".",)
        if isinstance(node, Item):
            return self._always(node.leaf, scope)
        if isinstance(node, Contained):
            return any(self._always(c, scope) for c in node.obj.children if 1 in passes(c))
        if isinstance(node, Obj):
            return any(self._always(c, scope) for c in node.children if passes(c) & {1, 2})
        if isinstance(node, Repeat):
            info = self.fields.get(self.full(node.name, scope))
            return node.name.startswith("@") or (info is not None and info.required and not info.soft)
        if isinstance(node, ListNode):
            return any(self._always(m, scope) for m in node.members)
        return False


def walk(node: Any, scope: str) -> Iterator[tuple[Any, str]]:
    """Every leaf of a tree with the record path of its scope."""
    if isinstance(node, (Leaf, Fixed)):
        yield node, scope
    elif isinstance(node, Item):
        yield node.leaf, scope
    elif isinstance(node, Contained):
        yield from walk(node.obj, scope)
    elif isinstance(node, Repeat):
        inner = scope
        if not node.name.startswith(("$", "@")):
            inner = Prover.full(node.name, scope)
        yield from walk(node.obj, inner)
    elif isinstance(node, Obj):
        for child in node.children:
            yield from walk(child, scope)
    elif isinstance(node, ListNode):
        for m in node.members:
            yield from walk(m, scope)
