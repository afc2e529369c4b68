"""What a server says it can do, and what the adapter will therefore do; for ``doctor`` and before a push.

A CapabilityStatement that does not mention something proves nothing (HAPI leaves out ``updateCreate`` and
``batch``), so what is missing there is called unknown, not impossible; only a resource type that is not
listed, or an interaction left out where others are listed, counts as a no.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

WRITE, READ = ("create", "update"), ("read", "search-type")


@dataclass(frozen=True, slots=True)
class TypeAbility:
    """What the server offers for one resource type."""

    interactions: frozenset[str]
    search: frozenset[str]


@dataclass(frozen=True, slots=True)
class Capability:
    """The parts of a CapabilityStatement that the adapter's conduct depends on."""

    software: str
    fhir_version: str
    formats: tuple[str, ...]
    transaction: bool
    types: Mapping[str, TypeAbility]

    def lacking(self, needed: Mapping[str, Iterable[str]], *, write: bool = True) -> list[str]:
        """What is missing, in words: ``needed`` names resource types and the search parameters used with
        them."""
        found: list[str] = []
        if write and not self.transaction:
            found.append("the server does not offer transactions: push into a folder instead")
        if self.formats and not any("json" in one for one in self.formats):
            found.append("the server does not offer JSON")
        for name, parameters in needed.items():
            ability = self.types.get(name)
            if ability is None:
                found.append(f"{name}: the server does not know this resource type")
                continue
            for interaction in (*READ, *(WRITE if write else ())):
                if ability.interactions and interaction not in ability.interactions:
                    found.append(f"{name}: no {interaction}")
            for parameter in parameters:
                if ability.search and parameter not in ability.search:
                    found.append(f"{name}: no search by {parameter}")
        return found

    def conduct(self) -> list[str]:
        """What the adapter will do here, in words."""
        how = "transactions of PUT with our own ids" if self.transaction else "no writing"
        return [
            f"write: {how}",
            "search: values that identify somebody by POST _search",
            "paging: the server's links",
        ]


def read(statement: Mapping[str, Any]) -> Capability:
    """The capability that a CapabilityStatement states; tolerant of what is missing."""
    software = statement.get("software") or {}
    types: dict[str, TypeAbility] = {}
    transaction = False
    for rest in statement.get("rest") or ():
        if rest.get("mode") != "server":
            continue
        transaction = transaction or "transaction" in _codes(rest.get("interaction"), "code")
        for resource in rest.get("resource") or ():
            ability = TypeAbility(
                _codes(resource.get("interaction"), "code"), _codes(resource.get("searchParam"), "name")
            )
            types[str(resource.get("type"))] = ability
    return Capability(
        " ".join(str(software[key]) for key in ("name", "version") if key in software),
        str(statement.get("fhirVersion", "")),
        tuple(str(one) for one in statement.get("format") or ()),
        transaction,
        types,
    )


def _codes(items: Any, key: str) -> frozenset[str]:
    return frozenset(str(item[key]) for item in items or () if key in item)
