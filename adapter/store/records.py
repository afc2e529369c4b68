"""The records we know: current versions and earlier ones. How they are put is in `putting`. Must not know what the
fields mean, nor FHIR."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

from sqlalchemy import Select, select, tuple_

from .base import Database
from .putting import Key, Put, PutReport, Putting, key_text
from .tables import record as R
from .tables import record_version as V

CHUNK = 1_000


@dataclass(frozen=True, slots=True)
class Stored:
    """A record as the store holds it; ``body`` is what was put. ``attempts``: deliveries begun so far, of whatever
    version (pending)."""

    seq: int
    kind: str
    key: str
    record_id: str
    subject: str
    version: int
    hash: str
    synthetic: bool
    body: bytes
    attempts: int = 0


class Records:
    """Part of ``Store``: putting and reading records."""

    _db: Database

    def put_records(self, items: Iterable[Put], *, contiguous: bool = False, chunk: int = CHUNK) -> PutReport:
        """Keep records, chunk by chunk, each chunk whole or not at all.

        Same hash: unchanged. Higher version: replaces the current one, which goes to the history. Refused:
        the same version with other content (V12-conflict); a version below the current one (V12-older),
        unless it is a kept one whose successors follow in the same call (a file with its own history, put
        again); with ``contiguous`` also a version that leaves a gap (V12-gap).
        """
        putting = self.putting(contiguous=contiguous)
        source = iter(items)
        while batch := list(islice(source, chunk)):
            if not putting.unchanged(batch):
                putting.put(batch)
        return putting.done()

    def putting(self, *, contiguous: bool = False) -> Putting:
        """Put records chunk by chunk, as ``put_records`` does, but with a look at each chunk before it is put."""
        return Putting(self._db, contiguous)

    def get_record(self, kind: str, key: Key) -> Stored | None:
        """The current version of one record."""
        with self._db.reading() as connection:
            row = connection.execute(stored().where(R.c.kind == kind, R.c.key == key_text(key))).first()
        return None if row is None else Stored(*row)

    def iter_records(self, kind: str | None = None, *, chunk: int = CHUNK) -> Iterator[Stored]:
        """All current records: studies first, then subject by subject, parents before children."""
        place = ("", -1, -1)
        while True:
            query = stored().where(_after(place)).order_by(R.c.subject_key, R.c.rank, R.c.seq).limit(chunk)
            if kind is not None:
                query = query.where(R.c.kind == kind)
            with self._db.reading() as connection:
                rows = connection.execute(query.add_columns(R.c.rank)).all()
            for row in rows:
                yield Stored(*row[:-1])
            if len(rows) < chunk:
                return
            place = (rows[-1].subject_key, rows[-1].rank, rows[-1].seq)

    def subject_records(self, subjects: Sequence[str], without: Sequence[str] = ()) -> list[Stored]:
        """All current records of these subjects (their subject_id), parents before children; not of the kinds
        ``without``."""
        query = stored().where(R.c.subject_key.in_(subjects)).order_by(R.c.subject_key, R.c.rank, R.c.seq)
        if without:
            query = query.where(R.c.kind.not_in(without))
        with self._db.reading() as connection:
            return [Stored(*row) for row in connection.execute(query)]

    def versions(self, kind: str, key: Key) -> list[tuple[int, bytes]]:
        """The earlier versions of a record, oldest first, as (version, body)."""
        query = select(V.c.version, V.c.body).where(V.c.kind == kind, V.c.key == key_text(key)).order_by(V.c.version)
        with self._db.reading() as connection:
            return [(row.version, row.body) for row in connection.execute(query)]


def stored() -> Select[Any]:
    """The columns of ``Stored``, in its order."""
    return select(
        R.c.seq,
        R.c.kind,
        R.c.key,
        R.c.record_id,
        R.c.subject_key,
        R.c.version,
        R.c.hash,
        R.c.synthetic,
        R.c.body,
    )


def _after(place: tuple[str, int, int]) -> Any:
    return tuple_(R.c.subject_key, R.c.rank, R.c.seq) > place
