"""The gate: nothing leaves for a server unless it is structurally valid FHIR of the right version.

Servers check almost nothing (a HAPI server stores unknown elements, second values and missing codes without a
word, or drops them), so this is the only guard. One C pass decodes the bytes into compiled structs
(`structs`), whose invariants run on the way (`rules`); only documents with suspicious bytes are walked a
second time. Issues name element paths and rules, never values. Must not know records, mappings or the wire.

Beyond FHIR: no narrative, and con-3 counts as an error. Not checked: canonicals' targets, UCUM unit names,
slices and profiles, resources inside Parameters, invariants that need another resource.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import msgspec
from msgspec import UNSET

from adapter import codec
from adapter.errors import CodecError, Issue, ResourceRefused
from adapter.fhir.formats import PATTERNS
from adapter.fhir.rules import SEPARATOR
from adapter.fhir.structs import FULL, LEAN, TOLERANT, Builder


@dataclass(frozen=True, slots=True)
class GateIssue:
    """One reason to refuse a resource. `path` is like `Observation.component[3].valueQuantity.value`."""

    path: str
    rule: str
    message: str


class _Sniff(msgspec.Struct):
    resourceType: str = ""


_sniff = msgspec.json.Decoder(_Sniff)
_START = b'{"resourceType":"'
_PATH = re.compile(r" - at `\$?(.*)`\Z")
_CONTAINED = re.compile(rb'\{"resourceType":"[A-Za-z]+","id":"([A-Za-z0-9\-.]+)"')
_LOCAL = re.compile(rb'"reference":"#([A-Za-z0-9\-.]+)"')
_HOLLOW = re.compile(rb"\{\s*\}")
_ALONE = re.compile(rb'\bnull\b|\{\s*"id"\s*:\s*"[^"]*"\s*\}')  # may be an element without a value or children
_QUOTED = re.compile(r"`([^`]*)`")
_NAME = re.compile(r"_?[A-Za-z][A-Za-z0-9]{0,63}\Z")
_FORMATS = {pattern: name for name, pattern in reversed(PATTERNS.items())}
_MESSAGES = (  # how msgspec begins a message -> our rule and words; never its own, which may quote a value
    ("Object contains unknown field", "unknown", "no such element"),
    ("Object missing required field", "required", "is required"),
    ("Invalid enum value", "code", "not a code of the required binding"),
    ("Expected `str` matching regex", "format", ""),
    ("Expected `str` of length", "empty", "must not be empty"),
    ("Expected `array` of length", "empty", "must not be empty"),
    ("Expected `int`", "range", "out of range"),
    ("Integer value out of range", "range", "out of range"),
    ("Number out of range", "range", "out of range"),
)


class Gate:
    """Checks resources of one FHIR version ("R4", "R5"). Safe to share between threads."""

    def __init__(self, version: str) -> None:
        self.version = version
        self._lean = Builder(version, LEAN)
        self._full = Builder(version, FULL)
        self._tolerant = Builder(version, TOLERANT)

    def check(self, resource: dict[str, Any] | bytes) -> list[GateIssue]:
        """Why this resource must not be sent; empty where it may. Compact JSON bytes are checked fastest.

        Structure is reported one issue at a time, the first that is met.
        """
        if not isinstance(resource, bytes):
            try:
                resource = codec.dumps(resource)
            except CodecError as error:
                return [GateIssue("", error.rule, "cannot be written as JSON")]
        return self._check(resource, "")

    def require(self, resource: dict[str, Any] | bytes, record: str | None = None) -> None:
        """Raise ResourceRefused with the issues of `check`, if there are any."""
        issues = self.check(resource)
        if issues:
            raise ResourceRefused(Issue(record, i.path, i.rule, message=i.message) for i in issues)

    def check_tolerant(self, resource: dict[str, Any] | bytes) -> list[GateIssue]:
        """What makes a resource that others wrote unsafe to read: a known element of the wrong JSON type.

        Unknown elements, missing ones, empty ones, odd formats and codes are not reported.
        """
        try:
            data = resource if isinstance(resource, bytes) else codec.dumps(resource)
        except CodecError as error:
            return [GateIssue("", error.rule, "cannot be written as JSON")]
        return self._decode(self._tolerant, data, "")[1]

    def _decode(self, builder: Builder, data: bytes, at: str) -> tuple[Any, list[GateIssue]]:
        type_name = ""
        try:
            if data.startswith(_START):
                type_name = data[len(_START) : data.index(b'"', len(_START))].decode()
            else:
                type_name = _sniff.decode(data).resourceType
            return builder.decoder(type_name).decode(data), []
        except KeyError:
            return None, [GateIssue(at, "resource-type", f"not a resource type of {self.version}")]
        except msgspec.ValidationError as error:
            return None, [_issue(str(error), at or type_name or "Resource")]
        except (msgspec.DecodeError, UnicodeError, RecursionError, ValueError):
            return None, [GateIssue(at, "json", "not valid JSON")]

    def _check(self, data: bytes, at: str) -> list[GateIssue]:
        root, issues = self._decode(self._lean, data, at)
        lean = not issues
        if issues:
            root, issues = self._decode(self._full, data, at)
            if issues:
                return issues
        path = at or type(root).__name__
        contained = getattr(root, "contained", UNSET)
        odd = contained is not UNSET or _HOLLOW.search(data) or (b"#" in data and b'"#' in data)
        if (not lean and _ALONE.search(data)) or (odd and not (lean and _plainly_contained(data, contained))):
            issues += _walk(data, path, contained is not UNSET)
        if contained is not UNSET:
            for i, raw in enumerate(contained):
                issues += self._check(bytes(raw), f"{path}.contained[{i}]")
        if type(root).__name__ == "Bundle" and root.entry is not UNSET:
            for i, entry in enumerate(root.entry):
                if entry.resource is not UNSET:
                    issues += self._check(bytes(entry.resource), f"{path}.entry[{i}].resource")
        return issues


def _issue(text: str, root: str) -> GateIssue:
    """An issue from msgspec's words or from `rules.broken`; values that msgspec quotes are left out."""
    found = _PATH.search(text)
    path = root + (found[1] if found else "")
    if SEPARATOR in text:
        rule, below, message = (text[: found.start()] if found else text).split(SEPARATOR)
        return GateIssue(f"{path}.{below}" if below else path, rule, message)
    for start, rule, message in _MESSAGES:
        if not text.startswith(start):
            continue
        if rule in ("unknown", "required"):
            name = _QUOTED.search(text)
            if name and _NAME.match(name[1]):
                if name[1] == "text" and path.count(".") == 0:
                    return GateIssue(f"{path}.text", "narrative", "no narrative is written")
                path = f"{path}.{name[1]}"
        elif rule == "format":
            pattern = text[len(start) + 1 :]
            name_of = next((n for p, n in _FORMATS.items() if repr(p) in pattern), "reference to an allowed type")
            return GateIssue(path, "target" if "allowed" in name_of else "format", f"not a valid {name_of}")
        elif rule == "range" and ", got" in text:
            break
        return GateIssue(path, rule, message)
    expected = _QUOTED.findall(text.split(" - at ")[0])
    if text.startswith("Expected") and len(expected) == 2:
        rule = "empty" if expected[1] == "null" else "type"
        return GateIssue(path, rule, f"{expected[0]} expected, {expected[1]} found")
    return GateIssue(path, "structure", "not as FHIR defines it")


