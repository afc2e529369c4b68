"""The one door to fhir.resources: which elements a FHIR type has, in R4 and in R5.

R4 is read from the R4B models, corrected where R4B differs from 4.0.1 (`_R4_ABSENT` and `_TARGETS` are all
the differences among the types we use, found by comparing with the HL7 definitions). Codes of required
bindings that the models do not list in full come from `codes`. Models are imported when first asked for,
answers are cached.

Must not know mappings, records or the gate.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from typing import Any, get_args

from fhir.resources import get_fhir_model_class as _r5_model
from fhir.resources.R4B import get_fhir_model_class as _r4_model

from adapter.fhir.codes import CODES

FHIR_VERSION = {"R4": "4.0.1", "R5": "5.0.0"}
"""The version number as a CapabilityStatement states it."""

_MODELS = {"R4": _r4_model, "R5": _r5_model}

_PRIMITIVES = {
    "Base64Binary": "base64Binary",
    "Canonical": "canonical",
    "Code": "code",
    "Date": "date",
    "DateTime": "dateTime",
    "Decimal": "decimal",
    "Id": "id",
    "Instant": "instant",
    "Integer": "integer",
    "Integer64": "integer64",
    "Markdown": "markdown",
    "Oid": "oid",
    "PositiveInt": "positiveInt",
    "String": "string",
    "Time": "time",
    "UnsignedInt": "unsignedInt",
    "Uri": "uri",
    "Url": "url",
    "UuidVersion": "uuid",
    "Xhtml": "xhtml",
}
PRIMITIVES: frozenset[str] = frozenset([*_PRIMITIVES.values(), "boolean"])
"""Names of the primitive types: those whose JSON is a plain value with a `_name` sibling for extensions."""

# What R4B has and R4 4.0.1 has not: (type, element).
_R4_ABSENT = {
    ("Extension", "valueCodeableReference"),
    ("Extension", "valueRatioRange"),
    ("PlanDefinition", "subjectCanonical"),
    ("PlanDefinitionAction", "subjectCanonical"),
    ("ActivityDefinition", "subjectCanonical"),
}
_TARGETS = {
    ("R4", "Observation", "subject"): ("Patient", "Group", "Device", "Location"),
    ("R4", "DiagnosticReport", "subject"): ("Patient", "Group", "Device", "Location"),
    ("R4", "GroupMember", "entity"): (
        *("Patient", "Practitioner", "PractitionerRole", "Device", "Medication", "Substance", "Group"),
    ),
}


@dataclass(frozen=True, slots=True)
class Element:
    """One element of a FHIR type, as it is written in JSON.

    `type` is the FHIR type name ("code", "CodeableConcept", "ObservationComponent", "Resource"); `choice` the
    name of the choice group ("value" for valueQuantity); `choice_required`: one of the group must be present;
    `codes` the closed list of a required binding; `targets` the resource types a Reference, CodeableReference
    or canonical may point at (None where the models say nothing, ("Resource",) for any).
    """

    name: str
    type: str
    many: bool = False
    required: bool = False
    choice: str | None = None
    choice_required: bool = False
    codes: tuple[str, ...] | None = None
    targets: tuple[str, ...] | None = None

    @property
    def primitive(self) -> bool:
        """Whether the JSON is a plain value, with an optional `_name` sibling."""
        return self.type in PRIMITIVES


def model(version: str, type_name: str) -> type[Any]:
    """The fhir.resources class of a resource, backbone element or datatype; KeyError for unknown names."""
    try:
        return _MODELS[version](type_name)
    except (ValueError, AttributeError, ImportError):
        raise KeyError(f"{version} has no type {type_name}") from None


def known(version: str, type_name: str) -> bool:
    """Whether the version has a resource, backbone element or datatype of this name."""
    if type_name in PRIMITIVES or not re.fullmatch(r"[A-Z]\w*", type_name):
        return False
    try:
        model(version, type_name)
    except KeyError:
        return False
    return True


@cache
def is_resource(version: str, type_name: str) -> bool:
    """Whether the name is that of a resource type (not of a datatype, and not abstract)."""
    if type_name in ("Resource", "DomainResource") or not known(version, type_name):
        return False
    return "implicitRules" in model(version, type_name).model_fields


@cache
def elements(version: str, type_name: str) -> dict[str, Element]:
    """All elements of a type by JSON name, in the order of the specification, inherited ones first.

    `_name` siblings of primitives are not listed. KeyError for an unknown type. Do not change the dict.
    """
    found: dict[str, Element] = {}
    cls = model(version, type_name)
    place = {name: n for n, name in enumerate(cls.elements_sequence())}  # the fields come by their names
    for name, field in sorted(cls.model_fields.items(), key=lambda pair: place.get(pair[1].alias or pair[0], -1)):
        alias = field.alias or name
        extra = field.json_schema_extra or {}
        if name == "fhir_comments" or name.endswith("__ext"):
            continue
        if version == "R4" and (type_name, alias) in _R4_ABSENT:
            continue
        type_, many = _type_of(field.annotation)
        codes = _codes(version, type_name, alias, type_, extra)
        targets = tuple(extra.get("enum_reference_types") or ()) or None
        targets = _TARGETS.get((version, type_name, alias), targets)
        found[alias] = Element(
            name=alias,
            type=type_,
            many=many,
            required=bool(field.is_required() or extra.get("element_required")),
            choice=extra.get("one_of_many"),
            choice_required=bool(extra.get("one_of_many_required")),
            codes=codes,
            targets=targets,
        )
    return found


@cache
def choices(version: str, type_name: str) -> dict[str, tuple[Element, ...]]:
    """The choice groups of a type: group name ("value") -> its elements (valueQuantity, valueString ...)."""
    groups: dict[str, list[Element]] = {}
    for element in elements(version, type_name).values():
        if element.choice:
            groups.setdefault(element.choice, []).append(element)
    return {name: tuple(members) for name, members in groups.items()}


def _codes(version: str, type_name: str, name: str, type_: str, extra: dict[str, Any]) -> tuple[str, ...] | None:
    if type_ != "code":
        return None
    if (version, type_name, name) in CODES:
        return CODES[version, type_name, name]
    listed = tuple(extra.get("enum_values") or ())
    if not all(re.fullmatch(r"[A-Za-z][A-Za-z0-9-]*", code) for code in listed):
        return None  # the model breaks off with "+"
    return listed or None


def _type_of(annotation: Any) -> tuple[str, bool]:
    """The FHIR type and list-ness behind an annotation such as Optional[List[Annotated[str, Code()]]]."""
    if annotation is bool:
        return "boolean", False
    metadata = getattr(annotation, "__metadata__", None)
    if metadata:
        return _PRIMITIVES[type(metadata[-1]).__name__], False
    arguments = [a for a in get_args(annotation) if a is not type(None)]
    if arguments:
        type_, _ = _type_of(arguments[0])
        return type_, getattr(annotation, "__origin__", None) is list or _type_of(arguments[0])[1]
    return annotation.__name__.removesuffix("Type"), False
