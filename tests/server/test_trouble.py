"""What a real server refuses, and two pushes at once: the rest arrives, nothing is doubled."""

from __future__ import annotations

import threading

import pytest

from adapter import pipeline
from adapter.exchange import connect
from adapter.report import Report
from adapter.store import Store
from tests.server.kit import Place, corpus, nothing_sent, of_subjects, texts

pytestmark = pytest.mark.server


def test_a_record_whose_parent_is_missing_waits_and_the_rest_arrives(place: Place) -> None:
    records = corpus(1, 61, 2)
    procedure = next(r for r in records if r["kind"] == "procedure" and "study_id" not in r)
    orphans = of_subjects(records, [procedure["subject_id"]])
    parent = next(r for r in orphans if r["kind"] == "subject")
    orphans = [r for r in orphans if r is not parent]
    others = [r for r in records if r is not parent and r not in orphans]
    store = place.store("all")
    place.keep(store, [r for r in records if r is not parent])  # intake would hold the orphans back

    report = place.push(store)
    assert report.exit_code == 3, "not finished: try again later"
    assert {i.record for i in report.issues} == {r["record_id"] for r in orphans}
    assert {i.rule for i in report.issues} == {"missing_target"}
    assert (report.counts["waiting"], report.counts["sent"]) == (len(orphans), len(others)), report.as_dict()
    assert set(place.there()) == set(place.parts(others))
    before = place.versions()

    report = place.push(store)
    assert (report.counts["waiting"], report.counts["offered"]) == (len(orphans), len(orphans))
    assert place.versions() == before

    place.take_in(store, [parent])
    report = place.push(store)
    assert (report.exit_code, report.counts["sent"]) == (0, len(orphans) + 1), report.as_dict()
    assert set(place.there()) == set(place.parts(records))
    assert set(place.versions().values()) == {"1"}
    _, got = place.pull(place.store("back"))
    assert texts(got) == texts(records)


def test_a_missing_study_keeps_back_enrolments_only(place: Place) -> None:
    """HAPI does not look into extensions: scores and procedures that name the study there may come first."""
    records = corpus(1, 62, 1)
    study = next(r for r in records if r["kind"] == "study")
    store = place.store("all")
    place.keep(store, [r for r in records if r is not study])  # intake would hold all of the trial back
    report = place.push(store)
    held = [r for r in records if r["kind"] == "enrolment"]
    assert {i.record for i in report.issues} == {r["record_id"] for r in held}
    assert set(place.there()) == set(place.parts(r for r in records if r is not study and r not in held))
    place.take_in(store, [study])
    assert place.push(store).exit_code == 0
    assert set(place.there()) == set(place.parts(records))


def test_two_pushes_of_one_store_at_once_do_no_harm(place: Place) -> None:
    records = corpus(4, 63, 3)
    place.store("shared", records)
    reports: list[Report] = []
    start = threading.Barrier(2)

    def run() -> None:
        with Store(place.store_url("shared")) as store:
            partner = connect(place.target(bundle_entries=25))
            start.wait()
            try:
                reports.append(pipeline.push(store, place.mill, partner, Report("push")))
            finally:
                partner.close()

    threads = [threading.Thread(target=run) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(reports) == 2, "a push ended in an error"
    assert {r.exit_code for r in reports} <= {0, 3}, [r.as_dict() for r in reports]
    store = Store(place.store_url("shared"))
    try:
        assert place.push(store).exit_code == 0
        assert nothing_sent(place.push(store))
    finally:
        store.close()
    assert place.versions() == dict.fromkeys(place.parts(records), "1")
    _, got = place.pull(place.store("back"))
    assert texts(got) == texts(records)


def test_two_stores_of_one_installation_may_push_the_same_records(place: Place) -> None:
    """As after a restored backup: same namespace, two ledgers."""
    records = corpus(0, 64, 3)
    one, two = place.store("one", records), place.store("two", records)
    assert place.push(one).counts["sent"] == len(records)
    assert place.push(two).counts["no_change"] == len(records)
    assert place.versions() == dict.fromkeys(place.parts(records), "1")
