"""The parts of a record that another writer wrote: found by the link rows, told apart by what they point at.

Nobody numbered them for us. What cannot be told without guessing (a child of two parents, a finding of no target, a
part that is named and not here) is said, and the record is refused.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from adapter.errors import Issue
from adapter.mapping.literal import address
from adapter.mapping.mapper import ROOT, Mapper, Part, part_of
from adapter.mapping.paths import Step

if TYPE_CHECKING:
    from adapter.mapping.graph import Pool

Json = dict[str, Any]


class Kin:
    """The parts around one root. ``issues`` and ``missing`` (references that lead out of the pool) fill while it is
    walked."""

    def __init__(self, pool: Pool, mapper: Mapper, root: Json) -> None:
        self.pool, self.mapper, self.root = pool, mapper, root
        self.issues: list[Issue] = []
        self.missing: list[str] = []
        self.numbers: dict[int, int] = {}  # resource (by identity) -> number of its item
        self.counts: dict[str, int] = {}  # list field -> items so far
        self.taken: set[tuple[str, int]] = set()

    def __iter__(self) -> Iterator[tuple[Part, int, Json]]:
        for part in self.mapper.children:
            seen: set[int] = set()
            for resource in (*self._named(part), *self._pointing(part)):
                if id(resource) in seen or part_of(resource, self.pool.part_system) is not None:
                    continue
                seen.add(id(resource))
                n = self._number(part, resource)
                if n is not None:
                    yield part, n, resource

    def _named(self, part: Part) -> Iterator[Json]:
        """What the root refers to as this part."""
        for to, path in self.mapper.root.links:
            if to != part.name:
                continue
            for pointer in pointers(self.root, path, self.mapper):
                literal = pointer.get("reference")
                if not isinstance(literal, str):
                    if "identifier" in pointer:
                        self.missing.append(f"{part.block.type} by its identifier")
                    continue
                found = self._inside(literal) if literal.startswith("#") else self.pool.resource(literal)
                if found is None and address(literal).partition("/")[0] in (part.block.type, literal):
                    self.missing.append(address(literal))
                elif found is not None and found.get("resourceType") == part.block.type:
                    yield found

    def _inside(self, literal: str) -> Json | None:
        inside = self.root.get("contained", ())
        return next((one for one in inside if isinstance(one, dict) and one.get("id") == literal[1:]), None)

    def _pointing(self, part: Part) -> Iterator[Json]:
        """What refers to the root, and so is a part of it."""
        kind = self.root.get("resourceType")
        for to, path in part.links:
            if to != ROOT:
                continue
            for resource in self.pool.pointing(self.mapper, part, path, f"{kind}/{self.root.get('id')}"):
                if self.pool.named_by(resource) - {self.mapper.kind}:
                    continue  # somebody says that it is theirs
                parents = {address(one) for one in references(resource, path, self.mapper)}
                if sum(one.startswith(f"{kind}/") for one in parents) > 1 and not any(step.repeat for step in path):
                    self._refuse(part, f"one {kind}", path)
                yield resource

    def _number(self, part: Part, resource: Json) -> int | None:
        """The number of the item that a resource is about, 0 for a part that comes once; None where nobody can say."""
        each = part.block.each
        if each is None:
            return 0
        if each in self.mapper.single:
            if each in self.counts:
                self._refuse(part, f"one {part.name}", ())
                return None
            self.counts[each] = 1
            return 0
        beside = [link for link in part.links if any(p.name == link[0] and p.block.each == each for p in self._parts)]
        if not beside:
            n = self.numbers[id(resource)] = self.counts[each] = self.counts.get(each, 0) + 1
            return n
        to, path = beside[0]
        targets = [self.pool.resource(literal) for literal in references(resource, path, self.mapper)]
        found = {self.numbers[id(one)] for one in targets if id(one) in self.numbers}
        if not targets and self.counts.get(each) == 1:
            found = {1}
        if len(found) != 1 or (part.name, *found) in self.taken:
            self._refuse(part, f"one {to}, one {part.name} for it", path)
            return None
        (n,) = found
        self.taken.add((part.name, n))
        return n

    @property
    def _parts(self) -> tuple[Part, ...]:
        return self.mapper.children

    def _refuse(self, part: Part, limit: str, path: tuple[Step, ...]) -> None:
        where = f"{part.block.type}.{'.'.join(map(str, path))}"
        self.issues.append(Issue(None, part.block.each or part.name, "ambiguous", limit=limit, message=where))


def pointers(resource: Any, path: tuple[Step, ...], mapper: Mapper) -> Iterator[Json]:
    """The Reference elements at ``path`` of a resource; slices of extensions are respected."""
    if not path:
        if isinstance(resource, dict):
            yield resource
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
        yield from pointers(item, rest, mapper)


def references(resource: Any, path: tuple[Step, ...], mapper: Mapper) -> Iterator[str]:
    """The literal references at ``path`` of a resource."""
    for pointer in pointers(resource, path, mapper):
        literal = pointer.get("reference")
        if isinstance(literal, str):
            yield literal
