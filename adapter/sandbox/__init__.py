"""A real HAPI FHIR server, and HAPI's validator, on this machine: built, started and stopped from Python.

For development, tests and the demonstration; never a place for real patients, since nobody is asked who they
are. The Java sources lie in examples/hapi-sandbox. `up`, `down` and `status` manage servers, `Validator`
keeps one validator process alive, `build` makes the jar that both run. Standard library only; this package
must not know any room, record or mapping.
"""

from adapter.sandbox.builder import SandboxError, build, missing_tools
from adapter.sandbox.process import Database, Running
from adapter.sandbox.server import down, status, up
from adapter.sandbox.validator import Finding, Validator

__all__ = [
    "Database",
    "Finding",
    "Running",
    "SandboxError",
    "Validator",
    "build",
    "down",
    "missing_tools",
    "status",
    "up",
]
