"""Definitions on a real server: one of each, found by canonical url, and nothing written when they are loaded again."""

from __future__ import annotations

from collections import Counter

import pytest

from adapter.catalog import BASE
from tests.server.kit import Place

pytestmark = pytest.mark.server
KINDS = ("CodeSystem", "ValueSet", "ConceptMap", "StructureDefinition", "Questionnaire")


def there(place: Place) -> dict[tuple[str, str], str]:
    """Server version of each of our definitions, by type and url. Two of one url are a failure."""
    found: dict[tuple[str, str], str] = {}
    for kind in KINDS:
        for resource in place.search(kind, {"url:below": BASE}):
            assert (kind, resource["url"]) not in found, f"two are {resource['url']}"
            found[kind, resource["url"]] = resource["meta"]["versionId"]
    return found


def test_loaded_twice_changes_nothing(place: Place, private: bool) -> None:
    if not private:
        pytest.skip("our definitions would stay on a server of others")
    made = place.assembly.definitions(place.version)
    first = place.publish()
    assert first.issues == []
    assert first.counts["sent"] + first.counts["no_change"] == len(made)
    before = there(place)
    assert before.keys() == {(one["resourceType"], one["url"]) for one in made}
    assert Counter(kind for kind, _ in before) == Counter(one["resourceType"] for one in made)

    again = place.publish()
    assert again.issues == []
    assert (again.counts["no_change"], again.counts["sent"]) == (len(made), 0)
    assert again.exit_code == 0
    assert there(place) == before


def test_what_somebody_changed_is_put_right(place: Place, private: bool) -> None:
    if not private:
        pytest.skip("our definitions would stay on a server of others")
    place.publish()
    before = there(place)
    (old,) = place.search("ValueSet", {"url": f"{BASE}/ValueSet/sex"})
    assert place.ask("PUT", f"ValueSet/{old['id']}", {**old, "title": "Something else"}).status_code == 200
    assert place.publish().counts["sent"] == 1
    (new,) = place.search("ValueSet", {"url": f"{BASE}/ValueSet/sex"})
    assert (new["id"], new["title"]) == (old["id"], old.get("title"))
    changed = {name for name, version in there(place).items() if before[name] != version}
    assert changed == {("ValueSet", f"{BASE}/ValueSet/sex")}


def test_two_of_one_address_are_named_and_one_of_another_id_is_taken_over(place: Place, private: bool) -> None:
    if not private:
        pytest.skip("our definitions would stay on a server of others")
    place.publish()
    url = f"{BASE}/ValueSet/laterality"
    (old,) = place.search("ValueSet", {"url": url})
    earlier = {name: value for name, value in old.items() if name not in ("id", "meta")} | {"version": "0.0.1"}
    other = place.create(earlier)  # HAPI takes a second one of an address only in another version
    report = place.publish()
    assert [(issue.record, issue.rule) for issue in report.issues] == [("ValueSet/laterality", "target_412")]
    assert report.counts["no_change"] == report.counts["offered"] - 1
    assert report.exit_code == 1

    assert place.ask("DELETE", f"ValueSet/{old['id']}").status_code == 200
    assert place.publish().exit_code == 0
    assert [one["id"] for one in place.search("ValueSet", {"url": url})] == [other]
