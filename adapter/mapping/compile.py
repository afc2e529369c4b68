"""Rows to trees, checked against the FHIR models on the way: a row that fits no element is a problem, not a guess."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from adapter.mapping import paths
from adapter.mapping.agree import Agreed
from adapter.mapping.leaves import absences, allowed, constant, matchers, transformed
from adapter.mapping.lists import Contained, Item, ListNode, Repeat
from adapter.mapping.nodes import Fixed, Leaf, Obj
from adapter.mapping.paths import Step
from adapter.mapping.recognise import (
    concept_matcher,
    constant_matcher,
    contained_matcher,
    equal_matcher,
)
from adapter.mapping.rows import BadRow, Block, Row
from adapter.mapping.via import Env

_PRIMITIVE_SIBLING = "Element"
_OPEN = ("category",)  # FHIR leaves its lists open: each writer adds ways to classify
_LABELLED = ("extension", "modifierExtension", "identifier", "component", "item")


def unneeded(obj: Obj) -> None:
    """No absent reason of the record brings an element of this tree into being: it carries none."""
    obj.needed = False
    for child in obj.children:
        for inner in child.members if isinstance(child, ListNode) else (child,):
            if isinstance(inner, Obj):
                unneeded(inner)


class Builder:
    """Compiles the blocks of one definition; collects problems instead of stopping at the first."""

    def __init__(self, env: Env, kind: str) -> None:
        self.env, self.kind = env, kind
        self.problems: list[BadRow] = []

    def block(self, block: Block) -> Obj:
        """The sealed tree of one resource block, which claims its profile."""
        root = Obj("", block.type)
        if not self.env.elements(block.type):
            self.problems.append(BadRow(block.where, f"no resource type {block.type!r} in {self.env.version}"))
            return root
        self.rows(root, block.rows)
        url = self.env.profile_url(self.kind, block.part)
        self.rows(root, (Row(block.where, "fix", paths.parse("meta.profile[0]"), fix=url),))
        marks = [row for row in block.rows if row.marks and row.path]
        root.matchers += [constant_matcher(self.env, block.type, row, row.path) for row in marks]
        root.always = block.always or block.history
        if block.history:
            unneeded(root)
        root.seal()
        return root

    def rows(self, obj: Obj, rows: tuple[Row, ...]) -> None:
        for row in rows:
            try:
                self.place(obj, row, row.path)
            except BadRow as bad:
                self.problems.append(bad)
            except ValueError as bad:
                self.problems.append(BadRow(row.where, str(bad)))

    # -- one row into the tree --------------------------------------------------------------------------------
    def place(self, obj: Obj, row: Row, path: tuple[Step, ...]) -> bool:
        """Put ``row`` below ``obj``. True when a `match` row has found the list element that it tells apart."""
        step, rest = path[0], path[1:]
        element = self.element(obj, row, step)
        many = element is not None and element.many
        if many and step.slice is None and not step.repeat:
            raise BadRow(row.where, f"{row.text}: {step.name} of {obj.type} is a list; say which element of it")
        if not many and (step.slice is not None or step.repeat):
            raise BadRow(row.where, f"{row.text}: {step.name} of {obj.type} is not a list")
        if not rest and not (row.mode == "each" or (step.repeat and step.slice)):
            self.leaf(obj, row, step, element)
            return False
        inner_type = element.type if element is not None else _PRIMITIVE_SIBLING
        if many:
            bound = self.place_in_list(obj, row, step, rest, inner_type)
        else:
            child = next((c for c in obj.children if isinstance(c, Obj) and c.key == step.name), None)
            if child is None:
                self.free(obj, row, step.name)
                child = Obj(step.name, inner_type)
                child.needed = element is not None and element.required
                obj.children.append(child)
            bound = self.place(child, row, rest)
        if row.match and not bound:
            obj.matchers += matchers(self.env, obj, row, path)
        return bound

    def place_in_list(self, obj: Obj, row: Row, step: Step, rest: tuple[Step, ...], inner_type: str) -> bool:
        node = self.list_node(obj, row, step.name)
        if row.mode == "each" and not rest:
            member = self.slice_obj(step, inner_type, obj.type)
            self.rows(member, row.rows)
            node.members.append(Repeat(row.fields[0], member, row, scalar=False))
            return False
        if step.repeat:
            if row.mode == "link":
                name = f"@{row.to}*"
            elif row.mode in ("both", "copy", "read") and len(row.fields) == 1:
                name = row.fields[0]
            else:
                raise BadRow(row.where, f"{row.text}: a repeated slice takes one list field")
            member = self.slice_obj(step, inner_type, obj.type)
            self.place(member, self.with_fields(row, (".",)), rest)
            node.members.append(Repeat(name, member, row, scalar=True))
            return False
        found = next((m for m in node.members if isinstance(m, Obj) and m.slice == step.slice), None)
        if found is None:
            found = self.slice_obj(step, inner_type, obj.type)
            element = self.env.elements(obj.type).get(step.name)
            found.needed = element is not None and element.required
            node.members.append(found)
        bound = self.place(found, row, rest)
        if row.mode == "contained":
            found.matchers.append(contained_matcher(found, rest))
        if row.match and not bound and not self.labelled(step):
            found.matchers += matchers(self.env, found, row, rest)
            return True
        return bound

    @staticmethod
    def labelled(step: Step) -> bool:
        """Is this slice told apart by its own url, system or code, so that a match row speaks of what is around it?"""
        return step.name in _LABELLED and "#" not in (step.slice or "")

    @staticmethod
    def with_fields(row: Row, fields: tuple[str, ...]) -> Row:
        mode = "both" if row.mode == "link" else row.mode
        via = "link" if row.mode == "link" else row.via
        return replace(row, fields=fields, mode=mode, via=via)

    def element(self, obj: Obj, row: Row, step: Step) -> Any:
        """What the FHIR model says of this step; None for the sibling of a primitive (``_status``)."""
        elements = self.env.elements(obj.type)
        if step.name.startswith("_"):
            if step.name[1:] not in elements:
                raise BadRow(row.where, f"{row.text}: {obj.type} has no element {step.name[1:]!r}")
            return None
        if step.choice:
            options = [e for e in elements.values() if e.choice == step.name]
            if not options:
                raise BadRow(row.where, f"{row.text}: {obj.type} has no choice {step.name}[x] in {self.env.version}")
            return None
        if obj.type == _PRIMITIVE_SIBLING and step.name == "extension":
            return self.env.elements("Extension")["extension"]
        if step.name not in elements:
            raise BadRow(row.where, f"{row.text}: {obj.type} has no element {step.name!r} in {self.env.version}")
        return elements[step.name]

    def free(self, obj: Obj, row: Row, key: str) -> None:
        for other in obj.children:
            if getattr(other, "key", None) != key:
                continue
            reading = [r.mode in ("read", "guard") for r in (row, getattr(other, "row", None)) if r is not None]
            if not any(reading):
                raise BadRow(row.where, f"{row.text}: another row already fills {obj.type}.{key}")

    def list_node(self, obj: Obj, row: Row, key: str) -> ListNode:
        for child in obj.children:
            if isinstance(child, ListNode) and child.key == key:
                return child
        node = ListNode(key)
        obj.children.append(node)
        return node

    def slice_obj(self, step: Step, type_name: str, parent: str) -> Obj:
        """A list member with what tells it apart: extension url, identifier system, component code."""
        obj = Obj(step.name, type_name)
        obj.slice = step.slice
        if step.slice is None or step.slice == "0":
            return obj
        name = step.slice.partition("#")[0]  # `progress#screened`: one url, told apart by a match row
        if step.name in ("extension", "modifierExtension"):
            # the children of a complex extension have relative urls
            url = name if parent == "Extension" else self.env.extension_url(name)
            obj.fixed = {"url": url}
            obj.matchers.append(equal_matcher("url", url))
        elif step.name == "identifier":
            system = f"{self.env.sid}/{name}"
            obj.fixed = {"system": system}
            obj.matchers.append(equal_matcher("system", system))
        elif step.name == "item":
            obj.fixed = {"linkId": name}
            obj.matchers.append(equal_matcher("linkId", name))
        elif step.name == "component":
            concept = self.env.concept(f"component|{name}")
            obj.fixed = {"code": concept}
            obj.matchers.append(concept_matcher("code", concept))
        return obj

    # -- leaves -----------------------------------------------------------------------------------------------
    def leaf(self, obj: Obj, row: Row, step: Step, element: Any) -> None:
        node: Any
        many = element is not None and element.many
        if row.agree is not None and (many or step.choice):
            raise BadRow(row.where, f"{row.text}: agree is for single elements")
        if row.mode == "guard":
            self.free(obj, row, step.name)
            obj.children.append(Agreed(step.name, row, allowed(self.env, row, element), None))
            return
        if row.mode == "fix":
            node = Fixed(step.name, row, constant(self.env, row, element))
        elif row.mode == "contained":
            inner = Obj("", row.type)
            if not self.env.elements(row.type):
                raise BadRow(row.where, f"no resource type {row.type!r} in {self.env.version}")
            self.rows(inner, row.rows)
            node = Contained(step.name, row, inner)
        else:
            node = transformed(self.env, obj, row, step, element)
            node.open = step.name in _OPEN
        if many:
            target = self.list_node(obj, row, step.name)
            member = node if isinstance(node, Contained) else Item(node, step.repeat)
            if isinstance(node, Leaf) and not step.repeat and step.slice not in (None, "0"):
                raise BadRow(row.where, f"{row.text}: a slice name needs an element below it")
            target.members.append(member)
        else:
            self.free(obj, row, step.name)
            obj.children.append(node)
            absences(self.env, obj, row, step, element)
            if row.agree is not None:
                own = (node.value,) if isinstance(node, Fixed) else ()
                via = node.via if isinstance(node, Leaf) else None
                obj.children.append(Agreed(step.name, row, (*own, *allowed(self.env, row, element)), via))
        if row.match:
            obj.matchers += matchers(self.env, obj, row, (step,))
