"""The ledger of deliveries: what each target has, what is on its way, what it refused (decisions 20 to 22).

Written before and after each transaction. Whatever is not marked ``sent`` with the present hash and mapping
is offered again: after a crash at any point a restart sends what the server may lack, and repeating a PUT
changes nothing. Where two pushes had different versions of a record on the way at once, nobody knows which came
last: neither counts as sent. Takes parcels and outcomes by their attributes; must not know the wire, nor what is
inside a resource.
"""

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Protocol

from sqlalchemy import (
    Connection,
    Select,
    and_,
    bindparam,
    case,
    func,
    literal_column,
    or_,
    select,
    tuple_,
    update,
)

from .. import codec
from ..errors import Issue
from .base import Database, now
from .dead_letters import DeadLetter, DeadLetters
from .records import CHUNK, Records, Stored, stored
from .tables import delivery as D
from .tables import record as R

MAX_ATTEMPTS = 5
"""A record that a target refused this often in the same version is not offered again by itself."""


_BEGUN = {"state": "'sending'", "outcome": "''", "settled_at": "''"}

Receipt = list[str]
"""What is known of one resource: ``Type/id``, hash of its bytes as sent, version on the server, what the server
says it did. The last two are "" until it has answered."""


class ParcelLike(Protocol):
    """What the ledger reads of a parcel (see ``exchange.parcel``)."""

    @property
    def seq(self) -> int: ...
    @property
    def kind(self) -> str: ...
    @property
    def key(self) -> str: ...
    @property
    def hash(self) -> str: ...
    @property
    def version(self) -> int: ...
    @property
    def record_id(self) -> str: ...
    @property
    def parts(self) -> tuple[tuple[str, str, bytes], ...]: ...
    @property
    def remove(self) -> tuple[tuple[str, str], ...]: ...


class OutcomeLike(Protocol):
    """What the ledger reads of an outcome (see ``exchange.parcel``)."""

    @property
    def parcel(self) -> Any: ...
    @property
    def state(self) -> str: ...
    @property
    def versions(self) -> tuple[str, ...]: ...
    @property
    def codes(self) -> tuple[str, ...]: ...
    @property
    def issue(self) -> Issue | None: ...


