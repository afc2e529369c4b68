"""The field types of our records that hold text, codes and truth values. Each knows its error rules, its
limit text, its JSON Schema and its compiled form.

Nothing is repaired: a value is kept exactly as it came, or refused by rule (decisions on intake: no null,
empty text, outer white space, control characters, lone surrogates). Numbers and times stand in
`number_fields` and `time_fields`. It must not know record kinds.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from . import lists
from .base import Need, O, Refusal, Value, broken

_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f\ufffe\uffff]").search
_SURROGATE = re.compile("[\ud800-\udfff]").search
_KEY_CHARS = "[A-Za-z0-9][A-Za-z0-9._:/-]"
_DATE_LIKE = re.compile(r"\d{2,4}[-./]\d{1,2}[-./]\d{1,4}").fullmatch


class Text(Value):
    """Free text, at most `longest` characters: rules type, empty, whitespace, control, surrogate, length."""

    def __init__(self, need: Need = O, text: str = "", *, longest: int = 4000, **extra: Any):
        super().__init__(need, text, **extra)
        self.longest = longest

    def convert(self, value: Any) -> str:
        if type(value) is not str:
            raise Refusal("type", "text")
        if not value:
            raise Refusal("empty")
        if _SURROGATE(value):
            raise Refusal("surrogate")
        if _CONTROL(value):
            raise Refusal("control", "no control characters")
        if value.strip() != value:
            raise Refusal("whitespace", "no outer white space")
        if len(value) > self.longest:
            raise Refusal("length", f"{self.longest} characters")
        return value

    def source(self, env: dict[str, Any], name: str) -> list[str]:
        env["clean"] = re.compile("[^\x00-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]+").fullmatch
        return [
            f"if type(v) is not str or not clean(v) or len(v) > {self.longest}: raise Refused",
            "if v.strip() != v: raise Refused",
        ]

    def json_schema(self) -> dict[str, Any]:
        return {"type": "string", "minLength": 1, "maxLength": self.longest, "pattern": r"^\S([\s\S]*\S)?$"}


class Pattern(Value):
    """Text that matches a pattern as a whole: rules type, empty, whitespace, and `rule` (default format)."""

    rule = "format"
    limit = ""

    def __init__(
        self,
        pattern: str,
        need: Need = O,
        text: str = "",
        *,
        limit: str = "",
        longest: int = 64,
        **extra: Any,
    ):
        super().__init__(need, text, **extra)
        self.pattern = pattern
        self.longest = longest
        self.limit = limit or self.limit or pattern
        self.match: Callable[[str], Any] = re.compile(pattern).fullmatch

    def convert(self, value: Any) -> str:
        if type(value) is not str:
            raise Refusal("type", "text")
        if not value:
            raise Refusal("empty")
        if len(value) > self.longest:
            raise Refusal("length", f"{self.longest} characters")
        if not self.match(value):
            self.explain(value)
        return value

    def explain(self, value: str) -> None:
        """Refuse a text that does not match, by the most helpful rule."""
        if _SURROGATE(value):
            raise Refusal("surrogate")
        if _CONTROL(value):
            raise Refusal("control", "no control characters")
        raise (
            Refusal("whitespace", "no outer white space") if value.strip() != value else Refusal(self.rule, self.limit)
        )

    def source(self, env: dict[str, Any], name: str) -> list[str]:
        env[f"match_{name}"] = self.match
        return [f"if type(v) is not str or len(v) > {self.longest} or not match_{name}(v): raise Refused"]

    def json_schema(self) -> dict[str, Any]:
        return {"type": "string", "pattern": f"^{self.pattern}$", "maxLength": self.longest}


class Key(Pattern):
    """An id-like string by which records and parts refer to each other."""

    limit = "letters, digits and . _ : / -"

    def __init__(self, need: Need = O, text: str = "", *, longest: int = 64, **extra: Any):
        super().__init__(f"{_KEY_CHARS}*", need, text, longest=longest, **extra)


class SubjectKey(Key):
    """The key of a person: a study pseudonym. Refuses what looks like a name (no digit), a date or a long
    bare number such as a hospital number (rule pseudonym; domain model, Patient).
    """

    def convert(self, value: Any) -> str:
        super().convert(value)
        if not re.search(r"\d", value) or re.fullmatch(r"\d{7,}", value) or _DATE_LIKE(value):
            raise Refusal("pseudonym", "a pseudonym: no name, date or long bare number")
        return str(value)

    def source(self, env: dict[str, Any], name: str) -> list[str]:
        env["pseudonym"] = re.compile(
            rf"(?!\d{{7,}}\Z)(?!\d{{2,4}}[-./]\d{{1,2}}[-./]\d{{1,4}}\Z)(?=[^\d]*\d){_KEY_CHARS}*"
        ).fullmatch
        return [f"if type(v) is not str or len(v) > {self.longest} or not pseudonym(v): raise Refused"]


class Uuid(Pattern):
    """A UUID in its canonical lower-case form."""

    limit = "lower-case UUID"

    def __init__(self, need: Need = O, text: str = "", **extra: Any):
        super().__init__(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", need, text, **extra)


class Code(Value):
    """One code of a closed list: rules type, code. `only` narrows the list, `but` leaves codes out;
    `other_text` names the field that must be filled when the code is `other`.
    """

    def __init__(
        self,
        list_id: str,
        need: Need = O,
        text: str = "",
        *,
        only: tuple[str, ...] = (),
        but: tuple[str, ...] = (),
        other_text: str = "",
        **extra: Any,
    ):
        super().__init__(need, text, code_list=list_id, **extra)
        self.list_id = list_id
        self.only = only
        self.but = but
        self.other_text = other_text

    @property
    def codes(self) -> tuple[str, ...]:
        """The codes this field takes."""
        known = lists.codes(self.list_id)
        return tuple(code for code in known if code in (self.only or known) and code not in self.but)

    @property
    def limit(self) -> str:
        """What the field takes, in words: the codes of a short list, else the list's name."""
        return ", ".join(self.codes) if len(self.codes) <= 12 else f"code list {self.list_id}"

    def convert(self, value: Any) -> str:
        if type(value) is not str:
            raise Refusal("type", "code")
        if value not in self.codes:
            raise Refusal("code", self.limit)
        return value

    def source(self, env: dict[str, Any], name: str) -> list[str]:
        env[f"codes_{name}"] = frozenset(self.codes)
        return [f"if v not in codes_{name}: raise Refused"]

    def json_schema(self) -> dict[str, Any]:
        return {"enum": list(self.codes), "x-code-list": self.list_id}


