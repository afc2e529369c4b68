"""Graphs taken page by page give what graphs through the store give, in whatever order resources come."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import pytest

from adapter import codec, records, synthetic
from adapter.assembly import assemble
from adapter.gather import HELD, records_of, straight
from adapter.mill import Mill
from adapter.report import Report
from adapter.scope import subject_of
from adapter.store import Staged, Store

MILL = Mill(assemble(), "R4")
AT = "http://server.example/fhir"


def staged(resource: dict[str, Any]) -> Staged:
    body = codec.dumps(resource)
    return Staged(resource["resourceType"], resource["id"], subject_of(resource), "", body, codec.loads_wire(body))


def sent(found: list[dict[str, Any]]) -> list[Staged]:
    """What a pull brings of these records: not what is said of their versions, which no pull asks for."""
    parts = [part for record in found for part in MILL.resources(record)]
    return [staged(codec.loads_wire(data)) for kind, _, data in parts if kind not in MILL.of_versions]


def text(found: list[dict[str, Any]]) -> dict[Any, bytes]:
    return {(r["kind"], records.key(r)): codec.dumps(r) for r in found}


def pages(resources: list[Staged], size: int = 20) -> list[list[Staged]]:
    return [resources[start : start + size] for start in range(0, len(resources), size)]


def both(store: Store, given: list[list[Staged]], most: int = HELD) -> tuple[list[dict[str, Any]], int, Report]:
    """The records; how many came before staging was read; what was reported."""
    report = Report("pull")
    early = [t.record for t in straight(given, store, MILL, AT, report, most) if t.record is not None]
    late = [t.record for t in records_of(store, MILL, AT, None, report) if t.record is not None]
    return [*early, *late], len(early), report


@pytest.fixture
def store(tmp_path: Path) -> Any:
    with Store(f"sqlite:///{tmp_path}/store.sqlite") as opened:
        yield opened


@pytest.mark.parametrize("most", [HELD, 50_000, 0])
@pytest.mark.parametrize("seed", [1, 2])
def test_every_record_comes_once_whatever_is_held(store: Store, most: int, seed: int) -> None:
    wanted = [records.load(None, r) for r in synthetic.generate(4, seed)]
    resources = sent(wanted)
    random.Random(seed).shuffle(resources)
    got, early, report = both(store, pages(resources), most)
    assert len(got) == len(wanted)
    assert text(got) == text(wanted)
    assert report.counts["resources"] == len(resources)
    assert not report.issues
    assert store.staged_count(AT) == 0
    assert early == len(wanted) if most == HELD else 0 < early < len(wanted)


def test_a_graph_that_is_not_whole_waits_and_is_completed_later(store: Store) -> None:
    record = records.load("procedure", records.example("procedure"))
    first, *rest = sent([record])
    got, _, _ = both(store, [[first, *rest[:-1]]])
    assert not got
    assert store.staged_count(AT) == len(rest)
    got, early, _ = both(store, [rest[-1:]])
    assert text(got) == text([record])
    assert early == 0
    assert store.staged_count(AT) == 0


def test_what_comes_whole_again_leaves_staging(store: Store) -> None:
    record = records.load("procedure", records.example("procedure"))
    resources = sent([record])
    both(store, [resources[:-1]])
    got, early, _ = both(store, [resources])
    assert text(got) == text([record])
    assert early == 1
    assert store.staged_count(AT) == 0


def test_a_key_that_was_taken_away_is_never_guessed(store: Store) -> None:
    """Read where the resource that knows it is at hand, else refused: an id is no key of ours."""
    wanted = [records.load(None, r) for r in synthetic.generate(2, 1)]
    score = next(r for r in wanted if r["kind"] == "pain_outcome")
    patient = next(r for r in wanted if r["kind"] == "subject" and r["subject_id"] == score["subject_id"])
    resource = codec.loads_wire(MILL.resources(score)[0][2])
    del resource["subject"]["identifier"]
    got, _, _ = both(store, [[staged(resource), *sent([patient])]])
    assert text(got) == text([score, patient])
    got, early, _ = both(store, [[staged(resource)]])
    assert not got
    assert early == 0
    assert store.staged_count(AT) == 0


def test_what_others_wrote_is_left_out_and_counted(store: Store) -> None:
    foreign = staged({"resourceType": "Observation", "id": "x", "status": "final"})
    got, _, report = both(store, [[foreign]])
    assert not got
    assert report.counts["foreign"] == 1
    assert store.staged_count(AT) == 0


def test_a_resource_that_cannot_be_read_is_named(store: Store) -> None:
    broken = staged({"resourceType": "Observation", "id": "x", "status": {"no": "text"}})
    _, _, report = both(store, [[broken]])
    assert report.counts["unreadable"] == 1
    assert [i.record for i in report.issues] == ["Observation/x"]
