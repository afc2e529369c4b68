"""A FHIR server as the adapter uses it: transactions, searches page by page, reads, its CapabilityStatement.

Stays under the configured base address, never trusts what comes back (lengths are compared, links rebuilt,
sizes bounded), and keeps values that may identify a person out of URLs (they go by POST _search). Must not
know records, mappings or the store.
"""

import re
import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any
from urllib.parse import urlencode

from ..errors import ConfigError, TargetError, TargetRefused, TargetUnavailable, TransactionMismatch, VersionMismatch
from ..settings import Target
from .ahead import ahead
from .answers import EntryResult, RawPage, Received, as_page, as_resource, entries_of, resources_in
from .auth import Auth
from .links import escape_token, own_link
from .retry import Action, Fault, Timing
from .wire import Reply, Wire

_TYPE = re.compile(r"[A-Z][A-Za-z]{1,63}")
_ID = re.compile(r"[A-Za-z0-9\-.]{1,64}")
_FORM = "application/x-www-form-urlencoded"
_FHIR = {"R4": "4.0.", "R5": "5.0."}
_RESTARTS = 2
SAFE_PARAMETERS = frozenset(
    [
        "_count",
        "_elements",
        "_format",
        "_include",
        "_include:iterate",
        "_lastUpdated",
        "_pretty",
        "_profile",
        "_revinclude",
        "_revinclude:iterate",
        "_security",
        "_sort",
        "_summary",
        "_tag",
        "_total",
    ]
)
"""Search parameters whose values identify nobody and may stand in a URL; any other makes the search a
POST."""

Params = Mapping[str, str | Sequence[str]]


