"""Staged resources to records, subject by subject: the second half of a pull, and of reading a file.

Every resource is looked at before a mapping walks it; graphs that are not whole are named and stay staged. Knows where
resources wait (the store), not where they came from.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from adapter import codec
from adapter.errors import CodecError, Issue
from adapter.fhir.safe import unsafe
from adapter.mapping.mapper import part_of
from adapter.mill import Mill, Stranger, Taken
from adapter.report import Report
from adapter.store import Staged, Store


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
            resource = codec.loads_wire(one.body)
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
    identifiers = resource.get("identifier")
    return [
        str(one.get("value"))
        for one in (identifiers if isinstance(identifiers, list) else ())
        if isinstance(one, dict) and one.get("system") in systems
    ]
