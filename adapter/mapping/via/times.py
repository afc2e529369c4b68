"""Transforms of times. Text is copied: partial dates stay partial, offsets stay."""

from __future__ import annotations

from typing import Any

from adapter.mapping.via.base import Refuse, Via, need, register


@register("when")
class When(Via):
    """(start, end) <-> a choice element: Period when there is an end, else dateTime (a Period without an end
    reads as still going on). Writes the suffix of the choice with the value."""

    arity = 2
    makes = ("choice",)
    suffixes = ("DateTime", "Period")

    def write(self, ctx: Any, start: Any, end: Any) -> Any:
        if end is not None:
            period = {"start": start} if start is not None else {}
            return "Period", {**period, "end": end}
        return None if start is None else ("DateTime", start)

    def read(self, ctx: Any, element: Any) -> Any:
        suffix, value = element
        if suffix == "DateTime":
            return need(value, str, "dateTime"), None
        if suffix == "Period":
            need(value, dict, "Period")
            return value.get("start"), value.get("end")
        raise Refuse("choice", "dateTime or Period")


@register("moment")
class Moment(Via):
    """One date-time as a dateTime choice; read from a Period it is its start."""

    makes = ("choice",)
    suffixes = ("DateTime", "Period", "Instant")

    def write(self, ctx: Any, value: Any) -> Any:
        return "DateTime", value

    def read(self, ctx: Any, element: Any) -> Any:
        suffix, value = element
        if suffix == "Period":
            return need(value, dict, "Period").get("start")
        return need(value, str, "dateTime")


@register("period")
class Period(Via):
    """(start, end) <-> Period; either may be missing."""

    arity = 2
    makes = ("Period",)

    def write(self, ctx: Any, start: Any, end: Any) -> Any:
        out = {k: v for k, v in (("start", start), ("end", end)) if v is not None}
        return out or None

    def read(self, ctx: Any, element: Any) -> Any:
        need(element, dict, "Period")
        return element.get("start"), element.get("end")


@register("date_part")
class DatePart(Via):
    """Copy of a date-time as a date, for an element that takes no time of day (never read)."""

    makes = ("date", "dateTime")
    lossless = False

    def write(self, ctx: Any, value: str) -> str:
        return value[:10]

    def read(self, ctx: Any, element: Any) -> Any:
        return None
