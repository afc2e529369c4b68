"""Time arithmetic: elapsed minutes, calendar days, months, and dates that are known only in part.

Rule V3: hours are the UTC difference of two instants with offset; days, weeks and months are counted on local calendar
dates (a record's offsets are valid in its site_timezone, so the date as written is the local one). A month is the same
day number, clipped to the end of the month. Rule V6: a partial date is an interval, compared only where it does not
overlap, never padded. It must not know records.
"""

from __future__ import annotations

import re
from calendar import monthrange
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from fractions import Fraction

_DURATION = re.compile(r"P(T?)(\d+)([YMWDHS])").fullmatch
_SECONDS = {"H": 3600, "M": 60, "S": 1}
_NO_TIME = timedelta(0)
SECOND = timedelta(seconds=1)


def is_instant(text: str) -> bool:
    """Whether a validated time is a full instant, with its offset."""
    return len(text) > 10


def instant(text: str) -> datetime:
    """The instant of a full date-time."""
    return datetime.fromisoformat(text)


def span(text: str) -> tuple[date, date]:
    """First and last local calendar date that a full or partial time may mean."""
    year, month, day = (*(int(part) for part in text[:10].split("-")), 0, 0)[:3]
    if day:
        return date(year, month, day), date(year, month, day)
    if month:
        return date(year, month, 1), date(year, month, monthrange(year, month)[1])
    return date(year, 1, 1), date(year, 12, 31)


def day_of(text: str) -> date | None:
    """The local calendar date, None where it is not known to the day."""
    first, last = span(text)
    return first if first == last else None


def before(first: str, second: str) -> bool:
    """Whether `first` is certainly earlier than `second`: instants by UTC, else by dates that do not overlap."""
    if is_instant(first) and is_instant(second):
        return instant(first) < instant(second)
    return span(first)[1] < span(second)[0]


def not_after(first: str, second: str) -> bool:
    """Whether `first` is certainly at or before `second`."""
    if is_instant(first) and is_instant(second):
        return instant(first) <= instant(second)
    return span(first)[1] < span(second)[0]


def minutes(start: str, end: str) -> Fraction:
    """Minutes from one instant to another, by UTC; negative when `end` is the earlier one."""
    gap = instant(end) - instant(start)
    return Fraction(gap // timedelta(microseconds=1), 60_000_000)


def days(start: str, end: str) -> int | None:
    """Calendar days from one local date to another; None where either is known only in part."""
    first, last = day_of(start), day_of(end)
    return None if first is None or last is None else (last - first).days


@dataclass(frozen=True, slots=True)
class Length:
    """A duration of one unit: a stretch of time (hours and below), or days or months of the calendar."""

    time: timedelta = _NO_TIME
    days: int = 0
    months: int = 0

    @property
    def by_clock(self) -> bool:
        """Whether it is measured by the clock: hour-scale, and nothing at all."""
        return not self.days and not self.months

    def days_from(self, start: date) -> int:
        """How many calendar days after `start` it ends; whole days only of a stretch of time."""
        return (self.after(start) - start).days

    def after(self, start: date) -> date:
        """The date this long after another: months to the same day number, clipped to the end of the month."""
        return _shift(start, 1, self)

    def ahead_of(self, end: date) -> date:
        """The date this long before another."""
        return _shift(end, -1, self)


def length(duration: str) -> Length:
    """An ISO duration of one unit. ValueError for any other text."""
    found = _DURATION(duration)
    if found is None:
        raise ValueError("not a duration of one unit")
    number, unit = int(found[2]), found[3]
    match (found[1], unit):
        case ("T", "H" | "M" | "S"):
            return Length(time=timedelta(seconds=number * _SECONDS[unit]))
        case ("", "D" | "W"):
            return Length(days=number * (7 if unit == "W" else 1))
        case ("", "M" | "Y"):
            return Length(months=number * (12 if unit == "Y" else 1))
    raise ValueError("not a duration of one unit")


def _shift(day: date, sign: int, by: Length) -> date:
    if by.months:
        count = day.year * 12 + day.month - 1 + sign * by.months
        year, month = count // 12, count % 12 + 1
        return date(year, month, min(day.day, monthrange(year, month)[1]))
    return day + sign * timedelta(days=by.days + by.time.days)


def place(start: str, end: str, offset: Length, early: Length, late: Length) -> str:
    """Whether `end` lies in the window around `start` + `offset`: inside, outside, or unknown.

    By the clock when offset and window are; then both must be instants. Else on the calendar, and for partial dates
    only where every date they may mean gives the same answer.
    """
    if offset.by_clock and early.by_clock and late.by_clock:
        if not is_instant(start) or not is_instant(end):
            return "unknown"
        aim = instant(start) + offset.time
        return "inside" if aim - early.time <= instant(end) <= aim + late.time else "outside"
    (start0, start1), (end0, end1) = span(start), span(end)
    try:
        opens = [early.ahead_of(offset.after(day)) for day in (start0, start1)]
        closes = [late.after(offset.after(day)) for day in (start0, start1)]
    except (ValueError, OverflowError):  # beyond the calendar
        return "unknown"
    if opens[1] <= end0 and end1 <= closes[0]:
        return "inside"
    return "outside" if end1 < opens[0] or end0 > closes[1] else "unknown"
