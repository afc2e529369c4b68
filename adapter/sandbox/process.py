"""The processes behind the sandbox servers: started, recognised, waited for, ended.

A process is ours when its command line carries the random token it was started with, so a process id that the
system has given to somebody else is never stopped by mistake. This module must not know which options a
server has.
"""

from __future__ import annotations

import http.client
import json
import os
import secrets
import signal
import socket
import subprocess
import time
import urllib.request
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from adapter.sandbox.builder import JAR, Progress, SandboxError, tail, tool

HOST = "127.0.0.1"
RELEASES = {"R4": "4.0.1", "R5": "5.0.0"}
_STOP_WITHIN = 20.0  # seconds until a stubborn server is killed
# Variables that Spring would read as settings; the sandbox obeys its arguments only.
_SPRING_VARIABLES = ("SPRING_", "SANDBOX_", "SERVER_", "LOGGING_", "MANAGEMENT_")

_children: dict[str, subprocess.Popen[bytes]] = {}  # by token: those that this very process started


@dataclass(frozen=True)
class Database:
    """A database for the server: a JDBC url (`jdbc:postgresql:` or `jdbc:h2:`), user and password."""

    url: str
    user: str = ""
    password: str = field(default="", repr=False)


@dataclass(frozen=True)
class Running:
    """A server that we started: process id, base address for FHIR, release (R4 or R5), log file and port."""

    pid: int
    base_url: str
    version: str
    log_path: Path
    port: int
    token: str = field(repr=False)
    options: str = field(repr=False)

    def is_alive(self) -> bool:
        """Whether the process still runs and is the one we started."""
        child = _children.get(self.token)
        if child is not None:
            return child.poll() is None
        return self.token in _command_line(self.pid)


def free_port(port: int) -> int:
    """`port` itself, or a free one for 0; SandboxError when somebody has it."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except (OSError, OverflowError):
            raise SandboxError(f"port {port} is not free") from None
        return int(probe.getsockname()[1])


def start(
    home: Path,
    folder: Path,
    port: int,
    version: str,
    flags: list[str],
    arguments: list[str],
    database: Database | None,
    options: str,
) -> Running:
    token = secrets.token_hex(16)
    log_path = folder / f"{version}-{port}.log"
    environment = {k: v for k, v in os.environ.items() if not k.upper().startswith(_SPRING_VARIABLES)}
    if database is not None:  # by environment: a command line can be read by everybody on the machine
        environment["SPRING_DATASOURCE_URL"] = database.url
        environment["SPRING_DATASOURCE_USERNAME"] = database.user
        environment["SPRING_DATASOURCE_PASSWORD"] = database.password
    command = [tool("java"), f"-Dhydrofhir.sandbox={token}", *flags, "-jar", str(home.resolve() / JAR)]
    command += [
        "--spring.config.location=classpath:/application.properties",
        f"--server.port={port}",
        *arguments,
    ]
    with open(log_path, "wb", opener=lambda name, how: os.open(name, how, 0o600)) as log:
        child = subprocess.Popen(  # noqa: S603
            command,
            cwd=home,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    _children[token] = child
    # Just after exec there is no command line to be seen yet, and others must recognise what the file names.
    while child.poll() is None and token not in _command_line(child.pid):
        time.sleep(0.01)
    running = Running(child.pid, f"http://{HOST}:{port}/fhir", version, log_path, port, token, options)
    record = {**asdict(running), "log_path": str(log_path)}
    file = folder / f"{port}.json"
    file.with_suffix(".new").write_text(json.dumps(record), encoding="utf-8")
    file.with_suffix(".new").replace(file)
    return running


def read(file: Path) -> Running | None:
    """The server a state file describes; None when the file does not make sense."""
    try:
        record = json.loads(file.read_text(encoding="utf-8"))
        server = Running(**{**record, "log_path": Path(record["log_path"])})
    except (OSError, ValueError, KeyError, TypeError):
        return None
    sensible = isinstance(server.pid, int) and isinstance(server.port, int) and isinstance(server.token, str)
    return server if sensible and server.token else None


def await_answer(running: Running, wait: float, progress: Progress) -> None:
    progress(f"starting HAPI FHIR {running.version} on port {running.port}")
    begun = time.monotonic()
    while True:
        if not running.is_alive():
            raise SandboxError(f"the sandbox ended while starting. {_log_end(running)}")
        found = _metadata(running.base_url)
        if found is not None and found == (RELEASES[running.version], "hydrofhir sandbox"):
            progress(f"ready after {time.monotonic() - begun:.0f} s: {running.base_url}")
            return
        if found is not None:
            raise SandboxError(f"another server answers on port {running.port}")
        if time.monotonic() - begun > wait:
            raise SandboxError(f"the sandbox did not answer within {wait:.0f} s. {_log_end(running)}")
        time.sleep(0.25)


def _metadata(base_url: str) -> tuple[Any, Any] | None:
    """FHIR version and description that a server states; None while it does not answer properly."""
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(f"{base_url}/metadata?_elements=fhirVersion,implementation", timeout=30) as answer:
            statement = json.load(answer)
        return statement.get("fhirVersion"), statement.get("implementation", {}).get("description")
    except (OSError, ValueError, AttributeError, http.client.HTTPException):
        return None


def _log_end(running: Running) -> str:
    return f"The end of {running.log_path}:\n{tail(running.log_path)}"


def _command_line(pid: int) -> str:
    """The command line of a process; empty when there is none, or when it has ended already."""
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode("utf-8", "replace")
    except OSError:
        if Path("/proc/self").exists():
            return ""
    listing = subprocess.run(  # noqa: S603
        ["/bin/ps", "-ww", "-o", "command=", "-p", str(pid)], capture_output=True, text=True, check=False
    )
    return listing.stdout


def stop(server: Running, folder: Path) -> None:
    """Ends the process, at first politely; each signal is sent only to a process that is still ours."""
    for sign, patience in ((signal.SIGTERM, _STOP_WITHIN), (signal.SIGKILL, 5.0)):
        if not server.is_alive():
            break
        with suppress(ProcessLookupError):
            os.kill(server.pid, sign)
        deadline = time.monotonic() + patience
        while server.is_alive() and time.monotonic() < deadline:
            time.sleep(0.1)
    if server.is_alive():
        raise SandboxError(f"process {server.pid} on port {server.port} could not be stopped")
    (folder / f"{server.port}.json").unlink(missing_ok=True)
