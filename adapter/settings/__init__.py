"""The only reader of the environment and of the configuration file.

Gives frozen ``Settings``; every mistake stops the start with a ``ConfigError`` that names file, key and what
is legal. Unknown keys are refused, so that a typing error cannot silently switch a safety setting off.
Secrets never stand in the file: it names an environment variable or a file, read again each time the secret
is asked for (secrets rotate). Knows nothing of HTTP, of the store, or of FHIR beyond the two version names.

The file is TOML (``hydrofhir.toml`` in the current directory, or the path in ``HYDROFHIR_CONFIG``)::

    sid = "https://clinic.example/sid"     # base of our identifier systems
    [targets.ward]
    base_url = "https://fhir.clinic.example/r4"
    fhir = "R4"
    auth = "bearer"
    token_file = "/run/secrets/fhir-token"
"""

from __future__ import annotations

import os
import re
import tomllib
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from types import MappingProxyType
from typing import Any
from urllib.parse import urlsplit

from adapter.errors import ConfigError
from adapter.settings.surroundings import base_url, surroundings
from adapter.settings.table import Table
from adapter.settings.target import FHIR_VERSIONS, Secret, Target, built_in, read_target

__all__ = ["FHIR_VERSIONS", "WAITING_DAYS", "Limits", "Secret", "Settings", "Target", "load"]

CONFIG_NAME = "hydrofhir.toml"
WAITING_DAYS = 30
"""How long a record waits for what it refers to, before it is given up."""

DEFAULT_SID = "https://hydrofhir.example/fhir/sid"
_TEXTS = {"state": "~/.local/state/hydrofhir", "namespace": "", "sid": DEFAULT_SID, "host": "127.0.0.1"}
_NAME = re.compile(r"[a-z0-9][a-z0-9_\-]{0,63}")


@dataclass(frozen=True, slots=True)
class Limits:
    """Bounds on what is taken in: bytes per input line and per HTTP body, records per HTTP batch and per
    chunk."""

    line_bytes: int = 1_048_576
    body_bytes: int = 33_554_432
    batch_records: int = 1_000
    chunk_records: int = 500


@dataclass(frozen=True, slots=True)
class Settings:
    """Everything that may differ between installations. ``file`` is the configuration file read, if any."""

    store_url: str = field(repr=False)
    state: Path
    namespace: uuid.UUID | None
    sid: str
    host: str
    port: int
    limits: Limits
    targets: Mapping[str, Target]
    waiting_days: int = WAITING_DAYS
    file: Path | None = None

    def resolve_target(self, arg: str, fhir: str | None = None, *, names_only: bool = False) -> Target:
        """The target meant by a command line argument (decisions 25).

        With a scheme it is a URL (which needs ``fhir``, unless a configured target has that address), else a
        configured or built-in name, else a folder (which needs ``fhir``). ``names_only`` (HTTP callers)
        refuses everything but names. ``ConfigError`` when it is none of these or the FHIR version contradicts
        the target's.
        """
        if fhir is not None and fhir not in FHIR_VERSIONS:
            raise ConfigError(f"FHIR version: legal are {' and '.join(FHIR_VERSIONS)}")
        found = self.targets.get(arg)
        if found is None and names_only:
            raise ConfigError(f"target: legal are the configured names: {', '.join(sorted(self.targets))}")
        if found is None and "://" in arg:
            base = base_url(arg, "argument", "target")
            found = next((t for t in self.targets.values() if t.base_url == base), None)
            if found is None:
                need_version(fhir, "a target given as URL")
                return Target(name=base, fhir=str(fhir), base_url=base, **surroundings(base, os.environ))
        if found is None:
            if _NAME.fullmatch(arg) and fhir is None:
                raise ConfigError(
                    f"target {arg}: not a known name ({', '.join(sorted(self.targets))}); "
                    "a folder needs --fhir R4 or --fhir R5"
                )
            need_version(fhir, "a folder as target")
            return Target(name=arg, fhir=str(fhir), folder=Path(arg).expanduser().absolute())
        if fhir is not None and fhir != found.fhir:
            raise ConfigError(f"target {found.name}: is configured as FHIR {found.fhir}, asked for as {fhir}")
        return found


