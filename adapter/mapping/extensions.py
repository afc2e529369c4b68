"""Which extensions of ours the compiled trees write, where, and whether people have said what each of them means.

Read off the trees, so that what is published of extensions, profiles and questions cannot differ from what is sent.
Must not know how a definition looks.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from adapter.catalog import BASE, Catalog
from adapter.mapping.lists import Contained, Item, ListNode, Repeat
from adapter.mapping.mapper import Mapper, Part
from adapter.mapping.nodes import Fixed, Leaf, Obj
from adapter.mapping.proof import Prover
from adapter.mapping.rows import BadRow
from adapter.mapping.via import Env
from adapter.mapping.via.base import profile_name

OURS = f"{BASE}/StructureDefinition/"
LISTS = ("extension", "modifierExtension")
FILE = "extensions.yaml"
_DATATYPES = ("CodeableConcept", "Period", "Reference")


@dataclass
class Use:
    """How one extension is used: ``contexts`` are element paths or datatypes, ``trees`` its own elements with the kind
    and scope they are in, ``made`` the element of its value where a transform adds it."""

    contexts: set[str] = field(default_factory=set)
    trees: list[tuple[Mapper, Obj, str]] = field(default_factory=list)
    made: str = ""
    modifier: bool = False


def uses(mappers: Iterable[Mapper]) -> dict[str, Use]:
    """Every extension of ours that these mappers write, by name."""
    found: dict[str, Use] = {}
    for mapper in mappers:
        for part in mapper.parts:
            _walk(mapper, part.tree, part.block.type, part.block.each or "", found)
    return dict(sorted(found.items()))


def _walk(mapper: Mapper, obj: Obj, path: str, scope: str, found: dict[str, Use]) -> None:
    for child in obj.children:
        if isinstance(child, Contained):
            _walk(mapper, child.obj, child.type, scope, found)
        elif isinstance(child, Obj):
            _walk(mapper, child, step(mapper.env, obj, path, child.key), scope, found)
        elif isinstance(child, Leaf):
            _made(mapper.env, obj, path, child, found)
        elif isinstance(child, ListNode):
            for member in child.members:
                _member(mapper, obj, path, child.key, member, scope, found)


def _member(mapper: Mapper, parent: Obj, path: str, key: str, member: Any, scope: str, found: dict[str, Use]) -> None:
    if isinstance(member, Item):
        if isinstance(member.leaf, Leaf):
            _made(mapper.env, parent, path, member.leaf, found)
    elif isinstance(member, Contained):
        _walk(mapper, member.obj, member.type, scope, found)
    else:
        obj, inner = inside(member, scope)
        if key in LISTS and (name := own_name(obj)):
            use = found.setdefault(name, Use())
            use.contexts.add(path)
            use.trees.append((mapper, obj, inner))
            use.modifier |= key == "modifierExtension"
        _walk(mapper, obj, step(mapper.env, parent, path, key), inner, found)


def _made(env: Env, parent: Obj, path: str, leaf: Leaf, found: dict[str, Use]) -> None:
    """Extensions that a transform adds to its element: known by the element's datatype, or its path."""
    for name, value in leaf.via.extensions if leaf.row.mode != "read" else ():
        use = found.setdefault(name, Use())
        kind = leaf.via.makes[0] if leaf.via.makes != ("choice",) else "Period"
        use.contexts.add(kind if kind in _DATATYPES else step(env, parent, path, leaf.key))
        use.made = value


def step(env: Env, parent: Obj, path: str, key: str) -> str:
    """The path of element ``key`` below ``path``, as FHIR writes it: ``status`` for ``_status``, ``value[x]``."""
    name = key.removeprefix("_")
    element: Any = env.elements(parent.type).get(name)
    return f"{path}.{element.choice}[x]" if element is not None and element.choice else f"{path}.{name}"


def inside(member: Obj | Repeat, scope: str) -> tuple[Obj, str]:
    """The object of a list member, and the scope its fields are looked up in."""
    if isinstance(member, Obj):
        return member, scope
    return member.obj, scope if member.name.startswith(("$", "@")) else Prover.full(member.name, scope)


def own_name(obj: Obj) -> str:
    """The name of an extension of ours, "" for another or for a child of a complex one, whose url is relative."""
    url = str(obj.fixed.get("url", ""))
    return url.removeprefix(OURS) if url.startswith(OURS) else ""


def children(obj: Obj, prefix: str = "") -> Iterator[str]:
    """The names of what a complex extension holds: ``absent``, ``absent.field``."""
    for node in obj.children:
        for member in node.members if isinstance(node, ListNode) and node.key in LISTS else ():
            inner, _ = inside(member, "")
            url = str(inner.fixed["url"])
            if "://" not in url:
                yield prefix + url
                yield from children(inner, f"{prefix}{url}.")


def link_ids(part: Part) -> list[str]:
    """The questions that a QuestionnaireResponse answers, in the order of its rows."""
    lists = [c for c in part.tree.children if isinstance(c, ListNode) and c.key == "item"]
    return [str(inside(m, "")[0].fixed["linkId"]) for node in lists for m in node.members]


def asks(part: Part) -> str:
    """The address of the Questionnaire that a block answers, "" where it answers none."""
    fixed = [c.value for c in part.tree.children if isinstance(c, Fixed) and c.key == "questionnaire"]
    return str(fixed[0]) if fixed else ""


def unsaid(catalog: Catalog, mappers: Mapping[str, Mapping[str, Mapper]]) -> Iterator[BadRow]:
    """What has no words although it is sent, and words for what is not: extensions, profiles, questions."""
    used: dict[str, set[str]] = {}
    profiles: set[str] = set()
    for kinds in mappers.values():
        for name, use in uses(kinds.values()).items():
            used.setdefault(name, set()).update(c for _, obj, _ in use.trees for c in children(obj))
        for mapper in kinds.values():
            for part in mapper.parts:
                profiles.add(profile_name(mapper.kind, part.block.part))
                yield from _unsaid_of(part)
    for name in sorted(used.keys() & profiles):
        yield BadRow(f"{FILE}:1", f"extension {name!r} has the name of a profile")
    for name in sorted(used.keys() - catalog.extensions.keys()):
        yield BadRow(f"{FILE}:1", f"extension {name!r} has no text")
    for name, said in catalog.extensions.items():
        where = f"{FILE}:{said.line}"
        if name not in used:
            yield BadRow(where, f"extension {name!r} is not used")
            continue
        for child in sorted(used[name] - said.parts.keys()):
            yield BadRow(where, f"part {child!r} of extension {name!r} has no text")
        for child in sorted(said.parts.keys() - used[name]):
            yield BadRow(where, f"part {child!r} of extension {name!r} is not used")


def _unsaid_of(part: Part) -> Iterator[BadRow]:
    block = part.block
    if block.profile is None:
        yield BadRow(block.where, f"{part.name}: the block has no title and text for its profile (profile)")
    said = block.questionnaire
    if (said is not None) != bool(asks(part)):
        yield BadRow(block.where, "words of a questionnaire go with a row that fixes its address")
    elif said is not None:
        known = set(link_ids(part))
        for name in sorted(known - said["items"].keys()):
            yield BadRow(block.where, f"question {name!r} has no text")
        for name in sorted(said["items"].keys() - known):
            yield BadRow(block.where, f"question {name!r} is not asked")
