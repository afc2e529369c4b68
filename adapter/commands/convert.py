"""`generate`, `map` and `unmap`: files in, files out, with no server and no lasting store."""

from __future__ import annotations

from contextlib import ExitStack
from typing import Any

import click

from adapter.commands.face import common, example, finish, wants_json
from adapter.errors import ConfigError

FILE = click.Path(dir_okay=False, allow_dash=True)
FHIR = click.Choice(("R4", "R5"))
out_option = click.option(
    "--out", "-o", type=FILE, default="-", show_default="standard output", metavar="FILE",
    help="Where the result goes; the file appears whole at the end, or not at all.",
)  # fmt: skip
rejects_option = click.option(
    "--rejects", type=FILE, metavar="FILE",
    help="NDJSON of everything refused: line, record id, field, rule, limit (never a value).",
)  # fmt: skip
derived_option = click.option(
    "--derived", is_flag=True,
    help="Also write derived measures. They are left out otherwise: they are no input, and can be derived again.",
)  # fmt: skip


def need_room(out: str, *others: str | None) -> None:
    """One place for one stream: no two outputs in one file, and --json has standard output for itself."""
    named = [place for place in (out, *others) if place is not None]
    if len(set(named)) < len(named):
        raise ConfigError("two outputs have the same file; give each one its own")
    if out == "-" and wants_json():
        raise ConfigError("--json needs standard output for itself: give --out FILE")


@click.command(
    short_help="Make synthetic records.",
    epilog=example("hydrofhir generate --subjects 42 --seed 7 --out records.ndjson"),
)
@click.option("--subjects", type=click.IntRange(0), required=True, help="Persons screened for the trial.")
@click.option("--seed", type=click.IntRange(0), default=1, show_default=True, help="The same seed, the same records.")
@click.option("--registry", type=click.IntRange(0), help="Patients outside any study (default: a quarter).")
@out_option
@common
def generate(subjects: int, seed: int, registry: int | None, out: str) -> None:
    """Make synthetic records: a two-arm trial and some registry patients.

    They pass intake, say of themselves that they are synthetic, and are evidence of nothing. Studies come first,
    then subject by subject.
    """
    from adapter import codec, synthetic
    from adapter.commands.watch import conclude, watched
    from adapter.files import written

    need_room(out)
    with watched() as journey, written(out) as stream:
        report = journey("generate", "records")
        for record in synthetic.generate(subjects, seed, registry):
            stream.write(codec.dumps(record) + b"\n")
            report.add(records=1)
    conclude(report.done(), "records")
    finish("generate", 0, report.as_dict())


@click.command(
    "map",
    short_help="Records to FHIR resources.",
    epilog=example(
        "hydrofhir map records.ndjson --fhir R5 --out resources.ndjson",
        "hydrofhir map records.ndjson --fhir R4 --bundle --explain why.ndjson --rejects refused.ndjson -o r4.ndjson",
    ),
)
@click.argument("source", metavar="IN", type=FILE)
@click.option("--fhir", type=FHIR, required=True, help="FHIR version to write.")
@out_option
@click.option("--bundle", is_flag=True, help="One collection Bundle a record instead of plain resources.")
@click.option(
    "--explain", type=FILE, metavar="FILE",
    help="NDJSON beside: for each record, which row (file:line) made which element.",
)  # fmt: skip
@rejects_option
@click.option(
    "--jobs",
    "-j",
    type=click.IntRange(1, 64),
    help="Processes (default: 1; for large inputs up to 4, as there are CPUs).",
)
@common
def map_(
    source: str, fhir: str, out: str, bundle: bool, explain: str | None, rejects: str | None, jobs: int | None
) -> None:
    """Map the records of IN to FHIR resources: NDJSON, a record's resources together, its root first.

    Every resource is checked before it is written. A record that cannot be mapped is reported with line, field and
    rule; the rest goes on (exit code 1). The order of IN is kept.
    """
    from adapter import settings as configuration
    from adapter.commands.watch import conclude, watched
    from adapter.files import map_file, written
    from adapter.processes import Plan, mapped
    from adapter.records.split import opened, pieces

    need_room(out, explain, rejects)
    settings = configuration.load()
    plan = Plan(fhir, _namespace(settings), settings.sid, bundle, explain is not None)
    with ExitStack() as stack:
        stream = stack.enter_context(opened(source))
        made = mapped(pieces(stream, settings.limits.line_bytes), plan, jobs)
        journey = stack.enter_context(watched(rejects))
        target = stack.enter_context(written(out))
        notes = stack.enter_context(written(explain)) if explain is not None else None
        report = map_file(made, journey("map", "read"), target, notes)
    conclude(report, "read")
    finish("map", report.exit_code, report.as_dict())


