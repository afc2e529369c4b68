"""StructureDefinitions: one for each extension of ours, and a profile for each resource that a mapping makes."""

from __future__ import annotations

from collections.abc import Mapping

from adapter.catalog import Catalog
from adapter.definitions.elements import Branch, Differential
from adapter.definitions.head import Json, head
from adapter.definitions.presence import Presence
from adapter.mapping import Mapper
from adapter.mapping.extensions import Use, uses
from adapter.mapping.mapper import ROOT, Part
from adapter.mapping.via import Env
from adapter.mapping.via.base import profile_name

FHIR = {"R4": "4.0.1", "R5": "5.0.0"}
HL7 = "http://hl7.org/fhir/StructureDefinition/"


def structures(catalog: Catalog, mappers: Mapping[str, Mapper], presence: Mapping[str, Presence]) -> list[Json]:
    """Extensions first, then the profiles that use them; ``mappers`` are those of one FHIR version, by kind."""
    env = next(iter(mappers.values())).env
    made = [_extension(catalog, env, name, use, presence) for name, use in uses(mappers.values()).items()]
    return made + [_profile(mapper, part, presence[kind]) for kind, mapper in mappers.items() for part in mapper.parts]


def _extension(catalog: Catalog, env: Env, name: str, use: Use, presence: Mapping[str, Presence]) -> Json:
    said = catalog.extensions[name]
    found = Differential(env)
    url = env.extension_url(name)
    root: Json = {"id": "Extension", "path": "Extension", "short": said.title, "definition": said.text}
    if use.modifier:
        root |= {"isModifier": True, "isModifierReason": said.text}
    if use.made:
        kind = env.elements("Extension")[use.made].type
        found.elements += [
            {"id": "Extension.extension", "path": "Extension.extension", "max": "0"},
            {"id": "Extension.url", "path": "Extension.url", "fixedUri": url},
            {"id": "Extension.value[x]", "path": "Extension.value[x]", "min": 1, "type": [{"code": kind}]},
        ]
    else:
        branches = [Branch(obj, presence[mapper.kind], scope) for mapper, obj, scope in use.trees]
        found.extension(branches, "Extension", "Extension", url)
    for element in found.elements:
        part = element["id"].removeprefix("Extension.extension:").replace(".extension:", ".")
        if part in said.parts:
            element |= {"short": said.parts[part], "definition": said.parts[part]}
    return {
        **head("StructureDefinition", name, said.title, said.text),
        **_kind(env.version, "complex-type"),
        "context": [{"type": "element", "expression": path} for path in sorted(use.contexts)],
        **_constraint("Extension", [root, *found.elements]),
    }


def _profile(mapper: Mapper, part: Part, presence: Presence) -> Json:
    name = profile_name(mapper.kind, part.block.part)
    kind, said = part.block.type, part.block.profile
    assert said is not None, "the proof has asked for it"
    found = Differential(mapper.env, ("identifier",) if part.name != ROOT else ())  # whose part it is
    found.below([Branch(part.tree, presence, part.block.each or "")], kind, kind)
    root = {"id": kind, "path": kind, "short": said["title"], "definition": said["text"]}
    return {
        **head("StructureDefinition", name, said["title"], said["text"]),
        **_kind(mapper.version, "resource"),
        **_constraint(kind, [root, *found.elements]),
    }


def _kind(version: str, kind: str) -> Json:
    return {"fhirVersion": FHIR[version], "kind": kind, "abstract": False}


def _constraint(kind: str, elements: list[Json]) -> Json:
    return {
        "type": kind,
        "baseDefinition": HL7 + kind,
        "derivation": "constraint",
        "differential": {"element": elements},
    }