class FhirClient:
    """One server. Safe to use from several threads. Values of ``timing`` and ``auth`` are for tests."""

    def __init__(self, target: Target, *, timing: Timing | None = None, auth: Auth | None = None) -> None:
        self.target = target
        self.wire = Wire(target, timing=timing, auth=auth)
        self.base = self.wire.base
        self._greeted = False
        self._lock = threading.Lock()

    def greet(self) -> None:
        """Ask once, before the first exchange, which FHIR release the server speaks; ``VersionMismatch`` when it is
        not ours. The whole statement takes HAPI twice as long, and is 1.5 MB."""
        with self._lock:
            if not self._greeted:
                self._statement("fhirVersion,software")

    def metadata(self) -> dict[str, Any]:
        """What of the CapabilityStatement says what the server can do; checked as in ``greet``."""
        with self._lock:
            return self._statement("fhirVersion,software,implementation,format,rest")

    def _statement(self, elements: str) -> dict[str, Any]:
        params = {"_elements": elements, "_pretty": "false"}
        reply = self._need(self.wire.send("GET", f"{self.base}/metadata", params=params, check=as_resource))
        found: Any = reply.value
        if not isinstance(found, dict) or found.get("resourceType") != "CapabilityStatement":
            raise ConfigError(f"target {self.target.name}: nothing FHIR at the configured base address")
        version = str(found.get("fhirVersion", ""))
        if not version.startswith(_FHIR[self.target.fhir]):
            shown = version if re.fullmatch(r"[0-9.]{1,12}", version) else "none we know"
            raise VersionMismatch(
                f"target {self.target.name}: server speaks FHIR {shown}, {self.target.fhir} is configured"
            )
        self._greeted = True
        return found

    def post_bundle(self, bundle: bytes, count: int) -> list[EntryResult] | Fault:
        """Send a transaction of ``count`` entries; the answers entry by entry, or the fault that waiting did
        not cure.

        Only for writes that can be repeated (PUT with our own id, DELETE by id): an unknown outcome is sent
        again.
        """
        self.greet()
        reply = self.wire.send("POST", self.base, body=bundle, check=lambda body: entries_of(body, count))
        if isinstance(reply, Fault):
            if reply.action is Action.STOP:
                self._need(reply)
            return reply
        return reply.value  # type: ignore[return-value]

    def transaction(self, bundle: bytes, count: int) -> list[EntryResult]:
        """``post_bundle`` for callers that do not take bundles apart: raises instead of answering with a
        fault."""
        found = self.post_bundle(bundle, count)
        if isinstance(found, Fault):
            raise self.error(found)
        return found

    def read(self, resource_type: str, resource_id: str) -> dict[str, Any] | None:
        """One resource; None when the server has none of that id, or has deleted it."""
        url = self._address(resource_type, resource_id)
        reply = self.wire.send("GET", url, params={"_pretty": "false"}, check=as_resource)
        if isinstance(reply, Fault) and reply.kind in (404, 410):
            return None
        return self._need(reply).value  # type: ignore[return-value]

    def delete(self, resource_type: str, resource_id: str) -> bool:
        """Delete by id; False when there was nothing. A resource others refer to is refused (409)."""
        reply = self.wire.send("DELETE", self._address(resource_type, resource_id), fine=(200, 202, 204))
        if isinstance(reply, Fault) and reply.kind in (404, 410):
            return False
        self._need(reply)
        return True

    def search_post(
        self, resource_type: str, identifiers: Iterable[tuple[str, str]], params: Params | None = None
    ) -> Iterator[list[Received]]:
        """Pages of the resources that carry one of these (system, value) identifiers, 500 asked for at a
        time.

        Other ``params`` are better left out: HAPI needs up to minutes for identifiers combined with a
        subject.
        """
        wanted = [f"{escape_token(system)}|{escape_token(value)}" for system, value in identifiers]
        for start in range(0, len(wanted), 500):
            yield from self.search_pages(
                resource_type, {**(params or {}), "identifier": ",".join(wanted[start : start + 500])}
            )

    def search_pages(self, resource_type: str, params: Params | None = None) -> Iterator[list[Received]]:
        """Pages of matching (and included) resources; the next page is fetched while the caller works on this
        one.

        A page may come twice: when the server has forgotten the search (410), it is started again. The
        caller's staging is keyed by type and id, so that does no harm.
        """
        for page in ahead(self.raw_pages(resource_type, params)):
            if found := self.resources_in(page):
                yield found

    def raw_pages(self, resource_type: str, params: Params | None = None) -> Iterator[RawPage]:
        """The pages of ``search_pages``, fetched one after the other and not taken apart."""
        self.greet()
        _check(_TYPE, resource_type)
        for _ in range(_RESTARTS + 1):
            page = self._first(resource_type, dict(params or {}))
            link: str | None = None
            while not isinstance(page, Fault):
                if page.following is not None and page.following == link:
                    raise TargetUnavailable(f"target {self.target.name}: a page names itself as the next one")
                yield page
                if page.following is None:
                    return
                link = page.following
                page = self._follow(link)
        raise TargetUnavailable(f"target {self.target.name}: pages expire while they are read", status=410)

    def resources_in(self, page: RawPage) -> list[Received]:
        """The resources of a page, matches and included ones alike."""
        try:
            return resources_in(page.text)
        except ValueError:
            raise TargetUnavailable(f"target {self.target.name}: a page that is not a readable Bundle") from None

    def close(self) -> None:
        """End all connections."""
        self.wire.close()

    def error(self, fault: Fault) -> TargetError | ConfigError:
        """The error for a fault: skip, retry or stop, in words without values."""
        text = f"target {self.target.name}: {fault.kind}: {fault.reason}"
        if fault.text:
            text += f" ({fault.text})"
        status = fault.kind if isinstance(fault.kind, int) else 0
        if fault.action is Action.STOP:
            return ConfigError(text)
        if fault.kind == "short_answer":
            return TransactionMismatch(text)
        if fault.action in (Action.LATER, Action.RETRY) or fault.kind in ("timeout", 504, 409, 410):
            return TargetUnavailable(text, status=status)
        return TargetRefused(text, status=status)

    def _first(self, resource_type: str, params: dict[str, Any]) -> RawPage | Fault:
        """A search by GET, or by POST where a value may identify somebody."""
        params.setdefault("_count", str(self.target.page_size))
        params.setdefault("_pretty", "false")
        url = f"{self.base}/{resource_type}"
        if SAFE_PARAMETERS.issuperset(params):
            return self._page(self._need(self.wire.send("GET", url, params=params, check=as_page)))
        form = urlencode(params, doseq=True).encode("ascii")
        return self._page(
            self._need(self.wire.send("POST", f"{url}/_search", body=form, content_type=_FORM, check=as_page))
        )

    def _follow(self, link: str) -> RawPage | Fault:
        reply = self.wire.send("GET", link, check=as_page)
        if isinstance(reply, Fault) and reply.kind == 410:
            return reply
        return self._page(self._need(reply))

    def _page(self, reply: Reply) -> RawPage:
        page: Any = reply.value
        following = None if page.following is None else own_link(self.base, page.following, self.target.name)
        return RawPage(page.text, following, page.total)

    def _address(self, resource_type: str, resource_id: str) -> str:
        return f"{self.base}/{_check(_TYPE, resource_type)}/{_check(_ID, resource_id)}"

    def _need(self, reply: Reply | Fault) -> Reply:
        if isinstance(reply, Fault):
            raise self.error(reply)
        return reply


def _check(pattern: re.Pattern[str], text: str) -> str:
    if not pattern.fullmatch(text):
        raise TargetRefused("a resource type or id that FHIR does not allow; nothing was sent")
    return text
