"""Records in the store: versions, replays, order, what is not written again."""

import hashlib
import json
import sqlite3
import uuid

import pytest

from adapter.errors import ConfigError
from adapter.store import Store, key_text


@pytest.fixture
def store(tmp_path):
    with Store(f"sqlite:///{tmp_path}/state/store.sqlite") as made:
        yield made


def put(kind: str, *key: str, version: int = 1, body: str = "", **meta):
    record = {"record_id": f"rec-{key[-1]}", "version": version, "record_status": "final", **meta}
    if kind != "study":
        record.setdefault("subject_id", key[0])
    data = json.dumps({"told": f"{kind} {key} {version} {body}"}).encode()
    return kind, key, record, data, hashlib.sha256(data).hexdigest()


def test_new_changed_unchanged(store):
    items = [put("procedure", "S1", f"P{n}") for n in range(2500)]
    report = store.put_records(iter(items))
    assert (report.new, report.changed, report.unchanged, report.refused) == (2500, 0, 0, [])
    report = store.put_records([*items[:10], put("procedure", "S1", "P10", version=2, body="x")])
    assert (report.new, report.changed, report.unchanged, report.refused) == (0, 1, 10, [])
    kept = store.get_record("procedure", ("S1", "P10"))
    assert (kept.version, kept.body) == (2, put("procedure", "S1", "P10", version=2, body="x")[3])
    assert store.versions("procedure", ("S1", "P10")) == [(1, items[10][3])]
    assert store.record_counts() == {"procedure": 2500}
    assert store.get_record("procedure", ("S1", "none")) is None


def test_same_version_with_other_content_is_refused(store):
    store.put_records([put("procedure", "S1", "P1", body="MARKED one")])
    report = store.put_records([put("procedure", "S1", "P1", body="MARKED two"), put("procedure", "S1", "P2")])
    [issue] = report.refused
    assert (issue.record, issue.field, issue.rule) == ("rec-P1", "version", "V12-conflict")
    assert "MARKED" not in str(issue)
    assert report.new == 1
    assert b"one" in store.get_record("procedure", ("S1", "P1")).body


def test_an_older_version_is_refused(store):
    first, second = put("procedure", "S1", "P1"), put("procedure", "S1", "P1", version=2)
    store.put_records([first])
    store.put_records([second])
    for older in (first, put("procedure", "S1", "P1", body="other")):
        assert [issue.rule for issue in store.put_records([older]).refused] == ["V12-older"]
    assert store.get_record("procedure", ("S1", "P1")).version == 2


@pytest.mark.parametrize("chunk", [1, 2, 100])
def test_a_file_with_its_own_history_can_be_put_again(store, chunk):
    history = [put("procedure", "S1", f"P{n}", version=v) for v in (1, 2, 3) for n in range(3)]
    first = store.put_records(history, chunk=chunk)
    assert (first.new, first.changed, first.refused) == (3, 6, [])
    again = store.put_records(history, chunk=chunk)
    assert (again.unchanged, again.new, again.changed, again.refused) == (9, 0, 0, [])
    assert [version for version, _ in store.versions("procedure", ("S1", "P1"))] == [1, 2]


def test_a_gap_is_refused_where_versions_must_follow_each_other(store):
    store.put_records([put("procedure", "S1", "P1")])
    third = put("procedure", "S1", "P1", version=3)
    assert [issue.rule for issue in store.put_records([third], contiguous=True).refused] == ["V12-gap"]
    assert store.put_records([third]).changed == 1


def test_studies_first_then_subject_by_subject_parents_first(store):
    store.put_records(
        [
            put("pain_outcome", "R1", subject_id="S2"),
            put("procedure", "S2", "P1"),
            put("subject", "S2"),
            put("enrolment", "ST", "S1", "U", subject_id="S1"),
            put("subject", "S1"),
            put("study", "ST", study_id="ST"),
        ]
    )
    found = [(one.subject, one.kind) for one in store.iter_records(chunk=2)]
    assert found == [
        ("", "study"),
        ("S1", "subject"),
        ("S1", "enrolment"),
        ("S2", "subject"),
        ("S2", "procedure"),
        ("S2", "pain_outcome"),
    ]
    assert [one.kind for one in store.subject_records(["S2"])] == ["subject", "procedure", "pain_outcome"]
    assert [one.key for one in store.iter_records("subject")] == ["S1", "S2"]


def test_keys_stay_apart():
    assert key_text(("a|b", "c")) != key_text(("a", "b|c"))
    assert key_text(("a%7Cb",)) != key_text(("a|b",))


def test_unchanged_records_write_nothing(store, tmp_path):
    items = [put("pain_outcome", f"R{n}", subject_id=f"S{n // 30}") for n in range(2_500)]
    store.put_records(items)
    with sqlite3.connect(tmp_path / "state" / "store.sqlite") as other:
        before = other.execute("PRAGMA data_version").fetchone()
        assert store.put_records(items).unchanged == 2_500
        assert other.execute("PRAGMA data_version").fetchone() == before
        store.put_records([put("pain_outcome", "R0", version=2)])
        assert other.execute("PRAGMA data_version").fetchone() != before, "a change would be seen"


def test_namespace_is_made_once_and_kept(tmp_path):
    url = f"sqlite:///{tmp_path}/s.sqlite"
    with Store(url) as store:
        made = store.namespace()
        assert store.namespace() == made
    with Store(url) as store:
        assert store.namespace() == made
        assert store.namespace(made) == made
        with pytest.raises(ConfigError, match="namespace"):
            store.namespace(uuid.uuid4())
    given = uuid.uuid4()
    with Store(f"sqlite:///{tmp_path}/t.sqlite") as store:
        assert store.namespace(given) == given


def test_the_file_is_private(tmp_path):
    with Store(f"sqlite:///{tmp_path}/deep/er/s.sqlite"):
        assert (tmp_path / "deep/er/s.sqlite").stat().st_mode & 0o077 == 0