class Tool(Code):
    """An instrument of one kind of outcome (`pain`, `function`): those of the others are refused."""

    def __init__(self, outcome: str, need: Need = O, text: str = "", **extra: Any):
        super().__init__("instrument", need, text, **extra)
        self.outcome = outcome

    @property
    def codes(self) -> tuple[str, ...]:
        return tuple(code for code, tool in lists.instruments().items() if tool.kind == self.outcome)


class Unit(Pattern):
    """A UCUM unit that a derived number may have: that of an instrument, such a unit times days, or of a formula."""

    limit = "a unit of a derived measure"

    def __init__(self, need: Need = O, text: str = "", **extra: Any):
        super().__init__("[!-~]+", need, text, **extra)

    def convert(self, value: Any) -> str:
        super().convert(value)
        if value not in lists.units():
            raise Refusal("unit", self.limit)
        return str(value)

    def source(self, env: dict[str, Any], name: str) -> list[str]:
        env[f"units_{name}"] = lists.units()
        return [f"if v not in units_{name}: raise Refused"]

    def json_schema(self) -> dict[str, Any]:
        return {"enum": sorted(lists.units())}


class Bool(Value):
    """true or false; with `true_only`, absence is the one way to say no (so that nothing is lost on the
    way).
    """

    def __init__(self, need: Need = O, text: str = "", *, true_only: bool = False, **extra: Any):
        super().__init__(need, text, **extra)
        self.true_only = true_only

    def convert(self, value: Any) -> bool:
        if type(value) is not bool:
            raise Refusal("type", "true or false")
        if self.true_only and not value:
            raise Refusal("code", "true, or leave it out")
        return value

    def source(self, env: dict[str, Any], name: str) -> list[str]:
        return ["if v is not True: raise Refused"] if self.true_only else ["if type(v) is not bool: raise Refused"]

    def json_schema(self) -> dict[str, Any]:
        return {"const": True} if self.true_only else {"type": "boolean"}


class Constant(Value):
    """One fixed text, as the kind of a record."""

    def __init__(self, value: str, need: Need, text: str):
        super().__init__(need, text)
        self.value = value

    def convert(self, value: Any) -> str:
        if value != self.value:
            raise Refusal("kind", self.value)
        return self.value

    def source(self, env: dict[str, Any], name: str) -> list[str]:
        return [f"if v != {self.value!r}: raise Refused"]

    def json_schema(self) -> dict[str, Any]:
        return {"const": self.value}


class Derived(Value):
    """A value that is calculated, never typed in: refused as input by rule derived_input."""

    def __init__(self, text: str, **extra: Any):
        super().__init__(Need("-", excusable=False), text, derived=True, **extra)

    def make_error(self, key: str, **kwargs: Any) -> Any:
        return broken("derived_input", "calculated, not collected")

    def convert(self, value: Any) -> Any:
        raise Refusal("derived_input", "calculated, not collected")

    def source(self, env: dict[str, Any], name: str) -> list[str]:
        return ["raise Refused"]

    def json_schema(self) -> dict[str, Any]:
        return {"not": {}}
