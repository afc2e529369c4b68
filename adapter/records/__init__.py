"""What arrives: the record kinds, their schemas, and reading them from NDJSON or JSON arrays.

A marshmallow schema is the definition of a kind: fields, closed lists, ranges, and the rules that need only
one record. `load` is a compiled path of the same meaning, many times faster. A validated record is a plain
dict in schema order: str, int, bool, Decimal, lists and dicts; absence is a missing key; dates stay text;
decimals keep their digits.

    record = load(None, {"kind": "subject", ...})      # RecordRefused(issues) when something is wrong

`KINDS` may be taken in. A derived measure is known too, since it travels like the others, but is only made here.

This room must not know FHIR, storage or the wire, nor compare records with each other.
"""

from __future__ import annotations

from typing import Any

from adapter.errors import Issue, RecordRefused

from .adverse_event import AdverseEvent
from .base import safe_id
from .derived_measure import DerivedMeasure
from .describe import json_schema
from .enrolment import Enrolment
from .function_outcome import FunctionOutcome
from .headache_day import HeadacheDay
from .headache_period import HeadachePeriod
from .lists import configure
from .loader import name_of, run
from .meta import RecordSchema
from .pain_outcome import PainOutcome
from .procedure import Procedure
from .rules import Out
from .samples import example
from .study import Study
from .subject import Subject

SCHEMAS: dict[str, type[RecordSchema]] = {
    "subject": Subject,
    "study": Study,
    "enrolment": Enrolment,
    "procedure": Procedure,
    "pain_outcome": PainOutcome,
    "function_outcome": FunctionOutcome,
    "adverse_event": AdverseEvent,
    "headache_day": HeadacheDay,
    "headache_period": HeadachePeriod,
    "derived_measure": DerivedMeasure,
}
DERIVED = "derived_measure"
"""The kind that is made here from the others and never taken in (decisions 2)."""
KNOWN = tuple(SCHEMAS)
KINDS = tuple(kind for kind in KNOWN if kind != DERIVED)


def schema(kind: str) -> type[RecordSchema]:
    """The marshmallow schema class of a kind. KeyError for an unknown kind."""
    return SCHEMAS[kind]


def load(kind: str | None, obj: Any) -> dict[str, Any]:
    """Validate one decoded object and add what intake derives.

    With `kind` None the object is input, and its own `kind` decides among those that may be taken in; otherwise they
    must agree. RecordRefused carries every broken rule as an Issue (field path, rule, limit); nothing is repaired.
    """
    if type(obj) is not dict:
        raise RecordRefused([Issue(None, "", "type", "object")])
    said = obj.get("kind")
    if not isinstance(said, str) or said not in SCHEMAS or (kind is not None and said != kind):
        rule = "required" if "kind" not in obj else "kind"
        raise RecordRefused([Issue(safe_id(obj), "kind", rule, kind or ", ".join(KINDS))])
    if kind is None and said == DERIVED:
        raise RecordRefused([Issue(name_of(obj), "kind", "derived_input", "calculated, not collected")])
    return run(SCHEMAS[said], obj)


def key(record: dict[str, Any]) -> tuple[str, ...]:
    """The key by which records refer to this one (decisions, Kinds and keys); an absent unit_id is ``""``."""
    return SCHEMAS[record["kind"]].key(record)


def warnings(record: dict[str, Any]) -> list[Issue]:
    """What is legal but unusual in a validated record; rule ids start with ``W.``."""
    out = Out()
    for rule in SCHEMAS[record["kind"]].warnings:
        rule(record, out)
    return [Issue(record["record_id"], path, fault.rule, fault.limit) for path, fault in out.found]


__all__ = [
    "DERIVED",
    "KINDS",
    "KNOWN",
    "RecordSchema",
    "configure",
    "example",
    "json_schema",
    "key",
    "load",
    "schema",
    "warnings",
]
