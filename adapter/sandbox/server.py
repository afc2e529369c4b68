"""Starts, finds and stops sandbox servers.

One small JSON file for each server, `<state>/sandbox/<port>.json`, remembers what runs. This module
must not know what is sent to the servers.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from adapter.sandbox.builder import Progress, SandboxError, build, default_state, locked, private_folder
from adapter.sandbox.process import RELEASES, Database, Running, await_answer, free_port, read, start, stop

ID_POLICIES = ("ALPHANUMERIC", "ANY", "NOT_ALLOWED")
SWITCHES = (
    "bundle-limit",
    "job-interval-ms",
    "multiple-delete",
    "page-limit",
    "page-size",
    "referential-integrity",
    "retry-conflicts",
)


def up(
    version: str,
    port: int = 0,
    db: Database | str | None = None,
    validate: bool = False,
    id_policy: str | None = None,
    heap: str = "1g",
    c2: bool = False,
    wait: float = 120,
    *,
    switches: Mapping[str, str | int | bool] | None = None,
    state: Path | None = None,
    cache: Path | None = None,
    progress: Progress | None = None,
) -> Running:
    """Starts a server (building it when needed) and waits until it answers.

    A server already running with the very same options is returned instead. `version` R4 or R5; `port` 0
    picks a free one; `db` None is H2 in memory; `validate` answers bad resources with 422; `id_policy`
    ALPHANUMERIC (default), ANY or NOT_ALLOWED; `heap` as for -Xmx (R5 needs 1g, long load runs 2g to 4g);
    `c2` True lets the JVM optimise fully: slower to start, faster under load; `wait` seconds; `switches` see
    SWITCHES and application.properties; `state` and `cache` are folders (default: in the state directory).
    Raises SandboxError.
    """
    progress = progress or (lambda _: None)
    arguments = _arguments(version, validate, id_policy, switches or {})
    flags = _flags(heap, c2)
    database = Database(db) if isinstance(db, str) else db
    if database is not None and not database.url.startswith(("jdbc:postgresql:", "jdbc:h2:")):
        raise SandboxError("the database url must begin with jdbc:postgresql: or jdbc:h2:")
    folder = private_folder((state or default_state()).resolve() / "sandbox")
    home = build(cache, progress=progress)
    same = (home.name, arguments, flags, database and (database.url, database.user))
    options = hashlib.sha256(repr(same).encode()).hexdigest()
    with locked(folder / "lock"):
        for server in status(state):
            if server.options == options and port in (0, server.port):
                running, ours = server, False
                break
            if server.port == port:
                raise SandboxError(f"port {port} has a sandbox with other options; stop it first")
        else:
            port = free_port(port)
            running, ours = start(home, folder, port, version, flags, arguments, database, options), True
    try:
        await_answer(running, wait, progress)
    except BaseException:
        if ours:
            stop(running, folder)
        raise
    return running


def down(which: str | int | None = None, state: Path | None = None) -> list[Running]:
    """Stops the servers of a release (R4, R5), the one on a port, or all (None); returns what was stopped."""
    wanted = str(which) if which is not None else None
    if wanted is not None and wanted not in RELEASES and not wanted.isdigit():
        raise SandboxError("down takes R4, R5 or a port")
    folder = (state or default_state()) / "sandbox"
    servers = [s for s in status(state) if wanted in (None, s.version, str(s.port))]
    for server in servers:
        stop(server, folder)
    return servers


def status(state: Path | None = None) -> list[Running]:
    """The servers that run, by port; what is left of others is cleared away."""
    servers = []
    for file in sorted(((state or default_state()) / "sandbox").glob("*.json")):
        server = read(file)
        if server is not None and server.is_alive():
            servers.append(server)
        else:
            file.unlink(missing_ok=True)
    return sorted(servers, key=lambda server: server.port)


def _arguments(
    version: str, validate: bool, id_policy: str | None, switches: Mapping[str, str | int | bool]
) -> list[str]:
    if version not in RELEASES:
        raise SandboxError("version must be R4 or R5")
    if id_policy is not None and id_policy not in ID_POLICIES:
        raise SandboxError(f"id_policy must be one of {', '.join(ID_POLICIES)}")
    unknown = sorted(set(switches) - set(SWITCHES))
    if unknown:
        raise SandboxError(f"unknown switch {unknown[0]}; known are {', '.join(SWITCHES)}")
    settings: dict[str, Any] = {
        "fhir": version,
        "validate": validate,
        "id-policy": id_policy or "ALPHANUMERIC",
        **dict(sorted(switches.items())),
    }
    return [
        f"--sandbox.{name}={str(value).lower() if isinstance(value, bool) else value}"
        for name, value in settings.items()
    ]


def _flags(heap: str, c2: bool) -> list[str]:
    if not re.fullmatch(r"[1-9][0-9]*[kmgKMG]", heap):
        raise SandboxError("heap must be a number with k, m or g, such as 1g")
    quick = [] if c2 else ["-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC"]
    return [f"-Xmx{heap}", *quick, "-XX:+ExitOnOutOfMemoryError", "-Djava.awt.headless=true"]
