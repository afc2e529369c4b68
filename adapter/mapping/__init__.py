"""Records to FHIR resources and back, from one definition read both ways.

`load` reads `mappings/fields/*.yaml`, proves every definition against the record schemas and the FHIR models, and
compiles it once. This room knows neither the wire nor the store; schemas, models and ids are handed in.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, Protocol

from adapter.catalog import BASE, Catalog
from adapter.errors import MappingProofError
from adapter.mapping.compile import Builder
from adapter.mapping.extensions import unsaid
from adapter.mapping.graph import Found, Pool
from adapter.mapping.mapper import ROOT, Mapper, Part, Tables
from adapter.mapping.proof import FieldInfo, Prover
from adapter.mapping.rows import VERSIONS, BadRow, Block, Reader
from adapter.mapping.via import Env

__all__ = ["FieldInfo", "Found", "Mapper", "Mappings", "Pool", "load"]

SHARED = "_shared"


class Records(Protocol):
    """What mapping needs to know of records: kinds, fields, keys."""

    KINDS: tuple[str, ...]

    def fields(self, kind: str) -> Mapping[str, FieldInfo]: ...

    def key(self, record: dict[str, Any]) -> tuple[str, ...]: ...


@dataclass(frozen=True)
class Mappings:
    """All mappers of an installation. ``digest`` changes when a mapping, list or ConceptMap does."""

    mappers: Mapping[str, Mapping[str, Mapper]]  # version -> kind -> mapper
    digest: str

    def forward(self, record: dict[str, Any], version: str) -> list[dict[str, Any]]:
        """The record's resources in ``version`` (R4 or R5), root first. Raises MappingError."""
        return self.mappers[version][record["kind"]].forward(record)

    def pool(self, resources: Iterable[dict[str, Any]], version: str) -> Pool:
        """A pool to take records from; see graph.Pool.records."""
        return Pool(self.mappers[version], resources)


def load(
    catalog: Catalog,
    records: Records,
    elements: Callable[[str, str], Mapping[str, Any]],
    ids: Callable[[str, tuple[str, ...], str], str],
    sid: str = f"{BASE}/sid",
    kinds: Iterable[str] | None = None,
) -> Mappings:
    """Read, prove and compile every mapping.

    elements(version, type) are the FHIR models (fhir.versions.elements); ids(kind, key, part) makes resource ids;
    sid is the base of identifier systems. Raises MappingProofError with every finding: file, row, reason.
    """
    shared = catalog.fields[SHARED]
    findings: list[BadRow] = []
    mappers: dict[str, dict[str, Mapper]] = {}
    for version in VERSIONS:
        env = Env(
            version=version, catalog=catalog, base=BASE, sid=sid, ids=ids,
            references=shared["references"], systems=shared["systems"],
            elements=partial(elements, version),
            bindings=dict.fromkeys(shared["required_concepts"], "required"),
        )  # fmt: skip
        tables = Tables(dar=_absent_concepts(catalog))
        mappers[version] = {}
        for kind in kinds or records.KINDS:
            if kind not in catalog.fields:
                findings.append(BadRow(f"fields/{kind}.yaml", f"there is no mapping for record kind {kind!r}"))
                continue
            raw = catalog.fields[kind]
            reader = Reader(f"fields/{kind}.yaml", raw, shared, version)
            definition = reader.definition()
            builder = Builder(env, definition.kind)
            parts = [Part(b, builder.block(b), _links(b)) for b in definition.blocks]
            prover = Prover(env, definition, parts, records.fields(kind))
            findings += [*reader.problems, *builder.problems]
            if not reader.problems and not builder.problems:
                findings += prover.findings()
            if any(p.name == ROOT for p in parts):
                mappers[version][kind] = Mapper(
                    definition, parts, env, tables, records.key, _single(parts, records.fields(kind))
                )
    if not findings and kinds is None:  # else what is not used cannot be told from what was not read
        findings += unsaid(catalog, mappers)
    if findings:
        raise MappingProofError(dict.fromkeys(_finding(f) for f in findings))
    return Mappings(mappers, hashlib.sha256(f"{catalog.version}|{sid}".encode()).hexdigest())


def _finding(bad: BadRow) -> tuple[str, str, str]:
    file, _, line = bad.where.partition(":")
    return file, f"line {line}" if line else "whole file", bad.reason


def _links(block: Block) -> tuple:
    def walk(rows: Iterable[Any]) -> Iterator[tuple[str, tuple]]:
        for row in rows:
            if row.mode == "link":
                yield row.to, row.path

    return tuple(walk(block.rows))


def _single(parts: Iterable[Part], fields: Mapping[str, FieldInfo]) -> frozenset[str]:
    """The fields that blocks go through item by item, and that hold one item at most."""
    each = {part.block.each for part in parts if part.block.each}
    return frozenset(name for name in each if name in fields and not fields[name].many)


def _absent_concepts(catalog: Catalog) -> dict[str, dict[str, Any]]:
    entries = catalog.maps["absent-reason-data-absent-reason"].entries
    return {
        own: {"coding": [{"system": t.system, "code": t.code, "display": t.display} for t in targets[:1]]}
        for own, targets in entries.items()
    }
