"""What a pull asks a partner for, page by page.

Decides the scope (decisions 23): by default what carries our identifiers, with ``all`` everything of the
types we know, with ``study`` one study and its participants, with ``since`` the whole graph of every subject touched.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from adapter.errors import ConfigError
from adapter.exchange import Folder, RawPage, Received, Server, ahead
from adapter.mapping.literal import named
from adapter.mapping.mapper import Mapper
from adapter.mill import Mill, Stranger
from adapter.settings import Target
from adapter.store import Staged, Store

OVERLAP = timedelta(minutes=10)
"""A server stamps a transaction at its start: what was written before the mark may show up after it. Longer than
any transaction we have seen (9 s measured)."""
TOGETHER = 50
_SUBJECT = ("subject", "individual", "patient")
_BY_SUBJECT = {("R5", "ResearchSubject"): "subject", ("R4", "AdverseEvent"): "subject"}
_BY_PART = {("R4", "AdverseEvent"): "resultingcondition.identifier"}
"""Types that a server cannot search by their own identifier: their part has one."""
Page = list[Staged]
Partner = Server | Folder


@dataclass(frozen=True)
class Scope:
    """What a pull asks for. ``since``: an instant, or ``last`` for where the last pull ended."""

    all: bool = False
    study: str | None = None
    since: str | None = None


def stranger_of(target: Target) -> Stranger:
    """How records of other writers at this target are signed: by the target's name, or its host."""
    name = target.name if "://" not in target.name else target.name.split("/")[2]
    return Stranger(
        source="".join(c if c.isalnum() or c in "._-" else "-" for c in name).strip("-."),
        timezone=target.timezone,
    )


class Reader:
    """What a pull reads from one partner; ``latest`` is the newest lastUpdated seen, ``short`` how many resources the
    server counts beyond those it gave, by type: the proof that a pull is complete."""

    def __init__(self, partner: Partner, mill: Mill, store: Store) -> None:
        self.partner, self.mill, self.store = partner, mill, store
        self.key = partner.target.ledger_key
        self.mappers = mill.assembly.mappings.mappers[mill.version]
        self.latest = ""
        self.short: dict[str, int] = {}

    def pages(self, scope: Scope) -> Iterator[Page]:
        """Pages to stage, for what the scope asks. A folder is always read whole."""
        if isinstance(self.partner, Folder):
            if scope.study is not None or scope.since is not None:
                raise ConfigError("a folder is read whole: study and since are for servers")
            for page in self.partner.pages():
                yield self._staged(page)
            return
        if scope.study is not None:
            yield from self._study(self.partner, scope.study)
            return
        since = self._since(scope)
        if since is not None:
            yield from self._touched(since, scope)
            return
        yield from self._counted(self.partner, scope)

    def each_once(self, scope: Scope) -> bool:
        """Does this pull read everything of ours from a server, each resource once?"""
        plain = not scope.all and scope.study is None and self._since(scope) is None
        return plain and isinstance(self.partner, Server)

    def _counted(self, server: Server, scope: Scope) -> Iterator[Page]:
        """All pages of all types, each held against the server's own count: a page may go missing without a word."""

        def fetched() -> Iterator[tuple[str, RawPage]]:
            for kind in types_of(self.mappers):
                for page in server.client.raw_pages(kind, {**self._own(scope, kind), "_total": "accurate"}):
                    yield kind, page

        totals: dict[str, int] = {}
        seen: dict[str, set[str]] = {}
        for kind, page in ahead(fetched(), room=2):
            if page.total is not None:
                totals[kind] = page.total
            known = seen.setdefault(kind, set())
            fresh = [one for one in self._staged(server.client.resources_in(page)) if one.id not in known]
            known.update(one.id for one in fresh)  # a page may come twice
            if fresh:
                yield fresh
        self.short = {kind: total - len(seen[kind]) for kind, total in totals.items() if total > len(seen[kind])}

    def finish(self, scope: Scope) -> None:
        """Move the cursor, after everything else."""
        if self.latest and scope.study is None:
            self.store.set_cursor(self.key, self.latest)

    def _own(self, scope: Scope, kind: str) -> dict[str, str]:
        return {} if scope.all else own_search(kind, self.mill.version, self.mill.assembly.sid)

    def _since(self, scope: Scope) -> str | None:
        if scope.since != "last":
            return scope.since
        mark = self.store.cursor(self.key)
        if mark is None:
            return None
        return (datetime.fromisoformat(mark) - OVERLAP).isoformat(timespec="milliseconds")

    def _touched(self, since: str, scope: Scope) -> Iterator[Page]:
        subjects: set[str] = set()
        loose = False
        for kind in types_of(self.mappers):
            for page in self.partner.pages(kind, {"_lastUpdated": f"ge{since}", **self._own(scope, kind)}):
                for one in self._staged(page):
                    if one.subject:
                        subjects.add(one.subject)
                    else:
                        loose = True
        if loose:  # a study was touched: studies are few, their graphs are read whole
            for kind in types_of(self.mappers, with_subject=False):
                for page in self.partner.pages(kind, self._own(scope, kind)):
                    yield self._staged(page)
        yield from self._subjects(sorted(subjects))

    def _study(self, server: Server, study: str) -> Iterator[Page]:
        sid = self.mill.assembly.sid
        roots = [r for page in server.client.search_post("ResearchStudy", [(f"{sid}/study", study)]) for r in page]
        if not roots:
            raise ConfigError("study: the target has no study of this id with our identifier")
        yield self._staged(roots)
        wanted = [(f"{sid}/part", name) for root in roots for name in part_names(root, sid)]
        for kind in types_of(self.mappers, with_subject=False):
            if kind != "ResearchStudy" and wanted:
                for page in server.client.search_post(kind, wanted):
                    yield self._staged(page)
        subjects: set[str] = set()
        for root in roots:
            for page in server.pages("ResearchSubject", {"study": f"ResearchStudy/{root['id']}"}):
                subjects.update(s for r in page if (s := subject_of(r)))
        yield from self._subjects(sorted(subjects))

    def _subjects(self, subjects: list[str]) -> Iterator[Page]:
        """The whole graphs of these subjects (``Patient/id``)."""
        for start in range(0, len(subjects), TOGETHER):
            some = subjects[start : start + TOGETHER]
            for kind in types_of(self.mappers, with_subject=True):
                name = _BY_SUBJECT.get((self.mill.version, kind), "patient")
                params = {name: ",".join(some)}
                if kind == "Patient":
                    params = {"_id": ",".join(s.rpartition("/")[2] for s in some)}
                for page in self.partner.pages(kind, params):
                    yield self._staged(page)

    def _staged(self, page: list[Received]) -> Page:
        out = []
        for resource in page:
            kind, rid = resource.get("resourceType"), resource.get("id")
            if not isinstance(kind, str) or not isinstance(rid, str) or kind == "OperationOutcome":
                continue
            if kind in self.mill.of_versions:
                continue
            updated = str((resource.get("meta") or {}).get("lastUpdated", ""))
            self.latest = max(self.latest, updated)
            out.append(Staged(kind, rid, subject_of(resource), updated, resource.text, resource))
        return out


