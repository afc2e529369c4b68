"""One core: validated record to checked bytes, bytes to checked bytes, and back; against the libraries."""

from __future__ import annotations

import json
from collections.abc import Iterator
from decimal import Decimal

from adapter import codec, records
from adapter.assembly import assemble
from adapter.fhir import versions
from adapter.mill import Mill
from tests.benchmarks.measure import Figure, Scale, alternate, versus
from tests.benchmarks.samples import Record, corpus, models, of_kind, scores, through_models, with_derived

BARS = {"pain_outcome": 10.0, "procedure": 10.0, "corpus": 10.0}
UNITS = ("records", "records")


def figures(scale: Scale) -> Iterator[Figure]:
    """Parts 1 and 2."""
    everything = corpus(scale.records // 8 + 2, 7)
    told = with_derived(everything)
    kinds = {
        kind: of_kind(told, kind, scale.records // 2) or [records.load(kind, records.example(kind))]
        for kind in records.KNOWN
    }
    kinds["pain_outcome"] = scores(scale.records)
    groups = {**kinds, "corpus": everything[: scale.records]}
    for version in ("R4", "R5"):
        mill = Mill(assemble(), version)
        for name in sorted(groups, key=lambda name: name not in BARS):  # those with a bar first
            yield written(mill, name, groups[name], scale)
    for version in ("R4", "R5"):
        mill = Mill(assemble(), version)
        yield through(mill, kinds["pain_outcome"], scale)
        yield back(mill, kinds["pain_outcome"], scale)


def written(mill: Mill, name: str, found: list[Record], scale: Scale) -> Figure:
    """Part 1: map, encode and check, against validating and encoding the same resources."""
    pairs = [models(mill.assembly.mappings.forward(record, mill.version), mill.version) for record in found]

    def ours() -> int:
        for _ in range(5):
            for record in found:
                mill.resources(record)
        return 5 * len(found)

    def baseline() -> int:
        for resources in pairs:
            through_models(resources)
        return len(found)

    measured = alternate(ours, baseline, scale.pairs)
    return versus("1", f"{name}, {mill.version}: record to checked bytes", measured, UNITS, BARS.get(name))


def through(mill: Mill, found: list[Record], scale: Scale) -> Figure:
    """Part 2: bytes of a record to checked bytes, against json, marshmallow and fhir.resources."""
    lines = [codec.dumps(record) for record in found]
    pairs = [models(mill.assembly.mappings.forward(record, mill.version), mill.version) for record in found]
    schema = records.schema("pain_outcome")()

    def ours() -> int:
        for line in lines:
            mill.resources(records.load(None, codec.loads(line)))
        return len(lines)

    def baseline() -> int:
        for line, resources in zip(lines, pairs, strict=True):
            schema.load(json.loads(line, parse_float=Decimal))
            through_models(resources)
        return len(lines)

    measured = alternate(ours, baseline, scale.pairs)
    return versus("2", f"pain_outcome, {mill.version}: record bytes to checked bytes", measured, UNITS, 5.0)


def back(mill: Mill, found: list[Record], scale: Scale) -> Figure:
    """Part 2: bytes of resources to validated records, against fhir.resources and marshmallow."""
    graphs = [[data for _, _, data in mill.resources(record)] for record in found]
    typed = [
        [(versions.model(mill.version, kind), data) for kind, _, data in mill.resources(record)] for record in found
    ]
    schema = records.schema("pain_outcome")()
    wanted = sum(1 for graph in graphs for _ in mill.records(codec.loads_wire(data) for data in graph))
    if wanted != len(found):
        raise AssertionError("not every record came back")

    def ours() -> int:
        return sum(
            taken.record is not None
            for graph in graphs
            for taken in mill.records([codec.loads_wire(data) for data in graph])
        )

    def baseline() -> int:
        for record, resources in zip(found, typed, strict=True):
            for model, data in resources:
                model.model_validate_json(data)
            schema.load(record)
        return len(found)

    measured = alternate(ours, baseline, scale.pairs)
    return versus("2", f"pain_outcome, {mill.version}: resource bytes to validated record", measured, UNITS)
