"""Time fields: instants, partial dates, durations and zones, all kept as the text they came as.

It must not know record kinds.
"""

from __future__ import annotations

import re
from typing import Any

from . import times
from .base import Need, O, Refusal, Value
from .fields import Pattern


class _Time(Value):
    """Common to the time types: rules type, empty, format, naive_time."""

    pattern = ""
    limit = ""

    def convert(self, value: Any) -> str:
        if type(value) is not str:
            raise Refusal("type", "text")
        if not value:
            raise Refusal("empty")
        if not re.fullmatch(self.pattern, value) or (len(value) >= 10 and not times.real_date(value)):
            if "T" in self.limit and times.is_naive(value):
                raise Refusal("naive_time", "full date-time with offset")
            raise Refusal("format", self.limit)
        return value

    def source(self, env: dict[str, Any], name: str) -> list[str]:
        env[f"match_{name}"] = re.compile(self.pattern).fullmatch
        env["real_date"] = times.real_date
        return [
            f"if type(v) is not str or not match_{name}(v): raise Refused",
            "if len(v) > 9 and not real_date(v): raise Refused",
        ]

    def json_schema(self) -> dict[str, Any]:
        return {"type": "string", "pattern": f"^(?:{self.pattern})$"}


class Instant(_Time):
    """A full date-time with seconds and offset (RFC 3339), kept as text."""

    pattern = times.INSTANT
    limit = "YYYY-MM-DDThh:mm:ss with offset"


class Partial(_Time):
    """A date of which month and day may be unknown: YYYY, YYYY-MM or YYYY-MM-DD, never padded."""

    pattern = times.PARTIAL
    limit = "YYYY, YYYY-MM or YYYY-MM-DD"


class Day(_Time):
    """A full date without a time: a day of the site's calendar."""

    pattern = times.DATE
    limit = "YYYY-MM-DD"


class DateTimeOrPartial(_Time):
    """A full date-time with offset, or a partial date; a time without offset is refused."""

    pattern = f"{times.INSTANT}|{times.PARTIAL}"
    limit = "YYYY-MM-DDThh:mm:ss with offset, or YYYY, YYYY-MM, YYYY-MM-DD"


class Duration(Pattern):
    """A single-unit ISO 8601 duration such as PT1H, P7D, P1M, kept as text."""

    limit = "one unit, such as PT1H, P7D, P1M"

    def __init__(self, need: Need = O, text: str = "", **extra: Any):
        super().__init__(times.DURATION, need, text, **extra)


class Zone(Value):
    """Name of an IANA time zone."""

    limit = "IANA time zone"

    def convert(self, value: Any) -> str:
        if type(value) is not str:
            raise Refusal("type", "text")
        if value not in times.zones():
            raise Refusal("zone", self.limit)
        return value

    def source(self, env: dict[str, Any], name: str) -> list[str]:
        env["zones"] = times.zones()
        return ["if v not in zones: raise Refused"]

    def json_schema(self) -> dict[str, Any]:
        return {"type": "string"}