def types_of(mappers: Mapping[str, Mapper], with_subject: bool | None = None) -> list[str]:
    """The resource types of these mappings, in a stable order; studies' own types have no subject.

    A type that many blocks make comes late: while its pages are read, the graphs around it become whole.
    """
    types: dict[str, bool] = {}
    blocks: Counter[str] = Counter()
    for mapper in mappers.values():
        for part in (mapper.root, *mapper.children):
            named = any(r.path[0].name in _SUBJECT for r in part.block.rows) or part.block.type == "Patient"
            types[part.block.type] = types.get(part.block.type, False) or named
            blocks[part.block.type] += 1
    wanted = [t for t, named in types.items() if with_subject is None or named is with_subject]
    return sorted(wanted, key=lambda t: blocks[t])


def searched_by(version: str, kind: str) -> str:
    """The search parameter by which a pull finds what is ours."""
    return _BY_PART.get((version, kind), "identifier").partition(".")[0]


def own_search(kind: str, version: str, sid: str) -> dict[str, str]:
    """The search for what carries our identifiers: roots and parts (a token with a system only)."""
    if (version, kind) in _BY_PART:
        return {_BY_PART[version, kind]: f"{sid}/part|"}
    return {"identifier": f"{sid}/record-id|,{sid}/part|"}


def part_names(root: dict[str, Any], sid: str) -> list[str]:
    """The part identifiers of a root of ours: ``{record_id}/{part}`` for each part it lists."""
    record = next((i["value"] for i in root.get("identifier", ()) if i.get("system") == f"{sid}/record-id"), "")
    return [
        f"{record}/{child['valueString']}"
        for extension in root.get("extension", ())
        for child in extension.get("extension", ())
        if child.get("url") == "part" and "valueString" in child
    ]


def subject_of(resource: dict[str, Any]) -> str:
    """``Patient/id`` that a resource belongs to; "" for none."""
    if resource.get("resourceType") == "Patient":
        return f"Patient/{resource.get('id')}"
    for name in _SUBJECT:
        reference = resource.get(name)
        literal = reference.get("reference") if isinstance(reference, dict) else None
        target = named(literal) if isinstance(literal, str) else None
        if target is not None and target[0] == "Patient":
            return f"Patient/{target[1]}"
    return ""
