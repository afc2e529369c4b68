"""What nodes see while a record is written or read: the scope, the record, the rest of its graph. No FHIR knowledge."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from adapter.errors import Issue
from adapter.mapping.rows import Row
from adapter.mapping.via.base import Refuse

_NOTHING: Mapping[str, str] = {}


class WriteCtx:
    """The scope of writing. ``rec`` is the record or, inside ``each``, the item; ``refs`` the references between
    parts; ``contained`` the resources inside the one that is written."""

    __slots__ = (
        "absent",
        "contained",
        "n",
        "problems",
        "rec",
        "refs",
        "root",
        "root_absent",
        "scopes",
        "tables",
    )

    def __init__(self, record: dict[str, Any], tables: Any) -> None:
        self.rec: Any = record
        self.root = record
        self.n = 0
        self.refs: dict[str, Any] = {}
        self.contained: list[dict[str, Any]] = []
        self.tables = tables
        self.problems: list[tuple[Row, Refuse]] = []
        self.scopes: dict[str, dict[str, str]] = {}
        for path, reason in record.get("field_absent_reason", _NOTHING).items():
            scope, _, name = path.rpartition(".")
            self.scopes.setdefault(scope, {})[name] = reason
        self.absent: Mapping[str, str] = self.scopes.get("", _NOTHING)
        self.root_absent = self.absent

    def item(self, name: str, n: int, value: Any, scalar: bool = False) -> WriteCtx:
        """The scope of item ``n`` (from 1) of list ``name``."""
        inner = WriteCtx.__new__(WriteCtx)
        inner.rec, inner.root, inner.n, inner.refs = value, self.root, n, self.refs
        inner.contained, inner.tables, inner.problems = self.contained, self.tables, self.problems
        inner.scopes, inner.root_absent = self.scopes, self.root_absent
        inner.absent = (
            self.scopes.get(f"{name}.{n}" if n else name, _NOTHING) if self.scopes and not scalar else _NOTHING
        )
        return inner

    def ref(self, name: str) -> Any:
        """Reference to part ``name`` of this record: the same item's, the only one, or (``name*``) all in order."""
        if name.endswith("*"):
            return list(self.refs.get(name[:-1], {}).values()) or None
        found = self.refs.get(name, {})
        return found.get(self.n, found.get(0))

    def dar(self, reason: str | None) -> str | None:
        """HL7's data-absent-reason code of an own reason."""
        return None if reason is None else self.tables.dar[reason]["coding"][0]["code"]

    def dar_concept(self, reason: str) -> dict[str, Any]:
        return self.tables.dar[reason]

    def refuse(self, row: Row, refused: Refuse) -> None:
        self.problems.append((row, refused))


class ReadCtx:
    """The scope of reading: ``out`` collects fields; ``graph`` answers references; ``ours`` says who wrote it.

    What fallback rows (``read: true``) find waits in ``spare`` until the scope is closed: the field's own rows win.
    """

    __slots__ = ("graph", "issues", "later", "n", "ours", "out", "prefix", "resource", "spare", "spare_issues")

    def __init__(self, graph: Any, resource: dict[str, Any], ours: bool) -> None:
        self.graph, self.resource, self.ours = graph, resource, ours
        self.out: dict[str, Any] = {}
        self.issues: list[Issue] = []
        self.spare: dict[str, Any] = {}
        self.spare_issues: list[Issue] = []
        self.later: list[tuple[Any, ReadCtx, Any]] = []
        self.prefix = ""
        self.n = 0

    @classmethod
    def loose(cls) -> ReadCtx:
        """A context for matching only."""
        return cls(None, {}, True)

    def item(self, name: str, n: int) -> ReadCtx:
        inner = ReadCtx(self.graph, self.resource, self.ours)
        inner.issues, inner.later, inner.n = self.issues, self.later, n
        inner.prefix = f"{self.prefix}{name}.{n}." if n else f"{self.prefix}{name}."
        return inner

    def at(self, resource: dict[str, Any]) -> ReadCtx:
        """The same scope, reading another resource of the record."""
        inner = ReadCtx(self.graph, resource, self.ours)
        inner.out, inner.issues, inner.prefix = self.out, self.issues, self.prefix
        inner.spare, inner.spare_issues, inner.n = self.spare, self.spare_issues, self.n
        inner.later = self.later
        return inner

    def apart(self) -> ReadCtx:
        """A scope to try an element in; what it finds and refuses stays there."""
        inner = ReadCtx(self.graph, self.resource, self.ours)
        inner.prefix, inner.n, inner.out = self.prefix, self.n, dict(self.out)
        return inner

    def set(self, name: str, value: Any, row: Row) -> None:
        """The first row that answers a field wins."""
        (self.spare if row.mode == "read" else self.out).setdefault(name, value)

    def close(self) -> dict[str, Any]:
        """The fields of this scope, fallbacks for what no other row answered."""
        for name, value in self.spare.items():
            self.out.setdefault(name, value)
        if self.spare_issues:
            known = {self.prefix + name for name in self.out} | {i.field for i in self.issues}
            self.issues += [i for i in self.spare_issues if i.field not in known]
            self.spare_issues = []
        self.spare = {}
        return self.out

    def refuse(self, row: Row, refused: Refuse) -> None:
        name = (self.prefix + (row.fields[refused.at] if row.fields else "")).rstrip(".")
        issues = self.spare_issues if row.mode == "read" else self.issues
        if name in {i.field for i in issues}:
            return
        kind = self.resource.get("resourceType", "")
        issues.append(
            Issue(record=None, field=name, rule=refused.rule, limit=refused.limit, message=f"{kind}.{row.text}")
        )

    def refuse_field(self, name: str, refused: Refuse, path: str) -> None:
        """Refuse a field of this scope that no single row is to blame for."""
        kind = self.resource.get("resourceType", "")
        issue = Issue(None, self.prefix + name, refused.rule, limit=refused.limit, message=f"{kind}.{path}")
        if issue not in self.issues:
            self.issues.append(issue)

    def differs(self, row: Row) -> None:
        """An element of another writer says otherwise than what was read."""
        allowed = " or ".join(map(str, row.agree or ())) or "what the rest of the record says"
        self.refuse_field(row.text, Refuse("agree", allowed), row.text)


class Tracer:
    """Collects which row made which element (path -> row) while a tree is walked beside its resource."""

    def __init__(self, resource: dict[str, Any]) -> None:
        self.ctx = ReadCtx(None, resource, True)
        self.found: list[tuple[str, Row]] = []

    def __call__(self, path: str, row: Row) -> None:
        self.found.append((path, row))
