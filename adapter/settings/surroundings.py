"""What the environment says of the way to an address: proxy and CA bundle, by the usual variables."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from adapter.errors import ConfigError
from adapter.settings.table import Table

LOOPBACK = ("localhost", "127.0.0.1", "::1")


def proxy_of(box: Table, env: Mapping[str, str], around: str | None) -> str | None:
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


def surroundings(base: str | None, env: Mapping[str, str]) -> dict[str, Any]:
    """Proxy and CA bundle that the environment names for this address, by the usual variables."""
    if base is None or urlsplit(base).hostname in LOOPBACK:
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


def base_url(text: str, file: str, key: str) -> str:
    parts = urlsplit(text)
    try:
        good = parts.scheme in ("http", "https") and bool(parts.hostname) and (parts.port or 1) > 0
    except ValueError:
        good = False
    if not good or parts.username or parts.password or parts.query or parts.fragment:
        raise ConfigError(f"{file}: {key}: legal is http(s)://host[:port]/path without user, query or fragment")
    return text.rstrip("/")
