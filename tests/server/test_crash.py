"""kill -9 at any moment of a push, started again until it is done: nothing lost, doubled, or sent for nothing.

The push runs as the command does, in a process of its own. Half of the kills come at a random time after its first
request, the others at an exact moment of a transaction: before the server has seen it, after the server has committed
it (so that the receipt is lost), and in the middle of the answer. Ten kills in R4; R5, where the same code runs, has
half of them, without what follows from the records.
"""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.derived import kept
from tests.server.kit import Place, Record, amended, corpus, nothing_sent, of_subjects, texts
from tests.server.witness import ARRIVED, HALF, WRITTEN, Cut, Witness

pytestmark = pytest.mark.server
EXACT = {
    "R4": [(1, ARRIVED), (1, WRITTEN), (2, WRITTEN), (2, HALF), (3, WRITTEN)],
    "R5": [(2, ARRIVED), (1, HALF), (3, WRITTEN)],
}
KILLS = {"R4": 10, "R5": 5}
PATIENCE = 300
ROOT = Path(__file__).parents[2]


class Pusher:
    """The command `push` of one store against one address, as a real process."""

    def __init__(self, place: Place, base: str, name: str) -> None:
        config = place.folder / "hydrofhir.toml"
        config.write_text(
            f'sid = "{place.sid}"\nstate = "{place.folder}"\n[targets.here]\nbase_url = "{base}"\n'
            f'fhir = "{place.version}"\nbundle_entries = 10\nconcurrency = 2\n'
            f"derived = {str(place.version == 'R4').lower()}\n"
        )
        self.env = {**os.environ, "HYDROFHIR_CONFIG": str(config), "HYDROFHIR_STORE": place.store_url(name)}
        self.errors = place.folder / "push.err"

    def start(self) -> subprocess.Popen[bytes]:
        command = [sys.executable, "-m", "adapter.cli", "push", "--to", "here", "--json"]
        with self.errors.open("wb") as errors:
            return subprocess.Popen(command, cwd=ROOT, env=self.env, stdout=subprocess.PIPE, stderr=errors)

    def run(self) -> tuple[int, Record]:
        """To the end: exit code, and what the push reports."""
        with self.start() as process:
            out, _ = process.communicate(timeout=PATIENCE)
        told = json.loads(out or b"{}")
        assert "push" in told, (process.returncode, told, self.errors.read_text())
        return process.returncode, told["push"]


@pytest.fixture
def pusher(place: Place, witness: Witness) -> Iterator[Pusher]:
    witness.forget()
    yield Pusher(place, witness.base, "crash")
    witness.forget()


def portions(records: list[Record], count: int) -> list[list[Record]]:
    """Records in that many heaps of whole subjects, the study first: every start has something to send."""
    heaps: list[list[Record]] = [[] for _ in range(count)]
    heaps[0] += [r for r in records if r["kind"] == "study"]
    for n, subject in enumerate(dict.fromkeys(r["subject_id"] for r in records if "subject_id" in r)):
        heaps[n % count] += of_subjects(records, [subject])
    return heaps


def without_recovery(record: Record) -> bool:
    return record["kind"] == "procedure" and record["version"] == 1 and "downtime_days" in record


def test_killed_again_and_again_and_nothing_is_lost_or_doubled(
    place: Place, witness: Witness, pusher: Pusher, small: bool
) -> None:
    chance = random.Random(f"{place.version} 20")
    exact, kills = EXACT[place.version], KILLS[place.version]
    cuts: list[tuple[int, str] | None] = [*exact, *[None] * (kills - len(exact))]
    chance.shuffle(cuts)
    heaps = portions(corpus(2, 71, 3) if small else corpus(kills, 71, kills), kills)
    store = place.store("crash")
    current: dict[str, Record] = {}
    ever: set[tuple[str, str]] = set()
    killed = 0
    for heap, cut in zip(heaps, cuts, strict=True):
        for old in [r for r in current.values() if without_recovery(r)][:1]:  # so that there is a DELETE, too
            heap = [*heap, amended(old, downtime_days=None, return_activity_date=None)]
        place.take_in(store, heap)
        current |= {r["record_id"]: r for r in heap}
        ever |= set(place.parts(heap))
        witness.forget(None)
        process = pusher.start()
        if cut is not None:
            witness.cut = Cut(*cut, action=process.kill)
        killed += _ended(process, witness, chance.uniform(0, 0.8) if cut is None else None) == -9
        witness.idle()
        ever |= set(place.parts(kept(store)))
        _only_whole_records(place, current, ever)
    assert killed >= len(exact), "too few of the kills came in time"

    for _ in range(kills):
        code, report = pusher.run()
        if code == 0:
            break
    assert code == 0, report
    versions = place.versions()
    assert set(versions) == set(place.parts([*current.values(), *kept(store)])), "with what follows from them"
    once = place.parts(r for r in current.values() if r["version"] == 1)
    assert {versions[one] for one in once} == {"1"}, "something was written twice"
    assert set(versions.values()) <= {"1", "2"}
    back = place.store("back")
    _, got = place.pull(back)
    assert texts(got) == texts(current.values())
    assert texts(kept(back)) == texts(kept(store))
    assert nothing_sent(pusher.run()[1]["counts"])


def _ended(process: subprocess.Popen[bytes], witness: Witness, after: float | None) -> int:
    """The exit code; with ``after``, killed so many seconds after its first request, if it still runs then."""
    timer = threading.Timer(after or 0, process.kill)
    with process:
        if after is not None and witness.first.wait(PATIENCE):
            timer.start()
        process.communicate(timeout=PATIENCE)
    timer.cancel()
    assert process.returncode in (-9, 0, 3)
    return process.returncode


def _only_whole_records(place: Place, current: dict[str, Record], ever: set[tuple[str, str]]) -> None:
    """Whatever the moment: nothing unexpected is there, and no record has come in part."""
    there = set(place.there())
    assert there <= ever
    for record in current.values():
        if record["version"] == 1:
            parts = set(place.parts([record]))
            assert parts <= there or parts.isdisjoint(there), record["record_id"]
