"""The rate of mapping a large file in one process and in two, as `hydrofhir map --jobs` does it."""

from __future__ import annotations

import io
import time
from collections.abc import Iterator
from statistics import median

from adapter import codec, synthetic
from adapter.assembly import DEMO_NAMESPACE, assemble
from adapter.processes import Plan, chunks, mapped
from adapter.records.split import Piece, pieces
from tests.benchmarks.measure import Figure, Scale, rate

AIM = 20_000


def figures(scale: Scale) -> Iterator[Figure]:
    """Resources per second with two processes beside one; starting the processes is left out."""
    plan = Plan("R4", DEMO_NAMESPACE, assemble().sid)
    lines = b"\n".join(codec.dumps(record) for record in synthetic.scores(scale.pool, 1))
    one, two = [], []
    for _ in range(min(3, scale.pairs)):
        one.append(steady(lines, plan, 1))
        two.append(steady(lines, plan, 2))
    ratio = median(b / a for a, b in zip(one, two, strict=True))
    yield Figure(
        "2",
        "pain_outcome, R4: file to resources, 2 processes (baseline: 1 process)",
        rate(median(two), "resources"),
        rate(median(one), "resources"),
        f"{ratio:.2f} x",
        f"aim {AIM:,} resources/s",
        median(two) >= AIM,
    )


def steady(lines: bytes, plan: Plan, jobs: int) -> float:
    """Resources per second after every worker has come to work: from a tenth of the records on."""
    source: Iterator[Piece] = pieces(io.BytesIO(lines))
    total = sum(1 for _ in chunks(pieces(io.BytesIO(lines))))
    resources, begun = 0, 0.0
    for n, done in enumerate(mapped(source, plan, jobs)):
        if done.refused:
            raise AssertionError("a record was refused")
        if n >= total // 10:
            begun = begun or time.perf_counter()
            resources += done.resources if begun and n > total // 10 else 0
    return resources / (time.perf_counter() - begun)
