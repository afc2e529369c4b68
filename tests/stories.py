"""The stories in `examples/`: their steps taken in, one intake a step, and what stands after each.

A story of ours has `records.ndjson`, or one file a step: `records-1-sent.ndjson`, `records-2-corrected.ndjson` and so on,
all taken into one store. A story of another writer has Bundles, and no records of its own.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache, cached_property
from pathlib import Path
from typing import Any

from click.testing import CliRunner

from adapter import codec, pipeline
from adapter.assembly import assemble
from adapter.commands import hydrofhir
from adapter.errors import Issue
from adapter.mill import Mill
from adapter.records import intake
from adapter.records.derive import record_id
from adapter.report import Report
from adapter.store import Flag, Store

Record = dict[str, Any]
EXAMPLES = Path(__file__).resolve().parents[1] / "examples"
VERSIONS = ("R4", "R5")
OUTCOMES = ("refused", "waiting", "expired", "flagged")


def files_of(story: Path) -> list[Path]:
    """The input of a story, in the order of its steps."""
    return sorted([*story.glob("records.ndjson"), *story.glob("records-*.ndjson")])


def stories(folder: Path = EXAMPLES) -> list[Path]:
    """The folders with records of ours."""
    return sorted(one for one in folder.iterdir() if one.is_dir() and files_of(one))


def foreign_stories(folder: Path = EXAMPLES) -> list[Path]:
    """The folders with resources of another writer."""
    return sorted(p.parent for p in folder.glob("*/bundle.R4.json") if not files_of(p.parent))


@dataclass
class Told(Report):
    """A report that keeps every issue and flag, with what became of the record."""

    said: list[tuple[str, Issue]] = field(default_factory=list)

    def refuse(self, issues: Any, name: str = "refused", records: int = 1) -> None:
        found = list(issues)
        self.said += [(name, one) for one in found]
        super().refuse(found, name, records)

    def flag(self, flags: Any) -> None:
        found = list(flags)
        self.said += [("flagged", one) for one in found]
        super().flag(found)


@dataclass(frozen=True)
class State:
    """After one step: what was said in it, and what stands in the store. Records by record id, as they first came."""

    file: Path
    counts: dict[str, int]
    said: tuple[tuple[str, Issue], ...]
    kept: dict[str, Record]
    flags: frozenset[Flag]
    waiting: frozenset[str]

    def resources(self, version: str, only: str | None = None) -> list[Record]:
        """The resources of all current records, or of one by its id."""
        records = self.kept.values() if only is None else [self.kept[only]]
        return [codec.loads_wire(data) for record in records for _, _, data in mill(version).resources(record)]

    @cached_property
    def derived(self) -> bytes:
        """What `hydrofhir derive` writes for the records that are kept."""
        with tempfile.TemporaryDirectory() as folder:
            source, out = Path(folder, "kept.ndjson"), Path(folder, "derived.ndjson")
            source.write_bytes(lines(self.kept.values()))
            env = {"HYDROFHIR_STATE": folder, "HYDROFHIR_CONFIG": None}
            ended = CliRunner().invoke(hydrofhir, ["derive", str(source), "--out", str(out)], env=env)
            assert ended.exit_code == 0, ended.output
            return out.read_bytes()


@cache
def mill(version: str) -> Mill:
    return Mill(assemble(), version)


@cache
def played(story: Path) -> list[State]:
    """The story, step by step, through the intake of the product into a store."""
    return play(files_of(story))


def play(files: list[Path]) -> list[State]:
    """These files one after the other, into one store that is empty at first."""
    order: dict[str, None] = {}

    def noted(file: Path) -> Iterator[intake.Entry]:
        for entry in intake.read(file):
            if entry.record is not None:
                order.setdefault(entry.record["record_id"])
            yield entry

    found = []
    with tempfile.TemporaryDirectory() as folder, Store(f"sqlite:///{folder}/store.sqlite") as store:
        for file in files:
            report = Told("intake")
            pipeline.intake(store, noted(file), report)
            bodies = {one.record_id: codec.loads_wire(one.body) for one in store.iter_records()}
            found.append(State(
                file, dict(report.counts), tuple(report.said), {one: bodies[one] for one in order if one in bodies},
                frozenset(store.iter_flags()), frozenset(one.record_id for one in store.waiting()),
            ))  # fmt: skip
    return found


def lines(records: Any) -> bytes:
    return b"".join(codec.dumps(one) + b"\n" for one in records)


def refused(story: Path) -> bytes:
    """What the intake said of records that it refused, held back or flagged: a line each, with file and outcome."""
    return lines(
        {"file": state.file.name, "outcome": outcome, **issue.as_dict()}
        for state in played(story)
        for outcome, issue in state.said
    )


def names(story: Path) -> dict[str, str]:
    """The key that a record has in its source -> its record id, of all records offered. Keys are unique in a story."""
    found: dict[str, str] = {}
    for file in files_of(story):
        for line in file.read_bytes().splitlines():
            raw = codec.loads(line)
            made = record_id(raw["kind"], raw["source_system"], raw["source_record_id"])
            assert found.setdefault(raw["source_record_id"], made) == made, f"{raw['source_record_id']} is two records"
    return found
