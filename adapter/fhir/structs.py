"""Compiles FHIR types to msgspec structs, so that decoding bytes into one checks a resource in one C pass.

Three flavours of the same types:
- lean: strict, without the rare parts (ids of elements, `_name` siblings in what occurs often), enough for nearly
  all we write; what it refuses has to be tried in full;
- full: strict, complete;
- tolerant: only JSON types of known elements, for resources that others wrote.

Strict structs run their invariants in `__post_init__`; msgspec adds the path to what these raise.
Must not know mappings or what a check is for.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Sequence
from operator import attrgetter
from typing import Annotated, Any, Literal

import msgspec
from msgspec import UNSET, Meta, UnsetType
from msgspec.structs import astuple

from adapter.fhir import versions
from adapter.fhir.formats import PATTERNS, reference
from adapter.fhir.rules import broken, rules_for
from adapter.fhir.versions import Element

LEAN, FULL, TOLERANT = "lean", "full", "tolerant"
_INT32 = 2**31 - 1
_NUMBERS: dict[str, Any] = {
    "boolean": bool,
    "decimal": float,
    "integer": Annotated[int, Meta(ge=-_INT32 - 1, le=_INT32)],
    "positiveInt": Annotated[int, Meta(ge=1, le=_INT32)],
    "unsignedInt": Annotated[int, Meta(ge=0, le=_INT32)],
}
_LOOSE = {"boolean": bool, "decimal": float, "integer": int, "positiveInt": int, "unsignedInt": int}
_TEXT = Annotated[str, Meta(min_length=1)]
_OFTEN = frozenset(
    ("CodeableConcept", "CodeableReference", "Coding", "Extension", "Identifier", "Quantity", "Reference")
)
# Texts that lean structs do not give a pattern: they repeat, so those found good are remembered.
_REMEMBERED = {("Coding", "system"), ("Coding", "code"), ("Extension", "url")}
_REMEMBERED |= {("Identifier", "system"), ("Quantity", "system"), ("Quantity", "code")}
_BARE = {("Extension", "url")}  # like ids: XML attributes, which have no extensions
# Types of the values that extensions of ours have; lean structs know no others.
_EXTENDS = {"boolean", "code", "date", "dateTime", "decimal", "instant", "integer", "positiveInt", "string", "time"}
_EXTENDS |= {"unsignedInt", "uri", "CodeableConcept", "Coding", "Duration", "Identifier", "Period", "Quantity"}
_EXTENDS |= {"Range", "Ratio", "Reference"}
_MAX_REMEMBERED = 8192
_uris: set[Any] = {UNSET}
_codes: set[Any] = {UNSET}
_URI = re.compile(PATTERNS["uri"])
_CODE = re.compile(PATTERNS["code"])


class Builder:
    """Makes the structs of one FHIR version in one flavour; each type once, when first needed."""

    def __init__(self, version: str, flavour: str) -> None:
        self.version = version
        self.strict = flavour != TOLERANT
        self.full = flavour == FULL
        self._made: dict[tuple[str, tuple[str, ...] | None], Any] = {}
        self._lock = threading.Lock()
        self._decoders: dict[str, msgspec.json.Decoder[Any]] = {}

    def decoder(self, type_name: str) -> msgspec.json.Decoder[Any]:
        """The decoder of a resource type. Raises KeyError for a name that is none."""
        found = self._decoders.get(type_name)
        if found is not None:
            return found
        if not versions.is_resource(self.version, type_name):
            raise KeyError(type_name)
        with self._lock:  # a decoder made from another thread's half-finished structs would check too little
            found = self._decoders[type_name] = msgspec.json.Decoder(self._struct(type_name, None))
        return found

    def _struct(self, type_name: str, targets: tuple[str, ...] | None) -> Any:
        """The struct of a type; of Reference and CodeableReference one for each set of allowed targets."""
        key = (type_name, targets)
        if key in self._made:
            return self._made[key]
        elements = versions.elements(self.version, type_name)
        resource = versions.is_resource(self.version, type_name)
        groups = versions.choices(self.version, type_name)
        choices = {name: self._known(type_name, group) for name, group in groups.items()}
        values = [e for group in choices.values() for e in group]
        fields: list[Any] = [("resourceType", Literal[type_name])] if resource else []
        needed: set[str] = set()
        for element in [*(e for e in elements.values() if not e.choice), *values]:
            if self._left_out(element, resource):
                continue
            sibling = self._whole(type_name) and element.primitive and element.name != "id"
            sibling = sibling and (type_name, element.name) not in _BARE
            if self.strict and element.required and not element.choice and not sibling:
                needed.add(element.name)
                fields.append((element.name, Any))
            else:
                fields.append((element.name, Any, UNSET))
            if sibling:
                fields.append((f"_{element.name}", Any, UNSET))
        checks = self._checks(type_name, elements, choices) if self.strict else []
        struct = msgspec.defstruct(
            type_name,
            fields,
            kw_only=True,
            gc=False,
            eq=False,
            forbid_unknown_fields=self.strict,
            namespace={"__post_init__": _joined(checks)} if checks else None,
        )
        self._made[key] = struct
        # msgspec reads the annotations when a decoder is made: types may refer to each other in circles
        notes = struct.__annotations__
        for name in [n for n in notes if n != "resourceType"]:
            if name in elements:
                note = self._note(type_name, elements[name], targets)
            else:
                note = self._struct("Element", None)
                note = _list(note | None) if elements[name[1:]].many else note
            notes[name] = note if name in needed else note | UnsetType
        return struct

    def _known(self, type_name: str, group: Sequence[Element]) -> Sequence[Element]:
        """What a choice may be in this flavour."""
        lean = self.strict and not self.full
        return [e for e in group if e.type in _EXTENDS] if lean and type_name == "Extension" else group

    def _left_out(self, element: Element, resource: bool) -> bool:
        """No narrative in what we write; ids of elements are rare."""
        if not self.strict:
            return False
        return element.name == "text" if resource else element.name == "id" and not self.full

    def _whole(self, type_name: str) -> bool:
        """With `_name` siblings? Lean types that occur many times in a resource have none."""
        return self.full or (self.strict and type_name not in _OFTEN)

    def _note(self, owner: str, element: Element, targets: tuple[str, ...] | None) -> Any:
        if element.type == "Resource":
            note: Any = msgspec.Raw
        elif element.primitive:
            note = self._primitive(owner, element, targets)
            if not self.strict or (element.many and self.full):
                note = note | None
        else:
            pointing = element.type in ("Reference", "CodeableReference") and self.strict
            wanted = element.targets or (targets if owner == "CodeableReference" else None)
            note = self._struct(element.type, wanted if pointing else None)
            if not self.strict:
                note = note | None
        if not self.strict:
            return (list[note] | None) if element.many else note
        return _list(note) if element.many else note

    def _primitive(self, owner: str, element: Element, targets: tuple[str, ...] | None) -> Any:
        if not self.strict:
            return _LOOSE.get(element.type, str)
        if element.type in _NUMBERS:
            return _NUMBERS[element.type]
        if element.codes:
            return Literal[element.codes]
        if owner == "Reference" and element.name == "reference":
            return Annotated[str, Meta(pattern=reference(targets))]
        if not self.full and (owner, element.name) in _REMEMBERED:
            return _TEXT
        pattern = PATTERNS.get(element.type)
        return Annotated[str, Meta(pattern=pattern, min_length=1)] if pattern else _TEXT

    def _checks(
        self, type_name: str, elements: dict[str, Element], groups: dict[str, Sequence[Element]]
    ) -> list[Callable[[Any], None]]:
        checks = rules_for(self.version, type_name)
        if self._whole(type_name):
            checks += [
                _required_text(e.name)
                for e in elements.values()
                if e.required and e.primitive and not e.choice and (type_name, e.name) not in _BARE
            ]
        if type_name == "Extension":
            checks.append(_extension([e.name for e in groups["value"]], lean=not self.full))
        else:
            checks += [_choice(name, group, self._whole(type_name)) for name, group in groups.items()]
        if not self.full and (type_name, "code") in _REMEMBERED:
            checks.append(_known_coding)
        elif not self.full and (type_name, "system") in _REMEMBERED:
            checks.append(_known_system)
        return checks


def _list(note: Any) -> Any:
    return Annotated[list[note], Meta(min_length=1)]


def _joined(checks: list[Callable[[Any], None]]) -> Callable[[Any], None]:
    if len(checks) == 1:
        return checks[0]

    def post(self: Any) -> None:
        for check in checks:
            check(self)

    return post


def _new(seen: set[Any], pattern: re.Pattern[str], value: str, name: str) -> None:
    if not pattern.search(value):
        broken("format", name, "not a valid " + ("code" if name == "code" else "uri"))
    if len(seen) < _MAX_REMEMBERED:
        seen.add(value)


def _known_system(self: Any) -> None:
    if self.system not in _uris:
        _new(_uris, _URI, self.system, "system")


def _known_coding(self: Any) -> None:
    if self.system not in _uris:
        _new(_uris, _URI, self.system, "system")
    if self.code not in _codes:
        _new(_codes, _CODE, self.code, "code")


def _required_text(name: str) -> Callable[[Any], None]:
    sibling = f"_{name}"

    def check(self: Any) -> None:
        if getattr(self, name) is UNSET and getattr(self, sibling) is UNSET:
            broken("required", name, "is required")

    return check


def _present(self: Any, names: list[str]) -> int:
    return sum(getattr(self, name) is not UNSET or getattr(self, f"_{name}", UNSET) is not UNSET for name in names)


def _choice(group: str, elements: Sequence[Element], full: bool) -> Callable[[Any], None]:
    required = elements[0].choice_required
    names = [e.name for e in elements]
    siblings = [f"_{e.name}" for e in elements if e.primitive] if full else []
    usual = len(names) + len(siblings) - 1
    members = attrgetter(*names, *siblings)

    def check(self: Any) -> None:
        if usual:
            absent = members(self).count(UNSET)
            if absent == usual or (absent > usual and not required):
                return
        count = _present(self, names)
        if count > 1:
            broken("choice", f"{group}[x]", "only one is allowed")
        if count == 0 and required:
            broken("required", f"{group}[x]", "is required")

    return check


def _extension(names: list[str], lean: bool) -> Callable[[Any], None]:
    def check(self: Any) -> None:
        if lean and self.url not in _uris:
            _new(_uris, _URI, self.url, "url")
        values = astuple(self)  # all but the url and one other are usually unset; an id counts for nothing
        if len(values) - values.count(UNSET) - (not lean and self.id is not UNSET) == 2:
            return
        count = _present(self, names)
        if count + (self.extension is not UNSET) != 1:
            broken("ext-1", "", "either one value or extensions")

    return check
