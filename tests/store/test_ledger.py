"""The ledger: what is offered, in which order, and that a crash loses and doubles nothing."""

import os
import signal
import sqlite3
import subprocess
import sys
from dataclasses import replace

import pytest
from sqlalchemy.dialects import sqlite

from adapter.errors import Issue
from adapter.exchange import Outcome, Parcel
from adapter.store import MAX_ATTEMPTS, Store

from .test_records import put

TARGET = "https://a.example/fhir"


@pytest.fixture
def url(tmp_path) -> str:
    return f"sqlite:///{tmp_path}/store.sqlite"


@pytest.fixture
def store(url):
    with Store(url) as made:
        yield made


def parcel(stored, parts: int = 2) -> Parcel:
    made = tuple(("Observation", f"{stored.key}-{n}", stored.body) for n in range(parts))
    return Parcel(
        stored.kind, stored.key, stored.subject, made, stored.hash, stored.version, stored.record_id, seq=stored.seq
    )


def sent(one: Parcel, state: str = "sent") -> Outcome:
    return Outcome(one, state, ("1",) * len(one.parts), ("SUCCESSFUL_CREATE",) * len(one.parts))


def refused(one: Parcel, state: str = "rejected") -> Outcome:
    return Outcome(one, state, issue=Issue(one.record_id, "", "target_400", message="why"))


def keys(ledger, **more) -> list[str]:
    return [one.key for one in ledger.pending(**more)]


def deliver(ledger, make=sent) -> int:
    parcels = [parcel(one) for one in ledger.pending()]
    ledger.begin(parcels)
    ledger.settle([make(one) for one in parcels])
    return len(parcels)


def test_what_is_sent_is_not_offered_again(store):
    store.put_records([put("subject", f"S{n}") for n in range(2500)])
    ledger = store.ledger(TARGET, "mapping", "identified")
    assert ledger.counts()["planned"] == 2500
    assert deliver(ledger) == 2500
    assert keys(ledger) == []
    assert ledger.counts() == {"planned": 0, "sending": 0, "sent": 2500, "rejected": 0, "waiting": 0}
    store.put_records([put("subject", "S7", version=2), put("subject", "S9999")])
    assert keys(ledger) == ["S7", "S9999"]
    assert ledger.counts()["planned"] == 1


def test_target_mapping_and_policy_each_make_it_new(store):
    store.put_records([put("subject", "S1")])
    deliver(store.ledger(TARGET, "m1", "identified"))
    assert keys(store.ledger(TARGET, "m1", "identified")) == []
    assert keys(store.ledger(TARGET, "m2", "identified")) == ["S1"]
    assert keys(store.ledger(TARGET, "m1", "pseudonymised")) == ["S1"]
    assert [one.key for one in store.pending("https://b.example/fhir", "m1", "identified")] == ["S1"]


def test_order_and_settling_while_reading(store):
    store.put_records([put("procedure", f"S{n % 3}", f"P{n:02}") for n in range(30)] + [put("study", "ST")])
    ledger = store.ledger(TARGET, "m")
    seen = []
    for one in ledger.pending(chunk=4):
        seen.append((one.subject, one.key))
        ledger.begin([parcel(one)])
        ledger.settle([sent(parcel(one))])
    assert len(seen) == len(set(seen)) == 31
    assert [subject for subject, _ in seen] == sorted(subject for subject, _ in seen)
    assert seen[0] == ("", "ST")


@pytest.mark.parametrize("state", ["waiting", "rejected"])
def test_what_failed_is_offered_again(store, state):
    store.put_records([put("subject", "S1")])
    ledger = store.ledger(TARGET, "m")
    deliver(ledger, lambda one: refused(one, state))
    assert ledger.counts()[state] == 1
    [again] = ledger.pending()
    assert again.attempts == 1