@click.command(
    short_help="FHIR resources back to records.",
    epilog=example(
        "hydrofhir unmap resources.ndjson --fhir R5 --out records.ndjson",
        "hydrofhir unmap bundle.json --fhir R4 --foreign ward-7 --timezone Europe/Vienna --out records.ndjson",
    ),
)
@click.argument("source", metavar="IN", type=FILE)
@click.option("--fhir", type=FHIR, required=True, help="FHIR version of IN.")
@out_option
@click.option(
    "--foreign", metavar="NAME",
    help="Also take records that other systems wrote; NAME becomes their source_system.",
)  # fmt: skip
@click.option("--timezone", default="UTC", show_default=True, metavar="ZONE", help="Time zone of those records' site.")
@derived_option
@rejects_option
@common
def unmap(
    source: str, fhir: str, out: str, foreign: str | None, timezone: str, derived: bool, rejects: str | None
) -> None:
    """Map FHIR resources back to records.

    IN is NDJSON of resources or Bundles, a JSON array, or one Bundle document; the order does not matter. Lines that
    cannot be read are reported and the rest goes on (exit code 1); a record some of whose resources are missing is
    named with what is missing (exit code 3).
    """
    from adapter import codec
    from adapter import settings as configuration
    from adapter.assembly import DEMO_NAMESPACE, assemble
    from adapter.commands.watch import conclude, watched
    from adapter.files import unmap_file, written
    from adapter.mill import Mill

    need_room(out, rejects)
    settings = configuration.load()
    stranger = _stranger(foreign, timezone)
    mill = Mill(assemble(settings.namespace or DEMO_NAMESPACE, settings.sid), fhir)
    with watched(rejects) as journey, written(out) as stream:
        report = unmap_file(
            source, mill, journey("unmap", "records"), lambda record: _line(stream, codec.dumps(record)), stranger,
            settings.limits.body_bytes, derived,
        )  # fmt: skip
    conclude(report, "records")
    finish("unmap", report.exit_code, report.as_dict())


def _line(stream: Any, data: bytes) -> None:
    stream.write(data + b"\n")


def _namespace(settings: Any) -> Any:
    """The namespace that ids are made in: the setting, else the one this installation's store keeps, so that `map`
    and `push` give a record the same ids."""
    if settings.namespace is not None:
        return settings.namespace
    from adapter.store import Store

    with Store(settings.store_url) as store:
        return store.namespace()


def _stranger(name: str | None, timezone: str) -> Any:
    import re
    from zoneinfo import ZoneInfo

    from adapter.mill import Stranger

    if name is None:
        return None
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._\-]{0,63}", name):
        raise ConfigError("--foreign: legal is a name of letters, digits, dot, dash and underscore")
    try:
        ZoneInfo(timezone)
    except (KeyError, ValueError, OSError):
        raise ConfigError("--timezone: legal is an IANA time zone name such as Europe/Vienna") from None
    return Stranger(name, timezone)


__all__ = [
    *("FHIR", "FILE", "derived_option", "fhir_option", "generate", "map_", "need_room", "out_option", "rejects_option"),
    "unmap",
]
