"""What keeps a journey within one request: a push of the posted records only, a pull that stops at a bound.

The command line has no such bounds; what a request leaves undone, `hydrofhir push` and `hydrofhir pull` finish.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Any, cast

from adapter import codec, pipeline, records
from adapter.derivation import SUBJECTS, bring_up_to_date
from adapter.gather import records_of
from adapter.mill import Mill
from adapter.records.intake import Entry
from adapter.report import Report
from adapter.scope import Partner, Reader, Scope
from adapter.settings import Target
from adapter.store import Ledger, Store, Stored, key_text

_RETRIES, _RETRY_CAP, _READ_TIMEOUT = 2, 5.0, 60.0


def impatient(target: Target) -> Target:
    """The target with less patience (repetitions, seconds): a caller is waiting for the answer."""
    return replace(
        target,
        max_retries=min(target.max_retries, _RETRIES),
        retry_cap=min(target.retry_cap, _RETRY_CAP),
        read_timeout=min(target.read_timeout, _READ_TIMEOUT),
    )


def push(
    store: Store, mill: Mill, partner: Partner, entries: Iterable[Entry], report: Report, waiting_days: int
) -> None:
    """Intake of the entries, then push of these records, and of what follows from them and others of their subjects, as
    far as the partner has not their present version.

    Unlike the command it leaves the rest of the store alone, and tries records again that were refused often.
    """
    posted: dict[tuple[str, tuple[str, ...]], None] = {}
    subjects: set[str] = set()

    def noted() -> Iterator[Entry]:
        for entry in entries:
            if entry.record is not None:
                posted[entry.record["kind"], records.key(entry.record)] = None
                subjects.update([entry.record["subject_id"]] if "subject_id" in entry.record else [])
            yield entry

    pipeline.intake(store, noted(), report, waiting_days)
    if not partner.target.derived:
        subjects.clear()
    bring_up_to_date(store, report, subjects)
    if posted:
        pipeline.push(cast(Store, _Posted(store, list(posted), sorted(subjects))), mill, partner, report)


def pull(
    store: Store, mill: Mill, partner: Partner, report: Report, scope: Scope, most: int, out: pipeline.Sink
) -> None:
    """`pipeline.pull` that stops asking for pages at ``most`` resources. Then the report says that it is unfinished and
    the cursor stays: what was read is kept, but nothing after it may be skipped."""
    reader = Reader(partner, mill, store)
    for page in reader.pages(scope):
        if report.counts["resources"] >= most:
            report.unfinished = f"the target has more than one request takes (limit {most} resources)"
            break
        store.stage(reader.key, page)
        report.add(resources=len(page))
    pipeline.keep(store, records_of(store, mill, reader.key, None, report), report, out)
    if reader.short and not report.unfinished:
        report.unfinished = f"the server counts {sum(reader.short.values())} resources more than it gave: pull again"
    if not report.unfinished:
        reader.finish(scope)
    report.done()


class _Posted:
    """A store of which a push sees the posted records only, and what was derived for these subjects."""

    def __init__(self, store: Store, posted: list[tuple[str, tuple[str, ...]]], subjects: list[str]) -> None:
        self._store, self._posted, self._subjects = store, posted, subjects

    def ledger(self, address: str, mapping_hash: str, policy: str = "") -> _PostedLedger:
        ledger = self._store.ledger(address, mapping_hash, policy)
        found = [one for kind, key in self._posted if (one := self._store.get_record(kind, key))]
        return _PostedLedger(ledger, [*found, *self._derived(ledger, found)])

    def _derived(self, ledger: Ledger, posted: list[Stored]) -> Iterator[Stored]:
        """What was derived, as far as all that it refers to is at the target or on its way there."""
        for start in range(0, len(self._subjects), SUBJECTS):
            whole = self._store.subject_records(self._subjects[start : start + SUBJECTS])
            there = ledger.unchanged(whole)
            near = [*posted, *(one for one in whole if one.seq in there)]
            names = {one.record_id for one in near} | {f"{one.kind} {one.key}" for one in near}
            fresh = (one for one in whole if one.kind == records.DERIVED and one.seq not in there)
            yield from (one for one in fresh if _cited(codec.loads_wire(one.body)) <= names)


def _cited(record: dict[str, Any]) -> set[str]:
    """The records that a derived one refers to: record ids, and the key of its procedure."""
    cited = {one["record_id"] for one in (*record.get("inputs", ()), *record.get("basis", ()))}
    if "procedure_id" in record:
        cited.add(f"procedure {key_text((record['subject_id'], record['procedure_id']))}")
    return cited


class _PostedLedger:
    """A ledger whose pending records are some given ones, studies first, then subject by subject, parents first."""

    def __init__(self, ledger: Ledger, stored: list[Stored]) -> None:
        self._ledger, self._stored = ledger, stored

    def pending(self, **_: Any) -> Iterator[Stored]:
        there = self._ledger.unchanged(self._stored)
        place = {kind: n for n, kind in enumerate(("study", *records.KNOWN))}
        for one in sorted(self._stored, key=lambda s: (s.subject, place.get(s.kind, 99), s.seq)):
            if one.seq not in there:
                yield one

    def __getattr__(self, name: str) -> Any:
        return getattr(self._ledger, name)