def test_a_record_refused_too_often_is_a_dead_letter_until_it_changes(store):
    store.put_records([put("subject", "S1")])
    ledger = store.ledger(TARGET, "m")
    for _ in range(MAX_ATTEMPTS):
        assert deliver(ledger, refused) == 1
    assert keys(ledger) == []
    assert keys(ledger, retry_dead=True) == ["S1"]
    [letter] = ledger.dead_letters()
    assert (letter.key, letter.record_id, letter.stage, letter.rule) == ("S1", "rec-S1", "send", "target_400")
    assert letter.attempts == MAX_ATTEMPTS
    store.put_records([put("subject", "S1", version=2)])
    assert deliver(store.ledger(TARGET, "m")) == 1
    assert store.ledger(TARGET, "m").dead_letters() == []


def test_failures_before_sending_are_kept_too(store):
    ledger = store.ledger(TARGET, "m")
    ledger.bury("subject", "S1", "rec-S1", "map", Issue("rec-S1", "sex", "code", message="no map"))
    [letter] = ledger.dead_letters()
    assert (letter.stage, letter.field, letter.rule) == ("map", "sex", "code")


def test_resources_that_vanished_are_known(store):
    store.put_records([put("procedure", "S1", "P1")])
    ledger = store.ledger(TARGET, "m")
    [one] = ledger.pending()
    three = parcel(one, 3)
    ledger.begin([three])
    ledger.settle([sent(three)])
    store.put_records([put("procedure", "S1", "P1", version=2)])
    [one] = ledger.pending()
    one_part = parcel(one, 1)
    gone = ledger.vanished([one_part])
    assert gone == {one.seq: [("Observation", "S1|P1-1"), ("Observation", "S1|P1-2")]}
    smaller = replace(one_part, remove=tuple(gone[one.seq]))
    ledger.begin([smaller])
    ledger.settle([sent(smaller)])
    assert ledger.vanished([one_part]) == {}
    assert keys(ledger) == []


def test_a_changed_root_does_not_double_the_record(store):
    store.put_records([put("procedure", "S1", "P1")])
    ledger = store.ledger(TARGET, "m")
    deliver(ledger)
    other = store.ledger(TARGET, "m2")
    [one] = other.pending()
    moved = Parcel(one.kind, one.key, one.subject, (("Procedure", "new", b"{}"),), one.hash, seq=one.seq)
    other.begin([moved])
    assert keys(other) == ["S1|P1"]
    other.settle([sent(moved)])
    assert keys(other) == []
    assert other.counts()["sent"] == 1


def test_unchanged_of_some_records(store):
    store.put_records([put("subject", "S1"), put("subject", "S2")])
    ledger = store.ledger(TARGET, "m")
    [first, second] = ledger.pending()
    ledger.begin([parcel(first)])
    assert ledger.unchanged([first, second]) == set()
    ledger.settle([sent(parcel(first), "no_change")])
    assert ledger.unchanged([first, second]) == {first.seq}
    assert ledger.unchanged([replace(first, hash="other")]) == set()


def test_two_pushes_with_two_versions_at_once_leave_nothing_sent(store):
    store.put_records([put("procedure", "S1", "P1")])
    mine, theirs = store.ledger(TARGET, "m"), store.ledger(TARGET, "m")
    [one] = mine.pending()
    old = parcel(one, 3)
    store.put_records([put("procedure", "S1", "P1", version=2)])
    [one] = theirs.pending()
    new = parcel(one, 1)
    mine.begin([old])
    theirs.begin([new])
    mine.settle([sent(old)])  # which of the two came last, nobody can say
    theirs.settle([sent(new)])
    assert keys(mine) == ["S1|P1"]
    assert mine.vanished([new]) == {one.seq: [("Observation", "S1|P1-1"), ("Observation", "S1|P1-2")]}
    assert deliver(theirs) == 1
    assert keys(mine) == []


def test_two_pushes_of_the_same_are_settled_by_either(store):
    store.put_records([put("subject", "S1")])
    mine, theirs = store.ledger(TARGET, "m"), store.ledger(TARGET, "m")
    [one] = mine.pending()
    mine.begin([parcel(one)])
    theirs.begin([parcel(one)])
    mine.settle([sent(parcel(one))])
    assert keys(theirs) == []
    theirs.settle([sent(parcel(one))])
    assert keys(mine) == []


