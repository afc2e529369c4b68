"""What one row writes into its element, checked against the FHIR model: transform, constant, absent reason, mark.

`compile` says where in the tree it stands. Knows elements by what FHIR says of them, and no record kind.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from adapter.mapping.nodes import Absent, Leaf, Matcher, Obj
from adapter.mapping.paths import Step
from adapter.mapping.recognise import coded_matcher, constant_matcher
from adapter.mapping.rows import BadRow, Row
from adapter.mapping.via import REGISTRY, Env, Via
from adapter.mapping.via.coded import Coded


class LinkVia(Via):
    """A reference between parts of one record; the graph is found again by its path."""

    makes = ("Reference",)
    lossless = False

    def write(self, ctx: Any, value: Any) -> Any:
        return value

    def read(self, ctx: Any, element: Any) -> Any:
        return None


def transformed(env: Env, obj: Obj, row: Row, step: Step, element: Any) -> Leaf:
    """The leaf of a row with a transform, or of a link. BadRow when the transform does not fit the element."""
    if row.mode == "link":
        ref = row.to if not step.repeat else row.to + "*"
        return Leaf(step.name, _fields_of_link(row, ref), LinkVia(env, row, element))
    if row.via == "link":
        return Leaf(step.name, _fields_of_link(row, None), LinkVia(env, row, element))
    if row.via not in REGISTRY:
        raise BadRow(row.where, f"no transform named {row.via!r}")
    cls = REGISTRY[row.via]
    if cls.arity is not None and cls.arity != len(row.fields):
        raise BadRow(row.where, f"transform {row.via!r} takes {cls.arity} fields, not {len(row.fields)}")
    if row.mode == "both" and not cls.lossless:
        raise BadRow(row.where, f"transform {row.via!r} has no inverse: use it in a copy row")
    via = cls(env, row, element)
    if step.choice:
        if cls.makes != ("choice",):
            raise BadRow(row.where, f"{row.text}: transform {row.via!r} does not fill a choice element")
        options = {e.name for e in env.elements(obj.type).values() if e.choice == step.name}
        suffixes = tuple(s for s in cls.suffixes if step.name + s in options)  # type: ignore[attr-defined]
        if step.name + "DateTime" not in options:
            raise BadRow(row.where, f"{row.text}: {obj.type} has no {step.name}DateTime")
        return Leaf(step.name, row, via, choice=suffixes)
    if element is not None and cls.makes and element.type not in cls.makes:
        raise BadRow(
            row.where,
            f"{row.text}: is {element.type}, but transform {row.via!r} makes {' or '.join(cls.makes)}",
        )
    _bindings(env, obj, row, element, via)
    return Leaf(step.name, row, via, others=_others(env, obj, element))


def _others(env: Env, obj: Obj, element: Any) -> tuple[str, ...]:
    """The other types that an element of one type could have had, as valueRange for valueQuantity."""
    if element is None or element.choice is None:
        return ()
    named = (e.name for e in env.elements(obj.type).values() if e.choice == element.choice)
    return tuple(name for name in named if name != element.name)


def _fields_of_link(row: Row, ref: str | None) -> Row:
    return replace(row, fields=(".",) if ref is None else (f"@{ref}",), mode="both" if ref is None else "link")


def _bindings(env: Env, obj: Obj, row: Row, element: Any, via: Via) -> None:
    """Required bindings: only codes of the bound list can be written."""
    if element is None:
        return
    name = f"{obj.type}.{element.name}"
    if name in env.bindings and row.via in ("concept", "concept_text", "concepts"):
        raise BadRow(row.where, f"{name} has a required binding: use 'std' or 'bound', not {row.via!r}")
    if element.type != "code" or not element.codes:
        return
    made = via.writable()
    if made is None:
        if row.mode in ("both", "copy"):
            raise BadRow(row.where, f"{name} has a required binding: use 'code' with a ConceptMap or a table")
        return
    if wrong := sorted(map(str, made - set(element.codes))):
        source = f" ({via.label})" if row.via == "table" else ""  # type: ignore[attr-defined]
        raise BadRow(row.where, f"{name}: {wrong[0]!r} is not one of its codes{source}")


def constant(env: Env, row: Row, element: Any) -> Any:
    """The constant of a row as the element holds it."""
    if row.concept is not None:
        concept = env.concept(row.concept)
        kind = element.type if element is not None else ""
        if kind == "Coding":
            return concept["coding"][0]
        if kind != "CodeableConcept":
            raise BadRow(row.where, f"{row.text}: is {kind}, not a CodeableConcept or Coding")
        return concept
    value = row.fix
    if element is not None and element.codes and element.type == "code" and value not in element.codes:
        raise BadRow(row.where, f"{row.text}: {value!r} is not one of its codes")
    return value


def allowed(env: Env, row: Row, element: Any) -> tuple[Any, ...]:
    """The values of `agree` as the element holds them."""
    coded = element is not None and element.type == "CodeableConcept"
    return tuple(env.concept(str(one)) if coded else one for one in row.agree or ())


def absences(env: Env, obj: Obj, row: Row, step: Step, element: Any) -> None:
    """Where an absent reason of this row's field shows on the element itself (see nodes.Absent)."""
    if row.mode != "both" or obj.type == "Extension" or row.fields[0] in (".",) or row.fields[0][0] in "/$@":
        return
    elements = env.elements(obj.type)
    if step.choice:
        keys = tuple(e.name for e in elements.values() if e.choice == step.name)
        obj.absents.append(Absent(row, "primitive", f"{step.name}DateTime", keys))
        return
    if element is None or element.codes or f"{obj.type}.{element.name}" in env.bindings:
        return
    if element.name.startswith("value") and "dataAbsentReason" in elements:
        if not any(isinstance(c, Leaf) and c.key == "dataAbsentReason" for c in obj.children):
            obj.absents.append(Absent(row, "value", element.name, (element.name, "dataAbsentReason")))
        return
    kind = "primitive" if element.type[:1].islower() else "object"
    if element.type not in ("dataAbsentReason",):
        obj.absents.append(Absent(row, kind, element.name, (element.name,)))


def matchers(env: Env, obj: Obj, row: Row, path: tuple[Step, ...]) -> list[Matcher]:
    """What a `match` row says of the object it stands in: a constant, or a code that its list knows."""
    if not row.match:
        return []
    if row.mode == "fix":
        return [constant_matcher(env, obj.type, row, path)]
    leaf = next((c for c in obj.children if isinstance(c, Leaf) and c.row is row), None)
    if leaf is None or not isinstance(leaf.via, Coded):
        raise BadRow(row.where, f"{row.text}: only constants and single coded elements can match")
    return [coded_matcher(leaf.key, leaf.via)]
