"""What all commands share: errors become one line and an exit code, --json one object, --debug the traceback.

Exit codes (decisions 26): 0 all done; 1 some records refused; 2 usage or configuration; 3 not finished, try again
later; 4 stopped. Knows click and the errors, no journey.
"""

from __future__ import annotations

import os
import sys
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

import click

from adapter.errors import HydrofhirError, MappingProofError, exit_code

AnyCommand = TypeVar("AnyCommand", bound=Callable[..., Any])
INTERRUPTED, BROKEN = 3, 4


@dataclass
class State:
    """What the options that every command has say; one per run."""

    json: bool = False
    debug: bool = False


class Face(click.Group):
    """The group of all commands: whatever goes wrong ends here, in words and with an exit code."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(self.commands)  # in the order of the work, not of the alphabet

    def invoke(self, ctx: click.Context) -> Any:
        state = ctx.ensure_object(State)
        error: Exception | None = None
        try:
            return super().invoke(ctx)
        except (click.exceptions.Exit, click.ClickException, click.Abort):
            raise
        except KeyboardInterrupt:
            say("interrupted; nothing half-written was left, start the command again to go on")
            code = INTERRUPTED
        except BrokenPipeError:
            _forget_stdout()
            ctx.exit(INTERRUPTED)
        except HydrofhirError as caught:
            code, error = exit_code(caught), caught
            say(f"{type(caught).__name__}:\n{caught}" if isinstance(caught, MappingProofError) else str(caught))
        except OSError as caught:
            code, error = BROKEN, caught
            say(f"a file cannot be read or written: {caught.strerror or type(caught).__name__}")
        except Exception as caught:
            code, error = BROKEN, caught
            say(f"unexpected error ({type(caught).__name__}); this is a fault of hydrofhir. --debug shows where")
        if state.debug and error is not None:
            traceback.print_exception(error)
        if state.json:
            emit({"command": ctx.invoked_subcommand, "exit_code": code, "error": _described(error)})
        ctx.exit(code)


def _described(error: Exception | None) -> dict[str, Any]:
    if error is None:
        return {"kind": "Interrupted", "message": "interrupted"}
    if isinstance(error, MappingProofError):
        findings = [{"file": file, "row": row, "reason": reason} for file, row, reason in error.findings]
        return {"kind": "MappingProofError", "message": "the mappings do not fit", "findings": findings}
    safe = isinstance(error, HydrofhirError)
    return {"kind": type(error).__name__, "message": str(error) if safe else "unexpected error"}


def _forget_stdout() -> None:
    """The reader of standard output has gone: what is left in the buffer must not raise again at the end."""
    try:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except (OSError, ValueError):
        sys.stdout = sys.stderr


def say(text: str) -> None:
    """One message for people, to standard error."""
    click.echo(f"hydrofhir: {text}", err=True)


def emit(found: dict[str, Any]) -> None:
    """One JSON object, on one line, to standard output."""
    from adapter import codec

    click.echo(codec.dumps(found))


def wants_json() -> bool:
    """Did the caller of the running command ask for --json?"""
    return click.get_current_context().ensure_object(State).json


def finish(command: str, code: int, found: dict[str, Any]) -> None:
    """End a command: its JSON object when asked for, then the exit code."""
    if wants_json():
        emit({"command": command, "exit_code": code, **found})
    click.get_current_context().exit(code)


def _set(name: str) -> Callable[[click.Context, click.Parameter, bool], None]:
    def callback(ctx: click.Context, _: click.Parameter, value: bool) -> None:
        if value:
            setattr(ctx.ensure_object(State), name, True)

    return callback


debug_option = click.option(
    "--debug", is_flag=True, expose_value=False, callback=_set("debug"),
    help="Show the traceback of an error (it may show values of records).",
)  # fmt: skip
json_option = click.option(
    "--json", is_flag=True, expose_value=False, callback=_set("json"), is_eager=True,
    help="For machines: one JSON object on standard output.",
)  # fmt: skip
fhir_option = click.option(
    "--fhir", type=click.Choice(("R4", "R5")), help="FHIR version; needed where the target does not tell."
)


def common(command: AnyCommand) -> AnyCommand:
    """--json and --debug, last in the list of options."""
    return json_option(debug_option(command))


def example(*lines: str, note: str = "") -> str:
    """The end of a command's help: example lines, kept as they are."""
    told = "\n".join(f"  {line}" for line in lines)
    return f"\b\nExample{'s' if len(lines) > 1 else ''}:\n{told}" + (f"\n\n{note}" if note else "")
