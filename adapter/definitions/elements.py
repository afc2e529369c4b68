"""The differential of a StructureDefinition, read off compiled trees: what is written where, in the order of FHIR.

Elements are marked mustSupport; `min` is 1 where every resource has the element; constants become patterns, without
display; our code lists become bindings. Lists are sliced where there is a key for it: extensions by url, components by
code, constants by themselves; the items of other lists are described together. Must not know what the elements mean.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from adapter.definitions.head import Json
from adapter.definitions.presence import Presence
from adapter.mapping.extensions import LISTS, inside, own_name
from adapter.mapping.lists import Item, ListNode, Repeat
from adapter.mapping.nodes import Fixed, Leaf, Obj, passes
from adapter.mapping.via import Env
from adapter.mapping.via.coded import Coded
from adapter.mapping.via.codes import Code
from adapter.mapping.via.concepts import Bound, ConceptText, Std

_WITHOUT_OURS = (Std, Bound, Code)  # what they write is not a code of our list


@dataclass(frozen=True)
class Branch:
    """One way in which an element may be filled: the object, its presence and scope."""

    obj: Obj
    presence: Presence
    scope: str

    def certain(self, node: Any) -> bool:
        return self.presence.certain(node, self.scope)


Found = list[tuple[Any, Branch]]


class Differential:
    """Collects the elements of one StructureDefinition in ``elements``."""

    def __init__(self, env: Env, written: Sequence[str] = ()) -> None:
        """``written``: elements of the resource that are always there without a row."""
        self.env, self.written = env, written
        self.elements: list[Json] = []

    def below(self, branches: list[Branch], path: str, ident: str, others: bool = False) -> None:
        """The elements of an object that is filled in one of these ways; ``others``: or in a way without parts."""
        types = {branch.obj.type for branch in branches}
        for type_name in sorted(types):  # an element and its primitive sibling (`status`, `_status`) are two
            mine = [branch for branch in branches if branch.obj.type == type_name]
            named: dict[str, list[Found]] = {
                name: [[] for _ in (*mine, *[None] * others)] for name in self._names(type_name)
            }
            for place, branch in enumerate(mine):
                for node in branch.obj.children:
                    if passes(node):
                        named[self._name(type_name, node)][place].append((node, branch))
            excused = any(absent.kind == "value" for branch in mine for absent in branch.obj.absents)
            for name, found in named.items():
                if any(found) or self._unasked(path, type_name, name):
                    self.element(name, found, type_name, path, ident)
                elif excused and name == "dataAbsentReason":
                    self.elements.append({"id": f"{ident}.{name}", "path": f"{path}.{name}", "mustSupport": True})

    def element(self, name: str, found: list[Found], type_name: str, path: str, ident: str) -> None:
        """One element and what is below it; ``found`` are the nodes that fill it, branch by branch."""
        head: Json = {"id": f"{ident}.{name}", "path": f"{path}.{name}"}
        certain = all(any(branch.certain(node) for node, branch in some) for some in found)
        if certain or self._unasked(path, type_name, name):
            head["min"] = 1
        lists = [(node, branch) for some in found for node, branch in some if isinstance(node, ListNode)]
        if lists:
            self._list(name, head, lists, len(found))
            return
        nodes = [one for some in found for one in some]
        if name.endswith("[x]"):
            head["type"] = [{"code": code} for code in self._types(type_name, nodes)]
        self._single(type_name, name, head, nodes, len(found))
        self.elements.append({**head, "mustSupport": True})
        inner = [Branch(node, branch.presence, branch.scope) for node, branch in nodes if isinstance(node, Obj)]
        if inner and not name.endswith("[x]"):
            others = any(some and not any(isinstance(node, Obj) for node, _ in some) for some in found)
            self.below(inner, head["path"], head["id"], others)

    def extension(self, branches: list[Branch], path: str, ident: str, url: str) -> None:
        """What is inside an extension: url, and a value or parts."""
        parts = [(n, b) for b in branches for n in b.obj.children if isinstance(n, ListNode) and n.key in LISTS]
        if parts:
            self._slices({"id": f"{ident}.extension", "path": f"{path}.extension"}, parts, len(branches))
        else:
            self.elements.append({"id": f"{ident}.extension", "path": f"{path}.extension", "max": "0"})
        self.elements.append({"id": f"{ident}.url", "path": f"{path}.url", "fixedUri": url})
        head: Json = {"id": f"{ident}.value[x]", "path": f"{path}.value[x]"}
        if parts:
            self.elements.append({**head, "max": "0"})
            return
        nodes = [(node, branch) for branch in branches for node in branch.obj.children]
        head |= {"min": 1, "type": [{"code": code} for code in self._types("Extension", nodes)]}
        self._single("Extension", "value[x]", head, nodes, len(branches))
        self.elements.append(head)

    def _unasked(self, path: str, type_name: str, name: str) -> bool:
        """Is it an element of the resource itself that is there without a row?"""
        return path == type_name and name in self.written

    # -- names and types --------------------------------------------------------------------------------------
    def _names(self, type_name: str) -> list[str]:
        elements: Iterable[Any] = self.env.elements(type_name).values()
        return list(dict.fromkeys(f"{e.choice}[x]" if e.choice else e.name for e in elements))

    def _name(self, type_name: str, node: Any) -> str:
        if isinstance(node, Leaf) and node.choice:
            return f"{node.key}[x]"
        element = self.env.elements(type_name)[node.key.removeprefix("_")]
        return f"{element.choice}[x]" if element.choice else element.name

    def _types(self, type_name: str, nodes: Found) -> list[str]:
        """The types of a choice that are written, each once."""
        elements = self.env.elements(type_name)
        keys = (f"{n.key}{s}" for n, _ in nodes for s in (getattr(n, "choice", ()) or ("",)))
        return list(dict.fromkeys(elements[key].type for key in keys))

    # -- lists --------------------------------------------------------------------------------------------------
    def _list(self, name: str, head: Json, lists: Found, ways: int) -> None:
        if name in LISTS:
            self._slices(head, lists, ways)
            return
        one = ways == 1
        members = [(m, branch) for node, branch in lists for m in node.members if passes(m)]
        objects = [(m, *inside(m, b.scope), b) for m, b in members if isinstance(m, Obj | Repeat)]
        constants = [m.leaf for m, _ in members if isinstance(m, Item) and isinstance(m.leaf, Fixed) and one]
        keyed = [(m, obj, scope, b) for m, obj, scope, b in objects if "code" in obj.fixed]
        slices = [(_code(fixed.value), fixed) for fixed in constants if _code(fixed.value)]
        if keyed or slices:
            key = {"type": "value", "path": "code" if keyed else "$this"}
            head["slicing"] = {"discriminator": [key], "rules": "open"}
        elif one:
            self._bound(head, [(m.leaf, b) for m, b in members if isinstance(m, Item)], len(members))
        self.elements.append({**head, "mustSupport": True})
        for code, fixed in slices:
            self.elements.append(
                {**_slice(head, code, "1"), "min": 1, **self._pattern(fixed.value), "mustSupport": True}
            )
        for member, obj, scope, branch in keyed:
            own = _slice(head, str(obj.slice), "*" if isinstance(member, Repeat) else "1")
            if branch.certain(member):
                own["min"] = 1
            self.elements.append({**own, "mustSupport": True})
            code_of = {"id": f"{own['id']}.code", "path": f"{own['path']}.code", "min": 1}
            self.elements.append({**code_of, **self._pattern(obj.fixed["code"])})
            self.below([Branch(obj, branch.presence, scope)], own["path"], own["id"])
        if objects and not keyed:
            branches = [Branch(obj, b.presence, scope) for _, obj, scope, b in objects]
            self.below(branches, head["path"], head["id"], len(objects) != len(members))

    def _slices(self, head: Json, lists: Found, ways: int) -> None:
        """A slice for each extension of ours; what is in it is said by its own definition, or here for a part."""
        by_url: dict[str, list[tuple[Any, Obj, str, Branch]]] = {}
        for node, branch in lists:
            for member in node.members:
                if passes(member):
                    obj, scope = inside(member, branch.scope)
                    by_url.setdefault(obj.fixed["url"], []).append((member, obj, scope, branch))
        by_url = {url: some for url, some in by_url.items() if "://" not in url or own_name(some[0][1])}
        if not by_url:
            return
        key = {"type": "value", "path": "url"}
        self.elements.append({**head, "slicing": {"discriminator": [key], "ordered": False, "rules": "open"}})
        for url, some in by_url.items():
            several = any(isinstance(member, Repeat) for member, *_ in some) or len(some) > len(lists)
            own = _slice(head, own_name(some[0][1]) or url, "*" if several else "1")
            if len({id(branch) for *_, branch in some}) == ways and all(b.certain(m) for m, *_, b in some):
                own["min"] = 1
            if "://" in url:
                self.elements.append({**own, "type": [{"code": "Extension", "profile": [url]}], "mustSupport": True})
                continue
            self.elements.append(own)
            branches = [Branch(obj, branch.presence, scope) for _, obj, scope, branch in some]
            self.extension(branches, own["path"], own["id"], url)

    # -- values -------------------------------------------------------------------------------------------------
    def _single(self, type_name: str, name: str, head: Json, nodes: Found, ways: int) -> None:
        fixed = [node.value for node, _ in nodes if isinstance(node, Fixed)]
        if len(fixed) == len(nodes) == ways and all(value == fixed[0] for value in fixed):
            element: Any = self.env.elements(type_name).get(nodes[0][0].key)
            head |= self._pattern(fixed[0], element.type)
        elif not fixed:
            self._bound(head, nodes, len(nodes))

    def _pattern(self, value: Any, kind: str = "") -> Json:
        """`pattern[x]` of a constant. A display is not asked for."""
        if isinstance(value, dict):
            kind = kind or ("CodeableConcept" if "coding" in value else "Coding")
            value = _plain(value)
        return {f"pattern{kind[:1].upper()}{kind[1:]}": value}

    def _bound(self, head: Json, nodes: Found, count: int) -> None:
        """A binding where all that is written here is of one list of ours."""
        said = {found for node, branch in nodes if (found := self._binding(node, branch))}
        if len(said) == 1 and all(self._binding(node, branch) for node, branch in nodes) and len(nodes) == count:
            value_set, strength = said.pop()
            head["binding"] = {"strength": strength, "valueSet": f"{self.env.base}/ValueSet/{value_set}"}

    def _binding(self, node: Any, branch: Branch) -> tuple[str, str] | None:
        """(value set, strength). Where only our code stands: required inside our own extensions, else extensible.
        Preferred where words or an absent reason may stand alone, or a standard code beside ours: HAPI's validator then
        wants each of the codes in the set, not one of them."""
        if not isinstance(node, Leaf) or not isinstance(node.via, Coded) or isinstance(node.via, _WITHOUT_OURS):
            return None
        obj, via = branch.obj, node.via
        element: Any = self.env.elements(obj.type).get(node.key)
        if element is None or element.codes or f"{obj.type}.{node.key}" in self.env.bindings:
            return None  # FHIR binds it already
        excused = any(absent.row is node.row and absent.kind != "value" for absent in obj.absents)
        if via.map_ids or isinstance(via, ConceptText) or (excused and not branch.certain(node)):
            return via.valueset, "preferred"
        return via.valueset, "required" if obj.type == "Extension" else "extensible"


def _slice(head: Json, name: str, most: str) -> Json:
    return {"id": f"{head['id']}:{name}", "path": head["path"], "sliceName": name, "max": most}


def _code(value: Any) -> str:
    """The code of a constant concept or Coding, "" for another constant."""
    if not isinstance(value, dict):
        return ""
    codings: list[Json] = value.get("coding", [value] if "code" in value else [])
    return str(codings[0]["code"]) if codings else ""


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {k: _plain(v) for k, v in value.items() if k != "display"}
    return [_plain(v) for v in value] if isinstance(value, list) else value
