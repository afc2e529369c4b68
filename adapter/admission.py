"""Who is let in: each chunk of records against its neighbours, in the chunk and in the store, then kept.

Parents come before children, versions in their order. A record that breaks a rule between records is refused (E); one
that lacks what it refers to waits in the store until that comes, and is then judged anew (Q); the rest is kept, with a
flag where there is something to say (W). A record that has not changed is not judged: nothing is read for it; nor is
what was derived, since it follows from the others.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import islice

from adapter import codec
from adapter.circles import Circles
from adapter.errors import Issue
from adapter.neighbours import REFUSE, WAIT, Circle, Finding, Record, decide, name
from adapter.report import Report
from adapter.store import DERIVED, Held, Place, Put, Store, key_text, names_of, rank

CHUNK, AS_IT_IS = 2_000, 500
"""Records judged in one go: of an intake, most of which may be here already; of a pull, where pages wait meanwhile."""
RETRACTED = "entered_in_error"
SUBJECTS = 50
"""How many subjects are in memory at a time, with all their records."""


_Name = tuple[str, str, str]
"""Kind, which name it is (business_key, source), and the name."""
FIELDS = {"business_key": "business_key", "source": "source_record_id"}


@dataclass(slots=True)
class _Case:
    """One version: as it came, where it belongs, and its record (empty where it is kept already)."""

    item: Put
    place: Place
    version: int
    record: Record

    @property
    def record_id(self) -> str:
        return str(self.record["record_id"])

    @property
    def alive(self) -> bool:
        return bool(self.record["record_status"] != RETRACTED)

    @property
    def called(self) -> list[_Name]:
        return [(self.place[0], column, value) for column, value in names_of(self.record) if value]


@dataclass(slots=True)
class _Chunk:
    """A chunk being judged. ``latest``: version kept, by place; ``waits``: what waits of these places, by version;
    ``retried``: it comes out of the quarantine; ``taken``: who has which name, with the record id. The rest is what
    becomes of it."""

    latest: dict[Place, int]
    retried: bool
    strict: bool
    waits: dict[Place, dict[int, Held]] = field(default_factory=dict)
    put: list[Put] = field(default_factory=list)
    held: list[Held] = field(default_factory=list)
    gone: list[int] = field(default_factory=list)
    names: dict[Place, None] = field(default_factory=dict)
    taken: dict[_Name, dict[Place, str]] = field(default_factory=dict)


class Admission:
    """One intake. With ``strict`` False no rule between records refuses anything or holds it back: what a server has is
    kept as it is, and what the rules say of it becomes flags."""

    def __init__(self, store: Store, report: Report, *, strict: bool = True) -> None:
        self._store, self._report, self._strict = store, report, strict
        self._run = uuid.uuid4().hex
        self._putting = store.putting()
        self._circles = Circles(store, report)

    def take(self, items: Iterable[Put]) -> None:
        """Let in what may come in, chunk by chunk. Fields are read from the body of an item."""
        source, most = iter(items), CHUNK if self._strict else AS_IT_IS
        while batch := list(islice(source, most)):
            if not self._putting.unchanged(batch):
                self._work(batch, self._strict, retried=False)

    def finish(self, waiting_days: int | None = None) -> None:
        """Count and name what was kept and what waits of this intake; give up what has waited for ``waiting_days``."""
        for found in self._store.overdue():  # an intake that was broken off, or another process at the same time
            self._retry(found)
        put = self._putting.done()
        self._report.add(new=put.new, changed=put.changed, unchanged=put.unchanged)
        for issue in put.refused:
            self._report.refuse([issue])
        for one in self._store.waiting(self._run):
            self._report.refuse([Issue(one.record_id, one.field, one.rule, message=one.message)], "waiting")
        if waiting_days is not None:
            self._give_up(waiting_days)

    def _give_up(self, waiting_days: int) -> None:
        last = (datetime.now(UTC) - timedelta(days=waiting_days)).strftime("%Y-%m-%dT%H:%M:%SZ")
        old = (one for one in self._store.waiting() if one.since_at <= last and one.run != self._run)
        while some := list(islice(old, CHUNK)):
            self._store.let_go([one.seq for one in some])
            for one in some:
                message = f"given up after {waiting_days} days: {one.message}"
                self._report.refuse([Issue(one.record_id, one.field, one.rule, message=message)], "expired")

    def _work(self, batch: Sequence[Put], strict: bool, retried: bool) -> None:
        """One chunk, then all who waited for it, and so on: as deep as records refer to each other."""
        chunk = self._judge(batch, strict, retried)
        if chunk.put:
            self._putting.put(chunk.put)
        self._store.hold(chunk.held)
        self._store.let_go(chunk.gone)
        for found in self._store.freed(list(chunk.names)):
            self._retry(found)

    def _retry(self, found: Sequence[Held]) -> None:
        self._work([(one.kind, one.key, {}, one.body, one.hash) for one in found], strict=True, retried=True)

    def _judge(self, batch: Sequence[Put], strict: bool, retried: bool) -> _Chunk:
        """Sort a chunk into what is put, held and refused; set the flags."""
        places = [(item[0], key_text(item[1])) for item in batch]
        there = self._putting.known(places)
        latest = {place: version for place, (_, version) in there.items()}
        chunk = _Chunk(latest, retried, strict)
        newer: dict[str, list[_Case]] = {}
        known: list[Place] = []
        cases = [_case(item, place, there.get(place)) for item, place in zip(batch, places, strict=True)]
        for case in sorted(cases, key=lambda one: (rank(one.place[0]), one.version)):  # parents and old versions first
            if case.place[0] == DERIVED:
                if not case.record or case.version > latest.get(case.place, 0):  # else what was derived here stays
                    chunk.put.append(case.item)
                continue
            if case.version <= latest.get(case.place, 0):
                chunk.put.append(case.item)  # unchanged, older or in conflict: the store says which (V12, V13)
                known += [case.place] if retried else []
                continue
            newer.setdefault("" if case.place[0] == "study" else str(case.record["subject_id"]), []).append(case)
        for one in self._store.held([*known, *(case.place for cases in newer.values() for case in cases)]):
            chunk.waits.setdefault((one.kind, one.key), {})[one.version] = one
        for place in known:
            chunk.gone += [one.seq for one in chunk.waits.get(place, {}).values() if one.version <= latest[place]]
        if strict:
            self._names(chunk, [case for cases in newer.values() for case in cases])
        studies = self._circles.studies(case.record for cases in newer.values() for case in cases)
        for case in newer.pop("", ()):
            if self._let_in(case, chunk, None):
                studies[case.record["study_id"]] = case.record
                self._circles.flag_study(case.place, case.record)
        subjects = iter(newer.items())
        while some := dict(islice(subjects, SUBJECTS)):
            circles = self._circles.read({s: [one.place[0] for one in cases] for s, cases in some.items()}, studies)
            kept: dict[str, list[Place]] = {}
            for subject, cases in some.items():
                kept[subject] = [case.place for case in cases if self._let_in(case, chunk, circles[subject])]
            self._circles.flag(circles, kept, strict)
        return chunk

    def _let_in(self, case: _Case, chunk: _Chunk, circle: Circle | None) -> bool:
        """Whether a version is kept; else it is refused or held. A study has no circle."""
        if not self._in_turn(case, chunk) or self._doubled(case, chunk):
            return False
        if circle is not None:
            former = circle.put(case.place, case.record)
            against = decide(case.record, circle) if chunk.strict else []
            if against:
                circle.put(case.place, former)
                refusing = [one for one in against if one.outcome == REFUSE]
                if not refusing:
                    self._hold(case, against[0], chunk)
                    return False
                self._report.refuse([one.issue(case.record_id) for one in refusing])
                self._decided(case, chunk)
                return False
        chunk.latest[case.place] = case.version
        chunk.put.append(case.item)
        if case.alive:
            for each in case.called:
                chunk.taken.setdefault(each, {})[case.place] = case.record_id
        called = name(case.record)
        chunk.names[called.kind, key_text(called.key)] = None
        self._decided(case, chunk)
        return True

    def _names(self, chunk: _Chunk, cases: Sequence[_Case]) -> None:
        """Who has the names of these cases, but for those that are given up in this very chunk."""
        leaving = {case.place for case in cases if not case.alive}
        for one in self._store.namesakes(each for case in cases for each in names_of(case.record)):
            if one.place not in leaving and one.record_status != RETRACTED:
                chunk.taken.setdefault((one.place[0], *one.name), {})[one.place] = one.record_id

    def _doubled(self, case: _Case, chunk: _Chunk) -> bool:
        """V13: another record of the kind, not entered in error, has the business key or the key in the source. Then
        this one is refused."""
        if not chunk.strict:
            return False
        for each in case.called if case.alive else ():
            for place, other in chunk.taken.get(each, {}).items():
                if place != case.place:
                    message = f"the record {other} has it"
                    self._report.refuse(
                        [Issue(case.record_id, FIELDS[each[1]], "V13-double", "unique", message=message)]
                    )
                    self._decided(case, chunk)
                    return True
        return False

    def _in_turn(self, case: _Case, chunk: _Chunk) -> bool:
        """V12: the version before is kept, or none is, and none before it waits. The first one seen of a record begins
        its history, since many sources export only what is current."""
        kept = chunk.latest.get(case.place)
        if kept is not None and case.version <= kept:  # twice in one chunk
            chunk.put.append(case.item)
            return False
        if not chunk.strict:
            return True
        waits = chunk.waits.get(case.place, {})
        same = waits.get(case.version)
        if same is not None and same.hash != case.item[4]:
            message = "the same version waits with other content"
            self._report.refuse([Issue(case.record_id, "version", "V12-conflict", message=message)])
            return False
        if any((kept or 0) < version < case.version for version in waits) or (
            kept is not None and case.version > kept + 1
        ):
            self._hold(case, Finding("V12-gap", WAIT, "version", message="a version before it is not here yet"), chunk)
            return False
        return True

    def _hold(self, case: _Case, why: Finding, chunk: _Chunk) -> None:
        awaited = case.place if why.waits is None else (why.waits.kind, key_text(why.waits.key))
        waits = chunk.waits.setdefault(case.place, {})
        former = waits.get(case.version)
        run = former.run if former is not None and chunk.retried else self._run
        held = Held(
            *case.place, case.version, case.record_id, case.record.get("subject_id", ""), case.item[4],
            why.rule, why.field, why.message, *awaited, run, case.item[3], seq=0 if former is None else former.seq,
        )  # fmt: skip
        waits[case.version] = held
        chunk.held.append(held)

    def _decided(self, case: _Case, chunk: _Chunk) -> None:
        """A version waits no longer, and later ones of its record may come."""
        chunk.names[case.place] = None
        waited = chunk.waits.get(case.place, {}).pop(case.version, None)
        if waited is not None:
            chunk.gone.append(waited.seq)


def _case(item: Put, place: Place, kept: tuple[str, int] | None) -> _Case:
    """One item; its body is read only where it is not the one that is kept."""
    kind, key, _, body, hash = item
    if kept is not None and kept[0] == hash:
        return _Case(item, place, kept[1], {})
    record = codec.loads_wire(body)  # our own bytes: no need to be strict
    return _Case((kind, key, record, body, hash), place, record["version"], record)


__all__ = ["Admission"]
