"""What was pulled and is not yet a record: raw resources by target, and the cursors of the pulls.

A resource is kept as it came; a page that comes twice changes nothing, and an older copy never replaces a
newer one. The cursor is state, not a setting, and moves last (decisions 23). Must not know what is inside a
resource: type, id, subject and time are told to it.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import groupby, islice
from typing import Any

from sqlalchemy import bindparam, delete, func, select, tuple_

from .base import Database, now
from .records import CHUNK
from .tables import cursor as C
from .tables import staging as S


@dataclass(frozen=True, slots=True)
class Staged:
    """A pulled resource. ``subject``: the reference it belongs to (``Patient/x``; "" for none, such as a
    study); ``last_updated``: meta.lastUpdated as it came, "" when there is none (the later copy wins
    then); ``value``: the body decoded, for who has it at hand; it is not kept."""

    type: str
    id: str
    subject: str
    last_updated: str
    body: bytes
    value: Any = field(default=None, compare=False, repr=False)


class Staging:
    """Part of ``Store``: staging and cursors. ``address``: the target's ``ledger_key``."""

    _db: Database

    def stage(self, address: str, resources: Iterable[Staged], *, chunk: int = CHUNK) -> int:
        """Keep pulled resources; how many were given."""
        target_id, count, source = self._db.target_id(address), 0, iter(resources)
        names = ("target_id", "type", "id", "subject", "last_updated", "body")
        put = self._db.upsert(S).values({name: bindparam(name) for name in names})
        put = put.on_conflict_do_update(
            index_elements=["target_id", "type", "id"],
            set_={name: put.excluded[name] for name in ("subject", "last_updated", "body")},
            where=put.excluded.last_updated >= S.c.last_updated,
        )
        while batch := list(islice(source, chunk)):
            rows = [
                dict(zip(names, (target_id, r.type, r.id, r.subject, _utc(r.last_updated), r.body), strict=True))
                for r in batch
            ]
            with self._db.writing() as connection:
                connection.execute(put, rows)
            count += len(batch)
        return count

    def staged(self, address: str, *, chunk: int = CHUNK) -> Iterator[tuple[str, list[Staged]]]:
        """(subject reference, its resources), what has no subject first; one subject at a time in memory."""
        for subject, group in groupby(self._staged_rows(address, chunk), key=lambda one: one.subject):
            yield subject, list(group)

    def staged_resources(self, address: str, references: Sequence[str]) -> list[Staged]:
        """The staged ones among these references (``Type/id``)."""
        target_id, found = self._db.target_id(address), []
        for start in range(0, len(references), CHUNK):
            keys = [tuple(reference.split("/", 1)) for reference in references[start : start + CHUNK]]
            query = _columns().where(S.c.target_id == target_id, tuple_(S.c.type, S.c.id).in_(keys))
            with self._db.reading() as connection:
                found += [Staged(*row) for row in connection.execute(query)]
        return found

    def unstage(self, address: str, references: Sequence[str]) -> None:
        """Forget these resources (``Type/id``): they have become records."""
        target_id = self._db.target_id(address)
        rows = [dict(zip(("t", "i"), reference.split("/", 1), strict=True)) for reference in references]
        if rows:
            mine = delete(S).where(S.c.target_id == target_id, S.c.type == bindparam("t"), S.c.id == bindparam("i"))
            with self._db.writing() as connection:
                connection.execute(mine, rows)

    def staged_count(self, address: str) -> int:
        """How many resources are staged for this target."""
        query = select(func.count()).select_from(S).where(S.c.target_id == self._db.target_id(address))
        with self._db.reading() as connection:
            return int(connection.execute(query).scalar_one())

    def cursor(self, address: str, name: str = "") -> str | None:
        """Where the last complete pull of this name ended; None before the first."""
        query = select(C.c.value).where(C.c.target_id == self._db.target_id(address), C.c.name == name)
        with self._db.reading() as connection:
            return connection.execute(query).scalar_one_or_none()

    def set_cursor(self, address: str, value: str, name: str = "") -> None:
        """Move the cursor; called last, when everything before ``value`` is kept."""
        row = {"target_id": self._db.target_id(address), "name": name, "value": value, "moved_at": now()}
        put = self._db.upsert(C).values(row)
        put = put.on_conflict_do_update(
            index_elements=["target_id", "name"],
            set_={"value": put.excluded.value, "moved_at": put.excluded.moved_at},
        )
        with self._db.writing() as connection:
            connection.execute(put)

    def _staged_rows(self, address: str, chunk: int) -> Iterator[Staged]:
        target_id, place = self._db.target_id(address), ("", "", "")
        while True:
            query = _columns().where(S.c.target_id == target_id, tuple_(S.c.subject, S.c.type, S.c.id) > place)
            with self._db.reading() as connection:
                rows = connection.execute(query.order_by(S.c.subject, S.c.type, S.c.id).limit(chunk)).all()
            for row in rows:
                yield Staged(*row)
            if len(rows) < chunk:
                return
            place = (rows[-1].subject, rows[-1].type, rows[-1].id)


def _columns() -> Any:
    return select(S.c.type, S.c.id, S.c.subject, S.c.last_updated, S.c.body)


def _utc(text: str) -> str:
    """An instant in UTC with milliseconds, so that texts sort as times; what is not an instant stays as it
    is."""
    try:
        return datetime.fromisoformat(text).astimezone(UTC).isoformat(timespec="milliseconds")
    except ValueError:
        return text
