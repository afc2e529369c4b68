"""Which subjects have changed since what follows from their records was derived.

A subject is marked in the transaction that puts its records, and its mark goes in the one that puts what was derived
from them. A mark that is another one by then stays: there is something new to derive from. Must not know what is
derived.
"""

import uuid
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, bindparam, delete, literal, select

from .base import Database
from .tables import derivation_due as T
from .tables import record as R
from .tables import setting

_FORMULAS = "formulas"


@dataclass(frozen=True, slots=True)
class Due:
    """A subject (its subject_id), and the mark it had when it was looked up."""

    subject: str
    mark: str


class Dues:
    """Part of ``Store``: subjects that are due."""

    _db: Database

    def due(self, after: str = "", limit: int = 50) -> list[Due]:
        """The next subjects that are due, in order, after this one."""
        query = select(T.c.subject_key, T.c.mark).where(T.c.subject_key > after).order_by(T.c.subject_key).limit(limit)
        with self._db.reading() as connection:
            return [Due(*row) for row in connection.execute(query)]

    def due_of(self, subjects: Collection[str]) -> list[Due]:
        """Those of these subjects that are due."""
        query = select(T.c.subject_key, T.c.mark).where(T.c.subject_key.in_(subjects)).order_by(T.c.subject_key)
        with self._db.reading() as connection:
            return [Due(*row) for row in connection.execute(query)]

    def derived_by(self, formulas: str) -> None:
        """What is derived rests on these ``formulas`` from now on (a digest): where they were others before, every
        subject is due."""
        query = select(setting.c.value).where(setting.c.name == _FORMULAS)
        with self._db.reading() as connection:
            if connection.execute(query).scalar_one_or_none() == formulas:
                return
        with self._db.writing() as connection:
            everybody = select(R.c.subject_key, literal(formulas)).where(R.c.subject_key != "").distinct()
            connection.execute(_or_replace(self._db.upsert(T).from_select(["subject_key", "mark"], everybody)))
            put = self._db.upsert(setting).values(name=_FORMULAS, value=formulas)
            connection.execute(put.on_conflict_do_update(index_elements=["name"], set_={"value": formulas}))


def mark(db: Database, connection: Connection, subjects: Collection[str], studies: Collection[str]) -> None:
    """These subjects are due, and all that have a record of one of these studies."""
    fresh = uuid.uuid4().hex
    rows = [{"subject": subject, "fresh": fresh} for subject in sorted(subjects) if subject]
    studies = [study for study in studies if study]
    if rows:
        put = db.upsert(T).values(subject_key=bindparam("subject"), mark=bindparam("fresh"))
        connection.execute(_or_replace(put), rows)
    if studies:  # reads the whole table of records: a study seldom changes
        named = select(R.c.subject_key, literal(fresh)).where(R.c.study.in_(studies), R.c.subject_key != "").distinct()
        connection.execute(_or_replace(db.upsert(T).from_select(["subject_key", "mark"], named)))


def settle(connection: Connection, done: Sequence[Due]) -> None:
    """These subjects are due no longer, unless they were marked again."""
    if done:
        gone = delete(T).where(T.c.subject_key == bindparam("subject"), T.c.mark == bindparam("was"))
        connection.execute(gone, [{"subject": one.subject, "was": one.mark} for one in done])


def _or_replace(put: Any) -> Any:
    return put.on_conflict_do_update(index_elements=["subject_key"], set_={"mark": put.excluded.mark})
