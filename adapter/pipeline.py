"""The journeys, top to bottom: intake, map, unmap, push, pull. No branch on record kind or FHIR version.

Each works chunk by chunk in bounded memory and ends in a Report. Bodies are lists of steps; the steps are in the rooms,
in `mill` (record to resources and back) and in `scope` (what a pull asks for).
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import chain
from typing import Any

from adapter import codec, records
from adapter.admission import Admission
from adapter.errors import Issue, Skip
from adapter.exchange.parcel import Outcome, Parcel
from adapter.gather import records_of, stage, straight
from adapter.mill import Mill, Taken
from adapter.records.intake import Entry
from adapter.report import Report
from adapter.scope import Partner, Reader, Scope, stranger_of
from adapter.settings import WAITING_DAYS
from adapter.store import Ledger, Store, Stored

Sink = Callable[[dict[str, Any]], None]
Item = tuple[str, tuple[str, ...], Mapping[str, Any], bytes, str]
CHUNK = 200
AHEAD = 25
"""Records mapped in one go: meanwhile no bundle is sent off."""


def intake(store: Store, entries: Iterable[Entry], report: Report, waiting_days: int = WAITING_DAYS) -> Report:
    """Records land in the store first (decisions 19): validated, checked against their neighbours, version by version;
    refused ones are named. What lacks a neighbour waits, ``waiting_days`` at the longest."""

    def good() -> Iterator[Item]:
        read = 0
        for entry in entries:
            read += 1
            if read == CHUNK:
                report.add(read=read)
                read = 0
            if entry.record is None:
                report.refuse(entry.issues)
                continue
            yield _item(entry.record)
        report.add(read=read)

    admission = Admission(store, report)
    admission.take(good())
    admission.finish(waiting_days)
    return report.done()


def push(store: Store, mill: Mill, partner: Partner, report: Report, retry_dead: bool = False) -> Report:
    """Everything in the store that the partner has not, and takes: map, check, send, keep the receipt.

    What follows from the records is derived before (`derivation`), and sent unless the target wants none of it.
    Safe to end at any point and to start again: what is not marked sent is sent again, by the same ids.
    """
    digest = f"{mill.assembly.mappings.digest}|{mill.version}"
    ledger = store.ledger(partner.target.ledger_key, digest, mill.receiver.policy)
    without = () if partner.target.derived else (records.DERIVED,)
    parcels = _parcels(ledger, mill, report, ledger.pending(retry_dead=retry_dead, without=without))
    became: list[Outcome] = []
    try:
        for outcomes in partner.send(parcels, ledger.begin):
            _tell(report, outcomes)
            became += outcomes
            if len(became) >= CHUNK:
                ledger.settle(became)
                became = []
    finally:
        ledger.settle(became)
    if partner.stopped:
        report.unfinished = "the partner is unavailable; start the push again later"
    return report.done()


def pull(
    store: Store,
    mill: Mill,
    partner: Partner,
    report: Report,
    scope: Scope | None = None,
    out: Sink | None = None,
    derived: bool = False,
) -> Report:
    """Pages to staging, staging to graphs, graphs to records, records to the store; the cursor moves last.

    Where each resource comes once, graphs that are whole become records while the next page is on its way. What was
    derived is kept too, and goes to ``out`` only with ``derived``: intake would refuse it.
    """
    scope = scope or Scope()
    reader = Reader(partner, mill, store)
    bring = straight if reader.each_once(scope) else stage
    early = bring(reader.pages(scope), store, mill, reader.key, report)
    late = records_of(store, mill, reader.key, stranger_of(partner.target) if scope.all else None, report)
    keep(store, chain(early, late), report, out, derived)
    if reader.short:
        more = ", ".join(f"{n} {kind}" for kind, n in reader.short.items())
        report.unfinished = f"the server counts more than it gave ({more}): pull again"
    else:
        reader.finish(scope)
    return report.done()


def keep(store: Store | None, taken: Iterable[Taken], report: Report, out: Sink | None, derived: bool = False) -> None:
    """Hand each record on, to the store and to ``out``; name what could not be read. What a partner has is kept as it
    is: the rules between records only flag it. Counts what was derived and not handed to ``out`` (derived_left_out)."""

    def good() -> Iterator[Item]:
        for one in taken:
            if one.record is None:
                report.refuse(one.issues, "incomplete" if one.incomplete else "unreadable")
                continue
            report.add(records=1)
            if out is not None and (derived or one.record["kind"] != records.DERIVED):
                out(one.record)
            elif out is not None:
                report.add(derived_left_out=1)
            yield _item(one.record)

    if store is None:
        for _ in good():
            pass
        return
    admission = Admission(store, report, strict=False)
    admission.take(good())
    admission.finish()


def _item(record: dict[str, Any]) -> Item:
    """A record as the store takes it: its fields are read from the body where the store asks for them, which it does
    not for what it has already; the record itself need not be kept while many wait together."""
    body = codec.dumps(record)
    return record["kind"], records.key(record), _Fields(body), body, hashlib.sha256(body).hexdigest()


class _Fields(Mapping[str, Any]):
    """The fields of an encoded record, decoded when the first one is asked for."""

    __slots__ = ("_body", "_fields")

    def __init__(self, body: bytes) -> None:
        self._body = body
        self._fields: dict[str, Any] | None = None

    def _read(self) -> dict[str, Any]:
        if self._fields is None:
            self._fields = codec.loads_wire(self._body)
        return self._fields

    def __getitem__(self, name: str) -> Any:
        return self._read()[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._read())

    def __len__(self) -> int:
        return len(self._read())


def _parcels(ledger: Ledger, mill: Mill, report: Report, pending: Iterable[Stored]) -> Iterator[Parcel]:
    """Mapped, checked records as parcels; a record that cannot go is buried with its reason, the rest goes on."""
    batch: list[Parcel] = []
    begun: list[Parcel] = []  # those that the target may have something of
    for stored in pending:
        report.add(offered=1)
        try:
            parts = tuple(mill.resources(codec.loads_wire(stored.body)))  # our own bytes: no need to be strict
        except Skip as refused:
            issues = getattr(refused, "issues", None) or [Issue(stored.record_id, "", type(refused).__name__)]
            ledger.bury(stored.kind, stored.key, stored.record_id, "map", issues[0])
            report.refuse(issues, "rejected")
            continue
        if not parts:  # all of it belongs to the receiver
            report.add(withheld=1)
            continue
        batch.append(
            Parcel(
                kind=stored.kind, key=stored.key, subject=stored.subject, parts=parts, hash=stored.hash,
                version=stored.version, record_id=stored.record_id, wave=1 if stored.subject else 0,
                synthetic=stored.synthetic, seq=stored.seq,
            )
        )  # fmt: skip
        if stored.attempts:
            begun.append(batch[-1])
        if len(batch) >= AHEAD:
            yield from _with_removals(ledger, batch, begun, mill.of_versions)
            batch, begun = [], []
    yield from _with_removals(ledger, batch, begun, mill.of_versions)


def _with_removals(
    ledger: Ledger, batch: list[Parcel], begun: list[Parcel], lasting: frozenset[str]
) -> Iterator[Parcel]:
    """Parcels that also take away what an earlier version of their record had and this one has not, but for what is
    said of that version itself."""
    gone = ledger.vanished(begun) if begun else {}
    for parcel in batch:
        remove = tuple(one for one in gone.get(parcel.seq, ()) if one[0] not in lasting)
        yield _replace(parcel, remove) if remove else parcel


def _replace(parcel: Parcel, remove: tuple[tuple[str, str], ...]) -> Parcel:
    from dataclasses import replace

    return replace(parcel, remove=remove)


def _tell(report: Report, outcomes: Iterable[Outcome]) -> None:
    for outcome in outcomes:
        entries = len(outcome.parcel.parts)
        if outcome.issue is not None and outcome.state in ("rejected", "waiting"):
            report.refuse([outcome.issue], outcome.state)
        else:
            report.add(**{outcome.state: 1, f"{outcome.state}_resources": entries})


__all__ = ["intake", "keep", "pull", "push"]
