"""The base of every field and schema here: metadata, and errors that name a rule and its limit.

An error is a `Fault`: rule id and limit (the bound, never the value, which may be patient data).
marshmallow carries faults as messages; `issues` turns its error tree into flat `Issue` rows with paths
counted from 1 (`targets.1.volume_ml`). It must not know any record kind.
"""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from marshmallow import RAISE, Schema, ValidationError
from marshmallow.fields import Field

from adapter.errors import Issue

_SAFE_NAME = re.compile(r"[a-z][a-z0-9_]{0,40}").fullmatch
_UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}").fullmatch


class Fault(str):
    """A broken rule as marshmallow carries it: text for people, `rule` and `limit` for programs."""

    rule: str
    limit: str

    def __new__(cls, rule: str, limit: str = "") -> Fault:
        self = super().__new__(cls, f"{rule} ({limit})" if limit else rule)
        self.rule = rule
        self.limit = limit
        return self


def broken(rule: str, limit: str = "") -> ValidationError:
    """A marshmallow error that carries one fault."""
    messages: list[Any] = [Fault(rule, limit)]
    return ValidationError(messages)


class Refusal(Exception):
    """Raised inside a field's `convert`; never leaves this room."""

    def __init__(self, rule: str, limit: str = ""):
        super().__init__(rule)
        self.fault = Fault(rule, limit)


@dataclass(frozen=True)
class Need:
    """How much a field is needed: class R, C or O of the domain model; `when` says the condition of a C
    field.

    `always`: not even an absent reason excuses it. `excusable` is False too where another field carries the
    reason.
    """

    level: str
    always: bool = False
    when: str = ""
    excusable: bool = True


KEY = Need("R", always=True, excusable=False)
R = Need("R")
O = Need("O")  # noqa: E741 - the letter of the domain model


def C(when: str, *, excusable: bool = True) -> Need:
    """Conditional: needed (or excused by an absent reason) when the condition holds."""
    return Need("C", when=when, excusable=excusable)


OPEN, REVEALING, ALLOCATION = "open", "revealing", "allocation"


class Base(Field[Any], ABC):
    """A field with its need, its meaning in our own words, its unit (UCUM) and its disclosure class (rule
    B1).
    """

    def __init__(self, need: Need = O, text: str = "", *, unit: str = "", see: str = OPEN, **extra: Any):
        self.need = need
        metadata: dict[str, Any] = {"description": text, "required": need.level, "disclosure": see}
        metadata |= {"unit": unit} if unit else {}
        metadata |= {"condition": need.when} if need.when else {}
        metadata |= {"excusable": need.excusable, **extra}
        super().__init__(required=need.always, metadata=metadata)

    def make_error(self, key: str, **kwargs: Any) -> ValidationError:
        return broken({"invalid": "type"}.get(key, key))

    @abstractmethod
    def json_schema(self) -> dict[str, Any]:
        """The JSON Schema of the value alone."""

    def described(self) -> dict[str, Any]:
        """The JSON Schema of the value with its meaning, unit and class."""
        about = self.metadata
        shown = {
            "description": about["description"],
            "x-required": about["required"],
            "x-disclosure": about["disclosure"],
        }
        shown |= {f"x-{name}": about[name] for name in ("unit", "condition") if name in about}
        return self.json_schema() | shown


class Value(Base):
    """A field whose value is looked at as a whole: most fields."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> Any:
        try:
            return self.convert(value)
        except Refusal as refusal:
            raise broken(refusal.fault.rule, refusal.fault.limit) from None

    @abstractmethod
    def convert(self, value: Any) -> Any:
        """The value as the record keeps it. Refusal names the broken rule."""

    def source(self, env: dict[str, Any], name: str) -> list[str]:
        """Lines of Python that turn `v` into the value or raise; `env` takes the constants they need."""
        env[f"convert_{name}"] = self.convert
        return [f"v = convert_{name}(v)"]


class Item(Schema):
    """A schema whose unknown fields are refused."""

    error_messages = {"unknown": Fault("unknown_field"), "type": Fault("type", "object")}

    class Meta:
        unknown = RAISE

    @classmethod
    def object_schema(cls) -> dict[str, Any]:
        """The JSON Schema of the object; derived fields are not input, and left out."""
        declared: dict[str, Any] = cls._declared_fields
        fields = {name: field for name, field in declared.items() if not field.metadata.get("derived")}
        return {
            "type": "object",
            "properties": {name: field.described() for name, field in fields.items()},
            "required": [name for name, field in fields.items() if field.need.always],
            "additionalProperties": False,
        }


def safe_name(name: Any) -> str:
    """A name from raw input as reports show it: only when it looks like a field name, since keys may hold
    anything.
    """
    return name if isinstance(name, str) and _SAFE_NAME(name) else "?"


def safe_id(obj: Any) -> str | None:
    """The record id of raw input, only when it has the shape of one."""
    found = obj.get("record_id") if isinstance(obj, dict) else None
    return found if isinstance(found, str) and _UUID(found) else None


def issues(tree: Any, record: str | None, path: str = "") -> Iterator[Issue]:
    """Flat issues of a marshmallow error tree. Names of unknown fields are shown only when they look like
    names.
    """
    if isinstance(tree, dict):
        for name, below in tree.items():
            if name == "_schema":
                step = ""
            elif isinstance(name, int):
                step = str(name + 1)
            else:
                step = safe_name(name)
            yield from issues(below, record, f"{path}.{step}".strip(".") if path else step)
    else:
        for fault in tree if isinstance(tree, list) else [tree]:
            rule, limit = (fault.rule, fault.limit) if isinstance(fault, Fault) else ("invalid", "")
            yield Issue(record=record, field=path, rule=rule, limit=limit)
