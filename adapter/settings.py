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

import os
import re
import tomllib
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from types import MappingProxyType
from typing import Any, NoReturn
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from .errors import ConfigError

FHIR_VERSIONS = ("R4", "R5")
CONFIG_NAME = "hydrofhir.toml"
DEFAULT_SID = "https://hydrofhir.example/fhir/sid"
_TEXTS = {"state": "~/.local/state/hydrofhir", "namespace": "", "sid": DEFAULT_SID, "host": "127.0.0.1"}
_ACTOR = re.compile(r"(Practitioner|PractitionerRole|Organization|Location)/[A-Za-z0-9\-.]{1,64}")
_NAME = re.compile(r"[a-z0-9][a-z0-9_\-]{0,63}")
_LOOPBACK = ("localhost", "127.0.0.1", "::1")


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
    operator, assessor and site ids to the target's own resources (decisions 13).
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
    connect_timeout: float = 10.0
    read_timeout: float = 180.0
    max_retries: int = 5
    retry_cap: float = 60.0

    @property
    def ledger_key(self) -> str:
        """What the ledger knows this partner by: its address, so that a renamed target is not sent to
        again."""
        return self.base_url if self.base_url is not None else f"{self.folder}#{self.fhir}"


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
            base = _base_url(arg, "argument", "target")
            found = next((t for t in self.targets.values() if t.base_url == base), None)
            if found is None:
                _need_version(fhir, "a target given as URL")
                return Target(name=base, fhir=str(fhir), base_url=base, **_surroundings(base, os.environ))
        if found is None:
            if _NAME.fullmatch(arg) and fhir is None:
                raise ConfigError(
                    f"target {arg}: not a known name ({', '.join(sorted(self.targets))}); "
                    "a folder needs --fhir R4 or --fhir R5"
                )
            _need_version(fhir, "a folder as target")
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
    top = _Table(raw, where, "")
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
    box = top.table("limits")
    limits = Limits(**{f.name: box.number(f.name, f.default, 1, 2**31) for f in fields(Limits)})
    box.finish()
    targets = {name: _target(name, body, where, env) for name, body in _built_in().items()}
    for name, body in top.table("targets").raw.items():
        if not _NAME.fullmatch(name):
            top.fail(f"targets.{name}", "a name of a-z, 0-9, - and _")
        if not isinstance(body, dict):
            top.fail(f"targets.{name}", "a table")
        targets[name] = _target(name, body, where, env)
    top.finish()
    return Settings(store_url, state, namespace, sid, host, int(port), limits, MappingProxyType(targets), path)


def _built_in() -> dict[str, dict[str, Any]]:
    """Public test servers: shared by everybody, so modest pace, small bundles and synthetic records only."""
    modest = {"synthetic_only": True, "pace": 0.5, "concurrency": 1, "bundle_entries": 30, "page_size": 100}
    return {
        "hapi-r4": {"base_url": "https://hapi.fhir.org/baseR4", "fhir": "R4", **modest},
        "hapi-r5": {"base_url": "https://hapi.fhir.org/baseR5", "fhir": "R5", **modest},
    }


class _Table:
    """One TOML table being read: remembers which keys were asked for, so that the rest can be refused by
    name."""

    def __init__(self, raw: dict[str, Any], file: str, prefix: str) -> None:
        self.raw, self.file, self.prefix, self.known = raw, file, prefix, set[str]()

    def fail(self, key: str, legal: str) -> NoReturn:
        raise ConfigError(f"{self.file}: {self.prefix}{key}: legal is {legal}")

    def take(self, key: str, kind: type | tuple[type, ...], legal: str, default: Any) -> Any:
        self.known.add(key)
        value = self.raw.get(key, default)
        if value is not default and (not isinstance(value, kind) or (isinstance(value, bool) and kind is not bool)):
            self.fail(key, legal)
        return value

    def text(self, key: str, default: Any) -> Any:
        value = self.take(key, str, "text", default)
        if value == "" and default != "":
            self.fail(key, "text that is not empty")
        return value

    def flag(self, key: str, default: bool) -> bool:
        return bool(self.take(key, bool, "true or false", default))

    def choice(self, key: str, legal: tuple[str, ...], default: str | None) -> str:
        value = self.take(key, str, " or ".join(legal), default)
        if value not in legal:
            self.fail(key, " or ".join(legal))
        return str(value)

    def number(self, key: str, default: Any, low: float, high: float) -> Any:
        kind = (int, float) if isinstance(default, float) else int
        legal = f"a number from {low} to {high}"
        value = self.take(key, kind, legal, default)
        if not low <= value <= high:
            self.fail(key, legal)
        return type(default)(value)

    def path(self, key: str) -> Path | None:
        value = self.text(key, None)
        if value is None:
            return None
        found = Path(value).expanduser()
        if not found.is_file():
            self.fail(key, "the path of a file that exists")
        return found

    def table(self, key: str) -> "_Table":
        return _Table(self.take(key, dict, "a table", {}), self.file, f"{self.prefix}{key}.")

    def finish(self) -> None:
        for key in self.raw:
            if key not in self.known:
                self.fail(key, "one of: " + ", ".join(sorted(self.known)) + " (this key is unknown)")


