"""`check` and `schema`: what the mappings prove, and what a record looks like."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from adapter.commands.face import common, emit, example, finish, wants_json


@click.command(
    short_help="Prove that the mappings fit.",
    epilog=example("hydrofhir check", "hydrofhir check --mappings ./mappings --json"),
)
@click.option(
    "--mappings", type=click.Path(exists=True, file_okay=False, path_type=Path), metavar="DIR",
    help="Another mappings folder than the installed one.",
)  # fmt: skip
@common
def check(mappings: Path | None) -> None:
    """Prove that the mappings fit the record schemas and the FHIR R4 and R5 models.

    Every path exists with the right type and cardinality, every required element is always filled, every field is
    mapped or listed as not sent with a reason, every code has its ConceptMap entry. Each finding names file, row
    and reason (exit code 2). The same proof runs before anything is mapped.
    """
    from adapter.assembly import assemble

    assembly = assemble(path=mappings)
    found = proved(assembly)
    if not wants_json():
        for version, kinds in found["versions"].items():
            rows = sum(kind["rows"] for kind in kinds.values())
            click.echo(f"{version}: {len(kinds)} record kinds, {rows} rows")
            for kind, said in kinds.items():
                click.echo(f"  {kind:16} {said['rows']:4} rows -> {', '.join(said['resources'])}")
        lists = f"{found['code_lists']} code lists with {found['codes']} codes"
        click.echo(f"{lists}, {found['concept_maps']} ConceptMaps, {found['instruments']} instruments")
        click.echo(f"mappings {found['digest'][:12]} in {found['path']}: proved")
    finish("check", 0, found)


def proved(assembly: Any) -> dict[str, Any]:
    """What a successful proof covered: rows and resource types by version and kind, lists, codes, maps."""
    catalog, mappings = assembly.catalog, assembly.mappings
    versions = {
        version: {
            kind: {
                "rows": sum(_count(part.block.rows) for part in mapper.parts),
                "resources": list(dict.fromkeys(part.block.type for part in mapper.parts)),
            }
            for kind, mapper in mappers.items()
        }
        for version, mappers in mappings.mappers.items()
    }
    return {
        "digest": mappings.digest,
        "path": str(catalog.path),
        "versions": versions,
        "code_lists": len(catalog.lists),
        "codes": sum(len(one.codes) for one in catalog.lists.values()),
        "concept_maps": len(catalog.maps),
        "instruments": len(catalog.instruments),
    }


def _count(rows: Any) -> int:
    return sum(1 + _count(row.rows) for row in rows)


def known_kind(context: click.Context, parameter: click.Parameter, kind: str) -> str:
    """The kind, when there is one of this name; the list is that of the record schemas."""
    from adapter import records

    if kind not in records.KNOWN:
        raise click.BadParameter(f"{kind!r} is not one of {', '.join(records.KNOWN)}.")
    return kind


@click.command(
    short_help="JSON Schema and example of a record kind.",
    epilog=example("hydrofhir schema procedure", "hydrofhir schema subject --example > one-subject.ndjson"),
)
@click.argument("kind", callback=known_kind)
@click.option("--example", "only_example", is_flag=True, help="Only the filled example, as one NDJSON line.")
@common
def schema(kind: str, only_example: bool) -> None:
    """Print the JSON Schema of a record KIND together with a filled example.

    One JSON object {"schema": ..., "example": ...}. The schema tells types, ranges, code lists and patterns; rules
    over several fields are checked at intake.
    """
    from adapter import codec, records

    filled = records.example(kind)
    if only_example:
        click.echo(codec.dumps(filled))
    elif wants_json():
        emit({"schema": records.json_schema(kind), "example": filled})
    else:
        click.echo(codec.dumps_pretty({"schema": records.json_schema(kind), "example": filled}).rstrip())
