"""Reads the tables of the checklist and builds the records they name. Its words are explained in `document-0.yaml`."""

from __future__ import annotations

from copy import deepcopy
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from adapter import records
from adapter.catalog.rows import Loader
from tests.measures.story import FILLED

Record = dict[str, Any]
FOLDER = Path(__file__).parent
DOCUMENTS = {"0": 42, "1": 30, "2": 28, "3": 40}
"""Number of items of each source document; their row ids count from 01."""
IDS = tuple(f"{document}-{number:02}" for document, count in DOCUMENTS.items() for number in range(1, count + 1))
WORDS = {"item", "records", "holds", "R4", "R5", "derives"}


@dataclass(frozen=True)
class Row:
    """One item of the checklist."""

    id: str
    item: str
    raw: tuple[Record, ...]
    places: dict[str, dict[str, Any]]
    """By FHIR version: element path to what it must hold."""
    derives: tuple[Record, ...]

    def records(self) -> list[Record]:
        """The records that carry the item, through intake."""
        return [self._record(number, dict(changes)) for number, changes in enumerate(self.raw, 1)]

    def _record(self, number: int, changes: Record) -> Record:
        kind = changes.pop("kind")
        body = {k: v for k, v in deepcopy(records.example(kind)).items() if k not in FILLED}
        body |= {"source_record_id": f"{self.id}.{number}", "recorded_at": "2027-01-15T12:00:00+03:00"}
        if "targets" in changes:
            changes["targets"] = [_changed(body["targets"][0], one) for one in changes["targets"]]
        return records.load(kind, _changed(body, changes))


def _changed(body: Record, changes: Record) -> Record:
    return {name: value for name, value in {**body, **changes}.items() if value is not None}


def rows() -> list[Row]:
    """All items, in the order of the files. Fails on a word that is not one of the table's."""
    found = []
    for file in sorted(FOLDER.glob("document-*.yaml")):
        for name, row in yaml.load(file.read_text(), Loader=Loader).items():
            assert row.keys() <= WORDS, (name, row.keys() - WORDS)
            both = row.get("holds", {})
            places = {version: {**both, **row.get(version, {})} for version in ("R4", "R5")}
            assert all(places.values()), f"{name} names no element"
            found.append(Row(name, row["item"], tuple(_plain(row["records"])), places, tuple(row.get("derives", ()))))
    return found


def _plain(value: Any) -> Any:
    """Plain objects: intake takes no subclass of dict."""
    if isinstance(value, dict):
        return {name: _plain(one) for name, one in value.items()}
    return [_plain(one) for one in value] if isinstance(value, list) else value
