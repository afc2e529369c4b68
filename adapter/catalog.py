"""Reads `mappings/` once and freezes it: code lists, value sets, code maps, instruments, rows of the fields.

Checked here is what the files say of each other: no code twice, every code of a list mapped or said to be
unmatched, file name = Type-id, no unknown words. Whether rows fit schemas and FHIR models is proved by
`adapter.mapping`. This module must not know records, FHIR models or any room. Every error is a ConfigError
that names file and entry.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

import yaml

from adapter.errors import ConfigError

BASE = "https://hydrofhir.example/fhir"  # canonical base of everything the project defines (decisions.md 8)

# Equivalences of an R4 ConceptMap that have a target; `unmatched` has none.
EQUIVALENCES = ("equal", "equivalent", "wider", "narrower", "inexact")
_DIRECTIONS = ("lower_better", "higher_better")
_KINDS = ("pain", "function")


class Row(dict[str, Any]):
    """A YAML mapping that knows the line, counted from 1, on which it starts."""

    line: int = 0


@dataclass(frozen=True, slots=True)
class CodeList:
    """An own CodeSystem: codes in their order with their displays; `definitions` of those that need one."""

    id: str
    url: str
    title: str
    codes: dict[str, str]
    definitions: dict[str, str]


@dataclass(frozen=True, slots=True)
class Target:
    """What an own code means elsewhere. `equivalence` as in R4: `wider` = the target is the broader one."""

    system: str
    code: str
    display: str
    equivalence: str


@dataclass(frozen=True, slots=True)
class ConceptMap:
    """Targets of each code of list `source_list`. Every code has an entry, empty where nothing matches."""

    id: str
    source_list: str
    entries: dict[str, tuple[Target, ...]]


@dataclass(frozen=True, slots=True)
class Instrument:
    """An outcome tool. `min`, `max`, `direction` None: they come with the record.

    Scores lie on min + n * step; `step` None: any value between. `unit` is UCUM; `kind` is pain or function.
    """

    code: str
    display: str
    kind: str
    min: Decimal | None
    max: Decimal | None
    step: Decimal | None
    direction: str | None
    unit: str


@dataclass(frozen=True, slots=True)
class Catalog:
    """All of `mappings/` that the program reads. `valuesets` hold codes, `fields` the raw rows by file stem.

    `version` is the sha256 over every file read: a changed mapping re-sends, an unchanged one does not.
    """

    path: Path
    version: str
    lists: dict[str, CodeList]
    valuesets: dict[str, tuple[str, ...]]
    maps: dict[str, ConceptMap]
    instruments: dict[str, Instrument]
    fields: dict[str, Row]


def mappings_path() -> Path:
    """The folder of the mappings: inside an installed wheel, else in the checkout."""
    here = Path(__file__).parent
    installed = here / "_data" / "mappings"
    return installed if installed.is_dir() else here.parent / "mappings"


def load(path: Path | None = None) -> Catalog:
    """Read and check the mappings under `path` (default `mappings_path()`). Raises ConfigError."""
    root = path or mappings_path()
    if not (root / "terminology").is_dir():
        raise ConfigError(f"{root}: no mappings here (no folder terminology)")
    files = _Files(root)
    resources = {t: list(files.resources(t)) for t in ("CodeSystem", "ValueSet", "ConceptMap")}
    lists = {r["id"]: _code_list(r, fail) for r, fail in resources["CodeSystem"]}
    valuesets = {r["id"]: _value_set(r, lists, fail) for r, fail in resources["ValueSet"]}
    maps = {r["id"]: _concept_map(r, lists, fail) for r, fail in resources["ConceptMap"]}
    instruments = _instruments(files, lists)
    fields = {f.stem: files.yaml(f) for f in sorted((root / "fields").glob("*.yaml"))}
    return Catalog(root, files.digest.hexdigest(), lists, valuesets, maps, instruments, fields)


Fail = Callable[[str], ConfigError]  # reason -> error that names file and entry


def _within(fail: Fail, entry: str) -> Fail:
    return lambda reason: fail(f"{entry}: {reason}")


class _Files:
    """Reads files below `root`, each once and in a fixed order, and keeps the digest of all of them."""

    def __init__(self, root: Path) -> None:
        self.root, self.digest = root, hashlib.sha256()

    def text(self, file: Path) -> str:
        name = file.relative_to(self.root).as_posix()
        try:
            data = file.read_bytes()
            text = data.decode()
        except (OSError, UnicodeDecodeError) as e:
            raise ConfigError(f"{name}: cannot be read: {type(e).__name__}") from e
        self.digest.update(f"{name}\0{len(data)}\0".encode() + data)
        return text

    def fail(self, file: Path) -> Fail:
        return lambda reason: ConfigError(f"{file.relative_to(self.root).as_posix()}: {reason}")

    def resources(self, kind: str) -> Iterator[tuple[dict[str, Any], Fail]]:
        folder = self.root / "terminology"
        if kind == "CodeSystem":  # once: a file that no loop below would read is a mistake, not a spare
            for file in sorted(folder.glob("*.json")):
                if file.name.partition("-")[0] not in ("CodeSystem", "ValueSet", "ConceptMap"):
                    raise self.fail(file)("a file here is named CodeSystem-, ValueSet- or ConceptMap-id.json")
        for file in sorted(folder.glob(f"{kind}-*.json")):
            fail = self.fail(file)
            try:
                resource = json.loads(self.text(file), object_pairs_hook=_unique)
            except ValueError as e:
                raise fail(f"not JSON: {e}") from e
            if not isinstance(resource, dict) or resource.get("resourceType") != kind:
                raise fail(f"resourceType is not {kind}")
            if f"{kind}-{resource.get('id')}.json" != file.name:
                raise fail(f"id {resource.get('id')!r} is not the one in the file name")
            if resource.get("url") != f"{BASE}/{kind}/{resource['id']}":
                raise fail(f"url is not {BASE}/{kind}/{resource['id']}")
            yield resource, fail

    def yaml(self, file: Path) -> Row:
        fail = self.fail(file)
        try:
            # a SafeLoader with fewer types, not the loader that builds any object
            loaded = yaml.load(self.text(file), Loader=_Loader)  # noqa: S506
        except yaml.MarkedYAMLError as e:
            raise fail(f"line {e.problem_mark.line + 1 if e.problem_mark else '?'}: {e.problem}") from e
        except yaml.YAMLError as e:
            raise fail(f"not YAML: {type(e).__name__}") from e
        if not isinstance(loaded, Row):
            raise fail("is not a mapping of words to values")
        return loaded


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    out = dict(pairs)
    if len(out) != len(pairs):
        keys = [k for k, _ in pairs]
        raise ValueError(f"key {next(k for k in keys if keys.count(k) > 1)!r} twice")
    return out


def _each(resource: dict[str, Any], key: str, fail: Fail, where: str = "") -> list[dict[str, Any]]:
    """The list of objects under `key`, refused when it is missing, empty or something else."""
    found = resource.get(key)
    if not isinstance(found, list) or not found or not all(isinstance(i, dict) for i in found):
        raise fail(f"{where}{key} is not a list of objects")
    return found


def _code_list(r: dict[str, Any], fail: Fail) -> CodeList:
    codes: dict[str, str] = {}
    definitions: dict[str, str] = {}
    for concept in _each(r, "concept", fail):
        code, display = concept.get("code"), concept.get("display")
        if not isinstance(code, str) or not re.fullmatch(r"[A-Za-z0-9_-]+", code):
            raise fail(f"code {code!r} is not a word of letters, digits, _ and -")
        if code in codes:
            raise fail(f"code {code!r} twice")
        if not isinstance(display, str) or not display.strip():
            raise fail(f"code {code!r} has no display")
        codes[code] = display
        if "definition" in concept:
            definitions[code] = concept["definition"]
    if r.get("count") != len(codes):
        raise fail(f"count is not the number of codes, {len(codes)}")
    return CodeList(r["id"], r["url"], r.get("title", r["id"]), codes, definitions)


def _own_list(url: Any, lists: dict[str, CodeList], fail: Fail) -> CodeList:
    found = lists.get(str(url).removeprefix(f"{BASE}/CodeSystem/"))
    if found is None or found.url != url:
        raise fail(f"{url!r} is not a code list of this project")
    return found


def _value_set(r: dict[str, Any], lists: dict[str, CodeList], fail: Fail) -> tuple[str, ...]:
    """The codes of a value set over one own list."""
    includes = _each(r.get("compose") or {}, "include", fail, "compose.")
    if len(includes) != 1 or set(r["compose"]) != {"include"} or set(includes[0]) - {"system", "concept"}:
        raise fail("compose: one include of a system, with all codes or listed ones, and nothing else")
    source = _own_list(includes[0].get("system"), lists, fail)
    if "concept" not in includes[0]:
        return tuple(source.codes)
    codes: list[str] = []
    for concept in _each(includes[0], "concept", fail):
        code = concept.get("code")
        if code not in source.codes:
            raise fail(f"code {code!r} is not in list {source.id!r}")
        if code in codes:
            raise fail(f"code {code!r} twice")
        if concept.get("display", source.codes[code]) != source.codes[code]:
            raise fail(f"code {code!r}: display is not that of the list")
        codes.append(code)
    return tuple(codes)


def _concept_map(r: dict[str, Any], lists: dict[str, CodeList], fail: Fail) -> ConceptMap:
    groups = _each(r, "group", fail)
    source = _own_list(groups[0].get("source"), lists, fail)
    entries: dict[str, list[Target]] = {}
    for group in groups:
        if group.get("source") != source.url:
            raise fail("groups do not start from the same list")
        system = group.get("target")
        if not isinstance(system, str) or not system:
            raise fail("a group has no target system")
        own = _own_list(system, lists, fail) if system.startswith(BASE) else None
        seen: set[str] = set()
        for element in _each(group, "element", fail):
            code = element.get("code")
            if code not in source.codes:
                raise fail(f"code {code!r} is not in list {source.id!r}")
            if code in seen:
                raise fail(f"code {code!r} twice")
            if element.get("display", source.codes[code]) != source.codes[code]:
                raise fail(f"code {code!r}: display is not that of the list")
            seen.add(code)
            entry = entries.setdefault(code, [])
            entry += _targets(element, system, own, _within(fail, f"code {code!r}"))
    if missing := [c for c in source.codes if c not in entries]:
        raise fail(f"code {missing[0]!r} of list {source.id!r} has no entry")
    return ConceptMap(r["id"], source.id, {c: tuple(entries[c]) for c in source.codes})


def _targets(element: dict[str, Any], system: str, own: CodeList | None, fail: Fail) -> Iterator[Target]:
    targets = _each(element, "target", fail)
    for t in targets:
        code, display, how = t.get("code"), t.get("display"), t.get("equivalence")
        if how == "unmatched":
            if len(targets) > 1 or code is not None or not t.get("comment"):
                raise fail("unmatched stands alone, without a code and with a comment")
            continue
        if how not in EQUIVALENCES:
            raise fail(f"equivalence {how!r} is not one of {', '.join(EQUIVALENCES)}")
        if not isinstance(code, str) or not code or not isinstance(display, str) or not display:
            raise fail("target without code or display")
        if own is not None and own.codes.get(code) != display:
            raise fail(f"target {code!r} is not, with this display, in list {own.id!r}")
        if how in ("inexact", "narrower") and not t.get("comment"):
            raise fail(f"equivalence {how} needs a comment")  # invariant cmd-1 of ConceptMap
        yield Target(system, code, display, how)


_INSTRUMENT_WORDS = {"kind", "min", "max", "step", "direction", "unit", "note"}


def _instruments(files: _Files, lists: dict[str, CodeList]) -> dict[str, Instrument]:
    file = files.root / "instruments.yaml"
    fail = files.fail(file)
    raw, known = files.yaml(file), lists.get("instrument")
    if known is None:
        raise fail("there is no code list 'instrument'")
    if wrong := set(raw) ^ set(known.codes):
        raise fail(f"instrument {min(wrong)!r} must be here and in the list 'instrument'")
    out = {}
    for code, display in known.codes.items():
        row = raw[code]
        if not isinstance(row, Row):
            raise fail(f"{code}: is not a mapping of words to values")
        out[code] = _instrument(code, display, row, _within(fail, f"line {row.line}: {code}"))
    return out


def _instrument(code: str, display: str, row: Row, fail: Fail) -> Instrument:
    if unknown := set(row) - _INSTRUMENT_WORDS:
        raise fail(f"unknown word {min(unknown)!r}")
    if missing := _INSTRUMENT_WORDS - {"note"} - set(row):
        raise fail(f"{min(missing)!r} is missing")
    if row["kind"] not in _KINDS:
        raise fail(f"kind is not one of {', '.join(_KINDS)}")
    if row["direction"] not in (*_DIRECTIONS, None):
        raise fail(f"direction is not one of {', '.join(_DIRECTIONS)}")
    if not isinstance(row["unit"], str) or not row["unit"]:
        raise fail("unit is not a UCUM unit")

    def exact(word: str, value: Any) -> Decimal:
        if not isinstance(value, str) or not re.fullmatch(r"-?[0-9]+(\.[0-9]+)?", value):
            raise fail(f"{word} is not a quoted decimal")
        return Decimal(value)

    low, high, step = (None if row[w] is None else exact(w, row[w]) for w in ("min", "max", "step"))
    if (low is None) != (high is None) or (low is None and step is not None):
        raise fail("min, max and step: both bounds or none; a step needs bounds")
    if low is not None and high is not None and low >= high:
        raise fail("max does not lie above min")
    if low is not None and high is not None and step is not None and (step <= 0 or (high - low) % step):
        raise fail("step does not lead from min to max")
    return Instrument(code, display, row["kind"], low, high, step, row["direction"], row["unit"])


class _Loader(getattr(yaml, "CSafeLoader", yaml.SafeLoader)):  # type: ignore[misc]
    """YAML without surprises: only null, true, false, whole numbers and exact decimals are not text.

    YAML 1.1 would read `no` as false, 1:1 as 61, 2026-02-18 as a date and 0.1 as a binary float: here the
    first three are text and the last is a Decimal. A key given twice is an error. Mappings become `Row`.
    """

    yaml_implicit_resolvers: dict[str, list[tuple[str, re.Pattern[str]]]] = {}


def _row(loader: Any, node: yaml.MappingNode) -> Iterator[Row]:
    row = Row()
    row.line = node.start_mark.line + 1
    yield row
    for key_node, value_node in node.value:
        key = loader.construct_object(key_node, deep=True)
        mark = key_node.start_mark
        if not isinstance(key, str):
            raise yaml.constructor.ConstructorError(None, None, "a key is not text", mark)
        if key in row:
            raise yaml.constructor.ConstructorError(None, None, f"key {key!r} twice", mark)
        row[key] = loader.construct_object(value_node, deep=True)


_Loader.add_constructor("tag:yaml.org,2002:map", _row)
_Loader.add_constructor("tag:yaml.org,2002:float", lambda loader, node: Decimal(node.value))
for _tag, _pattern, _first in (
    ("null", r"(?:~|null|)\Z", ["~", "n", ""]),
    ("bool", r"(?:true|false)\Z", ["t", "f"]),
    ("int", r"-?(?:0|[1-9][0-9]*)\Z", [*"-0123456789"]),
    ("float", r"-?(?:0|[1-9][0-9]*)\.[0-9]+\Z", [*"-0123456789"]),
):
    _Loader.add_implicit_resolver(f"tag:yaml.org,2002:{_tag}", re.compile(_pattern), _first)
