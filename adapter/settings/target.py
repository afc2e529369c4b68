"""An exchange partner as the configuration file describes it, and where its secret is. Never a secret itself."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Any
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from adapter.errors import ConfigError
from adapter.settings.surroundings import LOOPBACK, base_url, proxy_of, surroundings
from adapter.settings.table import Table

FHIR_VERSIONS = ("R4", "R5")
_ACTOR = re.compile(r"(Practitioner|PractitionerRole|Organization|Location)/[A-Za-z0-9\-.]{1,64}")


@dataclass(frozen=True, slots=True)
class Secret:
    """Where a secret is, never the secret: ``read()`` fetches it anew each time; ``repr`` shows the place
    only."""

    env: str | None = None
    file: Path | None = None

    def read(self) -> str:
        """The secret as text, outer white space removed; ``ConfigError`` naming the place when it is not
        there."""
        if self.env is not None:
            value = os.environ.get(self.env, "").strip()
            if not value:
                raise ConfigError(f"environment variable {self.env}: not set; it must hold the secret")
            return value
        try:
            value = Path(self.file or "").read_text(encoding="utf-8").strip()
        except (OSError, UnicodeDecodeError):
            raise ConfigError(f"secret file {self.file}: cannot be read; it must hold the secret") from None
        if not value:
            raise ConfigError(f"secret file {self.file}: empty; it must hold the secret")
        return value


@dataclass(frozen=True, slots=True)
class Target:
    """An exchange partner: a FHIR server (``base_url``) or a folder (``folder``); exactly one of the two is
    set.

    Times are seconds. ``pace`` is the least time between the starts of two requests. ``actors`` maps our
    operator, assessor and site ids to the target's own resources (decisions 13). ``derived``: whether what follows from
    the records is sent too.
    """

    name: str
    fhir: str
    base_url: str | None = None
    folder: Path | None = None
    auth: str = "none"
    user: str | None = field(default=None, repr=False)
    secret: Secret | None = field(default=None, repr=False)
    cert_file: Path | None = None
    key_file: Path | None = None
    ca_bundle: Path | None = None
    proxy: str | None = field(default=None, repr=False)
    patient: str = "ours"
    patient_system: str | None = None
    actors: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    timezone: str = "UTC"
    concurrency: int = 4
    bundle_entries: int = 100
    page_size: int = 500
    gzip: bool = False
    pace: float = 0.0
    synthetic_only: bool = False
    derived: bool = True
    connect_timeout: float = 10.0
    read_timeout: float = 180.0
    max_retries: int = 5
    retry_cap: float = 60.0

    @property
    def ledger_key(self) -> str:
        """What the ledger knows this partner by: its address, so that a renamed target is not sent to
        again."""
        return self.base_url if self.base_url is not None else f"{self.folder}#{self.fhir}"


def built_in() -> dict[str, dict[str, Any]]:
    """Public test servers: shared by everybody, so modest pace, small bundles and synthetic records only."""
    modest = {"synthetic_only": True, "pace": 0.5, "concurrency": 1, "bundle_entries": 30, "page_size": 100}
    return {
        "hapi-r4": {"base_url": "https://hapi.fhir.org/baseR4", "fhir": "R4", **modest},
        "hapi-r5": {"base_url": "https://hapi.fhir.org/baseR5", "fhir": "R5", **modest},
    }


def read_target(name: str, raw: dict[str, Any], file: str, env: Mapping[str, str]) -> Target:
    box = Table(raw, file, f"targets.{name}.")
    for key in ("password", "token", "secret", "api_key"):
        if key in raw:
            box.fail(key, "no secret in the file: give password_env, password_file, token_env or token_file")
    url, folder = box.text("base_url", None), box.text("folder", None)
    if (url is None) == (folder is None):
        box.fail("base_url", "exactly one of base_url and folder")
    base = base_url(url, file, f"targets.{name}.base_url") if url is not None else None
    auth = box.choice("auth", ("none", "basic", "bearer", "certificate"), "none")
    secret = _secret(box, {"basic": "password", "bearer": "token"}.get(auth))
    user = box.text("user", None)
    if (auth == "basic") != (user is not None):
        box.fail("user", "text with auth = basic, absent otherwise")
    cert = box.path("cert_file")
    if auth == "certificate" and cert is None:
        box.fail("cert_file", "the path of the client certificate (PEM) with auth = certificate")
    if secret is not None and base is not None and not _may_carry_secret(base):
        box.fail("base_url", "https when a secret is sent (http only on the loopback address)")
    zone = box.text("timezone", "UTC")
    try:
        ZoneInfo(zone)
    except (KeyError, ValueError, OSError):
        box.fail("timezone", "an IANA time zone name such as Europe/Vienna")
    actors = box.take("actors", dict, "a table of our id -> Type/id", {})
    for ours, theirs in actors.items():
        if not isinstance(theirs, str) or not _ACTOR.fullmatch(theirs):
            box.fail(f"actors.{ours}", "Practitioner/, PractitionerRole/, Organization/ or Location/ and an id")
    around = surroundings(base, env)
    target = Target(
        name=name,
        fhir=box.choice("fhir", FHIR_VERSIONS, None),
        base_url=base,
        folder=None if folder is None else Path(folder).expanduser().absolute(),
        auth=auth,
        user=user,
        secret=secret,
        cert_file=cert,
        key_file=box.path("key_file"),
        ca_bundle=box.path("ca_bundle") or around.get("ca_bundle"),
        proxy=proxy_of(box, env, around.get("proxy")),
        patient=box.choice("patient", ("ours", "hospital"), "ours"),
        patient_system=box.text("patient_system", None),
        actors=MappingProxyType(dict(actors)),
        timezone=zone,
        concurrency=box.number("concurrency", 4, 1, 64),
        bundle_entries=box.number("bundle_entries", 100, 1, 3000),
        page_size=box.number("page_size", 500, 1, 5000),
        gzip=box.flag("gzip", False),
        pace=box.number("pace", 0.0, 0, 3600),
        synthetic_only=box.flag("synthetic_only", False),
        derived=box.flag("derived", True),
        connect_timeout=box.number("connect_timeout", 10.0, 0.1, 600),
        read_timeout=box.number("read_timeout", 180.0, 0.1, 3600),
        max_retries=box.number("max_retries", 5, 0, 100),
        retry_cap=box.number("retry_cap", 60.0, 0, 3600),
    )
    box.finish()
    return target


def _secret(box: Table, what: str | None) -> Secret | None:
    if what is None:
        return None
    env, file = box.text(f"{what}_env", None), box.text(f"{what}_file", None)
    if (env is None) == (file is None):
        box.fail(f"{what}_env", f"exactly one of {what}_env and {what}_file with this auth")
    return Secret(env=env, file=None if file is None else Path(file).expanduser())


def _may_carry_secret(base: str) -> bool:
    parts = urlsplit(base)
    return parts.scheme == "https" or parts.hostname in LOOPBACK
