"""What is measured with: synthetic records, their resources, and the libraries' own way as the baseline."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path
from typing import Any

from adapter import codec, records, synthetic
from adapter.fhir import versions

Record = dict[str, Any]
Resource = dict[str, Any]


def corpus(persons: int, seed: int) -> list[Record]:
    """The generated trial and its registry, validated."""
    return [records.load(None, record) for record in synthetic.generate(persons, seed)]


def scores(n: int, seed: int = 1) -> list[Record]:
    """Validated pain scores."""
    return [records.load(None, record) for record in synthetic.scores(n, seed)]


def of_kind(found: Iterable[Record], kind: str, most: int) -> list[Record]:
    return list(islice((record for record in found if record["kind"] == kind), most))


def write_lines(path: Path, found: Iterable[Record]) -> int:
    """NDJSON, record by record; how many."""
    count = 0
    with path.open("wb") as stream:
        for record in found:
            stream.write(codec.dumps(record) + b"\n")
            count += 1
    return count


def models(resources: Iterable[Resource], version: str) -> list[tuple[Any, Resource]]:
    """Each resource with its fhir.resources class."""
    return [(versions.model(version, resource["resourceType"]), resource) for resource in resources]


def through_models(pairs: Iterable[tuple[Any, Resource]]) -> None:
    """The baseline of writing: validate as fhir.resources does, and encode."""
    for model, resource in pairs:
        model.model_validate(resource).model_dump_json()


def chunked(items: list[Any], size: int) -> Iterator[list[Any]]:
    for start in range(0, len(items), size):
        yield items[start : start + size]
