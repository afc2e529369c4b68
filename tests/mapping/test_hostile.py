"""Resources bent out of shape: what the safety check lets through never breaks a reader, whoever wrote it."""

from __future__ import annotations

import copy
import random
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from adapter import codec, records
from adapter.assembly import assemble
from adapter.fhir.safe import unsafe
from adapter.mill import Mill, Stranger

MILLS = {v: Mill(assemble(), v) for v in ("R4", "R5")}
JUNK: list[Any] = ["", "x", 0, -1, True, [], {}, [{}], {"a": 1}, ["x"], None, [None], {"coding": 5}, {"extension": "x"}]


def nodes(value: Any) -> list[tuple[Any, Any]]:
    """Every (container, key) of a JSON value."""
    if isinstance(value, dict):
        return [(value, k) for k in value] + [n for v in value.values() for n in nodes(v)]
    if isinstance(value, list):
        return [(value, i) for i in range(len(value))] + [n for v in value for n in nodes(v)]
    return []


@pytest.mark.parametrize("version", ["R4", "R5"])
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(seed=st.integers(0, 1 << 32), kind=st.sampled_from(records.KNOWN), cut=st.booleans())
def test_bent_resources_are_refused_by_name_never_by_a_crash(version: str, seed: int, kind: str, cut: bool) -> None:
    mill, chance = MILLS[version], random.Random(seed)
    parts = mill.resources(records.load(kind, records.example(kind)))
    resources = [codec.loads_wire(data) for _, _, data in parts]
    for _ in range(chance.randint(1, 4)):
        container, key = chance.choice(nodes(resources))
        if container is not resources:
            if cut and isinstance(container, dict):
                del container[key]
            else:
                container[key] = copy.deepcopy(chance.choice(JUNK))  # else the next bend may close a ring
    if chance.random() < 0.5:  # as a stranger would write: without our extension
        for resource in resources:
            if isinstance(resource, dict):
                resource.pop("extension", None)
    readable = [r for r in resources if not unsafe(mill.gate, r)]
    for taken in mill.records(readable, Stranger("ward", "UTC")):
        assert taken.record is not None or taken.issues
