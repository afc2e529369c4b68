"""`sandbox`, `serve` and `demo`: what runs on this machine."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from adapter.commands.face import common, example, finish, say, wants_json

VERSION = click.Choice(("R4", "R5"))


@click.group(
    short_help="A HAPI FHIR server on this machine.",
    epilog=example("hydrofhir sandbox up --fhir R4 --port 8080", "hydrofhir sandbox down"),
)
def sandbox() -> None:
    """A real HAPI FHIR server on this machine, for trying out and for tests.

    Built with Java and Maven on first use (some 350 MB are downloaded). Never for real patients: nobody is asked who
    they are.
    """


@sandbox.command(epilog=example("hydrofhir sandbox up --fhir R5 --port 8085 --validate"))
@click.option("--fhir", type=VERSION, default="R4", show_default=True, help="FHIR version to serve.")
@click.option("--port", type=click.IntRange(0, 65535), default=0, show_default="a free one", help="Port on 127.0.0.1.")
@click.option("--validate", is_flag=True, help="Answer resources that are not valid with 422.")
@click.option("--db", metavar="JDBC", help="A database (jdbc:postgresql:... or jdbc:h2:...); default: in memory.")
@click.option("--heap", default="1g", show_default=True, help="Memory of the server.")
@common
def up(fhir: str, port: int, validate: bool, db: str | None, heap: str) -> None:
    """Start a server and print its base address. One that runs with these very options is used again."""
    from adapter import sandbox as servers

    found = servers.up(fhir, port, db, validate, heap=heap, progress=say)
    if not wants_json():
        click.echo(found.base_url)
    finish("sandbox up", 0, _shown(found))


@sandbox.command(epilog=example("hydrofhir sandbox down R4"))
@click.argument("which", required=False, metavar="[R4|R5|PORT]")
@common
def down(which: str | None) -> None:
    """Stop the servers of a FHIR version, the one on a port, or all."""
    from adapter import sandbox as servers

    stopped = servers.down(which)
    for one in stopped:
        say(f"stopped {one.version} on port {one.port}")
    if not stopped:
        say("no such sandbox runs")
    finish("sandbox down", 0, {"stopped": [_shown(one) for one in stopped]})


@sandbox.command(epilog=example("hydrofhir sandbox status --json"))
@common
def status() -> None:
    """Show the servers that run."""
    from adapter import sandbox as servers

    running = servers.status()
    if not wants_json():
        for one in running:
            click.echo(f"{one.version} {one.base_url} (process {one.pid}, log {one.log_path})")
        if not running:
            say("no sandbox runs")
    finish("sandbox status", 0, {"running": [_shown(one) for one in running]})


def _shown(one: Any) -> dict[str, Any]:
    return {"fhir": one.version, "base_url": one.base_url, "port": one.port, "pid": one.pid, "log": str(one.log_path)}


@click.command(
    short_help="Run the HTTP service.", epilog=example("hydrofhir serve", "HYDROFHIR_PORT=8090 hydrofhir serve")
)
@common
def serve() -> None:
    """Run the HTTP service (JSON API) on the host and port of the settings, until Ctrl-C.

    It binds to 127.0.0.1 unless told otherwise.
    """
    import waitress

    from adapter import settings as configuration
    from adapter.app import create_app

    settings = configuration.load()
    app = create_app(settings)
    say(f"listening on http://{settings.host}:{settings.port}/ (Ctrl-C ends it)")
    waitress.serve(
        app, host=settings.host, port=settings.port, ident=None, max_request_body_size=settings.limits.body_bytes
    )


@click.command(
    short_help="The whole journey with synthetic records.",
    epilog=example(
        "hydrofhir demo",
        "hydrofhir demo --fhir R4 --subjects 100 --server http://127.0.0.1:8080/fhir",
        note="Without Java and Maven, and without a server, the demo uses a folder for a server, and says so.",
    ),
)
@click.option(
    "--fhir", "versions", type=VERSION, multiple=True, help="FHIR version; may be given twice (default: both)."
)
@click.option("--subjects", type=click.IntRange(1), default=12, show_default=True, help="Persons in the trial.")
@click.option("--seed", type=click.IntRange(0), default=1, show_default=True, help="The same seed, the same records.")
@click.option(
    "--server", metavar="URL", envvar="FHIR_SERVER", show_envvar=True, help="A FHIR server instead of the sandbox."
)
@click.option(
    "--out", type=click.Path(file_okay=False, path_type=Path), default=Path("demo-out"), show_default=True,
    metavar="DIR", help="Where the pictures and records go.",
)  # fmt: skip
@common
def demo(versions: tuple[str, ...], subjects: int, seed: int, server: str | None, out: Path) -> None:
    """The whole journey with synthetic records, on a real server, in R4 and R5.

    Makes a trial and some registry patients, pushes them, pushes again (nothing is sent), pulls them back into an
    empty store, compares record by record, and draws the pain curves from what came back.
    """
    from adapter import demo as story

    runs = story.run(versions, subjects, seed, server, out, say)
    same = all(run.equal == run.records for run in runs)
    if not wants_json():
        _table(runs)
        for run in runs:
            for line in run.differences:
                click.echo(f"{run.version}: {line}")
        click.echo(f"pictures: {out / 'pain-curves.png'}, {out / 'pain-curves.svg'}")
        total = sum(run.records for run in runs)
        click.echo(f"all {total} records: equal" if same else "not all records are equal")
    finish("demo", 0 if same else 1, {"runs": [run.as_dict() for run in runs], "out": str(out)})


def _table(runs: Any) -> None:
    from rich.console import Console
    from rich.table import Table

    table = Table(title="out and back")
    table.add_column("")
    for run in runs:
        table.add_column(f"{run.version} ({run.where})", justify="right")
    for name in ("records", "resources", "pushed/s", "second push wrote", "pulled/s", "equal"):
        table.add_row(name, *(run.shown()[name] for run in runs))
    Console().print(table)
