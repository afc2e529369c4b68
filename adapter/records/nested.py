"""Fields that hold several values: code lists, lists, nested objects, and the map of absent reasons.

An empty list or object is refused (rule empty): absence is a missing key. It must not know record kinds.
"""

from __future__ import annotations

from typing import Any

from marshmallow import ValidationError

from .base import Base, Fault, Item, Need, O, Refusal, Value, broken
from .fields import Code


class List(Base):
    """A list of at least one value of one field type: rules type, empty, too_many, duplicate (when
    `unique`).
    """

    def __init__(
        self,
        inner: Base,
        need: Need = O,
        text: str = "",
        *,
        unique: bool = False,
        most: int = 200,
        **extra: Any,
    ):
        super().__init__(need, text, **extra)
        self.inner = inner
        self.unique = unique
        self.most = most

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> Any:
        if type(value) is not list:
            raise broken("type", "list")
        if not value:
            raise broken("empty")
        if len(value) > self.most:
            raise broken("too_many", f"{self.most} items")
        found: list[Any] = []
        errors: dict[int, Any] = {}
        for number, each in enumerate(value):
            try:
                found.append(self.inner.deserialize(each))
            except ValidationError as error:
                errors[number] = error.messages
        if not errors and self.unique:
            errors = {n: [Fault("duplicate")] for n, each in enumerate(found) if each in found[:n]}
        if errors:
            raise ValidationError(errors)
        return self.whole(found)

    def whole(self, found: list[Any]) -> list[Any]:
        """A last check of the list as a whole."""
        return found

    def json_schema(self) -> dict[str, Any]:
        unique = {"uniqueItems": True} if self.unique else {}
        return {
            "type": "array",
            "items": self.inner.json_schema(),
            "minItems": 1,
            "maxItems": self.most,
            **unique,
        }


class _Member(Code):
    """An item of a code list that also takes `none`."""

    @property
    def codes(self) -> tuple[str, ...]:
        found = super().codes
        return found if "none" in found else (*found, "none")


class Codes(List):
    """Distinct codes of one list. With `none`, the word `none` is a statement of its own and stands alone
    (rule none_exclusive)."""

    def __init__(
        self,
        list_id: str,
        need: Need = O,
        text: str = "",
        *,
        none: bool = False,
        most: int = 50,
        **extra: Any,
    ):
        inner = _Member(list_id) if none else Code(list_id)
        super().__init__(inner, need, text, unique=True, most=most, code_list=list_id, **extra)
        self.list_id = list_id
        self.none = none

    @property
    def codes(self) -> tuple[str, ...]:
        """The codes an item takes, `none` among them where it is allowed."""
        inner: Code = self.inner  # type: ignore[assignment]
        return inner.codes

    def whole(self, found: list[Any]) -> list[Any]:
        if self.none and "none" in found and len(found) > 1:
            raise broken("none_exclusive", "none stands alone")
        return found

    def source(self, env: dict[str, Any], name: str) -> list[str]:
        env[f"codes_{name}"] = frozenset(self.codes)
        lines = [
            f"if type(v) is not list or not 0 < len(v) <= {self.most}: raise Refused",
            "known = set(v)",
            f"if not known <= codes_{name} or len(known) != len(v): raise Refused",
            "v = v.copy()",
        ]
        if self.none:
            lines.append("if len(v) > 1 and 'none' in known: raise Refused")
        return lines


class Nested(Base):
    """One nested object of a schema."""

    def __init__(self, item: type[Item], need: Need = O, text: str = "", **extra: Any):
        super().__init__(need, text, **extra)
        self.item = item
        self._schema: Item | None = None

    @property
    def schema(self) -> Item:
        """The schema of the object, made once."""
        if self._schema is None:
            self._schema = self.item()
        return self._schema

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> Any:
        if value == {}:
            raise broken("empty")
        return self.schema.load(value)

    def json_schema(self) -> dict[str, Any]:
        return self.item.object_schema()


class Items(List):
    """A list of nested objects."""

    def __init__(self, item: type[Item], need: Need = O, text: str = "", *, most: int = 200, **extra: Any):
        super().__init__(Nested(item), need, text, most=most, **extra)
        self.item = item


class Reasons(Value):
    """Map of field path to absent reason; which paths are legal is a rule of the record (`absent`)."""

    most = 1000
    reason = Code("absent-reason")

    def convert(self, value: Any) -> dict[str, str]:
        if type(value) is not dict:
            raise Refusal("type", "object")
        if not value:
            raise Refusal("empty")
        if len(value) > self.most:
            raise Refusal("too_many", f"{self.most} reasons")
        for reason in value.values():
            self.reason.convert(reason)
        return dict(value)

    def source(self, env: dict[str, Any], name: str) -> list[str]:
        env[f"codes_{name}"] = frozenset(self.reason.codes)
        return [
            f"if type(v) is not dict or not 0 < len(v) <= {self.most}: raise Refused",
            f"if not codes_{name}.issuperset(v.values()): raise Refused",
            "v = v.copy()",
        ]

    def json_schema(self) -> dict[str, Any]:
        return {"type": "object", "additionalProperties": self.reason.json_schema(), "minProperties": 1}
