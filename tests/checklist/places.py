"""Finds the elements that a path names in a pool of resources. It reads plain JSON and knows nothing of the mappings.

A path is a resource type and element names, as in FHIRPath. Square brackets choose among resources or list items:
`extension[therapy-role]` by url (ours, or HL7's with `hl7:`), `identifier[course]` by system (ours, or as it stands), `item[features]` by linkId,
everything else by a code that it holds: `component[layers]`, `Observation[target-before]`, `Observation[instrument|ndi]`.
`resolve()` follows a reference, into the resource or to another one of the pool.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from adapter import codec
from adapter.catalog import BASE

HL7 = "http://hl7.org/fhir/StructureDefinition/"
SYSTEMS = {"sct": "http://snomed.info/sct", "loinc": "http://loinc.org"}
CODED_BY = {
    "component": "component",
    "property": "device-property",
    "characteristic": "group-characteristic",
    "Observation": "finding",
}
_STEP = re.compile(r"(\w+(?:\(\))?)(?:\[([^\]]+)\])?")


def place(pool: list[dict[str, Any]], path: str) -> list[Any]:
    """All values at a path, in the order of the pool. ValueError for a path that cannot be read."""
    nodes = [(root, root) for root in pool]
    for number, step in enumerate(_steps(path)):
        name, choice = step
        if number == 0:
            found = [(root, node) for root, node in nodes if node["resourceType"] == name]
        elif name == "resolve()":
            found = [pair for root, node in nodes for pair in _resolved(pool, root, node)]
        else:
            found = [(root, below) for root, node in nodes for below in _children(node, name)]
        nodes = [(root, node) for root, node in found if choice is None or _chosen(name, node, choice)]
    return [node for _, node in nodes]


def codes(nodes: list[Any], systems: set[str]) -> list[str]:
    """The codes of these systems in CodeableConcepts and Codings, as `system|code`."""
    found = [one for node in nodes for one in _codings(node)]
    return [f"{one['system']}|{one['code']}" for one in found if one.get("system") in systems]


def system(name: str) -> str:
    """The url of a code system: one of ours by the name of its list, a standard one by short name or as it stands."""
    return name if "/" in name else SYSTEMS.get(name, f"{BASE}/CodeSystem/{name}")


def assert_holds(pool: list[dict[str, Any]], path: str, expected: list[Any]) -> None:
    """The place holds exactly this: of the code systems named, these codes and no other; else these values, digit by digit."""
    found = place(pool, path)
    coded = [str(one).rpartition("|") for one in expected if "|" in str(one)]
    if coded:
        wanted = [f"{system(name)}|{code}" for name, _, code in coded]
        given = codes(found, {system(name) for name, _, _ in coded})
    else:
        wanted, given = [_text(one) for one in expected], [_text(one) for one in found]
    assert sorted(given) == sorted(wanted), path


def _text(value: Any) -> str:
    return codec.dumps(value).decode()


def _steps(path: str) -> Iterator[tuple[str, str | None]]:
    for text in re.split(r"\.(?![^\[]*\])", path):
        match = _STEP.fullmatch(text)
        if match is None:
            raise ValueError(f"no step of a path: {text}")
        yield match[1], match[2]


def _children(node: Any, name: str) -> list[Any]:
    below = node.get(name, []) if isinstance(node, dict) else []
    return below if isinstance(below, list) else [below]


def _resolved(pool: list[dict[str, Any]], root: Any, node: Any) -> Iterator[tuple[Any, Any]]:
    target = node["reference"]
    if target.startswith("#"):
        yield from ((root, one) for one in root["contained"] if f"#{one['id']}" == target)
    else:
        yield from ((one, one) for one in pool if f"{one['resourceType']}/{one['id']}" == target)


def _chosen(name: str, node: Any, choice: str) -> bool:
    if name in ("extension", "modifierExtension"):
        hl7 = choice.removeprefix("hl7:")
        return node["url"] in (choice, f"{BASE}/StructureDefinition/{choice}" if hl7 == choice else HL7 + hl7)
    if name == "identifier":
        return node.get("system") in (choice, f"{BASE}/sid/{choice}")
    if name == "item":
        return str(node["linkId"]) == choice
    list_name, _, code = choice.rpartition("|")
    wanted = f"{system(list_name or CODED_BY[name])}|{code}"
    below = [one for value in node.values() for one in (value if isinstance(value, list) else [value])]
    return wanted in codes(below, {wanted.rpartition("|")[0]})


def _codings(node: Any) -> list[dict[str, Any]]:
    if not isinstance(node, dict):
        return []
    found: list[dict[str, Any]] = node.get("coding", [node] if "code" in node and "system" in node else [])
    return found
