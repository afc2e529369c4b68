"""A validated record from a decoded object, fast: one function per kind, compiled from its marshmallow
schema.

marshmallow stays the definition. The compiled function only ever accepts: it checks the fields with
generated source, runs the very rules of the schema, and whenever it meets anything it does not accept, it
hands the object to marshmallow, which decides and names what is wrong. So both ways give the same record or
the same refusal.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from textwrap import indent
from typing import Any

from marshmallow import ValidationError

from adapter.errors import Issue, RecordRefused

from .absent import fields_of
from .base import Base, Item, Refusal, Value, issues, safe_id
from .derive import record_id
from .lists import on_configure
from .meta import RecordSchema
from .nested import Codes, Items, List, Nested
from .rules import Out

Load = Callable[[dict[str, Any]], dict[str, Any]]


class Refused(Exception):
    """The compiled function does not accept this object; marshmallow is asked."""


@cache
def instance(schema: type[RecordSchema]) -> RecordSchema:
    """The one instance of a schema class; making one is slow, using it is not."""
    return schema()


def run(schema: type[RecordSchema], obj: dict[str, Any]) -> dict[str, Any]:
    """Validate one object. RecordRefused carries an Issue for every broken rule."""
    try:
        return compiled(schema)(obj)
    except (Refused, Refusal, TypeError):  # TypeError: a value that cannot be looked up in a code list
        pass
    try:
        found: dict[str, Any] = instance(schema).load(obj)
    except ValidationError as error:
        raise RecordRefused(refused(obj, error)) from None
    return found


def refused(obj: dict[str, Any], error: ValidationError) -> list[Issue]:
    """The issues of a marshmallow error, in order of field, each once."""
    found = set(issues(error.messages, name_of(obj)))
    return sorted(found, key=lambda issue: (issue.field, issue.rule, issue.limit))


def name_of(obj: dict[str, Any]) -> str | None:
    """The record id of raw input: the one given, else the one its source pair makes, else None."""
    given = safe_id(obj)
    pair = [obj.get(name) for name in ("kind", "source_system", "source_record_id")]
    if given is None and "record_id" not in obj and all(isinstance(part, str) and part for part in pair):
        kind, system, source_id = (str(part).encode(errors="replace").decode() for part in pair)
        return record_id(kind, system, source_id)
    return given


@on_configure
@cache
def compiled(schema: type[RecordSchema]) -> Load:
    """The fast path of one kind: returns the finished record, or raises Refused, Refusal or TypeError."""
    env: dict[str, Any] = {"Refused": Refused, "missing": object()}
    fields = _compile(schema, env)
    rules, finish = schema.all_rules(), schema.finish

    def load(obj: dict[str, Any]) -> dict[str, Any]:
        record = fields(obj)
        out = Out()
        for rule in rules:
            rule(record, out)
        if out.found:
            raise Refused
        return finish(record)

    return load


def _compile(item: type[Item], env: dict[str, Any]) -> Load:
    """The function that checks the fields of one schema, item schemas included."""
    name = f"load_{item.__name__}"
    if name not in env:
        body = "".join(_field_source(item, key, field, env) for key, field in fields_of(item).items())
        text = (
            f"def {name}(obj):\n"
            "    if type(obj) is not dict: raise Refused\n"
            "    get = obj.get\n"
            "    record = {}\n" + indent(body, "    ") + "    if len(record) != len(obj): raise Refused\n"
            "    return record\n"
        )
        exec(compile(text, f"<{name}>", "exec"), env)  # noqa: S102 - text made above from our own schemas
    found: Load = env[name]
    return found


def _field_source(item: type[Item], key: str, field: Base, env: dict[str, Any]) -> str:
    """Source that takes one field of `obj` into `record`. A derived field is left out, so it counts as
    unknown.
    """
    if field.metadata.get("derived"):
        return ""
    lines = _value_source(field, f"{item.__name__}_{key}", env)
    inner = indent("\n".join([*lines, f"record[{key!r}] = v"]), "    ")
    required = "else: raise Refused\n" if field.need.always else ""
    return f"v = get({key!r}, missing)\nif v is not missing:\n{inner}\n{required}"


def _value_source(field: Base, name: str, env: dict[str, Any]) -> list[str]:
    """Lines that turn `v` into the checked value."""
    if isinstance(field, Nested):
        function = _compile(field.item, env).__name__
        return [f"v = {function}(v)", "if not v: raise Refused"]
    if isinstance(field, Value | Codes):
        return field.source(env, name)
    assert isinstance(field, List)
    size = f"if type(v) is not list or not 0 < len(v) <= {field.most}: raise Refused"
    if isinstance(field, Items):
        function = _compile(field.item, env).__name__
        return [size, f"v = [{function}(each) for each in v]"]
    inner = indent("\n".join([*_value_source(field.inner, f"{name}_item", env), "found.append(v)"]), "    ")
    lines = [size, "values, found = v, []", "for v in values:", inner, "v = found"]
    return [*lines, "if len(set(v)) != len(v): raise Refused"] if field.unique else lines
