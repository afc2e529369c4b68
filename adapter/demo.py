"""The demonstration: synthetic records to a server and back, for each FHIR version, and what came back as a picture.

Uses stores of its own in a temporary folder, the fixed namespace of `assembly`, and a sandbox (which it stops again),
a given server, or a folder where there is no Java. Knows journeys, no command line.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from adapter import codec, pipeline, records, sandbox, synthetic
from adapter import settings as configuration
from adapter.assembly import DEMO_NAMESPACE, Assembly, assemble
from adapter.derivation import bring_up_to_date
from adapter.errors import ConfigError, Stop, VersionMismatch
from adapter.exchange import FhirClient, Folder, Server, connect
from adapter.files import written
from adapter.mill import Mill
from adapter.picture import pain_curves
from adapter.records import intake
from adapter.report import Report
from adapter.sandbox.process import free_port
from adapter.settings import FHIR_VERSIONS, Target
from adapter.store import Store

SHOWN = 10
Say = Callable[[str], None]


@dataclass
class Run:
    """One FHIR version out and back. ``differences`` name record and field, never a value."""

    version: str
    where: str
    records: int = 0
    derived: int = 0
    resources: int = 0
    push_seconds: float = 0.0
    wrote_again: int = 0
    pulled: int = 0
    pull_seconds: float = 0.0
    equal: int = 0
    differences: list[str] = field(default_factory=list)

    def shown(self) -> dict[str, str]:
        """The lines of the table."""
        return {
            "records": f"{self.records:,}",
            "of them derived": f"{self.derived:,}",
            "resources": f"{self.resources:,}",
            "pushed/s": f"{_rate(self.resources, self.push_seconds):,.0f}",
            "second push wrote": f"{self.wrote_again:,}",
            "pulled/s": f"{_rate(self.pulled, self.pull_seconds):,.0f}",
            "equal": f"{self.equal:,} of {self.records:,}",
        }

    def as_dict(self) -> dict[str, Any]:
        return {
            "fhir": self.version, "where": self.where, "records": self.records, "derived": self.derived,
            "resources": self.resources,
            "pushed_per_second": round(_rate(self.resources, self.push_seconds), 1),
            "second_push_wrote": self.wrote_again, "pulled_resources": self.pulled,
            "pulled_per_second": round(_rate(self.pulled, self.pull_seconds), 1),
            "equal": self.equal, "differences": self.differences,
        }  # fmt: skip


def run(versions: tuple[str, ...], subjects: int, seed: int, server: str | None, out: Path, say: Say) -> list[Run]:
    """The demonstration for these versions (none: both, or what ``server`` speaks). Files go to the folder ``out``."""
    settings = configuration.load()
    assembly = assemble(DEMO_NAMESPACE, settings.sid)
    out.mkdir(parents=True, exist_ok=True)
    source = out / "records.ndjson"
    with written(source) as stream:
        for record in synthetic.generate(subjects, seed):
            stream.write(codec.dumps(record) + b"\n")
    if server is not None:
        speaks = _version_of(settings, server, versions)
        versions = (speaks,)
    runs = []
    with tempfile.TemporaryDirectory(prefix="hydrofhir-demo-") as folder:
        for version in versions or FHIR_VERSIONS:
            with ExitStack() as stack:
                target = _target(stack, settings, server, version, Path(folder), say)
                partner = stack.enter_context(closing(connect(target, mapping_version=assembly.mappings.digest)))
                where = "folder" if isinstance(partner, Folder) else "server"
                runs.append(_there_and_back(Run(version, where), assembly, partner, source, Path(folder), out, say))
    for ending in (".png", ".svg"):
        pain_curves(_records_of(out / f"pulled.{runs[-1].version}.ndjson"), out / f"pain-curves{ending}")
    return runs


def _there_and_back(
    run: Run, assembly: Assembly, partner: Server | Folder, source: Path, folder: Path, out: Path, say: Say
) -> Run:
    mill = Mill(assembly, run.version)
    sent, back = folder / f"sent-{run.version}.sqlite", folder / f"back-{run.version}.sqlite"
    with Store(f"sqlite:///{sent}") as store, Store(f"sqlite:///{back}") as empty:
        store.namespace(assembly.namespace)
        empty.namespace(assembly.namespace)
        taken = pipeline.intake(store, intake.read(source), Report("intake"))
        _whole(taken)
        _whole(bring_up_to_date(store, Report("derive")))
        counts = store.record_counts()
        run.records, run.derived = sum(counts.values()), counts.get(records.DERIVED, 0)
        say(f"{run.version}: pushing {run.records:,} records, {run.derived:,} of them derived, to a {run.where}")
        first = _whole(pipeline.push(store, mill, partner, Report("push")))
        run.resources = first.counts["sent_resources"] + first.counts["no_change_resources"]
        run.push_seconds = first.seconds
        second = _whole(pipeline.push(store, mill, partner, Report("push")))
        run.wrote_again = second.counts["sent_resources"] + second.counts["no_change_resources"]
        say(f"{run.version}: {run.resources:,} resources pushed; a second push wrote {run.wrote_again}; pulling")
        with written(out / f"pulled.{run.version}.ndjson") as stream:
            pulled = pipeline.pull(
                empty, mill, partner, Report("pull"), out=lambda one: _line(stream, codec.dumps(one))
            )
        run.pulled, run.pull_seconds = pulled.counts["resources"], pulled.seconds
        run.differences = [str(issue) for issue in pulled.issues[:SHOWN]]
        _compare(run, store, empty)
    return run


def _compare(run: Run, sent: Store, back: Store) -> None:
    """Record by record, by kind and key: equal as decisions 5 says (decimals and dates as text, list order)."""
    for one in sent.iter_records():
        other = back.get_record(one.kind, one.key)
        if other is not None and other.hash == one.hash:
            run.equal += 1
            continue
        lines = [f"{one.kind} {one.record_id}: did not come back"]
        if other is not None:
            fields = different(codec.loads(one.body), codec.loads(other.body))
            lines = [f"{one.kind} {one.record_id}: {name}: differs" for name in fields]
        if not lines:
            run.equal += 1
        elif len(run.differences) < SHOWN:
            run.differences += lines


def different(one: dict[str, Any], other: dict[str, Any]) -> list[str]:
    """The fields in which two records of a kind differ; what is derived is left out."""
    derived = {n for n, f in records.schema(one["kind"])._declared_fields.items() if f.metadata.get("derived")}
    names = [name for name in (*one, *(name for name in other if name not in one)) if name not in derived]
    return [name for name in names if _text(one, name) != _text(other, name)]


def _text(record: dict[str, Any], name: str) -> str | None:
    return codec.digest({"": record[name]}) if name in record else None


def _whole(report: Report) -> Report:
    """A step of the demo that must leave nothing behind; Stop with the first reason when it did."""
    if report.exit_code:
        why = str(report.issues[0]) if report.issues else report.unfinished
        raise Stop(f"the demo cannot go on: {report.journey}: {why}")
    return report


def _target(
    stack: ExitStack, settings: configuration.Settings, server: str | None, version: str, folder: Path, say: Say
) -> Target:
    """The server given, else a sandbox (stopped again), else a folder."""
    if server is not None:
        return settings.resolve_target(server, version)
    missing = sandbox.missing_tools()
    if missing:
        say(f"{version}: {', '.join(missing)} not found, so a folder stands in for the server (hydrofhir doctor)")
        return Target(name="demo-folder", fhir=version, folder=folder / f"exchange-{version}")
    running = sandbox.up(version, free_port(0), progress=say)  # a port of its own: an empty server, not one in use
    stack.callback(sandbox.down, running.port)
    return settings.resolve_target(running.base_url, version)


def _version_of(settings: configuration.Settings, server: str, versions: tuple[str, ...]) -> str:
    """The FHIR version that a server speaks, which must be among ``versions`` when any are named."""
    for version in versions or FHIR_VERSIONS:
        target = settings.resolve_target(server, version)
        with closing(FhirClient(target)) as client:
            try:
                client.greet()
                return version
            except VersionMismatch:
                continue
    raise ConfigError(f"the server does not speak FHIR {' or '.join(versions or FHIR_VERSIONS)}")


def _records_of(path: Path) -> Iterator[dict[str, Any]]:
    return (entry.record for entry in intake.read(path) if entry.record is not None)


def _line(stream: Any, data: bytes) -> None:
    stream.write(data + b"\n")


def _rate(count: int, seconds: float) -> float:
    return count / seconds if seconds > 0 else 0.0


__all__ = ["Run", "different", "run"]