class Ledger:
    """The ledger of one target, under one mapping and policy. ``address``: the target's ``ledger_key``."""

    def __init__(self, db: Database, address: str, mapping_hash: str, policy: str = "") -> None:
        self._db, self.target_id = db, db.target_id(address)
        self._coming: dict[int, list[Receipt]] = {}  # of records on the way: what the target has when they arrive
        self.mapping = hashlib.sha256(f"{mapping_hash}|{policy}".encode()).hexdigest()[:16]
        self._firsts, self._agains, self._arrives, self._fails = self._statements()
        self._letters = DeadLetters(db, self.target_id)

    def pending(self, *, retry_dead: bool = False, without: Sequence[str] = (), chunk: int = CHUNK) -> Iterator[Stored]:
        """Records that the target has not, in their present version and mapping: studies first, then subject
        by subject, parents before children; not of the kinds ``without``. Those refused ``MAX_ATTEMPTS`` times
        come only with ``retry_dead``.

        The decision reads an index only: 200,000 unchanged records take a second or two.
        """
        place = ("", -1, -1)
        while True:
            query = self._undelivered(retry_dead, without).where(tuple_(R.c.subject_key, R.c.rank, R.c.seq) > place)
            with self._db.reading() as connection:
                found = connection.execute(query.limit(chunk)).all()
                bodies: dict[int, Any] = {
                    row.seq: row for row in connection.execute(stored().where(R.c.seq.in_([row.seq for row in found])))
                }
            for row in found:
                if row.seq in bodies:
                    yield Stored(*(*bodies[row.seq], row.attempts or 0))
            if len(found) < chunk:
                return
            place = (found[-1].subject_key, found[-1].rank, found[-1].seq)

    def unchanged(self, records: Sequence[Stored]) -> set[int]:
        """Which of these records the target has already as they are, by ``seq``."""
        wanted = {one.seq: one.hash for one in records}
        query = select(D.c.record_seq, D.c.record_hash).where(D.c.state == "sent", D.c.mapping == self.mapping)
        with self._db.reading() as connection:
            rows = self._rows(connection, query, list(wanted))
            return {row.record_seq for row in rows if wanted[row.record_seq] == row.record_hash}

    def vanished(self, parcels: Sequence[ParcelLike]) -> dict[int, list[tuple[str, str]]]:
        """By ``seq``: resources (type, id) the target may have of an earlier version that the parcel has not."""
        present = {f"{kind}/{id}" for parcel in parcels for kind, id, _ in parcel.parts}
        found: dict[int, list[tuple[str, str]]] = {}
        with self._db.reading() as connection:
            for seq, row in self._known(connection, parcels).items():
                gone = [receipt[0] for receipt in _receipts(row) if receipt[0] not in present]
                if gone:
                    found[seq] = [_place(name) for name in gone]
        return found

    def begin(self, parcels: Sequence[ParcelLike]) -> None:
        """Write down, before it is done, that these parcels are about to be sent."""
        if not parcels:
            return
        at = now()
        rows = [self._row(parcel, None, at) for parcel in parcels]
        with self._db.writing() as connection:
            if connection.execute(self._firsts, rows).rowcount == len(rows):
                return
            known = self._known(connection, parcels)
            again = []
            for parcel, row in zip(parcels, rows, strict=True):
                had = known[parcel.seq]
                written = all(getattr(had, name) == value for name, value in row.items())
                if had.state != "sending" or not written:  # else it is the row that was written just now
                    again.append(self._row(parcel, had, at))
            if again:
                connection.execute(self._agains, again)

    def _row(self, parcel: ParcelLike, had: Any, at: str) -> dict[str, Any]:
        """A parcel on its way. What its record had before stays known until the target has taken it away."""
        parts = coming = _begun(parcel)
        attempts = 1
        if had is not None:
            own = {receipt[0] for receipt in parts}
            before = [receipt for receipt in _receipts(had) if receipt[0] not in own]
            gone = {f"{kind}/{id}" for kind, id in parcel.remove}
            coming = parts + [receipt for receipt in before if receipt[0] not in gone]
            parts = parts + before
            if had.record_hash == parcel.hash and had.mapping == self.mapping and had.state != "sent":
                attempts = had.attempts + 1
        self._coming[parcel.seq] = coming
        return {
            "record_seq": parcel.seq,
            "version": parcel.version,
            "record_hash": parcel.hash,
            "attempts": attempts,
            "parts": codec.dumps(parts).decode(),
            "begun_at": at,
        }

    def settle(self, outcomes: Iterable[OutcomeLike]) -> None:
        """Write down what became of parcels that were begun."""
        at = now()
        good: list[dict[str, Any]] = []
        failed: list[dict[str, Any]] = []
        alive: list[tuple[str, str]] = []
        letters: list[tuple[Any, Issue]] = []
        for outcome in {outcome.parcel.seq: outcome for outcome in outcomes}.values():  # of a second try, the last
            parcel = outcome.parcel
            row = {"seq": parcel.seq, "hash": parcel.hash, "at": at}
            receipts = self._coming.pop(parcel.seq, None)
            if outcome.state in ("sent", "no_change"):
                receipts = _begun(parcel) if receipts is None else receipts
                for receipt, version, code in zip(receipts, outcome.versions, outcome.codes, strict=False):
                    receipt[2:] = version, code
                good.append({**row, "received": codec.dumps(receipts).decode()})
                alive.append((parcel.kind, parcel.key))
                continue
            rule = outcome.issue.rule if outcome.issue is not None else ""
            failed.append({**row, "became": outcome.state, "rule": rule})
            if outcome.state == "rejected" and outcome.issue is not None:
                letters.append((parcel, outcome.issue))
        if not good and not failed:
            return
        with self._db.writing() as connection:
            if good:
                connection.execute(self._arrives, good)
            if failed:
                connection.execute(self._fails, failed)
            self._letters.revive(connection, alive)
            self._letters.bury(connection, [(p.kind, p.key, p.record_id, "send", issue) for p, issue in letters])

    def _statements(self) -> tuple[Any, Any, Any, Any]:
        """What ``begin`` writes for a record the first time and again, and ``settle`` for parcels that arrived and for
        those that did not."""
        columns = ("record_seq", "version", "record_hash", "attempts", "parts", "begun_at")
        same = {"target_id": self.target_id, "mapping": self.mapping}
        same |= {name: literal_column(text) for name, text in _BEGUN.items()}
        put = self._db.upsert(D).values({name: bindparam(name) for name in columns} | same)
        change = {name: put.excluded[name] for name in (*columns[1:], "mapping", *_BEGUN)}
        place = ["record_seq", "target_id"]
        firsts = put.on_conflict_do_nothing(index_elements=place)
        agains = put.on_conflict_do_update(index_elements=place, set_=change)

        ours = and_(D.c.record_hash == bindparam("hash"), D.c.mapping == self.mapping)
        settles = update(D).where(D.c.record_seq == bindparam("seq"), D.c.target_id == self.target_id)
        settles = settles.values(settled_at=bindparam("at"), record_hash=case((ours, D.c.record_hash), else_=""))
        arrives = settles.values(
            state=case((ours, literal_column("'sent'")), else_=literal_column("'waiting'")),
            parts=case((ours, bindparam("received")), else_=D.c.parts),
        )
        return firsts, agains, arrives, settles.values(state=bindparam("became"), outcome=bindparam("rule"))

    def bury(self, kind: str, key: str, record_id: str, stage: str, issue: Issue) -> None:
        """A dead letter for a record that failed before sending (``stage``: map, gate ...)."""
        with self._db.writing() as connection:
            self._letters.bury(connection, [(kind, key, record_id, stage, issue)])

    def dead_letters(self) -> list[DeadLetter]:
        """What cannot be delivered as it is, by kind and key."""
        return self._letters.all()

    def counts(self) -> dict[str, int]:
        """Records by state at this target: sent, sending, rejected, waiting; ``planned``: never begun."""
        own = D.c.target_id == self.target_id
        begun = select(D.c.state).where(own, D.c.record_seq == R.c.seq).exists()
        with self._db.reading() as connection:
            by_state = connection.execute(select(D.c.state, func.count()).where(own).group_by(D.c.state))
            counts = {str(row[0]): int(row[1]) for row in by_state}
            planned = connection.execute(select(func.count()).select_from(R).where(~begun)).scalar_one()
        return {"planned": planned, "sending": 0, "sent": 0, "rejected": 0, "waiting": 0, **counts}

    def _undelivered(self, retry_dead: bool, without: Sequence[str]) -> Select[Any]:
        own = and_(D.c.target_id == self.target_id, D.c.record_seq == R.c.seq)
        has = and_(D.c.record_hash == R.c.hash, D.c.mapping == self.mapping)
        open_ = or_(D.c.state.is_(None), D.c.state != "sent", ~has)
        if not retry_dead:
            open_ = and_(open_, or_(D.c.state.is_(None), D.c.state != "rejected", D.c.attempts < MAX_ATTEMPTS, ~has))
        query = select(R.c.subject_key, R.c.rank, R.c.seq, D.c.attempts).select_from(R.outerjoin(D, own))
        if without:
            query = query.where(R.c.kind.not_in(without))
        return query.where(open_).order_by(R.c.subject_key, R.c.rank, R.c.seq)

    def _known(self, connection: Connection, parcels: Sequence[ParcelLike]) -> dict[int, Any]:
        """What the ledger holds of these records, by ``seq``; locked until the transaction ends where the
        database locks rows."""
        rows = self._rows(connection, select(D).with_for_update(), [parcel.seq for parcel in parcels])
        return {row.record_seq: row for row in rows}

    def _rows(self, connection: Connection, query: Select[Any], seqs: Sequence[int]) -> Iterator[Any]:
        query = query.where(D.c.target_id == self.target_id)
        for start in range(0, len(seqs), CHUNK):
            yield from connection.execute(query.where(D.c.record_seq.in_(seqs[start : start + CHUNK])))


def _begun(parcel: ParcelLike) -> list[Receipt]:
    return [[f"{kind}/{id}", hashlib.sha256(body).hexdigest(), "", ""] for kind, id, body in parcel.parts]


def _receipts(row: Any) -> list[Receipt]:
    found: list[Receipt] = codec.loads_wire(row.parts)
    return found


def _place(name: str) -> tuple[str, str]:
    kind, _, id = name.partition("/")
    return kind, id


class Ledgers(Records):
    """Part of ``Store``: the ledgers, one per target."""

    def ledger(self, address: str, mapping_hash: str, policy: str = "") -> Ledger:
        """The ledger of the target with this ``ledger_key``, under a mapping and a policy."""
        return Ledger(self._db, address, mapping_hash, policy)

    def pending(self, address: str, mapping_hash: str, policy: str = "") -> Iterator[Stored]:
        """``ledger(...).pending()``."""
        return self.ledger(address, mapping_hash, policy).pending()
