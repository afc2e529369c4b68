"""Transforms of times. Text is copied: partial dates stay partial, offsets stay."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

from adapter.mapping.via.base import Env, Refuse, Via, need, register

PERIOD_END = "period-end"


def covers(start: str, end: str) -> bool:
    """Does one of two times hold the other, as 2015 holds 2015-03-27? Then which comes first cannot be said."""
    return start != end and (start.startswith(end) or end.startswith(start))


def as_period(env: Env, start: str | None, end: str | None) -> dict[str, Any] | None:
    """A Period. FHIR's rule per-1 (start <= end) fails where the comparison has no answer: an end that holds the
    start, or lies within it, stands in an extension of the Period instead, digit by digit."""
    if start is not None and end is not None and covers(start, end):
        return {"start": start, "extension": [{"url": env.extension_url(PERIOD_END), "valueDateTime": end}]}
    out = {k: v for k, v in (("start", start), ("end", end)) if v is not None}
    return out or None


def from_period(env: Env, period: Any) -> tuple[str | None, str | None]:
    """(start, end) of a Period, wherever its end stands."""
    need(period, dict, "Period")
    end = period.get("end")
    for extension in period.get("extension", ()):
        if extension.get("url") == env.extension_url(PERIOD_END):
            end = extension.get("valueDateTime")
    return period.get("start"), end


@register("when")
class When(Via):
    """(start, end) <-> a choice element: Period when there is an end, else dateTime (a Period without an end
    reads as still going on). Writes the suffix of the choice with the value."""

    arity = 2
    makes = ("choice",)
    suffixes = ("DateTime", "Period")
    extensions = ((PERIOD_END, "valueDateTime"),)

    def write(self, ctx: Any, start: Any, end: Any) -> Any:
        if end is not None:
            return "Period", as_period(self.env, start, end)
        return None if start is None else ("DateTime", start)

    def read(self, ctx: Any, element: Any) -> Any:
        suffix, value = element
        if suffix == "DateTime":
            return need(value, str, "dateTime"), None
        if suffix == "Period":
            return from_period(self.env, value)
        raise Refuse("choice", "dateTime or Period")


@register("moment")
class Moment(Via):
    """One date-time as a dateTime choice. A Period is read only where it is one moment: the time that a score was
    taken at is not the start of the week that it is about."""

    makes = ("choice",)
    suffixes = ("DateTime", "Period", "Instant")

    def write(self, ctx: Any, value: Any) -> Any:
        return "DateTime", value

    def read(self, ctx: Any, element: Any) -> Any:
        suffix, value = element
        if suffix == "Period":
            start, end = from_period(self.env, value)
            if start is None or start != end:
                raise Refuse("period", "one moment")
            return start
        if suffix not in self.suffixes:
            raise Refuse("choice", "dateTime or instant")
        return need(value, str, "dateTime")


@register("period")
class Period(Via):
    """(start, end) <-> Period; either may be missing."""

    arity = 2
    makes = ("Period",)
    extensions = ((PERIOD_END, "valueDateTime"),)

    def write(self, ctx: Any, start: Any, end: Any) -> Any:
        return as_period(self.env, start, end)

    def read(self, ctx: Any, element: Any) -> Any:
        return from_period(self.env, element)


@register("period_days")
class PeriodDays(Via):
    """(first day, number of days) <-> Period of whole days; a FHIR end belongs to the period."""

    arity = 2
    makes = ("Period",)
    certain = False

    def write(self, ctx: Any, start: Any, days: Any) -> Any:
        if start is None or days is None:
            return None
        return {"start": start, "end": (date.fromisoformat(start) + timedelta(days=days - 1)).isoformat()}

    def read(self, ctx: Any, element: Any) -> Any:
        start, end = need(element, dict, "Period").get("start"), element.get("end")
        if not all(isinstance(each, str) and len(each) == 10 for each in (start, end)):
            raise Refuse("period", "two full dates")
        return start, (date.fromisoformat(end) - date.fromisoformat(start)).days + 1


@register("date_part")
class DatePart(Via):
    """Copy of a date-time as a date, for an element that takes no time of day (never read)."""

    makes = ("date", "dateTime")
    lossless = False

    def write(self, ctx: Any, value: str) -> str:
        return value[:10]

    def read(self, ctx: Any, element: Any) -> Any:
        return None
