"""Derived measures on a real server: found by their code, digits and citations as derived, corrected and withdrawn."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest

from adapter import records
from adapter.catalog import BASE
from adapter.derivation import bring_up_to_date
from adapter.report import Report
from adapter.store import Store
from tests.derived import kept, whole_trial
from tests.measures.story import Record, Story
from tests.server.kit import Place, nothing_sent

pytestmark = pytest.mark.server
STORY = Story("HD-0032", study=None)
VERSION = f"{BASE}/StructureDefinition/record-version"
DAR = "http://terminology.hl7.org/CodeSystem/data-absent-reason"


def scores(version: int = 1, **changes: Any) -> Record:
    """The score a month after P5 of S09: 2, later corrected to 7."""
    return STORY.score("P5", "m1", "2026-03-18T10:05:00+03:00", 2 if version == 1 else 7, version=version, **changes)


def week(version: int = 1, **changes: Any) -> Record:
    return STORY.score("P5", "w1", "2026-02-25T10:05:00+03:00", 3, version=version, **changes)


ACT = [
    STORY.make("subject", "s", {}),
    STORY.procedure("P5", "2026-02-18T10:15:00+03:00"),
    STORY.score("P5", "baseline", "2026-02-18T10:05:00+03:00", 7),
]


def derive(store: Store) -> None:
    report = bring_up_to_date(store, Report("derive"))
    assert not report.issues, [str(issue) for issue in report.issues]


def push(place: Place, store: Store, *some: Record) -> Report:
    """As the command does: take in, derive, push."""
    place.take_in(store, some)
    derive(store)
    report = place.push(store)
    assert not report.issues, [str(issue) for issue in report.issues]
    return report


def on_server(place: Place, formula: str, **wanted: str) -> Iterator[dict[str, Any]]:
    """Observations of this code, narrowed by time point or scope, that this name space wrote."""
    mine = {"code": f"{BASE}/CodeSystem/measure|{formula}", "identifier": f"{place.sid}/record-id|"}
    for found in place.search("Observation", mine):
        if all(said(found, name) == code for name, code in wanted.items()):
            yield found


def said(observation: dict[str, Any], component: str) -> str | None:
    """The code in a component."""
    for one in observation.get("component", ()):
        if one["code"]["coding"][0]["code"] == component:
            return str(one["valueCodeableConcept"]["coding"][0]["code"])
    return None


def cited(observation: dict[str, Any]) -> list[tuple[str, int]]:
    """What an Observation was derived from: resource and our version of its record."""
    return [
        (one["reference"], next(e["valuePositiveInt"] for e in one["extension"] if e["url"] == VERSION))
        for one in observation["derivedFrom"]
    ]


def ids(place: Place, *some: Record) -> list[str]:
    return [f"{kind}/{rid}" for one in some for kind, rid, _ in place.mill.resources(one)[:1]]


def test_s01_is_found_by_code_with_its_digits(place: Place) -> None:
    store = place.store("s01")
    some = whole_trial()
    report = push(place, store, *some)
    assert report.counts["sent"] == len(some) + len(kept(store))
    reductions = {
        (one["partOf"][0]["identifier"]["value"], said(one, "timepoint")): one["valueQuantity"]["value"]
        for one in on_server(place, "pct_reduction")
    }
    expected = {"h1": "71.428571", "w1": "57.142857", "m1": "71.428571", "m3": "85.714286"}
    assert reductions == {("P2", code): Decimal(value) for code, value in expected.items()} | {
        ("P1", "h1"): Decimal("62.5")
    }
    (area,) = on_server(place, "auc_pain")
    assert (str(area["valueQuantity"]["value"]), area["valueQuantity"]["code"]) == ("161.5875", "{score}.d")
    assert area["effectivePeriod"] == {"start": "2026-02-18T10:05:00+03:00", "end": "2026-05-18T10:40:00+03:00"}
    used = [one for one in some if one["kind"] == "pain_outcome" and one["anchor_procedure_id"] == "P2"]
    assert cited(area) == [(name, 1) for name in ids(place, *used)]
    (sustained,) = on_server(place, "sustained_responder_50")
    assert sustained["valueCodeableConcept"]["coding"][0]["code"] == "Y"
    (method,) = area["method"]["coding"]
    assert (method["code"], method["version"]) == ("auc_pain", "1")
    assert "Trapezoid over actual times" in area["code"]["text"]
    (elapsed,) = on_server(place, "elapsed", timepoint="w1")
    (procedure,) = elapsed["partOf"]
    assert [e["valuePositiveInt"] for e in procedure["extension"]] == [1]
    assert nothing_sent(push(place, store))


def test_s09_a_correction_amends_and_a_retraction_takes_away(place: Place) -> None:
    store = place.store("s09")
    push(place, store, *ACT, week(), scores())
    (before,) = on_server(place, "pct_reduction", timepoint="m1")
    assert (before["status"], str(before["valueQuantity"]["value"])) == ("final", "71.428571")

    push(place, store, scores(2))
    (now,) = on_server(place, "pct_reduction", timepoint="m1")
    assert (now["id"], now["status"], now["meta"]["versionId"]) == (before["id"], "amended", "2")
    assert (now["valueQuantity"]["value"], now["valueQuantity"]["code"]) == (0, "%")
    assert cited(now) == list(zip(ids(place, ACT[2], scores(2)), (1, 2), strict=True))
    (untouched,) = on_server(place, "pct_reduction", timepoint="w1")
    assert untouched["meta"]["versionId"] == "1"

    push(place, store, week(2, record_status="entered_in_error"))
    (gone,) = on_server(place, "pct_reduction", timepoint="w1")
    assert (gone["id"], gone["status"]) == (untouched["id"], "entered-in-error")
    assert not [name for name in gone if name.startswith("value")]
    reasons = {one["system"]: one["code"] for one in gone["dataAbsentReason"]["coding"]}
    assert reasons == {f"{BASE}/CodeSystem/undefined-reason": "input_retracted", DAR: "error"}
    (hours,) = on_server(place, "elapsed", timepoint="w1")  # no longer counted from the procedure, which reveals
    labels = [one["code"] for one in hours["meta"]["security"] if one["system"].endswith("/blinding-class")]
    assert labels == ["open"], "the label of the version before is gone"
    assert nothing_sent(push(place, store))


def test_what_is_pulled_follows_again(place: Place) -> None:
    """Into an empty store: equal text for text, versions of citations and all; derived again, nothing differs."""
    store = place.store("first")
    push(place, store, *ACT, week(), scores())
    push(place, store, scores(2), week(2, record_status="entered_in_error"))
    back = place.store("back")
    report, got = place.pull(back)
    assert report.issues == []
    assert {one["kind"] for one in got}.isdisjoint({records.DERIVED})
    assert kept(back) == kept(store)
    assert report.counts["derived_left_out"] == len(kept(store)) > 20
    derive(back)
    assert kept(back) == kept(store)


def test_a_target_may_want_none(place: Place) -> None:
    store = place.store("plain")
    place.take_in(store, [*ACT, scores()])
    derive(store)
    report = place.push(store, derived=False)
    assert report.counts["sent"] == len(ACT) + 1
    assert not list(on_server(place, "pct_reduction"))
