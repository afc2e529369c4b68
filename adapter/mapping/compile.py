"""Rows to trees, checked against the FHIR models on the way: a row that fits no element is a problem, not a guess."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from adapter.mapping import paths
from adapter.mapping.agree import Agreed
from adapter.mapping.lists import Contained, Item, ListNode, Repeat
from adapter.mapping.nodes import Absent, Fixed, Leaf, Matcher, Obj
from adapter.mapping.paths import Step
from adapter.mapping.recognise import (
    coded_matcher,
    concept_matcher,
    constant_matcher,
    contained_matcher,
    equal_matcher,
)
from adapter.mapping.rows import BadRow, Block, Row
from adapter.mapping.via import REGISTRY, Env, Via
from adapter.mapping.via.coded import Coded

_PRIMITIVE_SIBLING = "Element"
_OPEN = ("category",)  # FHIR leaves its lists open: each writer adds ways to classify
_LABELLED = ("extension", "modifierExtension", "identifier", "component", "item")


class LinkVia(Via):
    """A reference between parts of one record; the graph is found again by its path."""

    makes = ("Reference",)
    lossless = False

    def write(self, ctx: Any, value: Any) -> Any:
        return value

    def read(self, ctx: Any, element: Any) -> Any:
        return None


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
            obj.matchers += self.matchers(obj, row, path)
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
            found.matchers += self.matchers(found, row, rest)
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
            obj.children.append(Agreed(step.name, row, self.allowed(row, element), None))
            return
        if row.mode == "fix":
            node = Fixed(step.name, row, self.constant(obj, row, element))
        elif row.mode == "contained":
            inner = Obj("", row.type)
            if not self.env.elements(row.type):
                raise BadRow(row.where, f"no resource type {row.type!r} in {self.env.version}")
            self.rows(inner, row.rows)
            node = Contained(step.name, row, inner)
        else:
            node = self.transform_leaf(obj, row, step, element)
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
            self.absent(obj, row, step, element)
            if row.agree is not None:
                constant = (node.value,) if isinstance(node, Fixed) else ()
                via = node.via if isinstance(node, Leaf) else None
                obj.children.append(Agreed(step.name, row, (*constant, *self.allowed(row, element)), via))
        if row.match:
            obj.matchers += self.matchers(obj, row, (step,))

    def allowed(self, row: Row, element: Any) -> tuple[Any, ...]:
        """The values of `agree` as the element holds them."""
        coded = element is not None and element.type == "CodeableConcept"
        return tuple(self.env.concept(str(one)) if coded else one for one in row.agree or ())

    def transform_leaf(self, obj: Obj, row: Row, step: Step, element: Any) -> Leaf:
        if row.mode == "link":
            ref = row.to if not step.repeat else row.to + "*"
            return Leaf(step.name, self.fields_of_link(row, ref), LinkVia(self.env, row, element))
        if row.via == "link":
            return Leaf(step.name, self.fields_of_link(row, None), LinkVia(self.env, row, element))
        if row.via not in REGISTRY:
            raise BadRow(row.where, f"no transform named {row.via!r}")
        cls = REGISTRY[row.via]
        if cls.arity is not None and cls.arity != len(row.fields):
            raise BadRow(row.where, f"transform {row.via!r} takes {cls.arity} fields, not {len(row.fields)}")
        if row.mode == "both" and not cls.lossless:
            raise BadRow(row.where, f"transform {row.via!r} has no inverse: use it in a copy row")
        via = cls(self.env, row, element)
        if step.choice:
            if cls.makes != ("choice",):
                raise BadRow(row.where, f"{row.text}: transform {row.via!r} does not fill a choice element")
            options = {e.name for e in self.env.elements(obj.type).values() if e.choice == step.name}
            suffixes = tuple(s for s in cls.suffixes if step.name + s in options)  # type: ignore[attr-defined]
            if step.name + "DateTime" not in options:
                raise BadRow(row.where, f"{row.text}: {obj.type} has no {step.name}DateTime")
            return Leaf(step.name, row, via, choice=suffixes)
        if element is not None and cls.makes and element.type not in cls.makes:
            raise BadRow(
                row.where,
                f"{row.text}: is {element.type}, but transform {row.via!r} makes {' or '.join(cls.makes)}",
            )
        self.bindings(obj, row, element, via)
        return Leaf(step.name, row, via, others=self.others(obj, element))

    def others(self, obj: Obj, element: Any) -> tuple[str, ...]:
        """The other types that an element of one type could have had, as valueRange for valueQuantity."""
        if element is None or element.choice is None:
            return ()
        named = (e.name for e in self.env.elements(obj.type).values() if e.choice == element.choice)
        return tuple(name for name in named if name != element.name)

    @staticmethod
    def fields_of_link(row: Row, ref: str | None) -> Row:
        return replace(row, fields=(".",) if ref is None else (f"@{ref}",), mode="both" if ref is None else "link")

    def bindings(self, obj: Obj, row: Row, element: Any, via: Via) -> None:
        """Required bindings: only codes of the bound list can be written."""
        if element is None:
            return
        name = f"{obj.type}.{element.name}"
        if name in self.env.bindings and row.via in ("concept", "concept_text", "concepts"):
            raise BadRow(row.where, f"{name} has a required binding: use 'std' or 'bound', not {row.via!r}")
        if element.type != "code" or not element.codes:
            return
        made: set[str] = set()
        if row.via == "code":
            made = set(via.forward.values())  # type: ignore[attr-defined]
        elif row.via == "table":
            made = {out for _, out in via.rows}  # type: ignore[attr-defined]
        elif row.via in ("last", "presence"):
            made = set(via.map.values())  # type: ignore[attr-defined]
        elif row.via == "own_code":
            made = set(via.list.codes)  # type: ignore[attr-defined]
        elif row.mode in ("both", "copy"):
            raise BadRow(row.where, f"{name} has a required binding: use 'code' with a ConceptMap or a table")
        if wrong := sorted(map(str, made - set(element.codes))):
            source = f" ({via.label})" if row.via == "table" else ""  # type: ignore[attr-defined]
            raise BadRow(row.where, f"{name}: {wrong[0]!r} is not one of its codes{source}")

    def constant(self, obj: Obj, row: Row, element: Any) -> Any:
        if row.concept is not None:
            concept = self.env.concept(row.concept)
            kind = element.type if element is not None else ""
            if kind == "Coding":
                return concept["coding"][0]
            if kind != "CodeableConcept":
                raise BadRow(row.where, f"{row.text}: is {kind}, not a CodeableConcept or Coding")
            return concept
        value = row.fix
        if element is not None and element.codes and element.type == "code" and value not in element.codes:
            raise BadRow(row.where, f"{row.text}: {value!r} is not one of its codes")
        return value

    def absent(self, obj: Obj, row: Row, step: Step, element: Any) -> None:
        """Where an absent reason of this row's field shows on the element itself (see nodes.Absent)."""
        if row.mode != "both" or obj.type == "Extension" or row.fields[0] in (".",) or row.fields[0][0] in "/$@":
            return
        elements = self.env.elements(obj.type)
        if step.choice:
            keys = tuple(e.name for e in elements.values() if e.choice == step.name)
            obj.absents.append(Absent(row, "primitive", f"{step.name}DateTime", keys))
            return
        if element is None or element.codes or f"{obj.type}.{element.name}" in self.env.bindings:
            return
        if element.name.startswith("value") and "dataAbsentReason" in elements:
            if not any(isinstance(c, Leaf) and c.key == "dataAbsentReason" for c in obj.children):
                obj.absents.append(Absent(row, "value", element.name, (element.name, "dataAbsentReason")))
            return
        kind = "primitive" if element.type[:1].islower() else "object"
        if element.type not in ("dataAbsentReason",):
            obj.absents.append(Absent(row, kind, element.name, (element.name,)))

    def matchers(self, obj: Obj, row: Row, path: tuple[Step, ...]) -> list[Matcher]:
        """What a `match` row says of the object it stands in: a constant, or a code that its list knows."""
        if not row.match:
            return []
        if row.mode == "fix":
            return [constant_matcher(self.env, obj.type, row, path)]
        leaf = next((c for c in obj.children if isinstance(c, Leaf) and c.row is row), None)
        if leaf is None or not isinstance(leaf.via, Coded):
            raise BadRow(row.where, f"{row.text}: only constants and single coded elements can match")
        return [coded_matcher(leaf.key, leaf.via)]
