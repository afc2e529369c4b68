"""Pushing a file again that has not changed: no request that writes, and hardly slower than reading it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from adapter import pipeline
from adapter.exchange import Server
from adapter.mill import Mill
from adapter.records.intake import read
from adapter.report import Report
from adapter.scope import Partner
from adapter.store import Store
from tests.benchmarks.measure import Figure, alternate, versus


def figures(open_: Callable[[], Partner], mill: Mill, store: Store, file: Path, pairs: int) -> Iterator[Figure]:
    """Part 4. ``open_`` gives the partner; the file is pushed once before anything is measured."""
    writes: list[str] = []
    with store:
        once(open_, mill, store, file, [])

        def ours() -> int:
            return once(open_, mill, store, file, writes)

        def baseline() -> int:
            return sum(1 for entry in read(file) if entry.record is not None)

        found = alternate(ours, baseline, pairs)
    yield Figure("4", "push again: requests that write", str(len(writes)), "", str(len(writes)), "0", not writes)
    yield versus("4", "push again (baseline: reading and validating)", found, ("records", "records"), 0.7)


def once(open_: Callable[[], Partner], mill: Mill, store: Store, file: Path, writes: list[str]) -> int:
    """Intake and push of the file; how many records were read. Requests that write are noted."""
    partner = open_()
    if isinstance(partner, Server):
        watch(partner, writes)
    counted = pipeline.intake(store, read(file), Report("intake")).counts
    report = pipeline.push(store, mill, partner, Report("push"))
    partner.close()
    if not isinstance(partner, Server):
        writes += ["bundle"] * report.counts["sent"]
    if counted["refused"] or report.exit_code:
        raise AssertionError(f"not everything was pushed: {report.as_dict()}")
    return counted["read"]


def watch(partner: Server, writes: list[str]) -> None:
    """Note every request of this partner that is no reading."""
    wire = partner.client.wire
    send = wire.send

    def noted(method: str, url: str, **given: Any) -> Any:
        if method != "GET" and not url.endswith("/_search"):
            writes.append(f"{method} {url}")
        return send(method, url, **given)

    wire.send = noted  # type: ignore[method-assign]