def _target(name: str, raw: dict[str, Any], file: str, env: Mapping[str, str]) -> Target:
    box = _Table(raw, file, f"targets.{name}.")
    for key in ("password", "token", "secret", "api_key"):
        if key in raw:
            box.fail(key, "no secret in the file: give password_env, password_file, token_env or token_file")
    url, folder = box.text("base_url", None), box.text("folder", None)
    if (url is None) == (folder is None):
        box.fail("base_url", "exactly one of base_url and folder")
    base = _base_url(url, file, f"targets.{name}.base_url") if url is not None else None
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
    around = _surroundings(base, env)
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
        proxy=_proxy(box, env, around.get("proxy")),
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
        connect_timeout=box.number("connect_timeout", 10.0, 0.1, 600),
        read_timeout=box.number("read_timeout", 180.0, 0.1, 3600),
        max_retries=box.number("max_retries", 5, 0, 100),
        retry_cap=box.number("retry_cap", 60.0, 0, 3600),
    )
    box.finish()
    return target


def _secret(box: _Table, what: str | None) -> Secret | None:
    if what is None:
        return None
    env, file = box.text(f"{what}_env", None), box.text(f"{what}_file", None)
    if (env is None) == (file is None):
        box.fail(f"{what}_env", f"exactly one of {what}_env and {what}_file with this auth")
    return Secret(env=env, file=None if file is None else Path(file).expanduser())


def _proxy(box: _Table, env: Mapping[str, str], around: str | None) -> str | None:
    """``none`` switches a proxy of the environment off; a proxy with a password comes from ``proxy_env``."""
    named, given = box.text("proxy_env", None), box.text("proxy", None)
    if given is not None and named is not None:
        box.fail("proxy", "at most one of proxy and proxy_env")
    if named is not None:
        if not env.get(named):
            box.fail("proxy_env", "the name of an environment variable that holds the proxy's URL")
        return env[named]
    if given is None:
        return around
    if given == "none":
        return None
    parts = urlsplit(given)
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.password or parts.username:
        box.fail("proxy", "none, or http(s)://host:port without user and password (those: proxy_env)")
    return str(given)


def _surroundings(base: str | None, env: Mapping[str, str]) -> dict[str, Any]:
    """Proxy and CA bundle that the environment names for this address, by the usual variables."""
    if base is None or urlsplit(base).hostname in _LOOPBACK:
        return {}
    found: dict[str, Any] = {}
    lower = {key.lower(): value for key, value in env.items() if value}
    scheme, host = urlsplit(base).scheme, str(urlsplit(base).hostname)

    spared = [one.strip().lstrip("*.").lower() for one in lower.get("no_proxy", "").split(",") if one.strip()]
    if "*" not in lower.get("no_proxy", "").split(",") and not any(
        host.lower() == one or host.lower().endswith("." + one) for one in spared if one
    ):
        proxy = lower.get(f"{scheme}_proxy") or lower.get("all_proxy")
        if proxy:
            found["proxy"] = proxy
    bundle = env.get("REQUESTS_CA_BUNDLE") or env.get("SSL_CERT_FILE")
    if bundle:
        found["ca_bundle"] = Path(bundle)
    return found


def _base_url(text: str, file: str, key: str) -> str:
    parts = urlsplit(text)
    try:
        good = parts.scheme in ("http", "https") and bool(parts.hostname) and (parts.port or 1) > 0
    except ValueError:
        good = False
    if not good or parts.username or parts.password or parts.query or parts.fragment:
        raise ConfigError(f"{file}: {key}: legal is http(s)://host[:port]/path without user, query or fragment")
    return text.rstrip("/")


def _may_carry_secret(base: str) -> bool:
    parts = urlsplit(base)
    return parts.scheme == "https" or parts.hostname in _LOOPBACK


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


def _stored_url(top: _Table, state: Path) -> str:
    url = top.text("store", None)
    if url is None:
        return f"sqlite:///{(state / 'store.sqlite').absolute()}"
    if "://" not in url:
        top.fail("store", "a database URL (sqlite:///... or postgresql+psycopg://...)")
    if not url.startswith("sqlite") and urlsplit(url).password:
        top.fail("store", "a database URL without password (give it in HYDROFHIR_STORE or ~/.pgpass)")
    return str(url)


def _need_version(fhir: str | None, what: str) -> None:
    if fhir is None:
        raise ConfigError(f"{what}: needs --fhir R4 or --fhir R5")
