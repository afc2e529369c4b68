"""Reads the YAML of one record kind into rows and resource blocks. Knows the language, not FHIR and not records.

A **resource block** says which resource is written, once or for each item of a list; its rows say where fields live.
Row kinds (`mappings/README.md` explains each by example):

    field      {field: f | [f, g], path: P, via: T, with: ..., uses: [h]}   read and written
    copy       {copy: f | [f], path: P, via: T}                            written for readers, never read
    read       {field: f, path: P, via: T, read: true}                     only read: a fallback for other writers
    fix        {path: P, fix: VALUE | concept: "list|code", match: true}   constant; `match` also recognises
    table      {field | copy: [f, g], path: P, table: NAME}                lookup over several fields
    link       {link: PART, path: P}                                       a reference to another part of the record
    each       {each: f, path: P, rows: [...]}                             one element per item of a list
    contained  {contained: name, type: T, path: P, rows: [...]}            a contained resource behind a reference
    include    {include: GROUP}                                            rows of a named group
    guard      {path: P, agree: [VALUE]}                                   never written: what others may say there
    not_sent   top-level list of {field, why}
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from adapter.mapping import paths

VERSIONS = ("R4", "R5")
DISCLOSURE = ("open", "revealing", "allocation")
_WORDS = {
    "field", "copy", "path", "via", "with", "uses", "fix", "concept", "match", "table", "link", "each", "rows",
    "contained", "type", "include", "only", "class", "note", "missing", "read", "agree",
}  # fmt: skip
_BLOCK_WORDS = {
    "part", "type", "each", "rows", "among", "note", "only", "always", "key", "history", "profile", "questionnaire",
}  # fmt: skip
_TEXT_WORDS = {"profile": {"title", "text"}, "questionnaire": {"title", "text", "items"}}


class BadRow(Exception):
    """A row that cannot be read; carries file, line and reason. Never leaves the room: proof collects them."""

    def __init__(self, where: str, reason: str) -> None:
        super().__init__(f"{where}: {reason}")
        self.where, self.reason = where, reason


@dataclass(frozen=True)
class Row:
    """One row for one FHIR version. ``where`` is ``file:line`` for messages."""

    where: str
    mode: str  # both | copy | read | fix | link | each | contained | guard
    path: tuple[paths.Step, ...]
    fields: tuple[str, ...] = ()
    uses: tuple[str, ...] = ()
    via: str = "same"
    with_: Any = None
    fix: Any = None
    concept: str | None = None
    match: bool = False
    marks: bool = False  # the match tells the whole resource, not only the list element that it stands in
    to: str = ""
    rows: tuple[Row, ...] = ()
    type: str = ""
    missing: str | None = None
    disclosure: str = "open"
    agree: tuple[Any, ...] | None = None  # what else another writer may say here; None: anything

    @property
    def text(self) -> str:
        return ".".join(map(str, self.path))


@dataclass(frozen=True)
class Block:
    """One resource of a record's graph (or one per item of ``each``), for one FHIR version."""

    where: str
    part: str  # "" for the root
    type: str
    rows: tuple[Row, ...]
    each: str | None = None
    among: tuple[str, tuple[str, ...]] | None = None  # (item field, codes): the items this block takes
    always: bool = False
    key: str | None = None  # item field that the resource id is made of, instead of the item's number
    history: bool = False  # one for each version of the record, for readers: never read, never taken away
    profile: Mapping[str, str] | None = None  # title and text of its profile
    questionnaire: Mapping[str, Any] | None = None  # title, text and the words of each question, by linkId


@dataclass(frozen=True)
class Definition:
    """The mapping of one record kind for one FHIR version."""

    kind: str
    version: str
    file: str
    blocks: tuple[Block, ...]
    not_sent: Mapping[str, str]
    tables: Mapping[str, Sequence[Sequence[Any]]] = field(default_factory=dict)


def _line(node: Any) -> int:
    return getattr(node, "line", 0)


