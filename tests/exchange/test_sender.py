"""Sending parcels: whole records, waves, parallel subjects, bisection, and what ends a push."""

from dataclasses import replace

import pytest

from adapter.errors import TargetAuth, TargetUnavailable
from adapter.exchange import FhirClient, Sender, connect
from adapter.exchange.packing import bundles

from .conftest import answer, outcome, parcel


@pytest.fixture
def client(target, clock, hapi):
    made = FhirClient(replace(target, bundle_entries=10), timing=clock.timing())
    yield made
    made.close()


def push(client, parcels, **more) -> dict[str, str]:
    """Last state by key."""
    return {one.parcel.key: one.state for batch in Sender(client, **more).send(parcels) for one in batch}


def test_records_arrive_whole_and_a_second_push_changes_nothing(client, hapi):
    parcels = [parcel(f"r{n}", f"Patient/{n // 4}", parts=3) for n in range(40)]
    first = [one for batch in Sender(client).send(parcels) for one in batch]
    assert {one.state for one in first} == {"sent"}
    assert len(hapi.stored) == 120
    assert first[0].versions == ("1", "1", "1")
    assert first[0].codes[0] == "SUCCESSFUL_UPDATE_AS_CREATE"
    for urls in hapi.bundles:
        keys = {url.rsplit("-", 1)[0] for url in urls}
        assert len(urls) == 3 * len(keys)
    assert set(push(client, parcels).values()) == {"no_change"}


def test_bundles_fill_with_whole_subjects(client):
    parcels = [parcel(f"r{n}", f"Patient/{n // 2}", parts=2) for n in range(12)]
    sizes = [[one.key for one in bundle] for bundle in bundles(parcels, 10)]
    assert [len(keys) for keys in sizes] == [4, 4, 4]
    large = [parcel(f"r{n}", "Patient/1", parts=3) for n in range(14)]
    assert [sum(one.entries for one in bundle) for bundle in bundles(large, 10)] == [18, 18, 6]
    alone = [parcel("big", "Patient/1", parts=50)]
    assert [[one.key for one in bundle] for bundle in bundles(alone, 10)] == [["big"]]


def test_one_resource_never_comes_twice_in_a_bundle(client):
    twice = [parcel("same", "Patient/1"), replace(parcel("same", "Patient/1"), key="other")]
    assert [len(bundle) for bundle in bundles(twice, 10)] == [1, 1]
    apart = [parcel("same", "Patient/1"), replace(parcel("same", "Patient/2"), key="other")]
    assert [len(bundle) for bundle in bundles(apart, 10)] == [1, 1]


def test_a_subject_is_in_one_bundle_at_a_time_and_subjects_run_in_parallel(client, hapi):
    parcels = [parcel(f"r{n}", f"Patient/{n // 30}", parts=2) for n in range(300)]
    assert set(push(client, parcels).values()) == {"sent"}
    assert hapi.overlaps == 0
    assert hapi.most_at_once > 1


def test_studies_are_settled_before_the_rest_starts(client, hapi):
    studies = [parcel(f"study{n}", wave=0) for n in range(25)]
    rest = [parcel(f"r{n}", f"Patient/{n}", refs=("Observation/study24-0",)) for n in range(25)]
    assert set(push(client, [*studies, *rest]).values()) == {"sent"}
    waves = ["study" in url for urls in hapi.bundles for url in urls]
    assert waves == sorted(waves, reverse=True)


@pytest.mark.parametrize("status", [400, 412, 422, 500])
def test_the_bad_record_alone_is_rejected(client, hapi, status):
    hapi.bad = {"Observation/r7-1": status}
    parcels = [parcel(f"r{n}", f"Patient/{n // 3}", parts=2, body="SECRETVALUE") for n in range(20)]
    outcomes = {one.parcel.key: one for batch in Sender(client).send(parcels) for one in batch}
    assert {key for key, one in outcomes.items() if one.state != "sent"} == {"r7"}
    issue = outcomes["r7"].issue
    assert (issue.record, issue.rule) == ("rec-r7", f"target_{status}")
    assert "SECRETVALUE" not in str(issue)


def test_a_missing_reference_keeps_only_its_record_waiting(client, hapi):
    parcels = [parcel(f"r{n}", "Patient/1") for n in range(6)]
    parcels[2] = parcel("r2", "Patient/1", refs=("Procedure/none",))
    states = push(client, parcels)
    assert {key for key, state in states.items() if state != "sent"} == {"r2"}
    assert states["r2"] == "waiting"


def test_records_that_need_each_other_survive_a_bad_neighbour(client, hapi):
    hapi.bad = {"Observation/bad-0": 400}
    one = parcel("one", "Patient/1", refs=("Observation/two-0",))
    two = parcel("two", "Patient/1", refs=("Observation/one-0",))
    states = push(client, [one, parcel("bad", "Patient/1"), parcel("x", "Patient/1"), two])
    assert states == {"one": "sent", "bad": "rejected", "x": "sent", "two": "sent"}


