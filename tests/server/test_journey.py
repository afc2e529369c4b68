"""Push to a real server, push again, pull into an empty store: all is as it was, text for text."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

import pytest

from adapter.report import Report
from adapter.store import Store
from tests.server.conftest import MakePlace
from tests.server.kit import Place, Record, amended, corpus, nothing_sent, of_subjects, texts
from tests.server.witness import Witness

pytestmark = pytest.mark.server


@dataclass
class Settled:
    """A place to which everything has been pushed; tests of this module only read it."""

    place: Place
    records: list[Record]
    store: Store
    report: Report


@pytest.fixture(scope="module")
def settled(places: MakePlace, version: str, server: str, witness: Witness, small: bool) -> Settled:
    place = places(version, server)
    records = corpus(3, 11, 1) if small else corpus(12, 11, 6)
    store = place.store("first", records)
    return Settled(place, records, store, place.push(store, witness.base))


def test_everything_arrives_once(settled: Settled) -> None:
    expected = settled.place.parts(settled.records)
    assert settled.report.counts["sent"] == len(settled.records), settled.report.as_dict()
    assert settled.report.counts["sent_resources"] == len(expected) + len(settled.records), "and a Provenance each"
    assert settled.report.exit_code == 0
    assert settled.place.versions() == dict.fromkeys(expected, "1")


def test_every_record_has_its_provenance(settled: Settled) -> None:
    place = settled.place
    roots = {"/".join(next(iter(place.parts([record])))): record for record in settled.records}
    said = {one["target"][0]["reference"]: one for one in place.said(place.parts(settled.records))}
    assert said.keys() == roots.keys()
    instants = {datetime.fromisoformat(said[name]["recorded"]) for name in roots}
    assert instants == {datetime.fromisoformat(record["recorded_at"]) for record in roots.values()}


def test_a_second_push_writes_nothing(settled: Settled, witness: Witness) -> None:
    before = settled.place.versions()
    witness.forget()
    assert nothing_sent(settled.place.push(settled.store, witness.base))
    assert witness.writes() == []
    assert settled.place.versions() == before


def test_a_store_that_has_forgotten_changes_nothing(settled: Settled, witness: Witness) -> None:
    """The ledger is lost, the records and the namespace are not: all is sent again, and the server stays as it is."""
    again = settled.place.store("forgotten", settled.records)
    report = settled.place.push(again, witness.base)
    assert report.counts["no_change"] == len(settled.records), report.as_dict()
    assert set(settled.place.versions().values()) == {"1"}


def test_an_empty_store_is_filled_with_equal_records(settled: Settled) -> None:
    store = settled.place.store("second")
    report, got = settled.place.pull(store)
    assert report.issues == []
    assert report.exit_code == 0
    assert texts(got) == texts(settled.records)
    kept = {(s.kind, s.key): s.body for s in store.iter_records()}
    assert kept == {(s.kind, s.key): s.body for s in settled.store.iter_records()}
    assert store.staged_count(settled.place.base) == 0
    report, _ = settled.place.pull(store)
    assert report.counts["unchanged"] == len(settled.records)


def test_small_pages_lose_nothing(settled: Settled) -> None:
    _, got = settled.place.pull(settled.place.store("pages"), page_size=25)
    assert texts(got) == texts(settled.records)


@pytest.mark.parametrize(("onset", "weight"), [("2021", "74.50"), ("2021-05", "75.0"), ("2021-05-04", "75.00")])
def test_digits_and_partial_dates_survive(place: Place, onset: str, weight: str) -> None:
    """4.50 is not 4.5, and a month is not a day: on the server as in the record that comes back."""
    subject = next(r for r in corpus(0, 3, 10) if r["kind"] == "subject" and "onset" in r["conditions"][0])
    condition = {k: v for k, v in subject["conditions"][0].items() if k not in ("coexists_with", "duration_months")}
    subject = {**subject, "conditions": [{**condition, "onset": onset}], "weight_kg": Decimal(weight)}
    assert place.push(place.store("first", [subject])).exit_code == 0
    here = place.parts([subject])
    raw = b"\n".join(place.ask("GET", f"{kind}/{rid}?_pretty=false").content for kind, rid in here)
    assert f'"onsetDateTime":"{onset}"'.encode() in raw
    assert f'"value":{weight},'.encode() in raw
    _, got = place.pull(place.store("second"))
    assert texts(got) == texts([subject])


def test_a_new_version_with_a_part_less_leaves_exactly_its_parts(place: Place) -> None:
    records = corpus(1, 5, 10)
    old = max((r for r in records if r["kind"] == "procedure"), key=lambda r: len(r.get("injectate_components", ())))
    others = [r for r in of_subjects(records, [old["subject_id"]]) if r is not old]
    store = place.store("old", [*others, old])
    assert place.push(store).exit_code == 0
    assert set(place.there()) == set(place.parts([*others, old]))

    less = amended(
        old,
        injectate_components=old["injectate_components"][:-1],
        injectate_total_ml=None,
        field_absent_reason={"injectate_total_ml": "not_in_source"},
    )
    gone = set(place.parts([old])) - set(place.parts([less]))
    assert "MedicationAdministration" in {kind for kind, _ in gone}
    place.take_in(store, [less])
    report = place.push(store)
    assert report.counts["sent"] == 1, report.as_dict()
    assert set(place.there()) == set(place.parts([*others, less]))
    told = place.said([next(iter(place.parts([less])))])
    assert {one["extension"][0]["valuePositiveInt"] for one in told} == {old["version"], less["version"]}
    assert {place.ask("GET", "/".join(one)).status_code for one in gone} == {410}
    _, got = place.pull(place.store("less"))
    assert texts(got) == texts([*others, less])
    assert nothing_sent(place.push(store))

    components, total = old["injectate_components"], old["injectate_total_ml"]
    more = amended(less, injectate_components=components, injectate_total_ml=total, field_absent_reason=None)
    place.take_in(store, [more])
    assert place.push(store).exit_code == 0
    assert set(place.there()) == set(place.parts([*others, more])), "what had been deleted is there again"
    _, got = place.pull(place.store("more"))
    assert texts(got) == texts([*others, more])


def test_what_was_written_can_be_deleted_again(place: Place) -> None:
    """The cleaning that servers of others rely on."""
    assert place.push(place.store("some", corpus(2, 9, 2))).exit_code == 0
    assert len(place.there()) > 20
    assert place.clean() == []
    assert place.there() == {}