class Reader:
    """Reads one file for one version; ``shared`` holds groups and tables of ``_shared.yaml``."""

    def __init__(self, file: str, raw: Mapping, shared: Mapping, version: str) -> None:
        self.file, self.raw, self.version = file, raw, version
        self.groups = {**shared.get("groups", {}), **raw.get("groups", {})}
        self.tables = {**shared.get("tables", {}), **raw.get("tables", {})}
        self.own = {*raw.get("groups", {}), *raw.get("tables", {})}
        self.home, self.shared_file = file, "fields/_shared.yaml"
        self.problems: list[BadRow] = []

    def definition(self) -> Definition:
        unknown = set(self.raw) - {"record", "resources", "not_sent", "groups", "tables", "note"}
        if unknown:
            self.problems.append(BadRow(f"{self.file}:1", f"unknown word {sorted(unknown)[0]!r}"))
        blocks = [b for raw in self.raw.get("resources", ()) if (b := self._block(raw))]
        not_sent = {r["field"]: r.get("why", "") for r in self.raw.get("not_sent", ())}
        for name, why in not_sent.items():
            if not why:
                self.problems.append(BadRow(self.file, f"not_sent field {name!r} has no reason (why)"))
        return Definition(
            str(self.raw.get("record", "")), self.version, self.file, tuple(blocks), not_sent, self.tables
        )

    def _block(self, raw: Mapping) -> Block | None:
        where = f"{self.file}:{_line(raw)}"
        if unknown := set(raw) - _BLOCK_WORDS:
            self.problems.append(BadRow(where, f"unknown word {sorted(unknown)[0]!r} in a resource block"))
        if raw.get("only", self.version) != self.version:
            return None
        for word, words in _TEXT_WORDS.items():
            if word in raw and not (isinstance(raw[word], Mapping) and set(raw[word]) == words):
                self.problems.append(BadRow(where, f"{word} has the words {', '.join(sorted(words))}"))
        among = raw.get("among")
        return Block(
            where, str(raw.get("part", "")), str(raw.get("type", "")), self._rows(raw.get("rows", ())),
            raw.get("each"), (among["field"], tuple(among["codes"])) if among else None, bool(raw.get("always")),
            raw.get("key"), bool(raw.get("history")), raw.get("profile"), raw.get("questionnaire"),
        )  # fmt: skip

    def _rows(self, raw_rows: Sequence[Mapping]) -> tuple[Row, ...]:
        rows: list[Row] = []
        for raw in raw_rows:
            try:
                rows += self._row(raw)
            except BadRow as bad:
                self.problems.append(bad)
        return tuple(rows)

    def _row(self, raw: Mapping) -> list[Row]:
        where = f"{self.file}:{_line(raw)}"
        if unknown := set(raw) - _WORDS:
            raise BadRow(where, f"unknown word {sorted(unknown)[0]!r} in a row")
        if raw.get("only", self.version) != self.version:
            return []
        if "include" in raw:
            if raw["include"] not in self.groups:
                raise BadRow(where, f"no group named {raw['include']!r}")
            outer, name = self.file, raw["include"]
            self.file = outer if name in self.own else self.shared_file
            try:
                return list(self._rows(self.groups[name]))
            finally:
                self.file = outer
        get = self._versioned
        path_text = get(raw.get("path"))
        if path_text is None:
            return []
        try:
            path = paths.parse(str(path_text))
        except ValueError as bad:
            raise BadRow(where, str(bad)) from None
        modes = [m for m in ("field", "copy", "link", "each", "contained") if m in raw]
        if "fix" in raw or "concept" in raw:
            modes.append("fix")
        agree = get(raw.get("agree"))
        if agree is not None:
            if agree is not True and not isinstance(agree, list):
                raise BadRow(where, "agree is true, or a list of values that are as good")
            agree = () if agree is True else tuple(agree)
            modes = modes or ["guard"]
            if modes[0] not in ("copy", "fix", "guard"):
                raise BadRow(where, "agree is for constants and copies, and for elements without another row")
        if len(modes) != 1:
            raise BadRow(where, "a row has exactly one of field, copy, fix/concept, link, each, contained")
        mode = modes[0]
        named = raw.get("field", raw.get("copy", raw.get("each", ())))
        fields = (named,) if isinstance(named, str) else tuple(named)
        via, with_ = str(get(raw.get("via", "same"))), get(raw.get("with"))
        if "table" in raw:
            name = get(raw["table"])
            if name not in self.tables:
                raise BadRow(where, f"no table named {name!r}")
            via, with_ = "table", {"name": name, "rows": self.tables[name], "file": self._home(name)}
        if raw.get("class", "open") not in DISCLOSURE:
            raise BadRow(where, f"class is one of {', '.join(DISCLOSURE)}")
        mode = {"field": "read" if raw.get("read") else "both"}.get(mode, mode)
        return [
            Row(
                where=where, mode=mode, path=path, fields=fields, uses=tuple(raw.get("uses", ())), via=via,
                with_=with_, fix=get(raw.get("fix")), concept=get(raw.get("concept")), match=bool(raw.get("match")),
                marks=raw.get("match") == "resource",
                to=str(raw.get("link", raw.get("contained", ""))), rows=self._rows(raw.get("rows", ())),
                type=str(raw.get("type", "")), missing=raw.get("missing"), disclosure=raw.get("class", "open"),
                agree=agree,
            )
        ]  # fmt: skip

    def _home(self, name: str) -> str:
        """The file that a group or table is written in."""
        return self.home if name in self.own else self.shared_file

    def _versioned(self, value: Any) -> Any:
        """A mapping whose keys are FHIR versions stands for the value of this version."""
        if isinstance(value, Mapping) and value and set(value) <= set(VERSIONS):
            return value.get(self.version)
        return value
