"""Pulled resources and cursors."""

import pytest

from adapter.store import Staged, Store

HERE = "https://a.example/fhir"


@pytest.fixture
def store(tmp_path):
    with Store(f"sqlite:///{tmp_path}/store.sqlite") as made:
        yield made


def one(resource_type: str, id_: str, subject: str = "", at: str = "", body: bytes = b"{}") -> Staged:
    return Staged(resource_type, id_, subject, at, body)


def test_groups_by_subject_without_subject_first(store):
    resources = [one("Observation", f"o{n}", f"Patient/{n % 7}") for n in range(50)]
    resources += [one("ResearchStudy", "st"), one("Patient", "3", "Patient/3")]
    assert store.stage(HERE, resources, chunk=10) == 52
    groups = dict(store.staged(HERE, chunk=5))
    assert next(iter(groups)) == ""
    assert [found.id for found in groups[""]] == ["st"]
    assert sum(len(found) for found in groups.values()) == 52
    assert {found.type for found in groups["Patient/3"]} == {"Observation", "Patient"}
    assert list(store.staged("https://b.example")) == []


def test_a_page_twice_changes_nothing_and_older_never_wins(store):
    new = one("Patient", "a", "Patient/a", "2026-01-02T00:00:00.000+02:00", b"new")
    old = one("Patient", "a", "Patient/a", "2026-01-01T21:59:59.000+00:00", b"old")
    for batch in ([new], [new], [old]):
        store.stage(HERE, batch)
    [(_, [found])] = list(store.staged(HERE))
    assert found.body == b"new"
    store.stage(HERE, [one("Patient", "a", "Patient/a", "2026-01-01T22:00:00.001Z", b"newer")])
    assert store.staged_resources(HERE, ["Patient/a", "Patient/none"])[0].body == b"newer"


def test_without_times_the_later_copy_wins(store):
    store.stage(HERE, [one("Patient", "a", body=b"1"), one("Patient", "a", body=b"2")])
    assert store.staged_resources(HERE, ["Patient/a"])[0].body == b"2"


def test_what_became_a_record_is_forgotten(store):
    store.stage(HERE, [one("Patient", "a"), one("Patient", "b")])
    store.unstage(HERE, ["Patient/a"])
    store.unstage(HERE, [])
    assert store.staged_count(HERE) == 1


def test_cursors(store):
    assert store.cursor(HERE) is None
    store.set_cursor(HERE, "2026-01-01")
    store.set_cursor(HERE, "2026-01-02")
    store.set_cursor(HERE, "x", "study ST")
    assert (store.cursor(HERE), store.cursor(HERE, "study ST")) == ("2026-01-02", "x")
    assert store.cursor("https://b.example") is None
