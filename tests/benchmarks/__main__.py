"""``python -m tests.benchmarks [--quick] [--only PART ...] [--out FILE]``: measure and show.

Parts: conversion, processes, exchange (starts a sandbox server; not with --quick alone), memory. Bars are
shown, not enforced: the command ends with 0 unless something is broken.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import click
from rich.console import Console
from rich.table import Table

from tests.benchmarks import conversion, exchange, memory, processes
from tests.benchmarks.measure import QUICK, Figure, Scale, machine, markdown

PARTS: dict[str, Callable[[Scale], Iterator[Figure]]] = {
    "conversion": conversion.figures,
    "processes": processes.figures,
    "exchange": exchange.figures,
    "memory": memory.figures,
}


@click.command()
@click.option("--quick", is_flag=True, help="Small sizes: to see that it works, not to believe the figures.")
@click.option("--only", type=click.Choice(list(PARTS)), multiple=True, help="This part; may be given again.")
@click.option("--out", type=click.Path(dir_okay=False, path_type=Path), help="A Markdown file for the table.")
def main(quick: bool, only: tuple[str, ...], out: Path | None) -> None:
    """Measure how fast the adapter is, against baselines in the same run."""
    console, errors = Console(), Console(stderr=True)
    scale = QUICK if quick else Scale()
    figures: list[Figure] = []
    for name, part in PARTS.items():
        if name not in only if only else quick and name == "exchange":
            continue
        for figure in part(scale):
            errors.print(f"{figure.what}: {figure.figure} {figure.verdict}", highlight=False)
            figures.append(figure)
    told = machine()
    console.print(table(figures), f"Measured on: {told}", highlight=False)
    if out is not None:
        out.write_text(markdown(figures, told), encoding="utf-8")


def table(figures: list[Figure]) -> Table:
    shown = Table("part", "measured", "ours", "baseline", "figure", "bar", "", title="hydrofhir benchmarks")
    for f in figures:
        colour = "" if f.good is None else "green" if f.good else "red"
        shown.add_row(f.part, f.what, f.ours, f.baseline, f.figure, f.bar, f.verdict, style=colour)
    return shown


if __name__ == "__main__":
    main()
