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
from adapter.mapping.kin import Kin, references
from adapter.mapping.literal import address
from adapter.mapping.mapper import Mapper, Part, part_of, split_part
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
        self.named: dict[int, set[str]] | None = None  # resource (by identity) -> kinds whose root names it as a part
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
        found = self.by_ref.get(address(reference))
        self.astray += found is None
        return found

    def key_of(self, reference: str, system: str) -> str:
        """The key of the resource behind a literal reference: its own identifier, else its id."""
        target = self.resource(reference)
        for identifier in identifiers_of(target or {}):
            if identifier.get("system") == system:
                return str(identifier.get("value"))
        return address(reference).rpartition("/")[2]

    def own_parts(self, mapper: Mapper, root: Json) -> Iterator[tuple[Part, int, Json]]:
        """(part, item number, resource) of a root of ours; number 0 for a single part."""
        for name, resource in self.parts.get(self.record_id(root), {}).items():
            head, n = split_part(name)
            part = mapper.by_name.get(head)
            if part is not None and resource.get("resourceType") == part.block.type:
                yield part, n, resource

    def record_id(self, root: Json) -> str:
        """The record id that a root of ours carries as identifier."""
        for identifier in identifiers_of(root):
            if identifier.get("system") == f"{self.sid}/record-id":
                return str(identifier.get("value"))
        return ""

    def pointing(self, mapper: Mapper, part: Part, path: tuple[Step, ...], at: str) -> list[Json]:
        """The resources of other writers that could be this part and refer to ``at`` (``Type/id``) at ``path``."""
        key = (mapper.kind, part.name, ".".join(map(str, path)))
        index = self.links.get(key)
        if index is None:
            index = self.links[key] = {}
            for resource in self.others:
                if resource.get("resourceType") != part.block.type or not part.tree.matches(ReadCtx.loose(), resource):
                    continue
                for reference in references(resource, path, mapper):
                    index.setdefault(address(reference), []).append(resource)
        return index.get(at, [])

    def named_by(self, resource: Json) -> set[str]:
        """The kinds of record of other writers whose root refers to this resource as a part of its own."""
        if self.named is None:
            self.named = {}
            for root in self.others:
                for kind, mapper in self.mappers.items():
                    paths = mapper.root.links if mapper.recognises(root) else ()
                    for literal in (one for _, path in paths for one in references(root, path, mapper)):
                        self.named.setdefault(id(self.by_ref.get(address(literal))), set()).add(kind)
        return self.named.get(id(resource), set())

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
                found.record, found.issues = mapper.back(self, root, True, self.own_parts(mapper, root))
                found.unsure = self.astray > before
            yield found
        if not foreign:
            return
        for resource in self.others:
            kinds = [kind for kind, mapper in self.mappers.items() if mapper.recognises(resource)]
            if kinds and not any(mapper.claims(resource) for mapper in self.mappers.values()):
                yield self._foreign(kinds, resource)

    def _foreign(self, kinds: list[str], resource: Json) -> Found:
        mapper = self.mappers[kinds[0]]
        found = Found(mapper.kind, resource, False)
        if len(kinds) > 1:
            found.issues = [Issue(None, "kind", "ambiguous", limit=f"one of {', '.join(kinds)}")]
            return found
        kin = Kin(self, mapper, resource)
        found.record, issues = mapper.back(self, resource, False, kin)
        found.issues, found.missing = [*kin.issues, *issues], tuple(dict.fromkeys(kin.missing))
        return found

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
