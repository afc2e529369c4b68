"""The commands of `hydrofhir`: parse, call a journey, show how it went. Nothing here decides about data.

    face      the group, its errors and exit codes, --json and --debug      watch    progress, issues, rejects
    prove     check, schema                                                 convert  generate, map, unmap
    derive    derive                                                        trade    push, pull
    quarantine  waiting                                                     doctor   doctor
    local     sandbox, serve, demo

Data goes to standard output, everything said to people to standard error. Heavy parts are imported when a command
runs, so that --help answers at once.
"""

from __future__ import annotations

import click

from adapter import __version__
from adapter.commands.convert import generate, map_, unmap
from adapter.commands.derive import derive
from adapter.commands.doctor import doctor
from adapter.commands.face import Face, debug_option, example
from adapter.commands.local import demo, sandbox, serve
from adapter.commands.prove import check, schema
from adapter.commands.quarantine import waiting
from adapter.commands.trade import pull, push


@click.group(
    cls=Face,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110},
    epilog=example(
        "hydrofhir generate --subjects 5 --seed 1 --out records.ndjson",
        "hydrofhir map records.ndjson --fhir R5 --out resources.ndjson",
        "hydrofhir push records.ndjson --to http://127.0.0.1:8080/fhir --fhir R4",
        note="Exit codes: 0 all done, 1 some records refused, 2 usage or configuration, 3 not finished (start it"
        " again), 4 stopped.",
    ),
)
@click.version_option(__version__, prog_name="hydrofhir")
@debug_option
def hydrofhir() -> None:
    """Hydrodissection records to HL7 FHIR R4 and R5 and back, exchanged with FHIR servers or folders.

    Records are NDJSON (one JSON object a line) or a JSON array, plain or gzip. A FILE of - is standard input or
    output. Settings come from hydrofhir.toml and the environment; hydrofhir doctor shows what they are.
    """


for command in (check, schema, generate, map_, unmap, derive, push, pull, waiting, doctor, sandbox, serve, demo):
    hydrofhir.add_command(command)

__all__ = ["hydrofhir"]
