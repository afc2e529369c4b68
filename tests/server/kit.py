"""What the tests of this folder share: a name space of its own on a real server, and looking at the server directly.

The journeys run through the product; what is on the server is read with nothing but `requests`, so that the product is
not the judge in its own case.
"""

from __future__ import annotations

import hashlib
import json
import random
import uuid
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import requests

from adapter import codec, pipeline, records, settings, synthetic
from adapter.admission import Admission
from adapter.assembly import Assembly, assemble
from adapter.catalog import BASE
from adapter.errors import Issue
from adapter.exchange import connect
from adapter.mill import Mill
from adapter.publish import publish
from adapter.records.intake import Entry
from adapter.report import Report
from adapter.scope import Scope, types_of
from adapter.settings import Target
from adapter.store import Store

Record = dict[str, Any]
Place_ = tuple[str, str]
TIMEOUT = 300
_TOGETHER = 200


def corpus(subjects: int, seed: int, registry: int) -> list[Record]:
    """Generated records, as intake leaves them."""
    return [records.load(None, codec.loads(codec.dumps(r))) for r in synthetic.generate(subjects, seed, registry)]


def name_of(record: Record) -> tuple[str, tuple[str, ...]]:
    return record["kind"], records.key(record)


def texts(some: Iterable[Record]) -> dict[tuple[str, tuple[str, ...]], bytes]:
    """Records as text, by kind and key; two of one key are an error."""
    out: dict[tuple[str, tuple[str, ...]], bytes] = {}
    for record in some:
        assert name_of(record) not in out, f"{name_of(record)} twice"
        out[name_of(record)] = codec.dumps(record)
    return out


def of_subjects(some: Iterable[Record], subjects: Iterable[str]) -> list[Record]:
    wanted = set(subjects)
    return [r for r in some if r.get("subject_id") in wanted]


def nothing_sent(report: Report | dict[str, int]) -> bool:
    """Whether a push (its report, or the counts of it) had nothing to do."""
    counts = report.counts if isinstance(report, Report) else report
    return not any(counts.get(name) for name in ("offered", "sent", "no_change", "waiting", "rejected"))


def amended(record: Record, **change: Any) -> Record:
    """The next version of a record, with fields changed (None: left out), validated."""
    raw = {**record, **change}
    raw["supersedes_version"], raw["version"] = record["version"], record["version"] + 1
    raw.update(record_status="amended", change_reason="checked against the source")
    raw.pop("idempotency_key", None)
    return records.load(record["kind"], codec.loads(codec.dumps({k: v for k, v in raw.items() if v is not None})))