def load(environ: Mapping[str, str] | None = None, file: Path | None = None) -> Settings:
    """Read environment and configuration file once. ``environ`` and ``file`` replace the real ones
    (tests)."""
    env = os.environ if environ is None else environ
    path = file if file is not None else _config_path(env)
    raw = _read(path) if path is not None else {}
    where = str(path or CONFIG_NAME)
    top = Table(raw, where, "")
    in_file = {key: top.text(key, default) for key, default in _TEXTS.items()}
    state = Path(env.get("HYDROFHIR_STATE") or in_file["state"]).expanduser()
    namespace = _namespace(env.get("HYDROFHIR_NAMESPACE") or in_file["namespace"], where)
    sid = in_file["sid"].rstrip("/")
    if "://" not in sid and not sid.startswith("urn:"):
        top.fail("sid", "an absolute URI")
    host = env.get("HYDROFHIR_HOST") or in_file["host"]
    port = top.number("port", 8080, 1, 65535)
    if env.get("HYDROFHIR_PORT"):
        port = _port(env["HYDROFHIR_PORT"])
    store_url = _stored_url(top, state)
    store_url = env.get("HYDROFHIR_STORE") or store_url
    waiting_days = top.number("waiting_days", WAITING_DAYS, 0, 36500)
    box = top.table("limits")
    limits = Limits(**{f.name: box.number(f.name, f.default, 1, 2**31) for f in fields(Limits)})
    box.finish()
    targets = {name: read_target(name, body, where, env) for name, body in built_in().items()}
    for name, body in top.table("targets").raw.items():
        if not _NAME.fullmatch(name):
            top.fail(f"targets.{name}", "a name of a-z, 0-9, - and _")
        if not isinstance(body, dict):
            top.fail(f"targets.{name}", "a table")
        targets[name] = read_target(name, body, where, env)
    top.finish()
    return Settings(
        store_url, state, namespace, sid, host, int(port), limits, MappingProxyType(targets), waiting_days, path
    )


def _config_path(env: Mapping[str, str]) -> Path | None:
    named = env.get("HYDROFHIR_CONFIG")
    if named:
        return Path(named).expanduser()
    here = Path(CONFIG_NAME)
    return here if here.is_file() else None


def _read(path: Path) -> dict[str, Any]:
    try:
        with path.open("rb") as stream:
            return tomllib.load(stream)
    except OSError:
        raise ConfigError(f"{path}: cannot be read; legal is a TOML file") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError):
        raise ConfigError(f"{path}: is not TOML") from None


def _namespace(text: str, file: str) -> uuid.UUID | None:
    if not text:
        return None
    try:
        return uuid.UUID(text)
    except ValueError:
        raise ConfigError(f"{file}: namespace: legal is a UUID") from None


def _port(text: str) -> int:
    if not text.isdecimal() or not 1 <= int(text) <= 65535:
        raise ConfigError("environment variable HYDROFHIR_PORT: legal is a number from 1 to 65535")
    return int(text)


def _stored_url(top: Table, state: Path) -> str:
    url = top.text("store", None)
    if url is None:
        return f"sqlite:///{(state / 'store.sqlite').absolute()}"
    if "://" not in url:
        top.fail("store", "a database URL (sqlite:///... or postgresql+psycopg://...)")
    if not url.startswith("sqlite") and urlsplit(url).password:
        top.fail("store", "a database URL without password (give it in HYDROFHIR_STORE or ~/.pgpass)")
    return str(url)


def need_version(fhir: str | None, what: str) -> None:
    if fhir is None:
        raise ConfigError(f"{what}: needs --fhir R4 or --fhir R5")
