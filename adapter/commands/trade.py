"""`push` and `pull`: the store and an exchange partner, a FHIR server or a folder."""

from __future__ import annotations

from contextlib import ExitStack, closing
from dataclasses import replace
from typing import Any

import click

from adapter.commands.convert import FILE, derived_option, need_room, rejects_option
from adapter.commands.face import common, example, fhir_option, finish
from adapter.errors import ConfigError

store_option = click.option(
    "--store-url",
    metavar="URL",
    help="Another store than the one in the settings (sqlite:///FILE, postgresql+psycopg://...).",
)
RATES = {"intake": "read", "derive": "derived", "push": "sent_resources"}
TARGETS = (
    "TARGET is a URL, a name from hydrofhir.toml (or the public test servers hapi-r4, hapi-r5), or a folder; a URL or"
    " a folder needs --fhir."
)


@click.command(
    short_help="Send records to a server or a folder.",
    epilog=example(
        "hydrofhir push records.ndjson --to ward",
        "hydrofhir push --to http://127.0.0.1:8080/fhir --fhir R5",
        "hydrofhir push records.ndjson --to ./outbox --fhir R4",
        "hydrofhir push --definitions --to ward",
        note=TARGETS,
    ),
)
@click.argument("source", metavar="[IN]", type=FILE, required=False)
@click.option("--store", "from_store", is_flag=True, help="Push what the store has (the same as no IN).")
@click.option("--to", "target", required=True, metavar="TARGET", help="Server or folder; see below.")
@fhir_option
@store_option
@rejects_option
@click.option("--retry-dead", is_flag=True, help="Offer again what the target has refused for good.")
@click.option(
    "--definitions",
    is_flag=True,
    help="Send no records, but what they mean: profiles, extensions, code lists and maps.",
)
@common
def push(
    source: str | None, from_store: bool, target: str, fhir: str | None, store_url: str | None,
    rejects: str | None, retry_dead: bool, definitions: bool,
) -> None:  # fmt: skip
    """Take the records of IN into the store, derive what follows from them, then send everything that TARGET has not
    got.

    Only what has changed is sent, in transactions of whole records with ids of our own: pushing twice changes
    nothing, and a push that was interrupted is finished by the next one. Refused records are named; the rest goes on.
    """
    if source is not None and from_store:
        raise ConfigError("push: either IN or --store, not both")
    if definitions:
        if source is not None or from_store or retry_dead or store_url is not None:
            raise ConfigError("push: --definitions sends no records; it goes with --to, --fhir and --rejects")
        _publish(target, fhir, rejects)
        return
    from adapter import pipeline
    from adapter.commands.watch import conclude, watched
    from adapter.derivation import bring_up_to_date
    from adapter.records import DERIVED, intake

    reports: dict[str, Any] = {}
    with ExitStack() as stack:
        settings, store, mill, partner = _parts(stack, target, fhir, store_url)
        with watched(rejects) as journey:
            if source is not None:
                entries = intake.read(source, max_line=settings.limits.line_bytes)
                report = journey("intake", "read")
                reports["intake"] = pipeline.intake(store, entries, report, settings.waiting_days)
            if partner.target.derived:
                reports["derive"] = bring_up_to_date(store, journey("derive", "derived"))
            report = journey("push", "sent_resources")
            reports["push"] = pipeline.push(store, mill, partner, report, retry_dead)
            counts = store.record_counts()
            known = sum(counts.values()) - (0 if partner.target.derived else counts.get(DERIVED, 0))
            report.add(unchanged=known - report.counts["offered"])  # what the partner has, or has refused for good
    for name, report in reports.items():
        if name != "derive" or report.counts:  # nothing was due
            conclude(report, RATES[name])
    finish("push", _code(reports.values()), {name: report.as_dict() for name, report in reports.items()})


