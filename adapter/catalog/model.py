"""What the catalog holds: code lists, value sets, code maps, instruments. Frozen; knows no file."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING

from adapter.catalog.rows import Row

if TYPE_CHECKING:
    from adapter.catalog.measures import Measures

BASE = "https://hydrofhir.example/fhir"  # canonical base of everything the project defines (decisions.md 8)


@dataclass(frozen=True, slots=True)
class CodeList:
    """An own CodeSystem: codes in their order with their displays; `definitions` of those that need one."""

    id: str
    url: str
    title: str
    codes: dict[str, str]
    definitions: dict[str, str]


@dataclass(frozen=True, slots=True)
class Target:
    """What an own code means elsewhere. `equivalence` as in R4: `wider` = the target is the broader one."""

    system: str
    code: str
    display: str
    equivalence: str


@dataclass(frozen=True, slots=True)
class ConceptMap:
    """Targets of each code of list `source_list`. Every code has an entry, empty where nothing matches."""

    id: str
    source_list: str
    entries: dict[str, tuple[Target, ...]]


@dataclass(frozen=True, slots=True)
class Instrument:
    """An outcome tool. `min`, `max`, `direction` None: they come with the record.

    Scores lie on min + n * step; `step` None: any value between. `unit` is UCUM; `kind` is pain or function.
    """

    code: str
    display: str
    kind: str
    min: Decimal | None
    max: Decimal | None
    step: Decimal | None
    direction: str | None
    unit: str


@dataclass(frozen=True, slots=True)
class Catalog:
    """All of `mappings/` that the program reads. `valuesets` hold codes, `fields` the raw rows by file stem,
    `measures` what derived values rest on.

    `version` is the sha256 over every file read: a changed mapping re-sends, an unchanged one does not.
    """

    path: Path
    version: str
    lists: dict[str, CodeList]
    valuesets: dict[str, tuple[str, ...]]
    maps: dict[str, ConceptMap]
    instruments: dict[str, Instrument]
    fields: dict[str, Row]
    measures: Measures
