"""Records that share a name: the business key, or the key in the source. Must not know which of them may."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from sqlalchemy import select

from .base import Database
from .putting import Place
from .tables import record as R

CHUNK = 500
NAMES = {"business_key": R.c.business_key, "source": R.c.source}


@dataclass(frozen=True, slots=True)
class Namesake:
    """A record that is kept, and one of its names: column and value."""

    place: Place
    record_id: str
    record_status: str
    name: tuple[str, str]


class Doubles:
    """Part of ``Store``: who has a name already."""

    _db: Database

    def namesakes(self, names: Iterable[tuple[str, str]]) -> list[Namesake]:
        """The records kept that have any of these names (column, value), of whatever kind; an empty value is none."""
        wanted: dict[str, list[str]] = {}
        for column, value in names:
            if value:
                wanted.setdefault(column, []).append(value)
        found: list[Namesake] = []
        with self._db.reading() as connection:
            for column, values in wanted.items():
                for some in _chunks(values):
                    query = select(R.c.kind, R.c.key, R.c.record_id, R.c.record_status, NAMES[column])
                    rows = connection.execute(query.where(NAMES[column].in_(some)))
                    found += [
                        Namesake((kind, key), name, status, (column, value)) for kind, key, name, status, value in rows
                    ]
        return found


def _chunks(values: Sequence[str]) -> Iterable[Sequence[str]]:
    return (values[start : start + CHUNK] for start in range(0, len(values), CHUNK))