def _publish(target: str, fhir: str | None, rejects: str | None) -> None:
    """Load the definitions into a target, a server or a folder."""
    from adapter import settings as configuration
    from adapter.assembly import assemble
    from adapter.commands.watch import conclude, watched
    from adapter.exchange import connect
    from adapter.publish import publish

    settings = configuration.load()
    found = settings.resolve_target(target, fhir)
    assembly = assemble(sid=settings.sid)
    with closing(connect(found, mapping_version=assembly.mappings.digest)) as partner, watched(rejects) as journey:
        report = publish(assembly, partner, journey("definitions", "sent"))
    conclude(report, "sent")
    finish("push", report.exit_code, {"definitions": report.as_dict()})


@click.command(
    short_help="Read records from a server or a folder.",
    epilog=example(
        "hydrofhir pull --from ward --out records.ndjson",
        "hydrofhir pull --from ward --since last --out changed.ndjson",
        "hydrofhir pull --from http://127.0.0.1:8080/fhir --fhir R4 --study STUDY-1 --out study.ndjson",
        note=TARGETS,
    ),
)
@click.option("--from", "target", required=True, metavar="TARGET", help="Server or folder; see below.")
@click.option(
    "--out", "-o", type=FILE, metavar="FILE", help="Also write the records read, as NDJSON (- is standard output)."
)
@fhir_option
@click.option("--study", metavar="ID", help="One study and its participants (our study_id).")
@click.option(
    "--since",
    metavar="INSTANT",
    help="What was touched since then (2026-01-31T12:00:00Z), or last: since the last pull.",
)
@click.option("--all", "everything", is_flag=True, help="Also records that other systems wrote.")
@derived_option
@store_option
@rejects_option
@common
def pull(
    target: str, out: str | None, fhir: str | None, study: str | None, since: str | None, everything: bool,
    derived: bool, store_url: str | None, rejects: str | None,
) -> None:  # fmt: skip
    """Read FHIR resources from TARGET, bring them together, and keep them as records in the store.

    By default what carries our identifiers. Records some of whose resources are not there yet wait in the store and
    are named (exit code 3); what cannot be read is named with the reason (exit code 1).
    """
    from adapter import codec, pipeline
    from adapter.commands.watch import conclude, watched
    from adapter.files import written
    from adapter.scope import Scope

    if out is not None:
        need_room(out, rejects)
    scope = Scope(all=everything, study=study, since=_instant(since))
    with ExitStack() as stack:
        _, store, mill, partner = _parts(stack, target, fhir, store_url)
        journey = stack.enter_context(watched(rejects))
        stream = stack.enter_context(written(out)) if out is not None else None

        def sink(record: dict[str, Any]) -> None:
            assert stream is not None
            stream.write(codec.dumps(record) + b"\n")

        into = sink if stream is not None else None
        report = pipeline.pull(store, mill, partner, journey("pull", "resources"), scope, into, derived)
    conclude(report, "resources")
    finish("pull", report.exit_code, report.as_dict())


def _parts(stack: ExitStack, target: str, fhir: str | None, store_url: str | None) -> tuple[Any, Any, Any, Any]:
    """(settings, store, mill, partner) for one target; the stack closes them."""
    from adapter import settings as configuration
    from adapter.assembly import assemble
    from adapter.exchange import connect
    from adapter.mill import Mill
    from adapter.store import Store

    settings = configuration.load()
    if store_url is not None:
        settings = replace(settings, store_url=store_url)
    found = settings.resolve_target(target, fhir)
    store = stack.enter_context(Store(settings.store_url))
    assembly = assemble(store.namespace(settings.namespace), settings.sid)
    partner = stack.enter_context(closing(connect(found, mapping_version=assembly.mappings.digest)))
    return settings, store, Mill(assembly, found.fhir, found), partner


def _code(reports: Any) -> int:
    return max((report.exit_code for report in reports), default=0)


def _instant(text: str | None) -> str | None:
    """An instant with its offset, or ``last``; ConfigError for anything else."""
    from datetime import datetime

    if text is None or text == "last":
        return text
    try:
        if datetime.fromisoformat(text).tzinfo is not None:
            return text
    except ValueError:
        pass
    raise ConfigError("--since: legal is an instant with its offset (2026-01-31T12:00:00Z), or last")
