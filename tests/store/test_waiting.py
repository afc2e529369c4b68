"""What waits and what is flagged, as the store keeps it."""

from dataclasses import replace

import pytest

from adapter.store import Flag, Held, Store


@pytest.fixture
def store(tmp_path):
    with Store(f"sqlite:///{tmp_path}/store.sqlite") as made:
        yield made


def held(key: str, awaited: str = "S1", version: int = 1, **more) -> Held:
    why = {"rule": "V11.subject", "field": "subject_id", "message": "not here", "run": "one", **more}
    return Held(
        kind="procedure", key=key, version=version, record_id=f"rec-{key}", subject_key="S1", hash=f"{key}-{version}",
        awaited_kind="subject", awaited_key=awaited, body=key.encode(), **why,
    )  # fmt: skip


def test_who_waits_for_a_name_is_given_once_in_order(store, monkeypatch):
    monkeypatch.setattr("adapter.store.waiting.CHUNK", 2)
    store.hold([held(f"P{n}") for n in range(5)])
    store.hold([held("Q", awaited="S2")])
    given = []
    for some in store.freed([("subject", "S1"), ("procedure", "S1")]):
        given += [one.key for one in some]
        store.hold(some)  # still lacking the same: it waits on, and is not given again
    assert given == ["P0", "P1", "P2", "P3", "P4"]
    assert store.waiting_count() == 6
    assert [one.key for one in store.held([("procedure", "P1"), ("procedure", "none"), ("subject", "Q")])] == ["P1"]


def test_to_wait_for_something_else_is_to_wait_on(store):
    store.hold([held("P1")])
    [first] = store.waiting()
    store.hold([replace(held("P1", awaited="S9", rule="V11.study"), run="two")])
    [second] = store.waiting()
    assert (second.seq, second.since_at, second.awaited_key, second.rule) == (
        first.seq,
        first.since_at,
        "S9",
        "V11.study",
    )
    assert list(store.waiting("one")) == []
    assert [one.key for one in store.waiting("two")] == ["P1"]
    store.let_go([first.seq])
    assert store.waiting_count() == 0


def test_who_waits_for_what_is_there_is_overdue(store):
    store.hold([held("P1"), held("P2", awaited="S2"), replace(held("P3", awaited="ST|S1"), awaited_kind="enrolment")])
    assert list(store.overdue()) == []
    subject = ("subject", ("S1",), {"record_id": "s", "subject_id": "S1", "version": 1}, b"{}", "h")
    store.put_records([subject])
    assert [one.key for some in store.overdue() for one in some] == ["P1"]
    store.put_records([("enrolment", ("ST", "S1", "left"), {**subject[2], "record_id": "e"}, b"{}", "i")])
    assert [one.key for some in store.overdue() for one in some] == ["P1", "P3"]


def test_flags_are_set_and_taken_away(store):
    one = Flag("procedure", "P1", 1, "V7.side", "targets.1.laterality", "the side of the condition", "rec", "S1", "")
    other = replace(one, rule="V8.dose", field="injectate_components", subject_key="S2")
    store.change_flags([], {one, other})
    assert store.flags(["S1"]) == [one]
    assert set(store.iter_flags()) == {one, other}
    store.change_flags({one}, [])
    assert list(store.iter_flags()) == [other]