def _plainly_contained(data: bytes, contained: Any) -> bool:
    """Whether the second look can be spared after a lean decoding: nothing empty or null, and every contained
    resource is begun as we write it, simple, and referred to. The bytes tell; in doubt, False."""
    if contained is UNSET or _HOLLOW.search(data) or b"null" in data:
        return False
    ids = set()
    for raw in contained:
        body = bytes(raw)
        head = _CONTAINED.match(body)
        if head is None or b'"contained"' in body or b'"meta"' in body:
            return False
        ids.add(head[1])
    used = _LOCAL.findall(data)
    return len(ids) == len(contained) and ids == set(used) and len(used) == data.count(b'"#')


def _walk(data: bytes, path: str, has_contained: bool) -> list[GateIssue]:
    """Second look: empty elements, null outside its place, references to contained resources."""
    issues: list[GateIssue] = []
    root = codec.loads_wire(data)
    contained = [r["id"] for r in root.get("contained", ()) if isinstance(r, dict) and isinstance(r.get("id"), str)]
    used: set[str] = set()
    for where, value in _nodes(root, path):
        if isinstance(value, dict):
            if not value.keys() - {"id"} and where != path:
                issues.append(GateIssue(where, "empty", "an element needs a value or children"))
            issues += _placeholders(value, where)
            reference = value.get("reference")
            if isinstance(reference, str) and reference.startswith("#") and reference != "#":
                used.add(reference[1:])
                if reference[1:] not in contained and ".contained[" not in path:
                    issues.append(GateIssue(f"{where}.reference", "ref-1", "no such contained resource"))
    if has_contained:
        for i, resource in enumerate(root["contained"]):
            if isinstance(resource, dict):
                if contained.count(resource.get("id")) > 1:
                    issues.append(GateIssue(f"{path}.contained[{i}].id", "contained-id", "another one has the same id"))
                issues += _contained(resource, f"{path}.contained[{i}]", used)
    return issues


def _contained(resource: dict[str, Any], where: str, used: set[str]) -> Iterator[GateIssue]:
    if "contained" in resource:
        yield GateIssue(where, "dom-2", "must not contain resources itself")
    meta = resource.get("meta")
    if isinstance(meta, dict) and meta.keys() & {"versionId", "lastUpdated"}:
        yield GateIssue(f"{where}.meta", "dom-4", "must have no version")
    if isinstance(meta, dict) and "security" in meta:
        yield GateIssue(f"{where}.meta.security", "dom-5", "must have no security label")
    id_ = resource.get("id")
    if not isinstance(id_, str) or id_ not in used:
        yield GateIssue(where, "dom-3", "nothing refers to it")


def _placeholders(element: dict[str, Any], where: str) -> Iterator[GateIssue]:
    """null may stand in a list of primitives only where the other list of the pair has something."""
    for name, value in element.items():
        if not isinstance(value, list) or None not in value:
            continue
        other = element.get(name[1:] if name.startswith("_") else f"_{name}")
        for i, item in enumerate(value):
            pair = other[i] if isinstance(other, list) and i < len(other) else None
            if item is None and pair is None:
                yield GateIssue(f"{where}.{name}[{i}]", "empty", "null stands for nothing")


def _nodes(value: Any, path: str) -> Iterator[tuple[str, Any]]:
    """All objects and lists below, without going into contained or bundled resources of their own."""
    yield path, value
    if isinstance(value, dict):
        for name, child in value.items():
            if name == "resource" and isinstance(child, dict) and "resourceType" in child:
                continue
            if isinstance(child, dict | list):
                yield from _nodes(child, f"{path}.{name}")
    elif isinstance(value, list):
        for i, child in enumerate(value):
            if isinstance(child, dict | list):
                yield from _nodes(child, f"{path}[{i}]")
