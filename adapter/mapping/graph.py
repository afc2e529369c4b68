"""A pool of resources and the records in it: brings each record's resources together again, whoever wrote them.

Our own graphs are found by the kind and the list of parts that the root carries, so that "no injectate" differs from
"injectate not yet here"; graphs of other writers by the link rows.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from adapter.errors import Issue
from adapter.mapping.context import ReadCtx
from adapter.mapping.mapper import ROOT, Mapper, Part, part_of, split_part
from adapter.mapping.paths import Step

Json = dict[str, Any]


@dataclass
class Found:
    """One record found in a pool. ``missing`` names parts that the root lists and the pool lacks; ``unsure`` says that
    a reference was followed that leads out of the pool: a larger pool could tell more."""

    kind: str
    root: Json
    ours: bool
    record: Json | None = None
    issues: list[Issue] = field(default_factory=list)
    missing: tuple[str, ...] = ()
    unsure: bool = False

    @property
    def reference(self) -> str:
        return f"{self.root.get('resourceType')}/{self.root.get('id')}"


class Pool:
    """Resources of some records (usually one subject's). Not for a whole server: see pipeline for how pools are cut."""

    def __init__(self, mappers: Mapping[str, Mapper], resources: Iterable[Json]) -> None:
        self.mappers = mappers
        first = next(iter(mappers.values()))
        self.record_url = first.env.extension_url("record")
        self.part_system, self.sid = first.part_system, first.env.sid
        self.by_ref: dict[str, Json] = {}
        self.parts: dict[str, dict[str, Json]] = {}
        self.others: list[Json] = []
        self.links: dict[tuple[str, str, str], dict[str, list[Json]]] = {}
        self.roots: list[tuple[str, Json]] = []
        self.astray = 0  # references followed that lead out of the pool
        for resource in resources:
            self.add(resource)

    def add(self, resource: Json) -> None:
        kind = resource.get("resourceType")
        rid = resource.get("id")
        if not isinstance(kind, str):
            return
        if isinstance(rid, str):
            self.by_ref[f"{kind}/{rid}"] = resource
        own = self.kind_of(resource)
        if own is not None:
            self.roots.append((own, resource))
            return
        part = part_of(resource, self.part_system)
        if part is not None:
            self.parts.setdefault(part[0], {})[part[1]] = resource
        else:
            self.others.append(resource)

    def kind_of(self, resource: Json) -> str | None:
        """The record kind that a root of ours states in its own extension. With identifiers of another installation
        it is somebody else's: its references and parts are named in another name space."""
        if not self.record_id(resource):
            return None
        for extension in resource.get("extension", ()):
            if isinstance(extension, dict) and extension.get("url") == self.record_url:
                for child in extension.get("extension", ()):
                    if child.get("url") == "kind":
                        kind = child.get("valueCode")
                        return kind if kind in self.mappers else None
        return None

    # -- what readers ask -------------------------------------------------------------------------------------
    def resource(self, reference: str) -> Json | None:
        found = self.by_ref.get("/".join(reference.split("/")[-2:]))
        self.astray += found is None
        return found

    def key_of(self, reference: str, system: str) -> str:
        """The key of the resource behind a literal reference: its own identifier, else its id."""
        target = self.resource(reference)
        for identifier in identifiers_of(target or {}):
            if identifier.get("system") == system:
                return str(identifier.get("value"))
        return reference.rpartition("/")[2]

    def children(self, mapper: Mapper, part: Part, root: Json, ours: bool) -> Iterator[tuple[int, Json]]:
        """(item number, resource) of one part of the record around ``root``; number 0 for a single part."""
        if ours:
            for name, resource in self.parts.get(self.record_id(root), {}).items():
                head, n = split_part(name)
                if head == part.name and resource.get("resourceType") == part.block.type:
                    yield n, resource
            return
        seen: set[int] = set()
        n = 0
        for resource in self._linked(mapper, part, root):
            if id(resource) in seen or part_of(resource, self.part_system) is not None:
                continue
            seen.add(id(resource))
            n += 1
            yield (n if part.block.each else 0), resource

    def record_id(self, root: Json) -> str:
        """The record id that a root of ours carries as identifier."""
        for identifier in identifiers_of(root):
            if identifier.get("system") == f"{self.sid}/record-id":
                return str(identifier.get("value"))
        return ""

    def _linked(self, mapper: Mapper, part: Part, root: Json) -> Iterator[Json]:
        for to, path in mapper.root.links:
            if to == part.name:
                for reference in references(root, path, mapper):
                    target = self.resource(reference)
                    if target is not None and target.get("resourceType") == part.block.type:
                        yield target
        for to, path in part.links:
            if to == ROOT:
                yield from self._pointing(mapper, part, path, f"{root.get('resourceType')}/{root.get('id')}")

    def _pointing(self, mapper: Mapper, part: Part, path: tuple[Step, ...], at: str) -> list[Json]:
        key = (mapper.kind, part.name, ".".join(map(str, path)))
        index = self.links.get(key)
        if index is None:
            index = self.links[key] = {}
            for resource in self.others:
                if resource.get("resourceType") != part.block.type or not part.tree.matches(ReadCtx.loose(), resource):
                    continue
                for reference in references(resource, path, mapper):
                    index.setdefault("/".join(reference.split("/")[-2:]), []).append(resource)
        return index.get(at, [])

    # -- records ----------------------------------------------------------------------------------------------
    def records(self, foreign: bool = False) -> Iterator[Found]:
        """Every record in the pool; with ``foreign`` also what other writers wrote and a mapper recognises."""
        for kind, root in self.roots:
            mapper = self.mappers[kind]
            have = self.parts.get(self.record_id(root), {})
            missing = tuple(p for p in self.listed(root) if p not in have)
            found = Found(kind, root, True, missing=missing)
            if not missing:
                before = self.astray
                found.record, found.issues = mapper.back(self, root, True)
                found.unsure = self.astray > before
            yield found
        if not foreign:
            return
        for resource in self.others:
            for kind, mapper in self.mappers.items():
                if mapper.recognises(resource):
                    found = Found(kind, resource, False)
                    found.record, found.issues = mapper.back(self, resource, False)
                    yield found
                    break

    def listed(self, root: Json) -> Iterator[str]:
        """The parts that a root of ours says its record has."""
        for extension in root.get("extension", ()):
            if extension.get("url") == self.record_url:
                for child in extension.get("extension", ()):
                    if child.get("url") == "part":
                        yield str(child.get("valueString"))


def identifiers_of(resource: Json) -> list[Json]:
    """The identifiers of a resource; R4 gives an AdverseEvent or a QuestionnaireResponse one, and not a list."""
    found = resource.get("identifier")
    return [one for one in (found if isinstance(found, list) else [found]) if isinstance(one, dict)]


def references(resource: Any, path: tuple[Step, ...], mapper: Mapper) -> Iterator[str]:
    """The literal references at ``path`` of a resource; slices of extensions are respected."""
    if not path:
        literal = resource.get("reference") if isinstance(resource, dict) else None
        if isinstance(literal, str):
            yield literal
        return
    step, rest = path[0], path[1:]
    value = resource.get(step.name) if isinstance(resource, dict) else None
    for item in value if isinstance(value, list) else [value]:
        if item is None:
            continue
        if step.name == "extension" and step.slice:
            urls = (mapper.env.extension_url(step.slice), step.slice)
            if not isinstance(item, dict) or item.get("url") not in urls:
                continue
        yield from references(item, rest, mapper)
