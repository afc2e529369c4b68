"""Definitions fit what is sent: nothing without a definition, nothing that a definition denies. Without a validator, which
tests/oracle asks about the same."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from functools import cache
from typing import Any

import pytest
from fhir.resources import get_fhir_model_class as r5_model
from fhir.resources.R4B import get_fhir_model_class as r4_model

from adapter import codec, records
from adapter.assembly import assemble
from adapter.catalog import BASE
from adapter.definitions.terminology import terminology
from adapter.errors import ConfigError
from adapter.mill import Mill
from tests.strategies import RICHNESS, make

VERSIONS = ("R4", "R5")
ORDER = ["CodeSystem", "ValueSet", "ConceptMap", "StructureDefinition", "Questionnaire"]
OURS = f"{BASE}/StructureDefinition/"
Json = dict[str, Any]


@cache
def definitions(version: str) -> dict[str, Json]:
    """By canonical address."""
    found = assemble().definitions(version)
    return {one["url"]: one for one in found}


@cache
def sent(version: str) -> tuple[Json, ...]:
    """Resources of arbitrary records, from those with only what is needed to those with everything."""
    mill = Mill(assemble(), version)
    some = [records.load(k, make(k, 31 * n + 5, RICHNESS[n % 4])) for k in records.KNOWN for n in range(24)]
    return tuple(codec.loads_wire(data) for record in some for _, _, data in mill.resources(record))


def walk(node: Any, path: str = "") -> Iterator[tuple[str, Json]]:
    """Every object in a resource, with the path of its elements."""
    if isinstance(node, dict):
        yield path, node
        for name, value in node.items():
            yield from walk(value, f"{path}.{name}".lstrip("."))
    elif isinstance(node, list):
        for value in node:
            yield from walk(value, path)


def extensions(resource: Json) -> Iterator[Json]:
    for _, node in walk(resource):
        for name in ("extension", "modifierExtension"):
            yield from node.get(name, ())


@pytest.mark.parametrize("version", VERSIONS)
def test_each_has_its_address_and_they_come_in_order(version: str) -> None:
    made = assemble().definitions(version)
    assert len({one["url"] for one in made}) == len(made)
    kinds = [one["resourceType"] for one in made]
    assert list(dict.fromkeys(kinds)) == ORDER
    assert kinds == sorted(kinds, key=ORDER.index)
    assert {one["url"] for one in made} == {f"{BASE}/{one['resourceType']}/{one['id']}" for one in made}
    names = Counter((one["resourceType"], one["name"]) for one in made)
    assert [name for name, n in names.items() if n > 1] == []
    assert {one["version"] for one in made} == {"0.1.0"}


@pytest.mark.parametrize("version", VERSIONS)
def test_they_have_the_shape_of_their_version(version: str) -> None:
    model = {"R4": r4_model, "R5": r5_model}[version]
    for one in definitions(version).values():
        model(one["resourceType"]).model_validate(json.loads(codec.dumps(one)))


@pytest.mark.parametrize("version", VERSIONS)
def test_all_that_is_sent_is_defined(version: str) -> None:
    known = definitions(version)
    used: set[str] = set()
    for resource in sent(version):
        claimed = resource["meta"]["profile"]
        assert [known[url]["type"] for url in claimed] == [resource["resourceType"]]
        assert all(known[url]["kind"] == "resource" for url in claimed)
        used.update(claimed)
        for extension in extensions(resource):
            if extension["url"].startswith(BASE):
                used.add(extension["url"])
                assert known[extension["url"]]["type"] == "Extension"
        for _, node in walk(resource):
            if str(node.get("system", "")).startswith(f"{BASE}/CodeSystem/"):
                used.add(node["system"])
                assert node["system"] in known
        if "questionnaire" in resource:
            assert known[resource["questionnaire"]]["resourceType"] == "Questionnaire"
    structures = {url for url, one in known.items() if one["resourceType"] == "StructureDefinition"}
    assert structures - used == set(), "the records of this test leave out what only these are for"


@pytest.mark.parametrize("version", VERSIONS)
def test_reading_does_not_depend_on_the_claim(version: str) -> None:
    mill = Mill(assemble(), version)
    some = [records.load(kind, make(kind, 7, 1.0)) for kind in records.KNOWN]
    resources = [codec.loads_wire(data) for record in some for _, _, data in mill.resources(record)]
    for resource in resources:
        del resource["meta"]["profile"]
    back = [one.record for one in mill.records(resources)]
    assert sorted(map(codec.dumps, filter(None, back))) == sorted(map(codec.dumps, some))


@pytest.mark.parametrize("version", VERSIONS)
def test_extensions_hold_what_their_definition_says(version: str) -> None:
    known = definitions(version)
    for resource in sent(version):
        for extension in extensions(resource):
            if extension["url"].startswith(BASE):
                fits(extension, known[extension["url"]]["differential"]["element"], "Extension")


def fits(extension: Json, elements: list[Json], ident: str) -> None:
    """An extension against the elements of its definition below ``ident``: type of the value, parts, how many."""
    by_id = {element["id"]: element for element in elements}
    value = by_id[f"{ident}.value[x]"]
    keys = {key for key in extension if key.startswith("value")}
    if value.get("max") == "0":
        assert not keys
    else:
        types = {f"value{t['code'][0].upper()}{t['code'][1:]}" for t in value["type"]}
        assert len(keys) == 1
        assert keys <= types, extension["url"]
    parts = Counter(part["url"] for part in extension.get("extension", ()))
    slices = {e["sliceName"]: e for e in elements if e["id"] == f"{ident}.extension:{e.get('sliceName')}"}
    assert parts.keys() <= slices.keys(), extension["url"]
    for name, one in slices.items():
        assert parts[name] >= one.get("min", 0), (extension["url"], name)
        assert one["max"] == "*" or parts[name] <= 1
    for part in extension.get("extension", ()):
        fits(part, elements, f"{ident}.extension:{part['url']}")


@pytest.mark.parametrize("version", VERSIONS)
def test_what_a_profile_asks_for_is_always_there(version: str) -> None:
    known = definitions(version)
    asked = 0
    for resource in sent(version):
        (url,) = resource["meta"]["profile"]
        for element in known[url]["differential"]["element"]:
            _, _, name = element["id"].rpartition(f"{resource['resourceType']}.")
            if element.get("min") == 1 and "." not in name and ":" not in name and name:
                stem = name.removesuffix("[x]")
                asked += 1
                assert any(key == stem or (name != stem and key.startswith(stem)) for key in resource), (url, name)
    assert asked > 1_000


@pytest.mark.parametrize("version", VERSIONS)
def test_every_element_that_is_sent_is_in_its_profile(version: str) -> None:
    own = {"resourceType", "id", "contained"}
    for resource in sent(version):
        (url,) = resource["meta"]["profile"]
        paths = {element["path"] for element in definitions(version)[url]["differential"]["element"]}
        names = {path.split(".")[1].removesuffix("[x]") for path in paths if "." in path}
        for key in {key.removeprefix("_") for key in resource} - own:
            if key == "extension" and not any(e["url"].startswith(OURS) for e in resource[key]):
                continue  # extensions of HL7 have their own definitions
            assert any(key == name or (key.startswith(name) and key[len(name)].isupper()) for name in names), (url, key)


@pytest.mark.parametrize("version", VERSIONS)
def test_contexts_are_where_extensions_stand(version: str) -> None:
    known = definitions(version)
    for resource in sent(version):
        for path, node in walk(resource, resource["resourceType"]):
            for extension in [*node.get("extension", ()), *node.get("modifierExtension", ())]:
                if extension["url"] not in known or ".contained" in path:
                    continue
                said = {context["expression"] for context in known[extension["url"]]["context"]}
                plain = path.replace("._", ".")
                assert plain in said or said & {"CodeableConcept", "Period", "Reference"}, (extension["url"], path)


def test_a_map_of_r5_says_the_same_the_other_way_round() -> None:
    words = {"wider": "source-is-narrower-than-target", "equivalent": "equivalent", "inexact": "related-to"}
    told = 0
    for url, old in definitions("R4").items():
        new = definitions("R5").get(url)
        if old["resourceType"] != "ConceptMap" or new is None:
            continue
        assert new["sourceScopeUri"] == old["sourceUri"]
        assert "sourceUri" not in new
        for was, group in zip(old["group"], new["group"], strict=True):
            for before, after in zip(was["element"], group["element"], strict=True):
                if before["target"][0]["equivalence"] == "unmatched":
                    assert after == {**after, "noMap": True}
                    assert "target" not in after
                    continue
                for one, other in zip(before["target"], after["target"], strict=True):
                    assert other["relationship"] == words[one["equivalence"]]
                    assert (other["code"], "equivalence" in other) == (one["code"], False)
                    told += 1
    assert told > 300


def test_a_map_of_one_version_is_published_there_only() -> None:
    for version, other in (("R4", "R5"), ("R5", "R4")):
        names = [url for url, one in definitions(version).items() if one["resourceType"] == "ConceptMap"]
        assert any(name.endswith(f"-{version}") for name in names)
        assert not any(name.endswith(f"-{other}") for name in names)


@pytest.mark.parametrize("place", ["map", "group", "element", "target"])
def test_a_map_with_a_word_that_has_no_rule_is_an_error(place: str) -> None:
    target: Json = {"code": "1", "display": "One", "equivalence": "wider"}
    element: Json = {"code": "one", "target": [target]}
    group: Json = {"source": "urn:a", "target": "urn:b", "element": [element]}
    whole: Json = {"resourceType": "ConceptMap", "id": "m", "sourceUri": "urn:s", "group": [group]}
    assert len(list(terminology([whole], "R5"))) == 1
    {"map": whole, "group": group, "element": element, "target": target}[place]["dependsOn"] = []
    with pytest.raises(ConfigError, match=r"ConceptMap-m: no rule for 'dependsOn'"):
        list(terminology([whole], "R5"))


@pytest.mark.parametrize("version", VERSIONS)
def test_the_questions_are_those_that_are_answered(version: str) -> None:
    (asked,) = [one for one in definitions(version).values() if one["resourceType"] == "Questionnaire"]
    items = {item["linkId"]: item for item in asked["item"]}
    coded = {"R4": "choice", "R5": "coding"}[version]
    answered: set[str] = set()
    for resource in sent(version):
        for item in resource.get("item", ()) if resource["resourceType"] == "QuestionnaireResponse" else ():
            question = items[item["linkId"]]
            answered.add(item["linkId"])
            assert question.get("repeats") or len(item["answer"]) == 1
            for answer in item["answer"]:
                (key,) = [key for key in answer if key.startswith("value")]
                assert question["type"] == (coded if key == "valueCoding" else key.removeprefix("value").lower())
                assert ("answerValueSet" in question) == (key == "valueCoding")
    assert answered == items.keys()
    assert all(item["answerValueSet"] in definitions(version) for item in items.values() if "answerValueSet" in item)


@pytest.mark.parametrize("version", VERSIONS)
def test_bindings_lead_to_value_sets_of_ours(version: str) -> None:
    known = definitions(version)
    bound = [
        element["binding"]
        for one in known.values()
        for element in one.get("differential", {}).get("element", ())
        if "binding" in element
    ]
    assert len(bound) > 50
    assert {known[binding["valueSet"]]["resourceType"] for binding in bound} == {"ValueSet"}


def test_a_retracted_event_is_told_by_a_modifier() -> None:
    retracted = definitions("R4")[f"{OURS}retracted"]
    assert retracted["differential"]["element"][0]["isModifier"] is True
    profile = definitions("R4")[f"{OURS}adverse-event"]
    assert any(e["id"] == "AdverseEvent.modifierExtension:retracted" for e in profile["differential"]["element"])
