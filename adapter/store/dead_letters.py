"""Dead letters: records that cannot go to a target as they are, each with the rule it broke.

Kept by the ledger, in its transactions. Must not know why a record fails, nor deliveries.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, bindparam, delete, select

from ..errors import Issue
from .base import Database, now
from .tables import dead_letter as X

Letter = tuple[str, str, str, str, Issue]
"""kind, key, record_id, stage, issue."""


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


class DeadLetters:
    """The dead letters of one target."""

    def __init__(self, db: Database, target_id: int) -> None:
        self._db, self._target_id = db, target_id
        with db.reading() as connection:
            dead = connection.execute(select(X.c.kind, X.c.key).where(X.c.target_id == target_id))
            self._dead = {(row.kind, row.key) for row in dead}

    def all(self) -> list[DeadLetter]:
        """Every letter, by kind and key."""
        query = select(*(X.c[name] for name in DeadLetter.__dataclass_fields__))
        query = query.where(X.c.target_id == self._target_id).order_by(X.c.kind, X.c.key)
        with self._db.reading() as connection:
            return [DeadLetter(*row) for row in connection.execute(query)]

    def revive(self, connection: Connection, places: Sequence[tuple[str, str]]) -> None:
        """These (kind, key) have arrived after all."""
        back = [{"k": kind, "q": key} for kind, key in places if (kind, key) in self._dead]
        if back:
            mine = delete(X).where(X.c.target_id == self._target_id)
            connection.execute(mine.where(X.c.kind == bindparam("k"), X.c.key == bindparam("q")), back)
            self._dead.difference_update((row["k"], row["q"]) for row in back)

    def bury(self, connection: Connection, letters: Sequence[Letter]) -> None:
        """Write letters; a second one for the same record replaces the first and counts on."""
        if not letters:
            return
        rows = [
            {
                "target_id": self._target_id,
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
