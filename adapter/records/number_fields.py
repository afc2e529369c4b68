"""Number fields: whole numbers, and exact decimals that keep the digits they were written with.

Binary floats are refused. It must not know record kinds.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from .base import Need, O, Refusal, Value


class Int(Value):
    """A whole number between two bounds, both inclusive: rules type, range."""

    def __init__(self, lowest: int, highest: int, need: Need = O, text: str = "", **extra: Any):
        super().__init__(need, text, **extra)
        self.lowest, self.highest = lowest, highest

    def convert(self, value: Any) -> int:
        if type(value) is not int:
            raise Refusal("type", "whole number")
        if not self.lowest <= value <= self.highest:
            raise Refusal("range", f"{self.lowest}..{self.highest}")
        return value

    def source(self, env: dict[str, Any], name: str) -> list[str]:
        return [f"if type(v) is not int or not {self.lowest} <= v <= {self.highest}: raise Refused"]

    def json_schema(self) -> dict[str, Any]:
        return {"type": "integer", "minimum": self.lowest, "maximum": self.highest}


class Dec(Value):
    """An exact decimal between two bounds, both inclusive: rules type, range, places, step, format.

    A JSON integer becomes a Decimal of the same digits; binary floats are refused. At most `places` digits
    after the point; minus zero is refused, since no other system keeps its sign.
    """

    def __init__(
        self,
        lowest: str,
        highest: str,
        need: Need = O,
        text: str = "",
        *,
        places: int = 6,
        step: str = "",
        **extra: Any,
    ):
        super().__init__(need, text, **extra)
        self.lowest, self.highest = Decimal(lowest), Decimal(highest)
        self.places = places
        self.step = Decimal(step) if step else None

    def convert(self, value: Any) -> Decimal:
        if type(value) is int:
            value = Decimal(value)
        if type(value) is not Decimal or not value.is_finite():
            raise Refusal("type", "decimal number")
        if not self.lowest <= value <= self.highest:
            raise Refusal("range", f"{self.lowest}..{self.highest}")
        exponent = value.as_tuple()[2]
        if not isinstance(exponent, int) or exponent > 0 or (not value and value.is_signed()):
            raise Refusal("format", "plain decimal")
        if exponent < -self.places:
            raise Refusal("places", f"{self.places} decimal places")
        if self.step is not None and value % self.step:
            raise Refusal("step", f"step {self.step}")
        return value

    def source(self, env: dict[str, Any], name: str) -> list[str]:
        env["Decimal"] = Decimal
        env[f"low_{name}"], env[f"high_{name}"] = self.lowest, self.highest
        lines = [
            "if type(v) is int: v = Decimal(v)",
            f"elif type(v) is not Decimal or not {-self.places} <= v.as_tuple()[2] <= 0: raise Refused",
            f"if not low_{name} <= v <= high_{name} or (not v and v.is_signed()): raise Refused",
        ]
        if self.step is not None:
            env[f"step_{name}"] = self.step
            lines.append(f"if v % step_{name}: raise Refused")
        return lines

    def json_schema(self) -> dict[str, Any]:
        step = {"multipleOf": self.step} if self.step is not None else {}
        return {"type": "number", "minimum": self.lowest, "maximum": self.highest, **step}
