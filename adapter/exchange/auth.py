"""How a client shows who it is: small objects giving headers and session settings; no authentication is the
base.

Secrets are read when they are needed and again after a 401 (they rotate). Nothing here logs, and no error
carries a secret. OAuth2 and SMART Backend Services will be two more subclasses (decisions 27).
"""

import base64
import threading
from abc import ABC, abstractmethod

import requests

from ..errors import ConfigError
from ..settings import Target


class Auth:
    """No authentication; the base of the others. A client certificate may be combined with any of them."""

    def __init__(self, target: Target) -> None:
        self.target = target

    def headers(self) -> dict[str, str]:
        """Headers for one request to the target."""
        return {}

    def prepare(self, session: requests.Session) -> None:
        """Set client certificate, CA bundle and proxy; nothing is taken from the environment or from
        .netrc."""
        target = self.target
        session.trust_env = False
        if target.cert_file is not None:
            cert = str(target.cert_file)
            session.cert = (cert, str(target.key_file)) if target.key_file else cert
        if target.ca_bundle is not None:
            session.verify = str(target.ca_bundle)
        if target.proxy is not None:
            session.proxies = {"http": target.proxy, "https": target.proxy}

    def reload(self) -> bool:
        """Forget what is kept, so that the secret is read anew; False when there is nothing to renew."""
        return False


class SecretAuth(Auth, ABC):
    """Sends an ``Authorization`` header made of a secret, which is read once and kept until ``reload``."""

    def __init__(self, target: Target) -> None:
        super().__init__(target)
        self._lock = threading.Lock()
        self._header: str | None = None

    def headers(self) -> dict[str, str]:
        with self._lock:
            if self._header is None:
                self._header = self._value(self._secret())
            return {"Authorization": self._header}

    def reload(self) -> bool:
        with self._lock:
            self._header = None
        return True

    def _secret(self) -> str:
        if self.target.secret is None:
            raise ConfigError(f"target {self.target.name}: no secret is configured for auth = {self.target.auth}")
        return self.target.secret.read()

    @abstractmethod
    def _value(self, secret: str) -> str:
        """The Authorization header that carries the secret."""


class BasicAuth(SecretAuth):
    def _value(self, secret: str) -> str:
        pair = f"{self.target.user}:{secret}".encode()
        return "Basic " + base64.b64encode(pair).decode("ascii")


class BearerAuth(SecretAuth):
    def _value(self, secret: str) -> str:
        if not secret.isascii() or not secret.isprintable() or " " in secret:
            raise ConfigError(f"target {self.target.name}: the token holds characters that no header can carry")
        return f"Bearer {secret}"


_KINDS: dict[str, type[Auth]] = {"none": Auth, "certificate": Auth, "basic": BasicAuth, "bearer": BearerAuth}


def auth_for(target: Target) -> Auth:
    """The authentication that the target's settings name."""
    return _KINDS[target.auth](target)
