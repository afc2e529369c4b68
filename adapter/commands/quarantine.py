"""`waiting`: what intake has held back, and what it has kept with flags."""

from __future__ import annotations

from typing import Any

import click

from adapter.commands.face import common, emit, example, finish, say, wants_json
from adapter.commands.trade import store_option


@click.command(
    short_help="What waits in the store for what it refers to.",
    epilog=example("hydrofhir waiting", "hydrofhir waiting --flags"),
)
@click.option("--flags", is_flag=True, help="Instead: what the rules say of records that were kept all the same.")
@store_option
@common
def waiting(flags: bool, store_url: str | None) -> None:
    """List the records that were held back because something they refer to has not come yet, oldest first.

    NDJSON, one record a line: what waits, since when, by which rule, and the kind and key of what it waits for. It
    comes in by itself once that does, and is given up with a report after waiting_days (hydrofhir.toml; 30). With
    --json only how many there are.
    """
    from adapter import settings as configuration
    from adapter.store import Store

    with Store(store_url or configuration.load().store_url) as store:
        found = (_flag(one) for one in store.iter_flags()) if flags else (_held(one) for one in store.waiting())
        count = 0
        for one in found:
            count += 1
            if not wants_json():
                emit(one)
    word = "flags" if flags else "waiting"
    say(f"{word}: {count:,}")
    finish("waiting", 0, {word: count})


def _held(one: Any) -> dict[str, Any]:
    return {
        "kind": one.kind, "record_id": one.record_id, "version": one.version, "since": one.since_at,
        "rule": one.rule, "field": one.field, "message": one.message,
        "waits_for": {"kind": one.awaited_kind, "key": one.awaited_key},
    }  # fmt: skip


def _flag(one: Any) -> dict[str, Any]:
    told = {
        "kind": one.kind, "record_id": one.record_id, "version": one.version, "rule": one.rule, "field": one.field,
        "limit": one.bound, "message": one.message,
    }  # fmt: skip
    return {name: value for name, value in told.items() if value != ""}
