"""Transforms of plain values: text, numbers, dates, durations, lookup tables."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Any

from adapter.mapping.via.base import Refuse, Via, need, register

_TEXT = ("string", "markdown", "id", "code", "uri", "url", "canonical", "date", "dateTime", "instant", "uuid")
_JSON: dict[str, Any] = {
    **dict.fromkeys(_TEXT, str),
    "boolean": bool,
    "integer": int,
    "positiveInt": int,
    "unsignedInt": int,
    "decimal": (Decimal, int),
}


@register("same")
class Same(Via):
    """The value as it stands: text, code, number, date; digits and offsets kept."""

    makes = tuple(_JSON)

    def configure(self, given: Any) -> None:
        super().configure(given)
        self.json = _JSON.get(self.element.type if self.element else "string", str)
        self.decimal = self.element is not None and self.element.type == "decimal"

    def write(self, ctx: Any, value: Any) -> Any:
        return value

    def read(self, ctx: Any, element: Any) -> Any:
        value = need(element, self.json, self.element.type if self.element else "string")
        return Decimal(value) if self.decimal and isinstance(value, int) else value


@register("year")
class Year(Via):
    """A year as a partial date. A foreign full date gives its year (nothing is invented)."""

    makes = ("date", "dateTime")

    def write(self, ctx: Any, value: int) -> str:
        return f"{value:04d}"

    def read(self, ctx: Any, element: Any) -> int:
        text = need(element, str, "date")
        if not re.match(r"\d{4}(-|\Z)", text):
            raise Refuse("format", "YYYY")
        return int(text[:4])


@register("number_text")
class NumberText(Via):
    """A whole number <-> its digits in a text element."""

    makes = ("string",)

    def write(self, ctx: Any, value: int) -> str:
        return str(value)

    def read(self, ctx: Any, element: Any) -> int:
        text = need(element, str, "string")
        if not text.isascii() or not text.isdigit():
            raise Refuse("format", "digits")
        return int(text)


@register("item_number")
class ItemNumber(Via):
    """Only read: the number of the list item, for resources of other writers that number nothing."""

    makes = ("id", "string")
    lossless = False
    certain = False

    def write(self, ctx: Any, value: int) -> Any:
        return None

    def read(self, ctx: Any, element: Any) -> int:
        return int(ctx.n)


@register("slug")
class Slug(Via):
    """A key as an id with a prefix (`with`), since ids share one space."""

    makes = ("id", "string")

    def configure(self, given: Any) -> None:
        self.prefix = str(given or "")

    def write(self, ctx: Any, value: str) -> str:
        return self.prefix + value.replace("_", "-")

    def read(self, ctx: Any, element: Any) -> str:
        text = need(element, str, "id")
        if not text.startswith(self.prefix):
            raise Refuse("format", f"{self.prefix}...")
        return text[len(self.prefix) :].replace("-", "_")


_DURATION = re.compile(r"P(?:(\d+)([YMWD])|T(\d+)([HMS]))\Z")


@register("duration")
class Duration(Via):
    """ISO 8601 duration of one unit (``PT1H``, ``P7D``, ``P1M``) <-> Quantity with UCUM h, d, mo."""

    makes = ("Quantity", "Duration")
    _DATE = {"Y": "a", "M": "mo", "W": "wk", "D": "d"}
    _TIME = {"H": "h", "M": "min", "S": "s"}

    def write(self, ctx: Any, value: str) -> dict[str, Any]:
        found = _DURATION.match(value)
        if not found:
            raise Refuse("duration", "one unit only, such as PT1H, P7D, P1M")
        number, unit = (found[1], self._DATE[found[2]]) if found[1] else (found[3], self._TIME[found[4]])
        return {"value": int(number), "unit": unit, "system": "http://unitsofmeasure.org", "code": unit}

    def read(self, ctx: Any, element: Any) -> str:
        code = need(element, dict, "Duration").get("code") or element.get("unit")
        value = element.get("value")
        if element.get("comparator"):
            raise Refuse("comparator", "an exact value")
        if value is None or Decimal(value) != int(value):
            raise Refuse("duration", "a whole number")
        for table, start in ((self._DATE, "P"), (self._TIME, "PT")):
            for letter, unit in table.items():
                if unit == code:
                    return f"{start}{int(value)}{letter}"
        raise Refuse("unit", "s, min, h, d, wk, mo, a")


@register("table")
class Table(Via):
    """A lookup over several fields: rows of field values and, last, the code. ``"*"`` matches anything.

    A row may give nothing (null), and in a copy a concept, ``system|code|display``. Read back only where one row fits;
    fields that a row leaves open stay unread.
    """

    arity = None
    makes = (*_TEXT, "boolean", "CodeableConcept")

    def configure(self, given: Any) -> None:
        self.width = len(self.row.fields)
        self.rows = [(tuple(r[:-1]), r[-1]) for r in given["rows"]]
        if self.element is not None and self.element.type == "CodeableConcept":
            if self.row.mode != "copy":
                raise ValueError("a table of concepts is only for copies: 'concept' reads them")
            self.rows = [(cells, None if out is None else self.env.concept(out)) for cells, out in self.rows]
        self.name = given["name"]
        self.label = f"table {self.name!r} of {given['file']}"
        for cells, _ in self.rows:
            if len(cells) != self.width:
                raise ValueError(f"{self.label} has a row of {len(cells)} fields, not {self.width}")
        self.exact = {cells: out for cells, out in self.rows if "*" not in cells}
        self.back: dict[Any, list[tuple]] = {}
        for cells, out in self.rows if self.row.mode != "copy" else ():
            self.back.setdefault(out, []).append(cells)
        if self.row.mode == "both":
            for out, fitting in self.back.items():
                if len(fitting) > 1 or "*" in fitting[0]:
                    raise ValueError(f"{self.label} cannot be inverted at {out!r}")

    def writable(self) -> set[Any]:
        return {out for _, out in self.rows}

    def write(self, ctx: Any, *values: Any) -> Any:
        found = self.exact.get(values)
        if found is not None:
            return found
        for cells, out in self.rows:
            if all(c in ("*", v) for c, v in zip(cells, values, strict=True)):
                return out
        if all(v is None for v in values):
            return None
        raise Refuse("no_row", f"table {self.name}")

    def read(self, ctx: Any, element: Any) -> Any:
        cells = self.back.get(element)
        if cells is None:
            raise Refuse("code", f"a code of table {self.name}")
        if len(cells) > 1:
            raise Refuse("ambiguous", f"one row of table {self.name}")
        values = tuple(None if c == "*" else c for c in cells[0])
        return values if self.width > 1 else values[0]


@register("last")
class Last(Via):
    """One member of a list's last item for a single status element. `with`: {field, table, after}; `after` overrides
    the table once the field in `uses` has a value. Read back as a list of one item, where only one code fits."""

    makes = ("code",)
    lossless = False
    certain = False

    def configure(self, given: Any) -> None:
        self.name, self.map = given["field"], dict(given["table"])
        self.later = {**self.map, **dict(given.get("after", ()))}

    def writable(self) -> set[Any]:
        return {*self.map.values(), *self.later.values()}

    def write(self, ctx: Any, value: list[dict], used: Any = None) -> Any:
        code = value[-1].get(self.name) if value else None
        return None if code is None else (self.map if used is None else self.later)[code]

    def read(self, ctx: Any, element: Any) -> Any:
        fits = {own for table in (self.map, self.later) for own, code in table.items() if code == element}
        if len(fits) != 1:
            raise Refuse("ambiguous" if fits else "unknown_code", "one own status for this code")
        return [{self.name: fits.pop()}]


@register("unless")
class Unless(Via):
    """Copy: the first field, unless a further one is absent or has one of the codes of `with`."""

    arity = None
    lossless = False
    certain = False

    def configure(self, given: Any) -> None:
        if not isinstance(given, list) or len(self.row.fields) < 2:
            raise ValueError("unless needs codes in 'with', and fields that may have them")
        self.codes = frozenset(given)

    def write(self, ctx: Any, value: Any, *others: Any) -> Any:
        return None if None in others or self.codes & set(others) else value

    def read(self, ctx: Any, element: Any) -> Any:
        return None


@register("presence")
class Presence(Via):
    """Copy: one code when the first field has a value, another when not. `with`: {present, missing, over}; `over` gives
    codes of the further fields that decide before that."""

    arity = None
    makes = ("code",)
    lossless = False

    def configure(self, given: Any) -> None:
        self.map = {True: given["present"], False: given["missing"], **given.get("over", {})}

    def writable(self) -> set[Any]:
        return set(self.map.values())

    def write(self, ctx: Any, *values: Any) -> Any:
        for value in values[1:]:
            if value in self.map:
                return self.map[value]
        return self.map[values[0] is not None]

    def read(self, ctx: Any, element: Any) -> Any:
        return None
