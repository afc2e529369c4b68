"""What a study record says decides flags and derived values: another window, another answer, and no program changed."""

from __future__ import annotations

from copy import deepcopy
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from adapter import catalog, codec, records
from adapter.measures import derive
from adapter.neighbours import Circle, decide, flags
from tests.measures.story import one, values

Record = dict[str, Any]
EXAMPLES = Path(__file__).parents[1] / "examples"
TRIAL, REGISTRY = "study-hydrodissection-trial", "study-registry"


def story(name: str) -> list[Record]:
    lines = (EXAMPLES / name / "records.ndjson").read_bytes().splitlines()
    return [records.load(None, codec.loads_wire(line)) for line in lines]


def with_study(found: list[Record], **changes: Any) -> list[Record]:
    """The same records, and a study that says something else: through intake, like any other."""
    study = {k: v for k, v in {**deepcopy(found[0]), **changes}.items() if v is not None}
    return [records.load("study", study), *found[1:]]


def rewindowed(found: list[Record], code: str, **changes: str) -> list[Record]:
    points = [{**point, **changes} if point["code"] == code else point for point in found[0]["timepoints"]]
    return with_study(found, timepoints=points)


def flagged(found: list[Record]) -> set[tuple[str, str]]:
    """(rule, record in its source) of every flag; what would be refused or wait is none."""
    circle = Circle(catalog.standard(), {found[0]["study_id"]: found[0]})
    for record in found[1:]:
        circle.put((record["kind"], record["record_id"]), record)
    assert [finding for record in found[1:] for finding in decide(record, circle)] == []
    return {(finding.rule, record["source_record_id"]) for record in found[1:] for finding in flags(record, circle)}


def windows(found: list[Record], procedure: str) -> dict[str | None, str | None]:
    given = [d for d in derive(found) if d.formula == "elapsed" and d.procedure_id == procedure]
    return {d.timepoint: d.labels["window"] for d in given}


@pytest.mark.parametrize(("after", "place"), [("P2D", "outside"), ("P3D", "inside")])
def test_the_window_of_the_study_decides(after: str, place: str) -> None:
    """Day 10, planned for day 7."""
    found = rewindowed(story(TRIAL), "w1", window_after=after)
    assert windows(found, "P2") == {"baseline": "inside", "h1": "inside", "w1": place}
    assert flagged(found) == ({("V3.window", "1-P2-2")} if place == "outside" else set())


def test_a_registry_has_windows_of_its_own() -> None:
    """Day 38 is a month to the registry; without its time points the default windows say otherwise."""
    found = story(REGISTRY)
    assert flagged(found) == set()
    assert set(windows(found, "P1").values()) == {"inside"}
    bare = with_study(found, timepoints=None)
    assert {code for code, place in windows(bare, "P1").items() if place == "outside"} == {"w1", "m1"}
    assert flagged(bare) == {("V3.window", "1-P1-2"), ("V3.window", "1-P1-3")}


def test_the_anchor_of_a_time_point_is_data_too() -> None:
    """Counted from the enrolment instead of the end of the procedure: two days later."""
    found = story(TRIAL)
    assert one(derive(found), "elapsed", timepoint="w1").value == Decimal(10)
    moved = rewindowed(found, "w1", anchor_event="enrolment")
    assert one(derive(moved), "elapsed", timepoint="w1").labels["counted_from"] == "enrolment"


def test_an_hour_that_is_too_late_answers_no_criterion() -> None:
    """A narrower window puts the score after the diagnostic injection outside: the criterion has lost its evidence, and
    whether the injection was positive cannot be said."""
    found = story(TRIAL)
    assert values(derive(found), "diagnostic_positive") == {"h1": True}
    late = rewindowed(found, "h1", window_after="PT1M")
    assert values(derive(late), "diagnostic_positive") == {"h1": "outside_window"}
    assert ("V9.result", "1-E") in flagged(late)


@pytest.mark.parametrize(("least", "said"), [(50, set()), (70, {"1-E"})])
def test_the_threshold_of_a_criterion_is_data(least: int, said: set[str]) -> None:
    """62.5 % of the pain gone meets 50 and not 70."""
    found = story(TRIAL)
    rules = [{**rule, "value": Decimal(least)} if "value" in rule else rule for rule in found[0]["eligibility"]]
    changed = with_study(found, eligibility=rules)
    assert {record for rule, record in flagged(changed) if rule.startswith("V9")} == said
