"""Reads `mappings/` once and freezes it: code lists, value sets, code maps, instruments, measures, rows of the
fields.

Checked here is what the files say of each other: no code twice, every code of a list mapped or said to be
unmatched, file name = Type-id, no unknown words. Whether rows fit schemas and FHIR models is proved by
`adapter.mapping`. This module must not know records, FHIR models or any room. Every error is a ConfigError
that names file and entry.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

from adapter.catalog.files import Files
from adapter.catalog.instruments import instruments
from adapter.catalog.measures import Chronic, DoseLimit, Measures, MigraineDay, Threshold, Window, measures
from adapter.catalog.model import BASE, Catalog, CodeList, ConceptMap, Instrument, Target
from adapter.catalog.rows import Row
from adapter.catalog.terminology import code_list, concept_map, is_open, open_system, value_set
from adapter.catalog.texts import ExtensionText, extension_texts
from adapter.errors import ConfigError

_TERMINOLOGY = ("CodeSystem", "ValueSet", "ConceptMap")

__all__ = [
    "BASE",
    "Catalog",
    "Chronic",
    "CodeList",
    "ConceptMap",
    "DoseLimit",
    "ExtensionText",
    "Instrument",
    "Measures",
    "MigraineDay",
    "Row",
    "Target",
    "Threshold",
    "Window",
    "load",
    "mappings_path",
    "standard",
    "terminology",
]


def mappings_path() -> Path:
    """The folder of the mappings: inside an installed wheel, else in the checkout."""
    here = Path(__file__).parent.parent
    installed = here / "_data" / "mappings"
    return installed if installed.is_dir() else here.parent / "mappings"


@cache
def standard() -> Catalog:
    """The project's own mappings, read once."""
    return load()


def terminology(catalog: Catalog) -> list[dict[str, Any]]:
    """Code systems, value sets and concept maps as they stand in their files, in R4 form, in this order."""
    files = Files(catalog.path)
    return [resource for kind in _TERMINOLOGY for resource, _ in files.resources(kind)]


def load(path: Path | None = None) -> Catalog:
    """Read and check the mappings under `path` (default `mappings_path()`). Raises ConfigError."""
    root = path or mappings_path()
    if not (root / "terminology").is_dir():
        raise ConfigError(f"{root}: no mappings here (no folder terminology)")
    files = Files(root)
    resources = {t: list(files.resources(t)) for t in _TERMINOLOGY}
    systems = resources["CodeSystem"]
    lists = {r["id"]: code_list(r, fail) for r, fail in systems if not is_open(r)}
    valuesets = {r["id"]: value_set(r, lists, fail) for r, fail in resources["ValueSet"]}
    maps = {r["id"]: concept_map(r, lists, fail) for r, fail in resources["ConceptMap"]}
    fields = {f.stem: files.yaml(f) for f in sorted((root / "fields").glob("*.yaml"))}
    questionnaires = instruments(files, lists)
    numbers = measures(files, lists, questionnaires)
    texts = extension_texts(files)
    opened = frozenset(open_system(r, fail) for r, fail in systems if is_open(r))
    # the digest comes last: it covers what has been read
    digest = files.digest.hexdigest()
    return Catalog(root, digest, lists, valuesets, maps, questionnaires, fields, numbers, texts, opened)
