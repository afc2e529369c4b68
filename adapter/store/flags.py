"""Flags: what the rules between records say of versions that are kept all the same. Must not know the rules."""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass

from sqlalchemy import bindparam, delete, insert, select

from .base import Database, now
from .tables import flag as F

_PLACE = ("kind", "key", "version", "rule", "field", "bound")
_NAMES = (*_PLACE, "record_id", "subject_key", "message")


@dataclass(frozen=True, slots=True)
class Flag:
    """One rule and field of one version of a record. ``bound`` is the limit, never a value."""

    kind: str
    key: str
    version: int
    rule: str
    field: str
    bound: str
    record_id: str
    subject_key: str
    message: str


class Flags:
    """Part of ``Store``: flags."""

    _db: Database

    def flags(self, subjects: Sequence[str]) -> list[Flag]:
        """The flags of all records of these subjects, of every version."""
        with self._db.reading() as connection:
            query = select(*(F.c[name] for name in _NAMES)).where(F.c.subject_key.in_(subjects))
            return [Flag(*row) for row in connection.execute(query)]

    def iter_flags(self) -> Iterator[Flag]:
        """All flags, record by record."""
        with self._db.reading() as connection:
            query = select(*(F.c[name] for name in _NAMES)).order_by(*(F.c[name] for name in _PLACE))
            for row in connection.execute(query):
                yield Flag(*row)

    def change_flags(self, gone: Collection[Flag], new: Collection[Flag]) -> None:
        """Take some flags away and set others."""
        if not gone and not new:
            return
        with self._db.writing() as connection:
            if gone:
                mine = delete(F).where(*(F.c[name] == bindparam(f"p_{name}") for name in _PLACE))
                connection.execute(mine, [{f"p_{name}": getattr(one, name) for name in _PLACE} for one in gone])
            if new:
                rows = [{name: getattr(one, name) for name in _NAMES} | {"found_at": now()} for one in new]
                connection.execute(insert(F), rows)
