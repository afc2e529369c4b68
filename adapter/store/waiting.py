"""Records held back until what they refer to has come (V11, V12): the quarantine.

A version waits under the name of the one record that it lacks first; whoever puts that record asks for those who are
freed by it. Must not know the rules: what is lacked, and why, is told to it.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields
from typing import Any

from sqlalchemy import Select, bindparam, delete, exists, func, select, tuple_

from .base import Database, now
from .putting import Place
from .tables import record as R
from .tables import waiting as W

CHUNK = 500


@dataclass(frozen=True, slots=True)
class Held:
    """One version that waits, and why; ``run`` is the intake that offered it last. ``seq`` and ``since_at`` (UTC) are
    given by the store."""

    kind: str
    key: str
    version: int
    record_id: str
    subject_key: str
    hash: str
    rule: str
    field: str
    message: str
    awaited_kind: str
    awaited_key: str
    run: str
    body: bytes
    seq: int = 0
    since_at: str = ""


_NAMES = tuple(one.name for one in fields(Held))


class Waiting:
    """Part of ``Store``: what waits."""

    _db: Database

    def hold(self, found: Sequence[Held]) -> None:
        """Let these wait; what waits already goes on waiting since it came, for what it lacks now."""
        given = [name for name in _NAMES if name not in ("seq", "since_at")]
        rows = [{name: getattr(one, name) for name in given} | {"since_at": now()} for one in found]
        if not rows:
            return
        put = self._db.upsert(W).values({name: bindparam(name) for name in rows[0]})
        again = ("rule", "field", "message", "awaited_kind", "awaited_key", "run")
        put = put.on_conflict_do_update(
            index_elements=["kind", "key", "version"], set_={name: put.excluded[name] for name in again}
        )
        with self._db.writing() as connection:
            connection.execute(put, rows)

    def held(self, places: Sequence[Place]) -> list[Held]:
        """The versions of these (kind, key text) that wait."""
        found: list[Held] = []
        if not self._anything():
            return []
        with self._db.reading() as connection:
            for start in range(0, len(places), CHUNK):
                query = _columns().where(tuple_(W.c.kind, W.c.key).in_(places[start : start + CHUNK]))
                found += [Held(*row) for row in connection.execute(query)]
        return found

    def freed(self, names: Sequence[Place]) -> Iterator[list[Held]]:
        """Who waits for any of these names, chunk by chunk, oldest first. Each is given once: what is not let go (and
        may wait for the same name again) is not given a second time."""
        if not self._anything():
            return
        for start in range(0, len(names), CHUNK):
            some, after = names[start : start + CHUNK], 0
            while True:
                query = _columns().where(tuple_(W.c.awaited_kind, W.c.awaited_key).in_(some), W.c.seq > after)
                with self._db.reading() as connection:
                    rows = [Held(*row) for row in connection.execute(query.order_by(W.c.seq).limit(CHUNK))]
                if not rows:
                    break
                yield rows
                after = rows[-1].seq

    def overdue(self) -> Iterator[list[Held]]:
        """Who waits although something of the name is kept: it may have come unseen, or be there in another version."""
        after = 0
        there = exists().where(R.c.kind == W.c.awaited_kind, R.c.key == W.c.awaited_key)
        unit = exists().where(R.c.subject_key == W.c.subject_key, R.c.kind == "enrolment")  # any, whatever its key
        while True:
            query = _columns().where(W.c.seq > after, there | ((W.c.awaited_kind == "enrolment") & unit))
            with self._db.reading() as connection:
                rows = [Held(*row) for row in connection.execute(query.order_by(W.c.seq).limit(CHUNK))]
            if not rows:
                return
            yield rows
            after = rows[-1].seq

    def let_go(self, seqs: Sequence[int]) -> None:
        """These wait no longer."""
        if seqs:
            with self._db.writing() as connection:
                connection.execute(delete(W).where(W.c.seq == bindparam("s")), [{"s": seq} for seq in seqs])

    def waiting(self, run: str | None = None) -> Iterator[Held]:
        """Everything that waits, in the order in which it came; of one intake, or of all."""
        after = 0
        while True:
            query = _columns().where(W.c.seq > after)
            if run is not None:
                query = query.where(W.c.run == run)
            with self._db.reading() as connection:
                rows = [Held(*row) for row in connection.execute(query.order_by(W.c.seq).limit(CHUNK))]
            if not rows:
                return
            yield from rows
            after = rows[-1].seq

    def _anything(self) -> bool:
        """Whether anything waits: as a rule nothing does, and then there is nothing more to ask."""
        with self._db.reading() as connection:
            return connection.execute(select(W.c.seq).limit(1)).first() is not None

    def waiting_count(self) -> int:
        """How many versions wait."""
        with self._db.reading() as connection:
            return int(connection.execute(select(func.count()).select_from(W)).scalar_one())


def _columns() -> Select[Any]:
    return select(*(W.c[name] for name in _NAMES))
