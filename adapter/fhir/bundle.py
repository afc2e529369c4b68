"""Bundles: transactions joined from resources that are already encoded, collections, and reading the answer.

Nothing is encoded twice: a transaction is put together from bytes. Rules of the wire are those a HAPI server
shows: fullUrl always set (else HAPI-2008), no resource twice (HAPI-0535), and answers matched by index only
when their number is the number sent, because duplicates are dropped from the answer without a word.
Must not know the wire, mappings or records.
"""

from __future__ import annotations

import re
import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from adapter import codec
from adapter.errors import CodecError, TransactionMismatch

_PLACE = re.compile(r"[A-Z][A-Za-z]{1,63}/[A-Za-z0-9\-.]{1,64}\Z")
_STATUS = re.compile(r"[1-5][0-9]{2}")
_ETAG = re.compile(r'(?:W/)?"?([A-Za-z0-9\-.]{1,64})"?\Z')
_UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\Z")
_LOCATION = re.compile(r"(?:^|/)([A-Z][A-Za-z]+)/([A-Za-z0-9\-.]{1,64})(?:/_history/([A-Za-z0-9\-.]{1,64}))?\Z")
_OUTCOME = re.compile(r"[A-Z][A-Z_]{2,80}\Z")
_BUNDLE = b'{"resourceType":"Bundle","type":"transaction"'


@dataclass(frozen=True, slots=True)
class EntryResult:
    """What the server says about one entry.

    `status` is the HTTP status (201); `location` is "Type/id" or ""; `version` the server's version id or "";
    `outcome_code` what was done in HAPI's words (SUCCESSFUL_UPDATE_NO_CHANGE) or "" where the server has
    none.
    """

    index: int
    status: int
    location: str = ""
    version: str = ""
    outcome_code: str = ""

    @property
    def unchanged(self) -> bool:
        """The server had exactly this already."""
        return self.outcome_code.endswith("_NO_CHANGE")


@dataclass(frozen=True, slots=True)
class Create:
    """A conditional create, for servers that refuse client ids: `data` has no id, `if_none_exist` is the
    search (`identifier=system|value`, escaped by the caller), `placeholder` the uuid others in the bundle
    refer to."""

    resource_type: str
    placeholder: uuid.UUID
    data: bytes
    if_none_exist: str


def transaction(
    entries: Iterable[tuple[str, str, bytes] | Create],
    base: str = "",
    remove: Iterable[tuple[str, str]] = (),
) -> bytes:
    """A transaction Bundle: PUT for each (type, id, encoded resource), DELETE for each (type, id) to remove.

    `fullUrl` is `{base}/Type/id`, or a urn:uuid where there is no base. Raises ValueError for a type or id
    that is none, and for a resource that occurs twice.
    """
    seen: set[str] = set()
    parts: list[bytes] = []
    stem = codec.dumps(base.rstrip("/"))[:-1]  # without its last quote: type and id need no escape
    for entry in entries:
        if isinstance(entry, Create):
            parts.append(_create(entry, seen))
            continue
        kind, id_, data = entry
        place = _once(seen, kind, id_)
        url = b'%b/%b"' % (stem, place) if base else codec.dumps(full_url(kind, id_))
        parts.append(b'{"fullUrl":%b,"resource":%b,"request":{"method":"PUT","url":"%b"}}' % (url, data, place))
    for kind, id_ in remove:
        parts.append(b'{"request":{"method":"DELETE","url":"%b"}}' % _once(seen, kind, id_))
    return _BUNDLE + (b',"entry":[' + b",".join(parts) + b"]}" if parts else b"}")


def updates(definitions: Iterable[tuple[str, str, bytes]]) -> bytes:
    """A transaction Bundle of conditional updates, ``PUT Type?url=...`` for each (type, canonical url, encoded
    resource): the one resource of this url is replaced, or made. Raises ValueError for a url that occurs twice."""
    seen: set[tuple[str, str]] = set()
    parts: list[bytes] = []
    for kind, url, data in definitions:
        if (kind, url) in seen:
            raise ValueError(f"{url} occurs twice in one transaction")
        seen.add((kind, url))
        request = {"method": "PUT", "url": f"{kind}?url={quote(url, safe=':/')}"}
        name = codec.dumps(f"urn:uuid:{uuid.uuid5(uuid.NAMESPACE_URL, f'{kind} {url}')}")
        parts.append(b'{"fullUrl":%b,"resource":%b,"request":%b}' % (name, data, codec.dumps(request)))
    return _BUNDLE + (b',"entry":[' + b",".join(parts) + b"]}" if parts else b"}")


def collection(resources: Iterable[dict[str, Any]], base: str = "") -> dict[str, Any]:
    """A collection Bundle of the resources, in their order, each with its fullUrl (R5: bdl-15)."""
    entry = [{"fullUrl": full_url(r["resourceType"], r["id"], base), "resource": r} for r in resources]
    bundle: dict[str, Any] = {"resourceType": "Bundle", "type": "collection"}
    return {**bundle, "entry": entry} if entry else bundle


