"""What a receiver wants differently (decisions 13, 14): its own Patient, its own practitioners and places.

Works on mapped resources, before they are checked and encoded; knows target settings, not the wire.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

from adapter.settings import Target

Json = dict[str, Any]


class Receiver:
    """The policy of one target. ``patient = "hospital"``: Patient is never written, every reference to it is a
    conditional one by identifier. ``actors``: our person or site key -> the receiver's own ``Type/id``."""

    def __init__(self, target: Target | None, sid: str) -> None:
        self.hospital = target is not None and target.patient == "hospital"
        self.actors = dict(target.actors) if target is not None else {}
        self.subject = f"{sid}/subject"
        self.system = (target.patient_system if target is not None else None) or self.subject
        self.people = (f"{sid}/person", f"{sid}/site")

    @property
    def policy(self) -> str:
        """Changes when what is sent to this target would change: part of the ledger's mapping hash."""
        if not self.hospital and not self.actors:
            return ""
        said = f"{self.hospital}|{self.system}|{sorted(self.actors.items())}"
        return hashlib.sha256(said.encode()).hexdigest()[:16]

    def adapt(self, resources: list[Json]) -> list[Json]:
        """The resources as this receiver takes them; the same list when it takes them as they are."""
        if not self.hospital and not self.actors:
            return resources
        own = next((r for r in resources if r["resourceType"] == "Patient"), None)
        kept = [r for r in resources if not (self.hospital and own is not None and (r is own or _is_about(r, own)))]
        for resource in kept:
            for reference in _references(resource):
                self._change(reference, own)
        return kept

    def _change(self, reference: Json, own: Json | None) -> None:
        if self.hospital and own is not None and reference.get("reference") == f"Patient/{own['id']}":
            # a link inside the subject record: its Patient is not sent, its key is
            key = next(i["value"] for i in own["identifier"] if i["system"] == self.subject)
            reference.setdefault("identifier", {"system": self.subject, "value": key})
        identifier = reference.get("identifier")
        if not isinstance(identifier, dict):
            return
        system, value = identifier.get("system"), str(identifier.get("value", ""))
        if self.hospital and system == self.subject:
            token = "".join(f"\\{c}" if c in "\\$,|" else c for c in value)
            reference["reference"] = f"Patient?identifier={quote(f'{self.system}|{token}', safe=':/|')}"
        elif system in self.people and value in self.actors:
            reference["reference"] = self.actors[value]
            reference["type"] = self.actors[value].partition("/")[0]


def _is_about(resource: Json, own: Json) -> bool:
    """Does it say who wrote this Patient? Where that is the hospital's, it was not us."""
    targets = resource.get("target") if resource["resourceType"] == "Provenance" else None
    return bool(targets) and all(one.get("reference") == f"Patient/{own['id']}" for one in targets or ())


def _references(node: Any) -> Iterator[Json]:
    if isinstance(node, dict):
        if "reference" in node or ("identifier" in node and "type" in node and "resourceType" not in node):
            yield node
        for value in node.values():
            yield from _references(value)
    elif isinstance(node, list):
        for value in node:
            yield from _references(value)
