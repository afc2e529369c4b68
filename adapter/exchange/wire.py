"""One HTTP request to a target, repeated by the retry table: sessions, pacing, bounded answers, safe errors.

The only module that touches requests' exceptions. They carry URLs and headers, so none gets out: each becomes
a ``Fault`` (a value) or one of our errors, and our messages hold the target's name, a status and the table's
words. Must not know resources or bundles.
"""

import gzip
import logging
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import requests
from requests import exceptions as rx
from urllib3 import exceptions as ux

from ..errors import ConfigError, TargetAuth, UnsafeLink
from ..settings import Target
from .answers import outcome_of
from .auth import Auth, auth_for
from .links import own_link
from .retry import Action, Fault, Pacer, Timing, pause, retry_after, rule_for

log = logging.getLogger("hydrofhir.exchange")
MAX_ANSWER = 64 * 1024 * 1024
LABELS = "SECURITY_LABEL"
"""HAPI keeps the security labels of earlier versions beside those of a new one unless told so: a record that reveals
more, or less, than it did would say both. Servers that do not know the header pay no heed to it."""
MEDIA = {"R4": "application/fhir+json; fhirVersion=4.0", "R5": "application/fhir+json; fhirVersion=5.0"}


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer that arrived whole: HTTP status, its body (decompressed), and what ``check`` made of the
    body."""

    status: int
    body: bytes
    headers: Mapping[str, str]
    value: object = None


class Wire:
    """HTTP under one base address. One requests session per thread; close() ends them all."""

    def __init__(self, target: Target, *, timing: Timing | None = None, auth: Auth | None = None) -> None:
        if target.base_url is None:
            raise ConfigError(f"target {target.name}: has no base_url")
        self.target, self.base = target, target.base_url
        self.timing = timing or Timing()
        self.auth = auth or auth_for(target)
        self.pacer = Pacer(target.pace, self.timing)
        self._local = threading.local()
        self._sessions: list[requests.Session] = []
        self._lock = threading.Lock()

    def send(
        self,
        method: str,
        url: str,
        *,
        params: Mapping[str, object] | None = None,
        body: bytes | None = None,
        content_type: str | None = None,
        fine: tuple[int, ...] = (200, 201),
        check: Callable[[bytes], object] | None = None,
    ) -> Reply | Fault:
        """Send until there is a whole answer with a ``fine`` status, or the table says that waiting is over.

        ``check`` reads the body and returns a value, or raises ``ValueError`` with the name of a fault
        (``broken_body``, ``short_answer``). ``TargetAuth`` when the renewed secret is refused too.
        """
        headers = {"Accept": MEDIA[self.target.fhir], "Cache-Control": "no-cache", "Accept-Encoding": "gzip"}
        if body is not None:
            headers["Content-Type"] = content_type or MEDIA[self.target.fhir]
            headers["X-Meta-Snapshot-Mode"] = LABELS
            if self.target.gzip and content_type is None:
                body = gzip.compress(body, 1)
                headers["Content-Encoding"] = "gzip"
        spent: dict[int | str, int] = {}
        renewed = False
        while True:
            self.pacer.take()
            answer = self._once(method, url, params, body, headers, fine, check)
            if isinstance(answer, Reply):
                return answer
            fault, asked = answer
            rule = rule_for(fault.kind, fault.codes)
            if rule.action is Action.REFRESH:
                if not renewed and self.auth.reload():
                    renewed = True
                    continue
                raise TargetAuth(f"target {self.target.name}: {fault.kind}: {rule.reason}", int(fault.kind))
            if rule.action is not Action.RETRY:
                return fault
            used = spent[fault.kind] = spent.get(fault.kind, 0) + 1
            limit = self.target.max_retries if rule.tries is None else min(rule.tries, self.target.max_retries)
            if used > limit or sum(spent.values()) > self.target.max_retries:
                return Fault(fault.kind, rule.then, rule.reason, fault.codes, fault.text)
            seconds = pause(sum(spent.values()), asked, self.target.retry_cap, self.timing.chance())
            log.info("target %s: %s: %s; again in %.1f s", self.target.name, fault.kind, rule.reason, seconds)
            if asked is not None:
                self.pacer.hold(seconds)
            else:
                self.timing.sleep(seconds)

    def _once(
        self,
        method: str,
        url: str,
        params: Mapping[str, object] | None,
        body: bytes | None,
        headers: dict[str, str],
        fine: tuple[int, ...],
        check: Callable[[bytes], object] | None,
    ) -> Reply | tuple[Fault, float | None]:
        target = self.target
        try:
            response = self._session().request(
                method,
                url,
                params=params,  # type: ignore[arg-type]
                data=body,
                headers={**headers, **self.auth.headers()},
                timeout=(target.connect_timeout, target.read_timeout),
                allow_redirects=False,
                stream=True,
            )
            try:
                content = _read(response)
            finally:
                response.close()
        except (rx.RequestException, ux.HTTPError, OSError, UnicodeError) as error:
            return self._fault(_name(error, target)), None
        if content is None:
            return self._fault("too_large"), None
        status = response.status_code
        if status in fine:
            try:
                value = check(content) if check is not None else None
            except ValueError as error:
                return self._fault(str(error)), None
            return Reply(status, content, response.headers, value)
        if 300 <= status < 400:
            self._redirected(response.headers.get("Location"))
            return self._fault("redirect"), None
        codes, text = outcome_of(content)
        wait = retry_after(response.headers.get("Retry-After"), self.timing.now())
        return self._fault(status, codes, text), wait

    def _fault(self, kind: int | str, codes: frozenset[str] = frozenset(), text: str = "") -> Fault:
        rule = rule_for(kind, codes)
        return Fault(kind, rule.action, rule.reason, codes, text)

    def _redirected(self, location: str | None) -> None:
        try:
            own_link(self.base, location or self.base, self.target.name)
        except UnsafeLink:
            raise UnsafeLink(
                f"target {self.target.name}: redirects away from the configured base address; not followed"
            ) from None

    def _session(self) -> requests.Session:
        session = getattr(self._local, "session", None)
        if session is None:
            session = requests.Session()
            self.auth.prepare(session)
            session.headers["User-Agent"] = "hydrofhir"
            self._local.session = session
            with self._lock:
                self._sessions.append(session)
        return session

    def close(self) -> None:
        """End all connections."""
        with self._lock:
            for session in self._sessions:
                session.close()
            self._sessions.clear()
        self._local = threading.local()


def _read(response: requests.Response) -> bytes | None:
    """The whole body, decompressed as it comes; None above ``MAX_ANSWER`` bytes (a gzip bomb stops there
    too)."""
    parts: list[bytes] = []
    size = 0
    for part in response.iter_content(1 << 16):
        size += len(part)
        if size > MAX_ANSWER:
            return None
        parts.append(part)
    return b"".join(parts)


def _name(error: Exception, target: Target) -> str:
    """The retry table's name for what requests or urllib3 raised."""
    if isinstance(error, (rx.SSLError, ux.SSLError)):
        return "tls"
    if isinstance(error, (rx.ConnectTimeout, rx.ProxyError)):
        return "connect"
    if isinstance(error, (rx.Timeout, ux.ReadTimeoutError)):
        return "timeout"
    if isinstance(error, (rx.ChunkedEncodingError, rx.ContentDecodingError, ux.DecodeError, ux.ProtocolError)):
        return "broken_body"
    if isinstance(error, rx.ConnectionError):
        return _connection(error)
    if isinstance(error, (rx.InvalidHeader, rx.InvalidURL, rx.InvalidSchema, rx.MissingSchema, UnicodeError)):
        raise ConfigError(f"target {target.name}: address or header that cannot be sent") from None
    if isinstance(error, (ConnectionError, TimeoutError)):
        return "reset"
    if isinstance(error, OSError) and not isinstance(error, rx.RequestException):
        raise ConfigError(f"target {target.name}: ca_bundle, cert_file or key_file cannot be read") from None
    return "reset"


def _connection(error: rx.ConnectionError) -> str:
    inner = error.args[0] if error.args else None
    reason = getattr(inner, "reason", inner)
    if isinstance(reason, ux.SSLError):
        return "tls"
    if isinstance(reason, ux.ReadTimeoutError):
        return "timeout"
    return "connect" if isinstance(reason, ux.NewConnectionError) else "reset"
