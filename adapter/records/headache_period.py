"""Headache period: which days of a headache diary belong together, and how many of them were kept.

The days with headache and migraine, attacks and mean severity are calculated from the days elsewhere and refused here.
"""

from __future__ import annotations

from .base import KEY, O, R
from .fields import Constant, Derived, Key, SubjectKey, Uuid
from .meta import FILLED, RecordSchema
from .nested import List
from .number_fields import Int
from .rules import Out, Record, recorded_after
from .time_fields import Day

DAYS = 28


def kept(record: Record, out: Out) -> None:
    """No more days were recorded than planned; those that are named are the recorded ones."""
    if record.get("days_recorded", 0) > record.get("days_planned", DAYS):
        out.add("days_recorded", "range", "days_planned")
    if "days" in record and len(record["days"]) != record.get("days_recorded", len(record["days"])):
        out.add("days", "sum", "days_recorded")


def few_days(record: Record, out: Out) -> None:
    """Warning: fewer than 80 % of the days were recorded, too few for a count by month."""
    if "days_recorded" in record and 10 * record["days_recorded"] < 8 * record["days_planned"]:
        out.add("days_recorded", "W.days", "80 % of days_planned")


class HeadachePeriod(RecordSchema):
    """A period of a headache diary."""

    kind = Constant("headache_period", KEY, "Record kind")
    subject_id = SubjectKey(KEY, "Study pseudonym")
    study_id = Key(O, "Key of the study; absent in registry use")
    start = Day(KEY, "First day, by the calendar of the site")
    days_planned = Int(1, 366, FILLED, "Days planned; 28 when absent", unit="d", filled=True)
    days_recorded = Int(0, 366, R, "Days of which there is an entry", unit="d")
    days = List(Uuid(), O, "record_id of each day recorded", unique=True, most=366)
    headache_days = Derived("Days with headache")
    migraine_days = Derived("Days with migraine")
    attack_count = Derived("Attacks")
    mean_severity = Derived("Mean of the peak severities")

    rules = (kept, recorded_after("start"))
    warnings = (few_days,)

    @classmethod
    def business(cls, record: Record) -> str:
        """subject/period/first day."""
        return f"{record['subject_id']}/period/{record['start']}"

    @classmethod
    def fill(cls, record: Record) -> None:
        """A diary month has 28 days when the source says nothing else."""
        record.setdefault("days_planned", DAYS)
