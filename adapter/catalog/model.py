"""What the catalog holds: code lists, value sets, code maps, instruments. Frozen; knows no file."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

from adapter.catalog.rows import Row

if TYPE_CHECKING:
    from adapter.catalog.measures import Measures
    from adapter.catalog.texts import ExtensionText

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
class ItemScores:
    """The items of a questionnaire: how many, and what each may score; no `scores`: whole numbers from min to max."""

    count: int
    min: Decimal
    max: Decimal
    scores: tuple[Decimal, ...]

    def allows(self, score: Decimal) -> bool:
        """Whether an item may have this score."""
        return score in self.scores if self.scores else self.min <= score <= self.max and not score % 1


@dataclass(frozen=True, slots=True)
class Source:
    """A unit that a device reads in: UCUM, and what it is multiplied by to give the instrument's unit."""

    unit: str
    factor: Decimal


@dataclass(frozen=True, slots=True)
class Instrument:
    """An outcome tool. `min`, `max`, `direction` None: they come with the record.

    Scores lie on min + n * step; `step` None: any value between. `unit` is UCUM; `kind` is pain or function. `value` is
    the record field that holds the result; `needs` are fields without which it means nothing. What depends on the code
    in the record's field `by` is in `variants`. `total` says how items make the score: sum, mean or percent.
    """

    code: str
    display: str
    kind: str
    min: Decimal | None
    max: Decimal | None
    step: Decimal | None
    direction: str | None
    unit: str
    value: str = "score"
    needs: tuple[str, ...] = ()
    subscales: tuple[str, ...] = ()
    items: ItemScores | None = None
    total: str | None = None
    sources: Mapping[str, Source] = field(default_factory=dict)
    by: str | None = None
    variants: Mapping[str, Instrument] = field(default_factory=dict)

    def of(self, record: Mapping[str, Any]) -> Instrument:
        """The tool as this record uses it: the variant that its field `by` names, else the tool itself."""
        return self.variants.get(record.get(self.by, ""), self) if self.by else self


@dataclass(frozen=True, slots=True)
class Catalog:
    """All of `mappings/` that the program reads. `valuesets` hold codes, `fields` the raw rows by file stem,
    `measures` what derived values rest on, `extensions` the words of each extension by name,
    `open_systems` the code systems whose codes are words of a study or a site.

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
    extensions: dict[str, ExtensionText]
    open_systems: frozenset[str]
