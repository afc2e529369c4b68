"""What we remember: records and their versions, what waits and what is flagged, which subjects something is to be
derived for, the ledger of deliveries, pulled resources, cursors, dead letters.

Usage: ``with Store(settings.store_url) as store``; the database is made and migrated when it is opened. Must
not know FHIR, mappings or the wire: bodies are bytes, and hashes are told to it.
"""

import uuid

from sqlalchemy import func, insert, select

from ..errors import ConfigError
from .base import HEAD, Database
from .dead_letters import DeadLetter
from .doubles import Doubles, Namesake
from .due import Due, Dues
from .flags import Flag, Flags
from .ledger import MAX_ATTEMPTS, Ledger, Ledgers
from .putting import DERIVED, Place, Put, PutReport, Putting, key_text, names_of, rank
from .records import Records, Stored
from .staging import Staged, Staging
from .tables import record, setting
from .waiting import Held, Waiting

__all__ = [
    "DERIVED",
    "HEAD",
    "MAX_ATTEMPTS",
    "DeadLetter",
    "Due",
    "Flag",
    "Held",
    "Ledger",
    "Namesake",
    "Place",
    "Put",
    "PutReport",
    "Putting",
    "Records",
    "Staged",
    "Store",
    "Stored",
    "key_text",
    "names_of",
    "rank",
]


class Store(Ledgers, Staging, Waiting, Flags, Dues, Doubles):
    """One database. Readers see whole transactions; a second process waits for its turn to write."""

    def __init__(self, url: str) -> None:
        self._db = Database(url)

    def __enter__(self) -> "Store":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Give all connections back."""
        self._db.close()

    def namespace(self, given: uuid.UUID | None = None) -> uuid.UUID:
        """The installation's namespace, under which all resource ids are made (decisions 7).

        Kept on first use (``given``, or a random one). ``ConfigError`` when settings give another than the
        store has: every id would change, and every record would be doubled at its targets.
        """
        query = select(setting.c.value).where(setting.c.name == "namespace")
        with self._db.reading() as connection:
            found = connection.execute(query).scalar_one_or_none()
        if found is None:
            with self._db.writing() as connection:
                found = connection.execute(query).scalar_one_or_none()
                if found is None:
                    found = str(given or uuid.uuid4())
                    connection.execute(insert(setting).values(name="namespace", value=found))
        if given is not None and str(given) != found:
            raise ConfigError("namespace: the store was made with another one; legal is that one, or none")
        return uuid.UUID(found)

    def record_counts(self) -> dict[str, int]:
        """Current records by kind."""
        query = select(record.c.kind, func.count()).group_by(record.c.kind).order_by(record.c.kind)
        with self._db.reading() as connection:
            return {str(row[0]): int(row[1]) for row in connection.execute(query)}