@dataclass
class Place:
    """A name space of its own on one server: random resource ids, random identifier systems."""

    version: str
    base: str
    folder: Path
    assembly: Assembly = field(init=False)
    foreign: list[Place_] = field(default_factory=list)

    def __post_init__(self) -> None:
        mark = random.SystemRandom().getrandbits(48)
        self.assembly = assemble(uuid.uuid4(), f"{BASE}/sid/test-{mark:012x}")
        self.mill = Mill(self.assembly, self.version)
        self.session = requests.Session()
        self.session.trust_env = "127.0.0.1" not in self.base
        self.session.headers.update({"Cache-Control": "no-cache", "Accept": "application/fhir+json"})
        self._stores: list[Store] = []

    @property
    def sid(self) -> str:
        return self.assembly.sid

    # -- the product's journeys -------------------------------------------------------------------------------
    def target(self, base: str | None = None, **change: Any) -> Target:
        """The server as a target; ``base`` is the address of a witness in front of it."""
        found = settings.load(environ={"HYDROFHIR_STATE": str(self.folder)}).resolve_target(self.base, self.version)
        return replace(found, base_url=base or self.base, **change)

    def store_url(self, name: str) -> str:
        return f"sqlite:///{self.folder / name}.sqlite"

    def store(self, name: str, some: Iterable[Record] = ()) -> Store:
        """A store of this installation, with these records in it."""
        store = Store(self.store_url(name))
        self._stores.append(store)
        store.namespace(self.assembly.namespace)
        self.take_in(store, some)
        return store

    def take_in(self, store: Store, some: Iterable[Record]) -> Report:
        report = pipeline.intake(store, (Entry(n, r) for n, r in enumerate(some, 1)), Report("intake"))
        assert not report.issues, [str(i) for i in report.issues]
        return report

    def keep(self, store: Store, some: Iterable[Record]) -> None:
        """Keep records as a pull does: no rule between records holds one back, whatever it refers to."""
        admission = Admission(store, Report("keep"), strict=False)
        bodies = ((record, codec.dumps(record)) for record in some)
        admission.take((r["kind"], records.key(r), r, data, hashlib.sha256(data).hexdigest()) for r, data in bodies)
        admission.finish()

    def push(self, store: Store, base: str | None = None, **change: Any) -> Report:
        partner = connect(self.target(base, **change))
        report, issues = _every("push")
        try:
            return replace(pipeline.push(store, self.mill, partner, report), issues=issues)
        finally:
            partner.close()

    def publish(self, base: str | None = None, **change: Any) -> Report:
        """Load our definitions."""
        partner = connect(self.target(base, **change))
        report, issues = _every("definitions")
        try:
            return replace(publish(self.assembly, partner, report), issues=issues)
        finally:
            partner.close()

    def pull(self, store: Store, scope: Scope | None = None, **change: Any) -> tuple[Report, list[Record]]:
        out: list[Record] = []
        partner = connect(self.target(**change))
        report, issues = _every("pull")
        try:
            return replace(pipeline.pull(store, self.mill, partner, report, scope, out.append), issues=issues), out
        finally:
            partner.close()

    # -- what should be there ---------------------------------------------------------------------------------
    def parts(self, some: Iterable[Record]) -> dict[Place_, bytes]:
        """The resources that these records are, by type and id; not what is said of their versions."""
        every = [part for record in some for part in self.mill.resources(record)]
        found = [part for part in every if part[0] not in self.mill.of_versions]
        assert len({(t, i) for t, i, _ in found}) == len(found)
        return {(t, i): data for t, i, data in found}

    # -- the server, without the product ----------------------------------------------------------------------
    def ask(self, method: str, path: str, body: Any = None) -> requests.Response:
        data = None if body is None else codec.dumps(body)
        url = f"{self.base}/{path}".rstrip("/")
        headers = {"Content-Type": "application/fhir+json"} if data else {}
        return self.session.request(method, url, data=data, headers=headers, timeout=TIMEOUT)

    def create(self, resource: dict[str, Any]) -> str:
        """POST a resource of another writer; the id that the server gave. ``clean`` removes it again."""
        answer = self.ask("POST", resource["resourceType"], resource)
        assert answer.status_code == 201, answer.text[:500]
        made = str(answer.json()["id"])
        self.foreign.append((resource["resourceType"], made))
        return made

    def search(self, kind: str, params: dict[str, str]) -> Iterator[dict[str, Any]]:
        answer = self.session.get(f"{self.base}/{kind}", params={"_count": "500", **params}, timeout=TIMEOUT)
        while True:
            assert answer.status_code == 200, answer.text[:500]
            page = json.loads(answer.text, parse_float=Decimal)
            yield from (entry["resource"] for entry in page.get("entry", ()))
            link = next((one["url"] for one in page.get("link", ()) if one["relation"] == "next"), None)
            if link is None:
                return
            answer = self.session.get(link, timeout=TIMEOUT)

    def there(self) -> dict[Place_, dict[str, Any]]:
        """Everything on the server that carries an identifier of this name space. One of each, or it fails."""
        found: dict[Place_, dict[str, Any]] = {}
        names: set[tuple[str, str, str]] = set()
        for kind in types_of(self.mill.assembly.mappings.mappers[self.version]):
            mine = {"identifier": f"{self.sid}/record-id|,{self.sid}/part|"}
            if (self.version, kind) == ("R4", "AdverseEvent"):  # R4 does not search it by identifier
                mine = {"resultingcondition.identifier": f"{self.sid}/part|"}
            for resource in self.search(kind, mine):
                found[kind, resource["id"]] = resource
                identifiers = resource["identifier"]
                for identifier in identifiers if isinstance(identifiers, list) else [identifiers]:
                    if identifier.get("system") in (f"{self.sid}/record-id", f"{self.sid}/part"):
                        name = (kind, identifier["system"], identifier["value"])
                        assert name not in names, f"two resources are {name}"
                        names.add(name)
        return found

    def said(self, about: Iterable[Place_]) -> list[dict[str, Any]]:
        """The Provenances about these."""
        names = ["/".join(place) for place in about]
        found: list[dict[str, Any]] = []
        for start in range(0, len(names), 60):  # a URL has an end
            found += self.search("Provenance", {"target": ",".join(names[start : start + 60])})
        return found

    def versions(self) -> dict[Place_, str]:
        return {place: resource["meta"]["versionId"] for place, resource in self.there().items()}

    # -- and away again ---------------------------------------------------------------------------------------
    def clean(self) -> list[Place_]:
        """Delete what this name space has on the server, and foreign resources made here; what is left after that."""
        mine = self.there()
        todo = [*(("Provenance", str(one["id"])) for one in self.said(mine)), *mine, *self.foreign]
        for start in range(0, len(todo), _TOGETHER):  # as transactions, then one by one until nothing more goes
            some = todo[start : start + _TOGETHER]
            entries = [{"request": {"method": "DELETE", "url": f"{kind}/{rid}"}} for kind, rid in some]
            self.ask("POST", "", {"resourceType": "Bundle", "type": "transaction", "entry": entries})
        left = [place for place in todo if self.ask("GET", "/".join(place)).status_code not in (404, 410)]
        before = len(left) + 1
        while 0 < len(left) < before:
            before = len(left)
            left = [p for p in left if self.ask("DELETE", "/".join(p)).status_code not in (200, 204, 404, 410)]
        self.foreign = []
        return left

    def close(self) -> None:
        for store in self._stores:
            store.close()
        self.session.close()


def _every(journey: str) -> tuple[Report, list[Issue]]:
    """A report, and the list of all its issues: the report itself keeps only the first ones."""
    issues: list[Issue] = []
    return Report(journey, on_issue=issues.append), issues
