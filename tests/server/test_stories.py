"""Every story of `examples/`, step by step to a real server and back: what was kept comes back equal, and nothing else.

What is refused, or waits, does not hold up the rest of its step: each step is derived from and pushed before the next is
taken in. After each, what `expect.yaml` says of derived values and of elements holds for what the server gives.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from adapter import codec, pipeline, records
from adapter.catalog import BASE
from adapter.derivation import PLACES, bring_up_to_date
from adapter.records import intake
from adapter.report import Report
from adapter.store import Store
from tests import expectations, stories
from tests.derived import kept
from tests.expectations import Entry, Value
from tests.server.kit import Place, nothing_sent, texts
from tests.stories import State

pytestmark = pytest.mark.server
Resource = dict[str, Any]
VERSION = f"{BASE}/StructureDefinition/record-version"
LABELS = {"baseline-scope": "scope"}


def own_code(concept: Resource) -> str:
    """The code of ours in a CodeableConcept."""
    (code,) = [c["code"] for c in concept["coding"] if c["system"].startswith(f"{BASE}/CodeSystem/")]
    return str(code)


def of_observation(one: Resource) -> Value:
    """A derived value as a reader of the server finds it, told apart as `hydrofhir derive` tells it apart."""
    about = {"formula": own_code(one["code"]), "subject": one["subject"]["identifier"]["value"]}
    for component in one.get("component", ()):
        name = own_code(component["code"])
        if "valueCodeableConcept" in component:
            about[LABELS.get(name, name.replace("-", "_"))] = own_code(component["valueCodeableConcept"])
        elif "valueInteger" in component:
            about[name.replace("-", "_")] = str(component["valueInteger"])
    if "administration" in about:
        place = {word: name for name, word in PLACES.items()}[about["administration"]]
        about["component"] = f"{place}.{about['component_number']}" if "component_number" in about else place
    if "partOf" in one:
        about["procedure"] = one["partOf"][0]["identifier"]["value"]
    at = one.get("effectiveDateTime") or one.get("effectivePeriod", {}).get("start")
    if at is not None:
        about["at"] = at
    if "valueQuantity" in one:
        about["unit"] = one["valueQuantity"]["code"]
    reason = own_code(one["dataAbsentReason"]) if "dataAbsentReason" in one else None
    return Value(about, value_of(one), reason, tuple(citations(one)))


def value_of(one: Resource) -> Any:
    if "valueQuantity" in one:
        return one["valueQuantity"]["value"]
    if "valueCodeableConcept" in one:
        return one["valueCodeableConcept"]["coding"][0]["code"] == "Y"
    return one.get("valueDateTime")


def citations(one: Resource) -> Iterator[tuple[str, int]]:
    """Record id and version of what was calculated from."""
    for reference in one.get("derivedFrom", ()):
        (version,) = [e["valuePositiveInt"] for e in reference["extension"] if e["url"] == VERSION]
        yield reference["identifier"]["value"], version


class Seen:
    """What stands on the server after a step, and whether it is what was expected."""

    def __init__(self, place: Place, store: Store, state: State) -> None:
        self.place, self.state = place, state
        self.derived = kept(store)
        self.there = place.there()
        assert set(self.there) == set(place.parts([*state.kept.values(), *self.derived])), state.file.name

    def check(self, entry: Entry, names: dict[str, str]) -> bool:
        """Whether the entry says something of the server; fails where that is not so."""
        if "derived" in entry:
            found = [of_observation(self.there[one]) for one in self.place.parts(self.derived)]
            expectations.check_value(entry, found, names)
        elif "element" in entry and speaks(entry, self.place.version):
            record = self.state.kept[names[str(entry["of"])]]
            pool = [self.there[one] for one in self.place.parts([record])]
            expectations.check_element(entry, self.place.version, pool)
        else:
            return False
        return True


@pytest.mark.parametrize("story", stories.stories(), ids=lambda story: story.name)
def test_a_story_goes_there_and_back(story: Path, place: Place) -> None:
    store = place.store("first")
    played = stories.played(story)
    expected = expectations.entries(story) if (story / "expect.yaml").exists() else []
    names = stories.names(story)
    checked = 0
    for step, state in enumerate(played, 1):
        pipeline.intake(store, intake.read(state.file), Report("intake"))
        derived = bring_up_to_date(store, Report("derive"))
        assert derived.issues == []
        report = place.push(store)
        assert report.exit_code == 0, report.as_dict()
        seen = Seen(place, store, state)
        checked += sum(seen.check(entry, names) for entry in expected if entry.get("after", len(played)) == step)
    assert checked == sum("derived" in e or ("element" in e and speaks(e, place.version)) for e in expected)
    assert nothing_sent(place.push(store))
    again = place.store("second")
    report, back = place.pull(again)
    assert report.issues == []
    assert texts(back) == texts(played[-1].kept.values())
    assert [codec.dumps(one) for one in kept(again)] == [codec.dumps(one) for one in kept(store)]
    assert all(one["kind"] == records.DERIVED for one in kept(again))


def speaks(entry: Entry, version: str) -> bool:
    """Whether an entry of an element is about this version of FHIR."""
    return version in expectations.versions(entry["element"])
