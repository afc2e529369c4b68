"""Joins the rooms that mapping needs: catalog, record schemas, FHIR models, ids. The one place that knows them all.

Command line, service, jobs and tests start from `assemble`; nothing here does work of its own.
"""

from __future__ import annotations

import gc
import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from adapter import catalog as catalogs
from adapter import mapping, records
from adapter.fhir import ids, versions
from adapter.mapping import FieldInfo
from adapter.records.absent import below, fields_of
from adapter.records.base import Item
from adapter.records.nested import List

DEMO_NAMESPACE = uuid.UUID("8f3b1c52-5a8e-5d0e-9c3a-6f5e0c6a7d11")
"""Namespace of resource ids where no store is involved: the demo, `map` without a store, tests (decisions 7)."""


class _Records:
    """The view of the records room that mapping proves against."""

    KINDS = records.KNOWN

    def fields(self, kind: str) -> Mapping[str, FieldInfo]:
        return field_infos(kind)

    def key(self, record: dict[str, Any]) -> tuple[str, ...]:
        return records.key(record)


def field_infos(kind: str) -> dict[str, FieldInfo]:
    """Every field of a kind by path (``targets.region``), without derived ones."""
    return dict(_walk(records.schema(kind), ""))


def _walk(schema: type[Item], prefix: str) -> Iterable[tuple[str, FieldInfo]]:
    for name, field in fields_of(schema).items():
        if field.metadata.get("derived"):
            continue
        need = field.need
        path = prefix + name
        inner = getattr(field, "inner", None) if isinstance(field, List) else field
        coded = inner if hasattr(inner, "codes") else None
        # what intake fills is always there, unless an absent reason may stand in its place
        filled = bool(field.metadata.get("filled")) and need.level == "R" and not need.excusable
        yield (
            path,
            FieldInfo(
                path=path,
                required=need.level == "R" or need.always or filled,
                soft=not (need.always or filled),
                list_id=getattr(coded, "list_id", None),
                codes=tuple(coded.codes) if coded is not None else (),
                many=isinstance(field, List),
            ),
        )
        item = below(field)
        if item is not None:
            yield from _walk(item, f"{path}.")


@dataclass(frozen=True)
class Assembly:
    """The joined parts of one installation: ids made in ``namespace``, identifiers under ``sid``."""

    catalog: catalogs.Catalog
    mappings: mapping.Mappings
    namespace: uuid.UUID
    sid: str

    def definitions(self, version: str) -> list[dict[str, Any]]:
        """What the resources of ``version`` mean, as FHIR resources, each after those it builds on."""
        from adapter.definitions import definitions  # only made when asked for: no command waits for it

        return definitions(self.catalog, self.mappings.mappers[version], field_infos, version)


def assemble(
    namespace: uuid.UUID = DEMO_NAMESPACE, sid: str = f"{catalogs.BASE}/sid", path: Path | None = None
) -> Assembly:
    """Load catalog and mappings, proved. Raises ConfigError or MappingProofError."""
    return _assemble(namespace, sid, path)


@cache
def _assemble(namespace: uuid.UUID, sid: str, path: Path | None) -> Assembly:
    catalog = catalogs.standard() if path is None else catalogs.load(path)
    records.configure(catalog)
    mappings = mapping.load(catalog, _Records(), elements, ids.maker(namespace), sid)
    gc.freeze()  # these parts stay to the end: walking them again and again took 40 % of a pull
    gc.set_threshold(10_000, 10, 10)  # decoding a page makes some 50,000 objects, none of them in circles
    return Assembly(catalog, mappings, namespace, sid)


def elements(version: str, name: str) -> Mapping[str, Any]:
    """The elements of a FHIR type, empty for a primitive or an unknown one."""
    try:
        return versions.elements(version, name)
    except KeyError:
        return {}


__all__ = ["DEMO_NAMESPACE", "Assembly", "assemble", "elements", "field_infos"]
