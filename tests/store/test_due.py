"""Who is due: marked with what is put, unmarked with what was derived from it."""

import pytest

from adapter.store import Store

from .test_records import put


@pytest.fixture
def store(tmp_path):
    with Store(f"sqlite:///{tmp_path}/s.sqlite") as made:
        yield made


def due(store):
    return [one.subject for one in store.due()]


def test_new_and_changed_records_make_their_subject_due(store):
    some = [put("subject", "S1"), put("subject", "S2"), put("study", "T1", study_id="T1")]
    store.put_records(some)
    assert due(store) == ["S1", "S2"]
    store.putting().put_derived([], store.due())
    store.put_records(some)
    assert due(store) == []
    store.put_records([put("subject", "S2", version=2, body="x")])
    assert due(store) == ["S2"]


def test_a_refused_version_makes_nobody_due(store):
    store.put_records([put("subject", "S1")])
    store.putting().put_derived([], store.due())
    assert store.put_records([put("subject", "S1", body="other")]).refused
    assert due(store) == []


def test_a_study_makes_those_due_who_have_a_record_of_it(store):
    of_study = [
        put("procedure", name, "P", study_id=study) for name, study in (("S1", "T1"), ("S2", "T2"), ("S3", "T1"))
    ]
    store.put_records([*of_study, put("subject", "S4")])
    store.putting().put_derived([], store.due())
    store.put_records([put("study", "T1", study_id="T1")])
    assert due(store) == ["S1", "S3"]


def test_they_come_in_order_and_in_pieces(store):
    store.put_records([put("subject", f"S{n}") for n in range(7)])
    assert [one.subject for one in store.due("S2", 3)] == ["S3", "S4", "S5"]
    assert [one.subject for one in store.due_of(["S6", "S1", "none"])] == ["S1", "S6"]


def test_other_formulas_make_everybody_due(store):
    store.put_records([put("study", "T1", study_id="T1"), put("subject", "S1"), put("subject", "S2")])
    for formulas, expected in (("one", ["S1", "S2"]), ("one", []), ("two", ["S1", "S2"])):
        store.derived_by(formulas)
        assert due(store) == expected
        store.putting().put_derived([], store.due())


def test_derived_records_make_nobody_due_and_a_loser_stays(store):
    store.put_records([put("subject", "S1"), put("subject", "S2")])
    store.putting().put_derived([put("derived_measure", "D1", subject_id="S1")], store.due_of(["S1"]))
    assert due(store) == ["S2"]
    store.put_records([put("subject", "S1", version=2, body="x")])
    other = put("derived_measure", "D1", subject_id="S1", body="of another process")
    store.putting().put_derived([other, put("derived_measure", "D2", subject_id="S2")], store.due())
    assert due(store) == ["S1"]
    assert store.record_counts()["derived_measure"] == 2
