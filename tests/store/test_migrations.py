"""A store of an earlier version is opened by this one: nothing that was known is lost."""

import sqlite3
from collections.abc import Callable
from pathlib import Path

from alembic import command
from alembic.config import Config
from sqlalchemy import create_engine

import adapter.store
from adapter.store import Store

from .test_ledger import TARGET, keys, parcel, sent
from .test_records import put

COLUMNS = (
    "resource, target_id, kind, key, root, version, record_hash, mapping, body_hash, state, attempts, server_version,"
    " outcome, begun_at, settled_at"
)


def as_of(revision: str, path: Path, step: Callable[[Config, str], None] = command.upgrade) -> None:
    """A store as the version with this revision made it, or, with `command.downgrade`, made by a newer one."""
    config = Config()
    config.set_main_option("script_location", str(Path(adapter.store.__file__).parent / "migrations"))
    engine = create_engine(f"sqlite:///{path}")
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        step(config, revision)
    engine.dispose()


def test_deliveries_by_resource_become_deliveries_by_record(tmp_path):
    path = tmp_path / "s.sqlite"
    with Store(f"sqlite:///{tmp_path}/new.sqlite") as fresh:  # what a record and a mapping are known by
        fresh.put_records([put("procedure", "S1", "P1"), put("subject", "S2"), put("subject", "S3")])
        ledger = fresh.ledger(TARGET, "m")
        known = {one.key: one for one in ledger.pending()}
    as_of("0001", path)
    columns = (
        "seq, kind, key, record_id, subject_key, rank, version, record_status, study, hash, synthetic, put_at, body"
    )
    with sqlite3.connect(tmp_path / "new.sqlite") as new, sqlite3.connect(path) as old:
        old.execute("INSERT INTO target VALUES (1, ?)", [TARGET])
        for row in new.execute(f"SELECT {columns} FROM record").fetchall():
            old.execute(f"INSERT INTO record ({columns}) VALUES ({', '.join('?' * 13)})", row)

        def delivered(resource: str, key: str, root: bool, state: str) -> None:
            one = known[key]
            hash_, said = (one.hash, "SUCCESSFUL_CREATE") if state == "sent" else ("old", "")
            row = [resource, 1, one.kind, key, root, 1, hash_, ledger.mapping, "b", state, 2, "1", said, "t", "t"]
            old.execute(f"INSERT INTO delivery ({COLUMNS}) VALUES ({', '.join('?' * 15)})", row)

        delivered("Observation/S1|P1-0", "S1|P1", True, "sent")
        delivered("Observation/S1|P1-1", "S1|P1", False, "sent")
        delivered("Observation/S1|P1-2", "S1|P1", False, "orphaned")  # of an earlier version, and still there
        delivered("Observation/S2-0", "S2", False, "orphaned")  # nothing stands for the record any more
    new.close()
    old.close()

    with Store(f"sqlite:///{path}") as store:
        ledger = store.ledger(TARGET, "m")
        assert sorted(keys(ledger)) == ["S2", "S3"]
        assert ledger.counts() == {"planned": 1, "sending": 0, "sent": 1, "rejected": 0, "waiting": 1}
        procedure = parcel(known["S1|P1"], 2)
        assert ledger.vanished([procedure]) == {procedure.seq: [("Observation", "S1|P1-2")]}
        assert ledger.vanished([parcel(known["S2"], 0)]) == {known["S2"].seq: [("Observation", "S2-0")]}


def test_every_step_can_be_taken_back(tmp_path):
    """What was sent is known to the first version again, and after coming back to this one."""
    path = tmp_path / "s.sqlite"
    with Store(f"sqlite:///{path}") as store:
        store.put_records([put("procedure", "S1", "P1"), put("subject", "S2")])
        ledger = store.ledger(TARGET, "m")
        [procedure] = [one for one in ledger.pending() if one.kind == "procedure"]
        ledger.begin([parcel(procedure)])
        ledger.settle([sent(parcel(procedure))])
    as_of("0001", path, command.downgrade)
    with sqlite3.connect(path) as old:
        found = old.execute("SELECT resource, key, root, state, server_version, outcome FROM delivery").fetchall()
    old.close()
    said = ("sent", "1", "SUCCESSFUL_CREATE")
    assert sorted(found) == [
        ("Observation/S1|P1-0", "S1|P1", 1, *said), ("Observation/S1|P1-1", "S1|P1", 0, *said),
    ]  # fmt: skip
    with Store(f"sqlite:///{path}") as store:
        ledger = store.ledger(TARGET, "m")
        assert keys(ledger) == ["S2"]
        assert ledger.vanished([parcel(procedure, 1)]) == {procedure.seq: [("Observation", "S1|P1-1")]}
    as_of("base", path, command.downgrade)


def test_an_older_store_derives_for_all_its_subjects(tmp_path):
    """Every subject of a store without derived measures is due; one step back knows none of them, and none is left."""
    path = tmp_path / "s.sqlite"
    with Store(f"sqlite:///{path}") as store:
        store.put_records(
            [put("study", "T1"), put("subject", "S1"), put("procedure", "S1", "P1"), put("subject", "S2")]
        )
        store.putting().put_derived([put("derived_measure", "D1", subject_id="S1")], store.due())
        assert store.due() == []
        ledger = store.ledger(TARGET, "m")
        [derived] = [one for one in ledger.pending() if one.kind == "derived_measure"]
        ledger.begin([parcel(derived)])
        ledger.settle([sent(parcel(derived))])
    as_of("0003", path, command.downgrade)
    with sqlite3.connect(path) as old:
        assert old.execute("SELECT kind, count(*) FROM record GROUP BY kind ORDER BY kind").fetchall() == [
            ("procedure", 1), ("study", 1), ("subject", 2),
        ]  # fmt: skip
        assert old.execute("SELECT count(*) FROM delivery").fetchone() == (0,)
    old.close()
    with Store(f"sqlite:///{path}") as store:
        assert [one.subject for one in store.due()] == ["S1", "S2"]


def test_an_older_store_knows_the_names_of_its_records(tmp_path):
    path = tmp_path / "s.sqlite"
    with Store(f"sqlite:///{path}") as store:
        body = b'{"business_key":"S1/P1","source_system":"edc","source_record_id":"17"}'
        kind, key, record, _, hash = put("procedure", "S1", "P1")
        store.put_records([(kind, key, record, body, hash), put("subject", "S2")])
    as_of("0004", path, command.downgrade)
    with Store(f"sqlite:///{path}") as store:
        for name in (("business_key", "S1/P1"), ("source", "edc|17")):
            (found,) = store.namesakes([name])
            assert (found.place, found.name) == (("procedure", "S1|P1"), name)
        assert store.namesakes([("business_key", ""), ("source", "edc|1")]) == []
