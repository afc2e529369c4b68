"""Timing in alternating pairs, and the figures that come of it. Must not know what is measured."""

from __future__ import annotations

import gc
import os
import platform
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path
from statistics import median

Work = Callable[[], int]
"""Does something and says how many units of it were done."""


@dataclass(frozen=True)
class Scale:
    """How much is measured. ``pairs``: alternations; the rest are counts of records or persons."""

    pairs: int = 5
    records: int = 200
    pool: int = 40_000
    persons: int = 40
    warm: int = 60
    again: int = 10_000
    memory: tuple[int, int] = (10_000, 200_000)


QUICK = Scale(pairs=2, records=20, pool=2_000, persons=4, warm=4, again=1_000, memory=(2_000, 20_000))


@dataclass(frozen=True)
class Figure:
    """One line of the table. ``good``: whether the bar is met; None where there is none."""

    part: str
    what: str
    ours: str
    baseline: str
    figure: str
    bar: str = ""
    good: bool | None = None

    @property
    def verdict(self) -> str:
        return "" if self.good is None else "pass" if self.good else "MISSED"


@dataclass(frozen=True)
class Pairs:
    """Medians of alternating runs: units per second of both, and of their ratio pair by pair."""

    ours: float
    baseline: float
    ratio: float


def still() -> None:
    """Before something is measured: no collection walks what the benchmark itself holds (records by the ten thousand,
    ready-made bundles), since a command holds nothing of the kind."""
    gc.collect()
    gc.freeze()


def timed(work: Work) -> float:
    """Units per second."""
    still()
    begun = time.perf_counter()
    done = work()
    return done / (time.perf_counter() - begun)


def alternate(ours: Work, baseline: Work, pairs: int) -> Pairs:
    """Run both in turn, ``pairs`` times after one unmeasured round of each; the first to go changes."""
    ours(), baseline()
    found: list[tuple[float, float]] = []
    for n in range(pairs):
        if n % 2:
            base = timed(baseline)
            found.append((timed(ours), base))
        else:
            found.append((timed(ours), timed(baseline)))
    return summary(found)


def summary(found: Sequence[tuple[float, float]]) -> Pairs:
    """Medians of (ours, baseline) rates."""
    return Pairs(median(a for a, _ in found), median(b for _, b in found), median(a / b for a, b in found))


def rate(number: float, unit: str) -> str:
    """``12,300 records/s``"""
    return f"{number:,.0f} {unit}/s" if number >= 100 else f"{number:,.1f} {unit}/s"


def versus(part: str, what: str, found: Pairs, units: tuple[str, str], least: float | None = None) -> Figure:
    """A figure of how many times faster; ``least`` is the bar."""
    digits = 1 if found.ratio >= 3 else 2
    return Figure(
        part,
        what,
        rate(found.ours, units[0]),
        rate(found.baseline, units[1]),
        f"{found.ratio:.{digits}f} x",
        "" if least is None else f">= {least:g} x",
        None if least is None else found.ratio >= least,
    )


def machine() -> str:
    """Processor, cores, memory, versions and date, in one line."""
    model = platform.processor() or platform.machine()
    cpu = Path("/proc/cpuinfo")
    if cpu.is_file():
        named = (line for line in cpu.read_text(encoding="utf-8").splitlines() if line.startswith("model name"))
        model = next(named, f": {model}").partition(":")[2].strip()
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    packages = ", ".join(f"{name} {metadata.version(name)}" for name in ("fhir.resources", "marshmallow", "msgspec"))
    return (
        f"{model}, {os.cpu_count()} cores, {memory:.0f} GB; {platform.system()}, Python {platform.python_version()}, "
        f"{packages}; {datetime.now(UTC):%Y-%m-%d}"
    )


def markdown(figures: Sequence[Figure], told: str) -> str:
    """The figures as a Markdown table, with the machine below."""
    rows = ["| | measured | ours | baseline | figure | bar | |", "|---|---|---|---|---|---|---|"]
    rows += [f"| {f.part} | {f.what} | {f.ours} | {f.baseline} | {f.figure} | {f.bar} | {f.verdict} |" for f in figures]
    return "\n".join([*rows, "", f"Measured on: {told}", ""])