def test_what_a_push_did_not_take_away_stays_known(store):
    store.put_records([put("procedure", "S1", "P1")])
    ledger = store.ledger(TARGET, "m")
    [one] = ledger.pending()
    ledger.begin([parcel(one, 3)])  # and then the process ends
    store.put_records([put("procedure", "S1", "P1", version=2)])
    ledger = store.ledger(TARGET, "m")
    [one] = ledger.pending()
    small = parcel(one, 1)
    for outcome in (refused(small, "waiting"), sent(small)):  # neither of them removes anything
        ledger.begin([small])
        ledger.settle([outcome])
        assert ledger.vanished([small]) == {one.seq: [("Observation", "S1|P1-1"), ("Observation", "S1|P1-2")]}


CRASH = """
import os, signal, sys
sys.path.insert(0, {root!r})
from adapter.store import Store
from tests.store.test_ledger import TARGET, parcel, sent
at = int(sys.argv[2])
with Store(sys.argv[1]) as store:
    ledger = store.ledger(TARGET, "m")
    for place, one in enumerate(ledger.pending(chunk=3)):
        if place * 3 == at:
            os.kill(os.getpid(), signal.SIGKILL)
        ledger.begin([parcel(one)])
        if place * 3 + 1 == at:
            os.kill(os.getpid(), signal.SIGKILL)
        print(one.key, flush=True)  # the target has it now
        if place * 3 + 2 == at:
            os.kill(os.getpid(), signal.SIGKILL)
        ledger.settle([sent(parcel(one))])
"""


@pytest.mark.parametrize("at", [4, 5, 6])
def test_killed_at_any_point_a_restart_sends_what_is_missing(url, at):
    root = os.path.dirname(os.path.dirname(os.path.dirname(__file__)))
    with Store(url) as store:
        store.put_records([put("subject", f"S{n}") for n in range(5)])
    command = [sys.executable, "-c", CRASH.format(root=root), url]
    killed = subprocess.run([*command, str(at)], capture_output=True, text=True, check=False)
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    settled = killed.stdout.split()[: at // 3]
    with Store(url) as store:
        ledger = store.ledger(TARGET, "m")
        open_ = keys(ledger)
        assert sorted([*settled, *open_]) == [f"S{n}" for n in range(5)]
        assert deliver(ledger) == len(open_)
        assert keys(ledger) == []


def test_killed_during_intake_keeps_whole_chunks(url):
    code = (
        "import os, signal, sys; sys.path.insert(0, sys.argv[2]);"
        "from adapter.store import Store; from tests.store.test_records import put\n"
        "def source():\n"
        "    for n in range(25):\n"
        "        if n == 23: os.kill(os.getpid(), signal.SIGKILL)\n"
        "        yield put('subject', f'S{n}')\n"
        "Store(sys.argv[1]).put_records(source(), chunk=10)\n"
    )
    root = os.path.dirname(os.path.dirname(os.path.dirname(__file__)))
    subprocess.run([sys.executable, "-c", code, url, root], check=False, capture_output=True)
    with Store(url) as store:
        assert store.record_counts() == {"subject": 20}
        report = store.put_records(put("subject", f"S{n}") for n in range(25))
        assert (report.new, report.unchanged) == (5, 20)


def test_deciding_that_nothing_changed_reads_no_body(store, url):
    """200,000 unchanged records are decided from an index and from the ledger's own rows, in their order."""
    query = store.ledger(TARGET, "m")._undelivered(retry_dead=False, without=())
    text = str(query.compile(dialect=sqlite.dialect(), compile_kwargs={"literal_binds": True}))
    with sqlite3.connect(url.removeprefix("sqlite:///")) as connection:
        plan = [row[3] for row in connection.execute(f"EXPLAIN QUERY PLAN {text}")]
    assert "USING COVERING INDEX record_order" in plan[0], plan
    assert "USING PRIMARY KEY (record_seq=? AND target_id=?)" in plan[1], plan
    assert len(plan) == 2, "nothing is sorted"
