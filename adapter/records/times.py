"""Times as text: full instants, partial dates, ISO 8601 durations and IANA zones.

Dates stay the text they came as; nothing here pads or converts them. Partial dates compare only as far as
both sides are known (domain rule V6). It must not know record kinds.
"""

from __future__ import annotations

import re
from datetime import date, datetime
from functools import cache
from importlib import resources
from zoneinfo import ZoneInfo

DATE = r"[12]\d{3}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12]\d|3[01])"
MONTH = r"[12]\d{3}-(?:0[1-9]|1[0-2])"
YEAR = r"[12]\d{3}"
CLOCK = r"T(?:[01]\d|2[0-3]):[0-5]\d:[0-5]\d(?:\.\d{1,6})?"
OFFSET = r"(?:Z|[+-](?:0\d|1[0-4]):[0-5]\d)"
INSTANT = f"{DATE}{CLOCK}{OFFSET}"
NAIVE = f"{DATE}T\\d\\d:\\d\\d(?::\\d\\d(?:\\.\\d+)?)?"
PARTIAL = f"(?:{DATE}|{MONTH}|{YEAR})"
DURATION = r"P(?:(?:0|[1-9]\d{0,4})[DWMY]|T(?:0|[1-9]\d{0,4})[HMS])"

is_instant = re.compile(INSTANT).fullmatch
is_naive = re.compile(NAIVE).fullmatch
is_partial = re.compile(PARTIAL).fullmatch
is_duration = re.compile(DURATION).fullmatch


@cache
def zones() -> frozenset[str]:
    """Names of all IANA zones of the pinned tz database (the tzdata package), `Factory` left out."""
    text = resources.files("tzdata").joinpath("zones").read_text("ascii")
    return frozenset(text.split()) - {"Factory"}


zone_of = cache(ZoneInfo)  # ZoneInfo itself keeps only the last 8, and there are sites in more zones


def real_date(text: str) -> bool:
    """Whether a full date, or the date of an instant, exists in the calendar (2026-02-30 does not)."""
    try:
        date.fromisoformat(text[:10])
    except ValueError:
        return False
    return True


def offset_fits(instant: str, zone: str) -> bool:
    """Whether the offset of an instant is the one the zone has at that very instant.

    So a wall time in a daylight-saving gap, and an offset of the other season, are both wrong (scenario S11).
    """
    moment = datetime.fromisoformat(instant)
    return moment.astimezone(zone_of(zone)).utcoffset() == moment.utcoffset()


def later(first: str, second: str) -> bool:
    """Whether `first` is certainly after `second`: instants by UTC, else as far as both dates are known.

    Both are local to the same zone, so the text of the date is the local calendar date.
    """
    if len(first) > 10 and len(second) > 10:
        return datetime.fromisoformat(first) > datetime.fromisoformat(second)
    known = min(len(first), len(second), 10)
    return first[:known] > second[:known]
