"""HAPI's own validator as a process that is kept alive: resources in, findings out, no network.

It takes some seconds to start and then checks some dozens of resources a second, so one process serves a
whole test run. Findings quote values of the resource: for synthetic data and developers, not for logs. This
module must not know what the resources are about.
"""

from __future__ import annotations

import json
import queue
import subprocess
import tempfile
import threading
from collections import deque
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

from adapter.sandbox.builder import JAR, Progress, SandboxError, build, tail, tool
from adapter.sandbox.process import RELEASES

_AHEAD = 32  # resources sent before the first answer is taken


@dataclass(frozen=True)
class Finding:
    """One issue: severity `error`, `warning` or `information`, location, text, HAPI's message id."""

    severity: str
    location: str
    message: str
    message_id: str

    @property
    def is_error(self) -> bool:
        """Whether HAPI would refuse the resource for this."""
        return self.severity == "error"


class Validator:
    """A validator process for one FHIR release. Use as a context manager, from one thread at a time.

    `version` R4 or R5; `definitions` a folder with our definitions of this version, as NDJSON or one file each
    (searched with its subfolders); resources are validated against the profiles that they claim; `heap` as for
    -Xmx; `c2` for long runs; `timeout` seconds for one answer, the start included; `cache` the folder of builds.
    Raises SandboxError when it cannot be built or started.
    """

    def __init__(
        self,
        version: str,
        definitions: Path | None = None,
        *,
        heap: str = "1g",
        c2: bool = False,
        timeout: float = 120,
        cache: Path | None = None,
        progress: Progress | None = None,
    ) -> None:
        if version not in RELEASES:
            raise SandboxError("version must be R4 or R5")
        if definitions is not None and not definitions.is_dir():
            raise SandboxError(f"{definitions} is not a folder")
        home = build(cache, progress=progress)
        quick = [] if c2 else ["-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC"]
        command = [tool("java"), f"-Xmx{heap}", *quick, "-Djava.awt.headless=true", "-cp", str(home / JAR)]
        command += ["hydrofhir.sandbox.Validator", "--fhir", version]
        if definitions is not None:
            command += ["--definitions", str(definitions)]
        self._timeout = timeout
        self._sent = 0
        self._answers: queue.SimpleQueue[bytes] = queue.SimpleQueue()
        self._log = tempfile.NamedTemporaryFile(prefix="hydrofhir-validator-", suffix=".log")  # noqa: SIM115
        self._process = subprocess.Popen(  # noqa: S603
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self._log
        )
        self._reader = threading.Thread(target=self._read, name="hydrofhir-validator", daemon=True)
        self._reader.start()

    def check(self, resource: bytes) -> list[Finding]:
        """The findings for one resource or Bundle (JSON); what is no JSON gives an error finding too."""
        return next(self.check_many([resource]))

    def check_many(self, resources: Iterable[bytes]) -> Iterator[list[Finding]]:
        """The findings of each resource, in order; reads a little ahead, so memory stays bounded."""
        waiting: deque[int] = deque()
        try:
            for resource in resources:
                waiting.append(self._send(resource))
                if len(waiting) >= _AHEAD:
                    yield self._receive(waiting.popleft())
            while waiting:
                yield self._receive(waiting.popleft())
        finally:
            with suppress(SandboxError):
                while waiting:  # the caller stopped early: these answers are nobody's
                    self._receive(waiting.popleft())

    def close(self) -> None:
        """Ends the process."""
        if self._process.stdin is not None:
            with suppress(OSError):
                self._process.stdin.close()
        try:
            self._process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._reader.join()
        if self._process.stdout is not None:
            self._process.stdout.close()
        self._log.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _read(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            self._answers.put(line)
        self._answers.put(b"")

    def _send(self, resource: bytes) -> int:
        """Sends one line and returns its number. Line breaks outside JSON strings are only white space."""
        line = resource.replace(b"\n", b" ").replace(b"\r", b" ").strip() or b"null"
        assert self._process.stdin is not None
        try:
            self._process.stdin.write(line + b"\n")
            self._process.stdin.flush()
        except (OSError, ValueError):
            raise self._ended() from None
        self._sent += 1
        return self._sent

    def _receive(self, number: int) -> list[Finding]:
        try:
            line = self._answers.get(timeout=self._timeout)
        except queue.Empty:
            self._process.kill()
            raise SandboxError(f"the validator did not answer within {self._timeout:.0f} s") from None
        if not line:
            raise self._ended()
        answer = json.loads(line)
        if answer["line"] != number:
            raise SandboxError(f"the validator answered line {answer['line']} instead of {number}")
        return [
            Finding(issue["severity"], issue["location"], issue["message"], issue["messageId"])
            for issue in answer["issues"]
        ]

    def _ended(self) -> SandboxError:
        self._answers.put(b"")  # later calls must find the end too
        return SandboxError(f"the validator has ended:\n{tail(Path(self._log.name))}")
