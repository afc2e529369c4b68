"""Resources to records: the second half of a pull, and of reading a file.

`stage` and `records_of` bring everything through the store, subject by subject. `straight` takes a graph as soon as it
is whole, while the next page is on its way, and leaves the rest to them. Every resource is looked at before a mapping
walks it; graphs that are not whole are named and stay staged. Knows where resources wait (the store), not where they
came from.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from typing import Any

from adapter import codec
from adapter.errors import CodecError, Issue
from adapter.fhir.safe import unsafe
from adapter.mapping import Pool
from adapter.mapping.graph import identifiers_of
from adapter.mapping.mapper import part_of
from adapter.mill import Mill, Stranger, Taken
from adapter.report import Report
from adapter.store import Staged, Store

HELD = 32 * 1024 * 1024
"""Bytes of resources that `straight` holds while the rest of their records is still to come."""


def stage(pages: Iterable[list[Staged]], store: Store, mill: Mill, address: str, report: Report) -> Iterator[Taken]:
    """Pages to staging; no record yet."""
    for page in pages:
        store.stage(address, page)
        report.add(resources=len(page))
    yield from ()


@dataclass
class _Graph:
    """What has come of one record: its staged resources, the parts that have come, and those its root lists."""

    staged: list[Staged] = field(default_factory=list)
    parts: set[str] = field(default_factory=set)
    listed: frozenset[str] | None = None

    @property
    def whole(self) -> bool:
        return self.listed is not None and self.listed <= self.parts


def straight(
    pages: Iterable[list[Staged]], store: Store, mill: Mill, address: str, report: Report, most: int = HELD
) -> Iterator[Taken]:
    """Records of ours whose graph is whole, page by page. At the end all else is staged: what other writers wrote,
    parts without a root, roots without a part, records that refer to what was not at hand, and what exceeds ``most``
    bytes in waiting. Each resource must come once; a crash loses nothing, since the cursor moves after the last page.
    """
    held: dict[str, _Graph] = {}
    eye = mill.assembly.mappings.pool((), mill.version)
    size = 0
    known = store.staged_count(address) > 0  # of an earlier pull: what has become a record now must leave staging
    for page in pages:
        report.add(resources=len(page))
        ready: list[_Graph] = []
        fresh: dict[str, dict[str, Any]] = {}
        rest: list[Staged] = []
        places = {f"{one.type}/{one.id}": one for one in page}
        for resource in readable(page, mill, report):
            name = f"{resource['resourceType']}/{resource['id']}"
            one = places[name]
            record, part, listed = place_of(resource, eye)
            if record is None:
                rest.append(one)
                continue
            fresh[name] = resource
            graph = held.setdefault(record, _Graph())
            graph.staged.append(replace(one, value=None))
            size += len(one.body)
            if part is None:
                graph.listed = listed
            else:
                graph.parts.add(part)
            if graph.whole:
                ready.append(held.pop(record))
                size -= sum(len(each.body) for each in graph.staged)
        while size > most:
            graph = held.pop(next(iter(held)))
            size -= sum(len(each.body) for each in graph.staged)
            rest += graph.staged
        yield from _ready(ready, fresh, mill, rest)
        if known:
            kept = {(one.type, one.id) for one in rest}
            done = [one for graph in ready for one in graph.staged if (one.type, one.id) not in kept]
            store.unstage(address, [f"{one.type}/{one.id}" for one in done])
        store.stage(address, rest)
        known = known or bool(rest)
    store.stage(address, (one for graph in held.values() for one in graph.staged))


def _ready(graphs: list[_Graph], fresh: dict[str, dict[str, Any]], mill: Mill, rest: list[Staged]) -> Iterator[Taken]:
    """The records of whole graphs; those that follow a reference to what is not here go to ``rest``."""
    resources: list[dict[str, Any]] = []
    own: dict[str, _Graph] = {}
    for graph in graphs:
        for one in graph.staged:
            name = f"{one.type}/{one.id}"
            resources.append(fresh[name] if name in fresh else codec.loads_wire(one.body))
            own[name] = graph
    for taken in mill.records(resources):
        if taken.found.unsure:
            rest += own[taken.found.reference].staged
        else:
            yield taken


def place_of(resource: dict[str, Any], pool: Pool) -> tuple[str | None, str | None, frozenset[str]]:
    """Which record of ours a resource belongs to, as which part (None: the root), and the parts that a root lists.

    The record is None for what others wrote.
    """
    if pool.kind_of(resource) is not None:
        return pool.record_id(resource) or None, None, frozenset(pool.listed(resource))
    part = part_of(resource, pool.part_system)
    return (None, None, frozenset()) if part is None else (part[0], part[1], frozenset())


def records_of(store: Store, mill: Mill, address: str, stranger: Stranger | None, report: Report) -> Iterator[Taken]:
    """Graphs by subject, brought together and mapped back; what has become records leaves staging.

    Reports what cannot be read, and parts whose root has not come. Without ``stranger`` the resources of other
    writers are counted as ``foreign`` and left out.
    """
    for _subject, staged in store.staged(address):
        resources = list(readable(staged, mill, report))
        whole = True
        for taken in mill.records(resources, stranger):
            whole = whole and not taken.incomplete
            yield taken
        for issue in strays(resources, mill):
            whole = False
            report.refuse([issue], "incomplete")
        if stranger is None:
            report.add(foreign=sum(not own_names(resource, mill) for resource in resources))
        if whole:
            store.unstage(address, [f"{one.type}/{one.id}" for one in staged])


def readable(staged: Iterable[Staged], mill: Mill, report: Report) -> Iterator[dict[str, Any]]:
    """The resources that are safe to read; the others are named."""
    for one in staged:
        name = f"{one.type}/{one.id}"
        try:
            resource = codec.loads_wire(one.body) if one.value is None else one.value
        except CodecError as error:
            report.refuse([Issue(name, "", error.rule)], "unreadable")
            continue
        issues = unsafe(mill.gate, resource, one.body)
        if issues:
            report.refuse([Issue(name, i.path, i.rule, message=i.message) for i in issues], "unreadable")
        else:
            yield resource


def strays(resources: Iterable[dict[str, Any]], mill: Mill) -> Iterator[Issue]:
    """Our parts whose root is not among these resources: one issue for each record concerned."""
    roots: set[str] = set()
    parts: dict[str, list[str]] = {}
    for resource in resources:
        part = part_of(resource, f"{mill.assembly.sid}/part")
        if part is None:
            roots.update(own_names(resource, mill))
        else:
            parts.setdefault(part[0], []).append(part[1])
    for record in parts.keys() - roots:
        names = ", ".join(sorted(parts[record])[:5])
        yield Issue(record, "", "incomplete", message=f"the root is not here, only parts: {names}")


def own_names(resource: dict[str, Any], mill: Mill) -> list[str]:
    """The values of the identifiers we give: a root's record id, a part's name; none for other writers' resources."""
    systems = (f"{mill.assembly.sid}/record-id", f"{mill.assembly.sid}/part")
    return [str(one.get("value")) for one in identifiers_of(resource) if one.get("system") in systems]
