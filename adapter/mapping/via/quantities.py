"""Transforms of quantities: exact decimals with a UCUM unit that the row states."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from adapter.mapping.via.base import Refuse, Via, need, register

UCUM = "http://unitsofmeasure.org"


def quantity(value: Any, unit: str) -> dict[str, Any]:
    if not unit:
        return {"value": value}
    return {"value": value, "unit": unit, "system": UCUM, "code": unit}


def number(element: Any, units: tuple[str, ...]) -> tuple[Any, str]:
    """Value and unit code of a Quantity whose unit is one of ``units``; anything else is refused."""
    need(element, dict, "Quantity")
    value = element.get("value")
    if value is None:
        raise Refuse("value", "a value")
    if element.get("comparator"):
        raise Refuse("comparator", "an exact value")
    code = element.get("code") or element.get("unit")
    if units == ("",) and not code:
        return need(value, (int, Decimal), "decimal"), ""
    if code not in units or element.get("system", UCUM) != UCUM:
        raise Refuse("unit", " or ".join(units))
    return need(value, (int, Decimal), "decimal"), code


@register("quantity")
class Quantity(Via):
    """A number in the row's unit (`with`: UCUM code, or {unit, integer: true})."""

    makes = ("Quantity", "Age", "Duration", "SimpleQuantity")

    def configure(self, given: Any) -> None:
        if isinstance(given, dict):
            self.unit, self.integer = str(given["unit"]), bool(given.get("integer"))
        elif isinstance(given, str):
            self.unit, self.integer = given, False
        else:
            raise ValueError("quantity needs its UCUM unit in 'with'")

    def write(self, ctx: Any, value: Any) -> dict[str, Any]:
        return quantity(value, self.unit)

    def read(self, ctx: Any, element: Any) -> Any:
        value, _ = number(element, (self.unit,))
        if self.integer:
            if Decimal(value) != int(value):
                raise Refuse("integer", "a whole number")
            return int(value)
        return Decimal(value)


@register("quantity_in")
class QuantityIn(Via):
    """(number, UCUM unit) <-> Quantity: a number that says its own unit."""

    arity = 2
    makes = ("Quantity",)

    def write(self, ctx: Any, value: Any, unit: Any) -> Any:
        return None if value is None or unit is None else quantity(value, unit)

    def read(self, ctx: Any, element: Any) -> Any:
        unit = need(need(element, dict, "Quantity").get("code"), str, "a UCUM code")
        value, _ = number(element, (unit,))
        return Decimal(value), unit


@register("quantity_by")
class QuantityBy(Via):
    """A number whose unit is that of its instrument (`uses`: the instrument first), from the catalog. Of several fields
    the instrument says which holds its result, and the code of a further field in `uses` which of its units counts."""

    arity = None
    makes = ("Quantity",)
    certain = False

    def configure(self, given: Any) -> None:
        super().configure(given)
        if not self.row.uses:
            raise ValueError("quantity_by needs the field of the instrument in 'uses'")
        self.tools = self.env.catalog.instruments
        self.count, self.places = len(self.row.fields), {name: n for n, name in enumerate(self.row.fields)}

    def write(self, ctx: Any, *values: Any) -> Any:
        tool = self.tools[values[self.count]]
        if tool.by:
            tool = tool.of(dict(zip(self.row.uses, values[self.count :], strict=True)))
        value = values[self.places[tool.value]]
        return None if value is None else quantity(value, tool.unit)

    def read(self, ctx: Any, element: Any) -> Any:
        instrument = ctx.out.get(self.row.uses[0])
        if instrument is None:
            raise Refuse("depends", self.row.uses[0])
        tool = self.tools[instrument].of(ctx.out)
        if tool.value not in self.places:
            raise Refuse("depends", self.row.uses[0])
        if not tool.unit:
            raise Refuse("depends", str(tool.by))
        value, _ = number(element, (tool.unit, "1") if tool.unit.startswith("{") else (tool.unit,))
        if self.count == 1:
            return Decimal(value)
        return tuple(Decimal(value) if name == tool.value else None for name in self.row.fields)


@register("source_quantity")
class SourceQuantity(Via):
    """(number, own unit code) <-> Quantity in a unit that devices read in, as the catalog's instruments know it."""

    arity = 2
    makes = ("Quantity",)
    certain = False

    def configure(self, given: Any) -> None:
        super().configure(given)
        sources = [s for tool in self.env.catalog.instruments.values() for s in tool.sources.items()]
        self.units = {code: source.unit for code, source in sources}
        self.back = {unit: code for code, unit in self.units.items()}

    def write(self, ctx: Any, value: Any, code: Any) -> Any:
        return None if value is None or code is None else quantity(value, self.units[code])

    def read(self, ctx: Any, element: Any) -> Any:
        value, unit = number(element, tuple(self.back))
        return Decimal(value), self.back[unit]


@register("strength")
class Strength(Via):
    """(value, unit) <-> Ratio: percent_wv n = n g / 100 mL, mg_per_ml n = n mg / 1 mL (decisions.md 11).

    The shape of the ratio keeps the unit typed. A foreign ratio that is not one of these two is refused unless it
    is mg per mL after exact division.
    """

    arity = 2
    makes = ("Ratio",)
    certain = False
    _SHAPES = {"percent_wv": ("g", 100), "mg_per_ml": ("mg", 1)}

    def write(self, ctx: Any, value: Any, unit: Any) -> Any:
        if unit is None or value is None:
            return None
        mass, per = self._SHAPES[unit]
        return {"numerator": quantity(value, mass), "denominator": quantity(per, "mL")}

    def read(self, ctx: Any, element: Any) -> Any:
        need(element, dict, "Ratio")
        if "numerator" not in element or "denominator" not in element:
            return None
        value, mass = number(element["numerator"], ("g", "mg"))
        volume, _ = number(element["denominator"], ("mL",))
        for unit, (word, per) in self._SHAPES.items():
            if mass == word and volume == per:
                return Decimal(value), unit
        milligrams = Decimal(value) * (1000 if mass == "g" else 1)
        exact = milligrams / Decimal(volume) if volume else Decimal(0)
        if not volume or exact * Decimal(volume) != milligrams:
            raise Refuse("strength", "g per 100 mL or mg per mL")
        return exact, "mg_per_ml"


@register("range")
class Range(Via):
    """(low, high) <-> Range in the row's unit; either may be missing. Whole numbers."""

    arity = 2
    makes = ("Range",)

    def configure(self, given: Any) -> None:
        self.unit = str(given)

    def write(self, ctx: Any, low: Any, high: Any) -> Any:
        out = {k: quantity(v, self.unit) for k, v in (("low", low), ("high", high)) if v is not None}
        return out or None

    def read(self, ctx: Any, element: Any) -> Any:
        need(element, dict, "Range")
        return tuple(int(number(element[k], (self.unit,))[0]) if k in element else None for k in ("low", "high"))
