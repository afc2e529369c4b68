"""The ledger of deliveries: what each target has, what is on its way, what it refused (decisions 20 to 22).

Written before and after each transaction. Whatever is not marked ``sent`` with the present hash and mapping
is offered again: after a crash at any point a restart sends what the server may lack, and repeating a PUT
changes nothing. Takes parcels and outcomes by their attributes; must not know the wire, nor what is inside a
resource.
"""

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from sqlalchemy import Select, and_, bindparam, case, delete, func, or_, select, tuple_, update

from ..errors import Issue
from .base import Database, now
from .records import CHUNK, Records, Stored, stored
from .tables import dead_letter as X
from .tables import delivery as D
from .tables import record as R

MAX_ATTEMPTS = 5
"""A record that a target refused this often in the same version is not offered again by itself."""


class ParcelLike(Protocol):
    """What the ledger reads of a parcel (see ``exchange.parcel``)."""

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


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """A record that cannot go to a target as it is: where it failed and by which rule."""

    kind: str
    key: str
    record_id: str
    stage: str
    field: str
    rule: str
    message: str
    attempts: int
    last_at: str


class Ledger:
    """The ledger of one target, under one mapping and policy. ``address``: the target's ``ledger_key``."""

    def __init__(self, db: Database, address: str, mapping_hash: str, policy: str = "") -> None:
        self._db, self.target_id = db, db.target_id(address)
        self.mapping = hashlib.sha256(f"{mapping_hash}|{policy}".encode()).hexdigest()[:16]
        with db.reading() as connection:
            dead = connection.execute(select(X.c.kind, X.c.key).where(X.c.target_id == self.target_id))
            self._dead = {(row.kind, row.key) for row in dead}

    def pending(self, *, retry_dead: bool = False, chunk: int = CHUNK) -> Iterator[Stored]:
        """Records that the target has not, in their present version and mapping: studies first, then subject
        by subject, parents before children. Those refused ``MAX_ATTEMPTS`` times come only with
        ``retry_dead``.

        The decision reads an index only: 200,000 unchanged records take a second or two.
        """
        place = ("", -1, -1)
        while True:
            query = self._undelivered(retry_dead).where(tuple_(R.c.subject_key, R.c.rank, R.c.seq) > place)
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

    def unchanged(self, items: Sequence[tuple[str, str, str]]) -> set[tuple[str, str]]:
        """Which of (kind, key, hash) the target has already, as (kind, key); for what is not a stored
        record."""
        wanted = {(kind, key): hash for kind, key, hash in items}
        query = select(D.c.kind, D.c.key, D.c.record_hash).where(
            D.c.target_id == self.target_id, D.c.root, D.c.state == "sent", D.c.mapping == self.mapping
        )
        found: set[tuple[str, str]] = set()
        keys = list(wanted)
        with self._db.reading() as connection:
            for start in range(0, len(keys), CHUNK):
                some = tuple_(D.c.kind, D.c.key).in_(keys[start : start + CHUNK])
                for row in connection.execute(query.where(some)):
                    if wanted[row.kind, row.key] == row.record_hash:
                        found.add((row.kind, row.key))
        return found

    def vanished(self, parcels: Sequence[ParcelLike]) -> dict[tuple[str, str], list[tuple[str, str]]]:
        """By (kind, key): resources (type, id) the target may have of an earlier version that the parcel has
        not."""
        now_ = {f"{kind}/{id}" for parcel in parcels for kind, id, _ in parcel.parts}
        found: dict[tuple[str, str], list[tuple[str, str]]] = {}
        with self._db.reading() as connection:
            for start in range(0, len(parcels), CHUNK):
                keys = [(parcel.kind, parcel.key) for parcel in parcels[start : start + CHUNK]]
                query = select(D.c.kind, D.c.key, D.c.resource).where(
                    D.c.target_id == self.target_id, tuple_(D.c.kind, D.c.key).in_(keys)
                )
                for row in connection.execute(query):
                    if row.resource not in now_:
                        resource_type, _, resource_id = row.resource.partition("/")
                        found.setdefault((row.kind, row.key), []).append((resource_type, resource_id))
        return found

    def begin(self, parcels: Sequence[ParcelLike]) -> None:
        """Write down, before it is done, that these parcels are about to be sent."""
        at, rows, roots = now(), [], []
        for parcel in parcels:
            for index, (resource_type, resource_id, body) in enumerate(parcel.parts):
                rows.append(
                    {
                        "target_id": self.target_id,
                        "resource": f"{resource_type}/{resource_id}",
                        "kind": parcel.kind,
                        "key": parcel.key,
                        "root": index == 0,
                        "version": parcel.version,
                        "record_hash": parcel.hash,
                        "mapping": self.mapping,
                        "body_hash": hashlib.sha256(body).hexdigest(),
                        "state": "sending",
                        "attempts": 1,
                        "server_version": "",
                        "outcome": "",
                        "begun_at": at,
                        "settled_at": "",
                    }
                )
            if parcel.parts:
                roots.append({"k": parcel.kind, "q": parcel.key, "r": f"{parcel.parts[0][0]}/{parcel.parts[0][1]}"})
        if not rows:
            return
        put = self._db.upsert(D).values({name: bindparam(name) for name in rows[0]})
        fresh = put.excluded
        again = or_(D.c.state == "sent", D.c.record_hash != fresh.record_hash, D.c.mapping != fresh.mapping)
        kept = ("kind", "key", "root", "version", "record_hash", "mapping", "body_hash", "state", "begun_at")
        change = {name: fresh[name] for name in kept}
        change["attempts"] = case((again, 1), else_=D.c.attempts + 1)
        other_root = update(D).where(
            D.c.target_id == self.target_id,
            D.c.kind == bindparam("k"),
            D.c.key == bindparam("q"),
            D.c.root,
            D.c.resource != bindparam("r"),
        )
        with self._db.writing() as connection:
            connection.execute(other_root.values(root=False), roots)
            connection.execute(put.on_conflict_do_update(index_elements=["target_id", "resource"], set_=change), rows)

    def settle(self, outcomes: Iterable[OutcomeLike]) -> None:
        """Write down what became of parcels that were begun."""
        at, rows, gone, stale = now(), [], [], []
        alive: list[tuple[str, str]] = []
        letters: list[tuple[Any, Issue]] = []
        for outcome in outcomes:
            parcel = outcome.parcel
            good = outcome.state in ("sent", "no_change")
            rule = outcome.issue.rule if outcome.issue is not None else ""
            for index, (resource_type, resource_id, _) in enumerate(parcel.parts):
                rows.append(
                    {
                        "r": f"{resource_type}/{resource_id}",
                        "state": "sent" if good else outcome.state,
                        "server_version": outcome.versions[index] if index < len(outcome.versions) else "",
                        "outcome": outcome.codes[index] if index < len(outcome.codes) else rule,
                    }
                )
            if good:
                gone += [{"r": f"{resource_type}/{resource_id}"} for resource_type, resource_id in parcel.remove]
                stale.append({"k": parcel.kind, "q": parcel.key, "h": parcel.hash})
                alive.append((parcel.kind, parcel.key))
            elif outcome.state == "rejected" and outcome.issue is not None:
                letters.append((parcel, outcome.issue))
        own = D.c.target_id == self.target_id
        settled = update(D).where(own, D.c.resource == bindparam("r"))
        settled = settled.values(
            state=bindparam("state"),
            server_version=bindparam("server_version"),
            outcome=bindparam("outcome"),
            settled_at=at,
        )
        orphaned = update(D).where(
            own,
            D.c.kind == bindparam("k"),
            D.c.key == bindparam("q"),
            or_(D.c.record_hash != bindparam("h"), D.c.mapping != self.mapping),
        )
        with self._db.writing() as connection:
            if rows:
                connection.execute(settled, rows)
            if gone:
                connection.execute(delete(D).where(own, D.c.resource == bindparam("r")), gone)
            if stale:
                connection.execute(orphaned.values(state="orphaned", root=False), stale)
            self._revive(connection, alive)
            self._bury(connection, [(p.kind, p.key, p.record_id, "send", issue) for p, issue in letters])

    def bury(self, kind: str, key: str, record_id: str, stage: str, issue: Issue) -> None:
        """A dead letter for a record that failed before sending (``stage``: map, gate ...)."""
        with self._db.writing() as connection:
            self._bury(connection, [(kind, key, record_id, stage, issue)])

    def dead_letters(self) -> list[DeadLetter]:
        """What cannot be delivered as it is, by kind and key."""
        query = select(*(X.c[name] for name in DeadLetter.__dataclass_fields__))
        query = query.where(X.c.target_id == self.target_id).order_by(X.c.kind, X.c.key)
        with self._db.reading() as connection:
            return [DeadLetter(*row) for row in connection.execute(query)]

    def counts(self) -> dict[str, int]:
        """Records by state at this target: sent, sending, rejected, waiting; ``planned``: never begun."""
        own = and_(D.c.target_id == self.target_id, D.c.root)
        begun = select(D.c.kind).where(own, D.c.kind == R.c.kind, D.c.key == R.c.key).exists()
        with self._db.reading() as connection:
            by_state = connection.execute(select(D.c.state, func.count()).where(own).group_by(D.c.state))
            counts = {str(row[0]): int(row[1]) for row in by_state}
            planned = connection.execute(select(func.count()).select_from(R).where(~begun)).scalar_one()
        return {"planned": planned, "sending": 0, "sent": 0, "rejected": 0, "waiting": 0, **counts}

    def _undelivered(self, retry_dead: bool) -> Select[Any]:
        own = and_(D.c.target_id == self.target_id, D.c.kind == R.c.kind, D.c.key == R.c.key, D.c.root)
        has = and_(D.c.record_hash == R.c.hash, D.c.mapping == self.mapping)
        open_ = or_(D.c.state.is_(None), D.c.state != "sent", ~has)
        if not retry_dead:
            open_ = and_(open_, or_(D.c.state.is_(None), D.c.state != "rejected", D.c.attempts < MAX_ATTEMPTS, ~has))
        query = select(R.c.subject_key, R.c.rank, R.c.seq, D.c.attempts).select_from(R.outerjoin(D, own))
        return query.where(open_).order_by(R.c.subject_key, R.c.rank, R.c.seq)

    def _revive(self, connection: Any, places: Sequence[tuple[str, str]]) -> None:
        back = [{"k": kind, "q": key} for kind, key in places if (kind, key) in self._dead]
        if back:
            mine = delete(X).where(X.c.target_id == self.target_id)
            connection.execute(mine.where(X.c.kind == bindparam("k"), X.c.key == bindparam("q")), back)
            self._dead.difference_update((row["k"], row["q"]) for row in back)

    def _bury(self, connection: Any, letters: Sequence[tuple[str, str, str, str, Issue]]) -> None:
        if not letters:
            return
        rows = [
            {
                "target_id": self.target_id,
                "kind": kind,
                "key": key,
                "record_id": record_id,
                "stage": stage,
                "field": issue.field,
                "rule": issue.rule,
                "message": issue.message,
                "attempts": 1,
                "last_at": now(),
            }
            for kind, key, record_id, stage, issue in letters
        ]
        put = self._db.upsert(X).values({name: bindparam(name) for name in rows[0]})
        change = {name: put.excluded[name] for name in ("record_id", "stage", "field", "rule", "message", "last_at")}
        change["attempts"] = X.c.attempts + 1
        put = put.on_conflict_do_update(index_elements=["target_id", "kind", "key"], set_=change)
        connection.execute(put, rows)
        self._dead.update((kind, key) for kind, key, _, _, _ in letters)


class Ledgers(Records):
    """Part of ``Store``: the ledgers, one per target."""

    def ledger(self, address: str, mapping_hash: str, policy: str = "") -> Ledger:
        """The ledger of the target with this ``ledger_key``, under a mapping and a policy."""
        return Ledger(self._db, address, mapping_hash, policy)

    def pending(self, address: str, mapping_hash: str, policy: str = "") -> Iterator[Stored]:
        """``ledger(...).pending()``."""
        return self.ledger(address, mapping_hash, policy).pending()