def test_records_that_need_each_other_over_two_bundles_come_together_at_the_end(client, hapi):
    parcels = [parcel(f"r{n}", "Patient/1", parts=4) for n in range(12)]
    parcels[0] = parcel("r0", "Patient/1", refs=("Observation/r11-0",))
    parcels[11] = parcel("r11", "Patient/1", refs=("Observation/r0-0",))
    assert set(push(client, parcels).values()) == {"sent"}


def test_too_large_is_split(client, hapi):
    hapi.largest = 4
    parcels = [parcel(f"r{n}", f"Patient/{n}", parts=2) for n in range(9)] + [parcel("big", "Patient/b", parts=5)]
    states = push(client, parcels)
    assert {key for key, state in states.items() if state != "sent"} == {"big"}
    assert states["big"] == "rejected"


def test_an_unavailable_server_ends_the_push_and_the_rest_waits(client, hapi):
    hapi.faults.extend([None, *(answer(outcome(""), 503) for _ in range(200))])
    taken = []

    def source():
        for n in range(1000):
            taken.append(n)
            yield parcel(f"r{n}", f"Patient/{n}")

    sender = Sender(client)
    states = [one.state for batch in sender.send(source()) for one in batch]
    assert sender.stopped
    assert set(states) == {"sent", "waiting"}
    assert len(states) < 250
    assert len(taken) < 250  # back pressure: what is not sent is not taken


def test_a_server_that_only_says_500_ends_the_push(client, hapi):
    hapi.faults.extend(answer(outcome(""), 500) for _ in range(2000))
    sender = Sender(client, give_up=6)
    states = [one.state for batch in sender.send(parcel(f"r{n}", f"Patient/{n}") for n in range(500)) for one in batch]
    assert sender.stopped
    assert "sent" not in states
    assert states.count("rejected") < 10


def test_stop_is_raised_after_what_is_in_flight_is_settled(client, hapi):
    hapi.faults.extend([None, answer("no", 401)])
    outcomes = []

    def collect() -> None:
        for batch in Sender(client).send(parcel(f"r{n}", f"Patient/{n}") for n in range(500)):
            outcomes.extend(batch)

    with pytest.raises(TargetAuth):
        collect()
    assert outcomes
    assert {one.state for one in outcomes} == {"sent"}


def test_a_server_that_is_not_there_takes_nothing(target, clock):
    client = FhirClient(replace(target, base_url="http://127.0.0.1:9/fhir"), timing=clock.timing())
    before = []
    with pytest.raises(TargetUnavailable):
        list(Sender(client).send([parcel("a")], before.append))
    assert before == []


def test_the_ledger_is_told_before_each_bundle(client, hapi):
    told = []

    def before(batch):
        told.append([one.key for one in batch])
        assert not any(url.startswith(f"Observation/{batch[0].key}-") for url in hapi.stored)

    push_order = [parcel(f"r{n}", f"Patient/{n}", parts=5) for n in range(6)]
    list(Sender(client).send(push_order, before))
    assert told == [["r0", "r1"], ["r2", "r3"], ["r4", "r5"]]


def test_real_records_never_reach_a_server_for_synthetic_ones(target, clock, hapi):
    partner = connect(replace(target, synthetic_only=True), timing=clock.timing())
    parcels = [parcel("real", "Patient/1"), parcel("made-up", "Patient/1", synthetic=True)]
    outcomes = {one.parcel.key: one for batch in partner.send(parcels) for one in batch}
    assert outcomes["real"].state == "rejected"
    assert outcomes["real"].issue.rule == "synthetic_only"
    assert list(hapi.stored) == ["Observation/made-up-0"]
    assert not partner.stopped
    partner.close()


def test_parts_that_vanished_are_deleted_with_the_new_version(client, hapi):
    push(client, [parcel("r", "Patient/1", parts=3)])
    smaller = parcel("r", "Patient/1", parts=2, remove=(("Observation", "r-2"),))
    [[one]] = list(Sender(client).send([smaller]))
    assert one.state == "sent"
    assert len(one.versions) == 2
    assert sorted(hapi.stored) == ["Observation/r-0", "Observation/r-1"]


def test_an_id_that_fhir_does_not_allow_is_rejected_before_sending(client, hapi):
    assert push(client, [parcel("under_score"), parcel("fine")]) == {"under_score": "rejected", "fine": "sent"}


def test_what_the_server_can_do(target, clock, hapi):
    partner = connect(target, timing=clock.timing())
    ability = partner.capability()
    assert ability.transaction
    assert ability.lacking({"Patient": ["identifier"]}) == []
    assert ability.lacking({"Patient": ["name"], "ResearchSubject": []}) == [
        "Patient: no search by name",
        "ResearchSubject: the server does not know this resource type",
    ]
    assert partner.describe()["software"] == "HAPI FHIR Server 8.8.0"
    partner.close()
