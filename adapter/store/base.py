"""Opening the database: engine, transactions, migrations, and no SQLAlchemy error beyond this room.

SQLite runs in WAL mode with foreign keys on; a write transaction takes its lock at the start (``BEGIN
IMMEDIATE``), so that two processes wait for each other instead of failing half-way. Database errors carry
statement parameters, which are patient data: they are never passed on.
"""

import os
import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, Table, create_engine, event, insert, inspect, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, NoSuchModuleError, OperationalError, SQLAlchemyError

from ..errors import ConfigError, Retry, Stop
from . import tables

_WAL_TRIES, _WAL_PAUSE = 300, 0.1
HEAD = "0005"
"""The newest migration; a test compares it with the migrations folder."""


class Database:
    """One database, migrated to ``HEAD`` when opened. Shared by the parts of the store."""

    def __init__(self, url: str) -> None:
        try:
            self._engine = _engine(url)
        except (ArgumentError, NoSuchModuleError, ModuleNotFoundError):
            raise ConfigError("store: not a database URL, or its driver is not installed") from None
        self._writer = self._engine.execution_options(hydrofhir_write=True)
        self._targets: dict[str, int] = {}
        self._migrate()

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """A short read transaction."""
        with _translated(), self._engine.connect() as connection:
            yield connection

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """A write transaction: committed as a whole at the end, or not at all."""
        with _translated(), self._writer.begin() as connection:
            yield connection

    def close(self) -> None:
        """Give all connections back."""
        self._engine.dispose()

    def target_id(self, address: str) -> int:
        """The small number that stands for a target's address, given on first use."""
        found = self._targets.get(address)
        if found is None:
            with self.writing() as connection:
                column = tables.target.c
                query = select(column.id).where(column.address == address)
                found = connection.execute(query).scalar_one_or_none()
                if found is None:
                    connection.execute(insert(tables.target).values(address=address))
                    found = connection.execute(query).scalar_one()
            self._targets[address] = found
        return found

    def upsert(self, table: Table) -> Any:
        """``INSERT`` with ``on_conflict_do_update``, in the dialect of this database."""
        return (postgresql if self._engine.dialect.name == "postgresql" else sqlite).insert(table)

    def _migrate(self) -> None:
        with self.reading() as connection:
            if _revision(connection) == HEAD:
                return
        from alembic import command
        from alembic.config import Config
        from alembic.util import CommandError

        config = Config()
        config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
        with self.writing() as connection:
            if _revision(connection) != HEAD:  # another process may have been quicker
                config.attributes["connection"] = connection
                try:
                    command.upgrade(config, "head")
                except CommandError:
                    raise ConfigError("store: made by a newer version of hydrofhir, or not by hydrofhir") from None


def now() -> str:
    """The time in UTC, as the store writes it."""
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _revision(connection: Connection) -> str | None:
    if not inspect(connection).has_table("alembic_version"):
        return None
    found = connection.exec_driver_sql("SELECT version_num FROM alembic_version").scalar_one_or_none()
    return None if found is None else str(found)


def _engine(url: str) -> Engine:
    parsed = make_url(url)
    engine = create_engine(parsed, hide_parameters=True, pool_pre_ping=parsed.get_backend_name() != "sqlite")
    if parsed.get_backend_name() == "sqlite":
        if parsed.database and parsed.database != ":memory:":
            _private(Path(parsed.database))
        event.listen(engine, "connect", _on_connect)
        event.listen(engine, "begin", _on_begin)
    return engine


def _private(path: Path) -> None:
    """The database holds patient data: only its owner may read it."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))
    except OSError:
        raise ConfigError("store: the database file cannot be made or opened (HYDROFHIR_STATE, store)") from None


def _on_connect(connection: Any, _: Any) -> None:
    connection.isolation_level = None  # transactions are begun below, not by the driver
    connection.execute("PRAGMA busy_timeout=30000")
    _switch_to_wal(connection)
    for pragma in ("synchronous=NORMAL", "foreign_keys=ON", "cache_size=-16384"):
        connection.execute(f"PRAGMA {pragma}")


def _switch_to_wal(connection: Any) -> None:
    """The switch itself does not wait for its turn, whatever the timeout says: two first connections at once would
    refuse each other."""
    for _ in range(_WAL_TRIES):
        try:
            connection.execute("PRAGMA journal_mode=WAL")
            return
        except sqlite3.OperationalError as error:
            if "locked" not in str(error):
                raise
            time.sleep(_WAL_PAUSE)
    connection.execute("PRAGMA journal_mode=WAL")


def _on_begin(connection: Connection) -> None:
    write = connection.get_execution_options().get("hydrofhir_write", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if write else "BEGIN")


@contextmanager
def _translated() -> Iterator[None]:
    try:
        yield
    except OperationalError as error:
        if "locked" in str(error.orig) or "busy" in str(error.orig):
            raise Retry("store: the database is busy; try again") from None
        raise Stop(f"store: {_safe(error)}") from None
    except SQLAlchemyError as error:
        raise Stop(f"store: {_safe(error)}") from None


def _safe(error: SQLAlchemyError) -> str:
    kind = type(error.orig).__name__ if isinstance(error, DBAPIError) else type(error).__name__
    return f"the database refused an operation ({kind})"