def full_url(resource_type: str, resource_id: str, base: str = "") -> str:
    """The absolute name of a resource inside a bundle."""
    if base:
        return f"{base.rstrip('/')}/{resource_type}/{resource_id}"
    if _UUID.match(resource_id):
        return f"urn:uuid:{resource_id}"
    return f"urn:uuid:{uuid.uuid5(uuid.NAMESPACE_URL, f'{resource_type}/{resource_id}')}"


class Received(dict[str, Any]):
    """A resource as it came, with the JSON ``text`` it came as: to keep it, nothing has to be encoded again."""

    __slots__ = ("text",)
    text: bytes


def received(text: bytes) -> Received:
    """Decode one resource. Raises CodecError(rule="json"), also where it is no object."""
    value = codec.loads_wire(text)
    if not isinstance(value, dict):
        raise CodecError("json", "not a JSON object")
    found = Received(value)
    found.text = text
    return found


def resources_in(text: bytes) -> list[Received]:
    """``resources`` of a Bundle that is still JSON text. Raises CodecError(rule="json")."""
    entries = codec.listed(text, "entry", "search", raw=("resource",))
    kept = (e.resource for e in entries if not (isinstance(e.search, dict) and e.search.get("mode") == "outcome"))
    return [received(bytes(one)) for one in kept if one is not None]


def resources(bundle: dict[str, Any]) -> list[dict[str, Any]]:
    """The resources of any Bundle in their order; search outcomes (mode "outcome") are left out."""
    found = []
    for entry in _entries(bundle):
        search = entry.get("search")
        resource = entry.get("resource")
        mode = search.get("mode") if isinstance(search, dict) else None
        if mode != "outcome" and isinstance(resource, dict):
            found.append(resource)
    return found


def read_response(bundle: Any, sent: int) -> list[EntryResult]:
    """The answers to a transaction or batch of `sent` entries, in order.

    Raises TransactionMismatch where it is no such answer or has another number of entries: then no answer
    can be matched with what was sent.
    """
    if not isinstance(bundle, dict) or bundle.get("resourceType") != "Bundle":
        raise TransactionMismatch("the answer is not a Bundle")
    if bundle.get("type") not in ("transaction-response", "batch-response"):
        raise TransactionMismatch("the answer is not a transaction-response")
    entries = _entries(bundle)
    if len(entries) != sent:
        raise TransactionMismatch(f"{sent} entries sent, {len(entries)} answered")
    return [_result(i, entry) for i, entry in enumerate(entries)]


def _entries(bundle: dict[str, Any]) -> list[dict[str, Any]]:
    entries = bundle.get("entry") or []
    if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
        raise TransactionMismatch("Bundle.entry is not a list of objects")
    return entries


def _result(index: int, entry: dict[str, Any]) -> EntryResult:
    response = entry.get("response")
    if not isinstance(response, dict):
        raise TransactionMismatch(f"entry[{index}] has no response")
    status = str(response.get("status", ""))[:3]
    if not _STATUS.fullmatch(status):
        raise TransactionMismatch(f"entry[{index}] has no status")
    place = _LOCATION.search(str(response.get("location", "")))
    version = place[3] if place else None
    if version is None:
        etag = _ETAG.match(str(response.get("etag", "")))
        version = etag[1] if etag else ""
    location = f"{place[1]}/{place[2]}" if place else ""
    return EntryResult(index, int(status), location, version, _outcome_code(response.get("outcome")))


def _outcome_code(outcome: Any) -> str:
    """HAPI says in issue[].details.coding[].code what it did."""
    if outcome is None:
        return ""
    try:
        for issue in outcome["issue"]:
            for coding in issue.get("details", {}).get("coding", ()):
                code = coding["code"]
                if isinstance(code, str) and _OUTCOME.match(code):
                    return code
    except (TypeError, KeyError, AttributeError):
        pass
    return ""


def _create(entry: Create, seen: set[str]) -> bytes:
    _once(seen, entry.resource_type, str(entry.placeholder))
    return b'{"fullUrl":"urn:uuid:%b","resource":%b,"request":%b}' % (
        str(entry.placeholder).encode(),
        entry.data,
        codec.dumps({"method": "POST", "url": entry.resource_type, "ifNoneExist": entry.if_none_exist}),
    )


def _once(seen: set[str], resource_type: str, resource_id: str) -> bytes:
    """``Type/id`` of an entry. Raises ValueError where it is none, or comes a second time."""
    place = f"{resource_type}/{resource_id}"
    if not _PLACE.match(place):
        raise ValueError("not a resource type and id")
    if place in seen:
        raise ValueError(f"{place} occurs twice in one transaction")
    seen.add(place)
    return place.encode()
