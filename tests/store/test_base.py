"""The database itself: migrations fit the tables, errors are ours and carry no data, two processes take turns."""

import sqlite3
import threading
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import create_engine
from sqlalchemy.dialects import postgresql
from sqlalchemy.schema import CreateIndex, CreateTable

import adapter.store
from adapter.errors import ConfigError, Retry, Stop
from adapter.store import HEAD, Store
from adapter.store.tables import metadata

from .test_records import put


def test_migrations_make_the_tables(tmp_path):
    url = f"sqlite:///{tmp_path}/s.sqlite"
    Store(url).close()
    engine = create_engine(url)
    with engine.connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), metadata) == []
    engine.dispose()


def test_head_is_the_newest_migration():
    config = Config()
    config.set_main_option("script_location", str(Path(adapter.store.__file__).parent / "migrations"))
    assert ScriptDirectory.from_config(config).get_current_head() == HEAD


def test_the_schema_can_be_said_in_postgresql():
    for table in metadata.sorted_tables:
        assert "CREATE TABLE" in str(CreateTable(table).compile(dialect=postgresql.dialect()))
        for index in table.indexes:
            assert str(CreateIndex(index).compile(dialect=postgresql.dialect()))


@pytest.mark.parametrize("url", ["nonsense", "oracle+none://x", "postgresql+nodriver://x/y"])
def test_a_bad_url_is_named(url):
    with pytest.raises(ConfigError, match="store"):
        Store(url)


def test_a_database_of_somebody_else_or_of_the_future(tmp_path):
    with sqlite3.connect(tmp_path / "s.sqlite") as other:
        other.execute("CREATE TABLE alembic_version (version_num TEXT)")
        other.execute("INSERT INTO alembic_version VALUES ('9999')")
    other.close()
    with pytest.raises(ConfigError, match="newer version"):
        Store(f"sqlite:///{tmp_path}/s.sqlite")
    (tmp_path / "t.sqlite").write_bytes(b"this is no database at all" * 100)
    with pytest.raises(Stop):
        Store(f"sqlite:///{tmp_path}/t.sqlite")


def test_database_errors_carry_no_data(tmp_path):
    with Store(f"sqlite:///{tmp_path}/s.sqlite") as store:
        kind, key, record, _, hash_ = put("subject", "MARKED")
        with pytest.raises(Stop) as caught:
            store.put_records([(kind, key, {**record, "record_id": "MARKED"}, object(), hash_)])  # type: ignore[list-item]
        assert "MARKED" not in str(caught.value)
        assert caught.value.__cause__ is None
        assert store.record_counts() == {}


def test_a_locked_database_is_try_again(tmp_path):
    with Store(f"sqlite:///{tmp_path}/s.sqlite") as store:
        with store._db.reading() as connection:
            connection.exec_driver_sql("PRAGMA busy_timeout=10")
        other = sqlite3.connect(tmp_path / "s.sqlite", isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(Retry, match="busy"):
            store.set_cursor("x", "1")
        other.execute("ROLLBACK")
        other.close()


def test_many_open_a_new_database_at_once(tmp_path):
    failures = []

    def work(url: str) -> None:
        try:
            Store(url).close()
        except Exception as error:
            failures.append(error)

    for n in range(10):
        threads = [threading.Thread(target=work, args=(f"sqlite:///{tmp_path}/{n}.sqlite",)) for _ in range(6)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert failures == []


def test_two_stores_open_and_write_at_once(tmp_path):
    url, failures = f"sqlite:///{tmp_path}/s.sqlite", []

    def work(name: str) -> None:
        try:
            with Store(url) as store:
                for start in range(0, 100, 10):
                    store.put_records([put("subject", f"{name}{start + n}") for n in range(10)])
        except Exception as error:
            failures.append(error)

    threads = [threading.Thread(target=work, args=(name,)) for name in "AB"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    with Store(url) as store:
        assert store.record_counts() == {"subject": 200}
