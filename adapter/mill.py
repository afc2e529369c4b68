"""One record to checked resource bytes, and resources to a validated record: the middle of every journey.

Knows the rooms records, mapping and fhir; not where records come from nor where resources go.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from adapter import codec, records
from adapter.assembly import Assembly
from adapter.errors import Issue, RecordRefused
from adapter.fhir.gate import Gate
from adapter.mapping import Found
from adapter.receiver import Receiver
from adapter.settings import Target

Part = tuple[str, str, bytes]


@dataclass(frozen=True)
class Stranger:
    """What is made up openly for records of other writers (decisions 16): the source's name and its time zone."""

    source: str
    timezone: str = "UTC"


class Mill:
    """Map, adapt to the receiver, encode, check; and back. One per FHIR version and target; safe between threads."""

    def __init__(self, assembly: Assembly, version: str, target: Target | None = None) -> None:
        self.assembly, self.version = assembly, version
        self.gate = Gate(version)
        self.receiver = Receiver(target, assembly.sid)
        mappers = assembly.mappings.mappers[version].values()
        self.of_versions = frozenset(part.block.type for mapper in mappers for part in mapper.history)
        """Types of resources that say something of one version of a record: never read, and never taken away."""

    def resources(self, record: dict[str, Any]) -> list[Part]:
        """The record's resources as (type, id, bytes), root first, checked. Raises MappingError, ResourceRefused."""
        out = []
        for resource in self.receiver.adapt(self.assembly.mappings.forward(record, self.version)):
            data = codec.dumps(resource)
            self.gate.require(data, record["record_id"])
            out.append((resource["resourceType"], resource["id"], data))
        return out

    def explain(self, record: dict[str, Any]) -> dict[str, Any]:
        """Which row of which file made each element of the record's resources."""
        mapper = self.assembly.mappings.mappers[self.version][record["kind"]]
        return {"record": record["record_id"], "elements": mapper.explain(mapper.forward(record))}

    def records(self, resources: Iterable[dict[str, Any]], stranger: Stranger | None = None) -> Iterator[Taken]:
        """Every record in a pool of resources; with ``stranger`` also those of other writers."""
        pool = self.assembly.mappings.pool(resources, self.version)
        for found in pool.records(foreign=stranger is not None):
            yield self._taken(found, stranger)

    def _taken(self, found: Found, stranger: Stranger | None) -> Taken:
        if found.missing:
            parts = ", ".join(found.missing[:5])
            issue = Issue(found.reference, "", "incomplete", message=f"parts not here: {parts}")
            return Taken(found, None, (issue,))
        name = found.reference
        if found.issues:
            return Taken(found, None, tuple(_named(i, name) for i in found.issues))
        record = {"kind": found.kind, **(found.record or {})}
        try:
            if found.ours:
                return Taken(found, records.load(found.kind, record))
            assert stranger is not None
            if found.kind not in records.KINDS:
                return Taken(found, None, (Issue(name, "kind", "derived_input", "calculated, not collected"),))
            return Taken(found, _adopt(record, found, stranger))
        except RecordRefused as refused:
            return Taken(found, None, tuple(_named(i, name, not found.ours) for i in refused.issues))


@dataclass(frozen=True)
class Taken:
    """A record taken from resources, or why not. ``found`` tells its root and whether we wrote it."""

    found: Found
    record: dict[str, Any] | None
    issues: tuple[Issue, ...] = ()

    @property
    def incomplete(self) -> bool:
        """Parts of it have not come yet."""
        return bool(self.found.missing)


def _named(issue: Issue, name: str, always: bool = False) -> Issue:
    """An issue that says which resource it is about; a foreign record's own id is made up and says nothing."""
    return issue if issue.record and not always else replace(issue, record=name)


def _adopt(record: dict[str, Any], found: Found, stranger: Stranger) -> dict[str, Any]:
    """RecordMeta for a record that another system wrote: openly made up. What a required field of its content lacks
    is `not_in_source`; keys, instruments and the like cannot be excused, and the record is refused."""
    meta = {
        "source_system": stranger.source,
        "source_record_id": found.reference,
        "version": 1,
        "recorded_by": stranger.source,
        "blinding_class": "allocation",
    }
    theirs = ("supersedes_version", "change_reason", "idempotency_key")  # of another installation of this software
    record = {**{k: v for k, v in record.items() if k not in theirs}, **meta}
    record.setdefault("site_timezone", stranger.timezone)
    record.setdefault("record_status", "final")
    if record["record_status"] in ("amended", "corrected"):
        record["record_status"] = "final"
    if "recorded_at" in record:
        record["recorded_at"] = _in_zone(record["recorded_at"], record["site_timezone"])
    for _ in range(3):
        try:
            return records.load(found.kind, record)
        except RecordRefused as refused:
            lacking = [i.field for i in refused.issues if i.limit.endswith("its absent reason")]
            if not lacking:
                raise
            absent = {**record.get("field_absent_reason", {}), **dict.fromkeys(lacking, "not_in_source")}
            record = {**record, "field_absent_reason": absent}
    return records.load(found.kind, record)


def _in_zone(instant: str, zone: str) -> str:
    """An instant of the server's clock, written with the offset of the site's zone."""
    try:
        return datetime.fromisoformat(instant).astimezone(ZoneInfo(zone)).isoformat(timespec="milliseconds")
    except (ValueError, KeyError):
        return instant
