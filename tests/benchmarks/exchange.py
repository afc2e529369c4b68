"""Against a sandbox server (R4, on this machine): push, pull, and pushing again what has not changed.

The baselines do only what cannot be avoided: post the same bundles ready-made, fetch the same pages and
throw them away. Every run writes records of its own seed, so that the server creates everything in both.
"""

from __future__ import annotations

import signal
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median

from adapter import pipeline, sandbox, settings
from adapter.assembly import assemble
from adapter.derivation import bring_up_to_date
from adapter.exchange import Server
from adapter.mill import Mill
from adapter.records.intake import Entry
from adapter.report import Report
from adapter.scope import own_search, types_of
from adapter.store import Store
from tests.benchmarks import again, bare
from tests.benchmarks.measure import Figure, Scale, still, summary, timed, versus
from tests.benchmarks.samples import Record, corpus, with_derived, write_lines

VERSION = "R4"
UNITS = ("resources", "resources")


class Bench:
    """A server, the joined parts, and a folder for stores and files."""

    def __init__(self, base: str, folder: Path) -> None:
        self.folder = folder
        self.mill = Mill(assemble(), VERSION)
        self.target = settings.load(environ={"HYDROFHIR_STATE": str(folder)}).resolve_target(base, VERSION)
        self.stores = 0
        self.sent: list[Record] = []

    def store(self) -> Store:
        self.stores += 1
        return Store(f"sqlite:///{self.folder}/{self.stores}.sqlite")


def figures(scale: Scale) -> Iterator[Figure]:
    """Parts 3 and 4."""
    with server() as (base, folder):
        bench = Bench(base, folder)
        push(bench, corpus(scale.warm, 900))
        bare.post(bench.target, bundles(bench, corpus(scale.warm, 901)))
        yield from pushed(bench, scale, scale.persons)
        yield pulled(bench, scale)
        file = folder / "sent.ndjson"
        write_lines(file, bench.sent)
        yield from again.figures(lambda: Server(bench.target), bench.mill, bench.store(), file, scale.pairs)
        yield from pushed(bench, scale, max(scale.persons // 5, 2), derived=True)


@contextmanager
def server() -> Iterator[tuple[str, Path]]:
    """A server of our own, and a folder; both are gone afterwards."""
    with tempfile.TemporaryDirectory(prefix="hydrofhir-bench-") as folder:
        state = Path(folder)
        signal.signal(signal.SIGTERM, lambda *_: sys.exit("ended"))  # so that the server is ended too
        running = sandbox.up(VERSION, c2=True, heap="2g", state=state)
        try:
            yield running.base_url, state
        finally:
            sandbox.down(running.port, state=state)


def bundles(bench: Bench, records: list[Record]) -> list[bare.Bundle]:
    return bare.bundles(bench.mill, bench.target, records)


def push(bench: Bench, records: list[Record], derived: bool = False) -> tuple[int, float, float]:
    """(resources, seconds, processor seconds of this process) of pushing new records; with what is ``derived`` from
    them, which is calculated before anything is measured."""
    with bench.store() as store:
        pipeline.intake(store, (Entry(n, record) for n, record in enumerate(records, 1)), Report("intake"))
        if derived:
            bring_up_to_date(store, Report("derive"))
        partner = Server(bench.target)
        partner.client.greet()  # asked for once in a push of any size
        still()
        begun, spent = time.perf_counter(), time.process_time()
        report = pipeline.push(store, bench.mill, partner, Report("push"))
        spent, seconds = time.process_time() - spent, time.perf_counter() - begun
        partner.close()
        kept = sum(store.record_counts().values())
    if report.counts["sent"] != kept or kept < len(records):
        raise AssertionError(f"not everything was sent: {report.as_dict()}")
    bench.sent += records
    return report.counts["sent_resources"], seconds, spent


def pushed(bench: Bench, scale: Scale, persons: int, derived: bool = False) -> Iterator[Figure]:
    found: list[tuple[float, float]] = []
    shares: list[float] = []
    first = 2_000 if derived else 0
    for n in range(scale.pairs):
        mine, theirs = (corpus(persons, first + 2 * n + one) for one in (1, 2))
        ready = bundles(bench, with_derived(theirs) if derived else theirs)
        base = 0.0
        if n % 2:
            base = posted(bench, ready)
        resources, seconds, spent = push(bench, mine, derived)
        base = base or posted(bench, ready)
        found.append((resources / seconds, base))
        shares.append(spent / (resources / base))
    share = median(shares)
    what = f"push{' with what is derived' if derived else ''}, {VERSION}"
    yield Figure(
        "3",
        f"{what}: processor time of the adapter (baseline: time of posting the bundles ready-made)",
        f"{share / summary(found).baseline * 1e6:,.0f} us a resource",
        f"{1e6 / summary(found).baseline:,.0f} us a resource",
        f"{share:.1%}",
        "<= 5 %",
        share <= 0.05,
    )
    yield versus("3", f"{what} (baseline: posting the bundles ready-made)", summary(found), UNITS, 0.9)


def posted(bench: Bench, ready: list[bare.Bundle]) -> float:
    """Resources per second of the baseline."""
    return timed(lambda: bare.post(bench.target, ready))


def pulled(bench: Bench, scale: Scale) -> Figure:
    """Everything of ours that the server has, mapped back; against fetching the pages only."""
    kinds = types_of(bench.mill.assembly.mappings.mappers[VERSION])
    forms = {kind: own_search(kind, VERSION, bench.mill.assembly.sid) for kind in kinds}

    def ours() -> float:
        with bench.store() as store:
            partner = Server(bench.target)
            still()
            begun = time.perf_counter()
            report = pipeline.pull(store, bench.mill, partner, Report("pull"), out=lambda record: None)
            seconds = time.perf_counter() - begun
            partner.close()
        if report.counts["records"] < len(bench.sent) or report.exit_code:
            raise AssertionError(f"not everything came back: {report.as_dict()}")
        return report.counts["resources"] / seconds

    def baseline() -> float:
        return timed(lambda: bare.fetch(bench.target, forms))

    ours(), baseline()
    found = []
    for n in range(scale.pairs):
        base = baseline() if n % 2 else 0.0
        own = ours()
        found.append((own, base or baseline()))
    return versus("3", f"pull, {VERSION}, mapped back and kept (baseline: the pages only)", summary(found), UNITS, 0.9)
