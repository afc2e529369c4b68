"""`doctor`: what this installation is and whether it works; and what a target can do. Never shows a secret."""

from __future__ import annotations

import platform
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from typing import Any
from urllib.parse import urlsplit

import click

from adapter import __version__
from adapter.commands.face import common, example, fhir_option, finish, wants_json
from adapter.errors import HydrofhirError, MappingProofError, exit_code


@click.command(
    short_help="Look at this installation and at a target.",
    epilog=example("hydrofhir doctor", "hydrofhir doctor http://127.0.0.1:8080/fhir --fhir R4 --json"),
)
@click.argument("target", required=False)
@fhir_option
@common
def doctor(target: str | None, fhir: str | None) -> None:
    """Look at this installation, and at TARGET (a URL, a configured name or a folder) when one is given.

    Shows versions, settings, store, namespace, the proof of the mappings, and the tools for the sandbox; for a target
    what it says it can do and what the adapter will therefore do. Secrets are never shown. The exit code is that of
    the first thing found wrong.
    """
    from adapter import settings as configuration

    ward = Ward()
    ward.note("hydrofhir", {"version": __version__, "python": platform.python_version()})
    settings = ward.look("settings", configuration.load, _settings)
    if settings is not None:
        ward.look("store", lambda: _store(settings))
        ward.look("mappings", lambda: _mappings(settings))
    ward.look("sandbox", _sandbox)
    if target is not None and settings is not None:
        ward.look("target", lambda: _target(settings, target, fhir))
    if not wants_json():
        for name, found in ward.found.items():
            click.echo(name)
            for line in _lines(found):
                click.echo(f"  {line}")
    finish("doctor", ward.code, {"found": ward.found})


class Ward:
    """Findings by name; what goes wrong is a finding too, and the first one decides the exit code."""

    def __init__(self) -> None:
        self.found: dict[str, dict[str, Any]] = {}
        self.code = 0

    def note(self, name: str, found: dict[str, Any]) -> None:
        self.found[name] = found

    def look(self, name: str, at: Callable[[], Any], shown: Callable[[Any], dict[str, Any]] | None = None) -> Any:
        """What ``at`` finds, or None when that is wrong."""
        try:
            found = at()
        except HydrofhirError as error:
            text = str(error).splitlines()[0]
            more = f" (and {len(error.findings) - 1} more)" if isinstance(error, MappingProofError) else ""
            self.note(name, {"problem": text + more})
            self.code = self.code or exit_code(error)
            return None
        self.note(name, shown(found) if shown is not None else found)
        return found


def _settings(settings: Any) -> dict[str, Any]:
    return {
        "file": str(settings.file or "none (hydrofhir.toml, or HYDROFHIR_CONFIG)"),
        "state": str(settings.state),
        "identifier systems": settings.sid,
        "service": f"{settings.host}:{settings.port}",
        "targets": {name: _described(one) for name, one in settings.targets.items()},
    }


def _described(target: Any) -> str:
    """A target in a line: where, version, how we show who we are (never the secret), whose patients."""
    where = target.base_url or target.folder
    return f"{where} ({target.fhir}, auth {target.auth}, patient {target.patient})"


def _store(settings: Any) -> dict[str, Any]:
    from adapter.store import Store

    with Store(settings.store_url) as store:
        namespace = store.namespace(settings.namespace)
        return {
            "url": _without_secret(settings.store_url),
            "namespace": str(namespace),
            "records": store.record_counts(),
        }


def _without_secret(url: str) -> str:
    """A database URL without user, password and options."""
    parts = urlsplit(url)
    if parts.scheme.startswith("sqlite"):
        return url.partition("?")[0]
    port = f":{parts.port}" if parts.port else ""
    return f"{parts.scheme}://{parts.hostname or ''}{port}{parts.path}"


def _mappings(settings: Any) -> dict[str, Any]:
    from adapter.assembly import assemble
    from adapter.commands.prove import proved

    found = proved(assemble(sid=settings.sid))
    kinds = {version: ", ".join(kinds) for version, kinds in found["versions"].items()}
    return {"path": found["path"], "digest": found["digest"], "proof": "holds", **kinds}


def _sandbox() -> dict[str, Any]:
    from adapter import sandbox

    missing = sandbox.missing_tools()
    running = {f"{one.version} on port {one.port}": one.base_url for one in sandbox.status()}
    tools = f"missing: {', '.join(missing)} (the demo then uses a folder)" if missing else "Java and Maven are here"
    return {"tools": tools, **({"running": running} if running else {})}


def _target(settings: Any, name: str, fhir: str | None) -> dict[str, Any]:
    from adapter.assembly import assemble
    from adapter.exchange import Server, connect
    from adapter.scope import searched_by, types_of

    target = replace(settings.resolve_target(name, fhir), max_retries=0)  # a doctor does not wait
    found = {"name": target.name, "how": _described(target)}
    with closing(connect(target)) as partner:
        found |= partner.describe()
        if isinstance(partner, Server):
            mappers = assemble(sid=settings.sid).mappings.mappers[target.fhir]
            needed = {kind: (searched_by(target.fhir, kind),) for kind in types_of(mappers)}
            found["lacking"] = partner.capability().lacking(needed) or "nothing that we need"
    return found


def _lines(found: dict[str, Any]) -> list[str]:
    lines = []
    for name, value in found.items():
        if isinstance(value, dict):
            lines += [f"{name}:", *(f"  {inner}" for inner in _lines(value))] if value else [f"{name}: none"]
        elif isinstance(value, list):
            lines += [f"{name}:", *(f"  - {one}" for one in value)]
        else:
            lines.append(f"{name}: {value}")
    return lines
