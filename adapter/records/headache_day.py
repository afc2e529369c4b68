"""Headache day: one day of a headache diary, as the person entered it (domain model, HeadacheDay).

Whether it was a migraine day is calculated from it elsewhere, by a definition that can be named, and refused here. A
headache over midnight makes two days that share their attack_id.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from . import lists
from .base import KEY, C, O, R
from .fields import Bool, Code, Constant, Derived, Key, SubjectKey, Text
from .meta import RecordSchema
from .nested import Codes
from .number_fields import Dec, Int
from .rules import Out, Record, forbid, need, recorded_after
from .time_fields import Day, Instant

SCALES = ("nrs_0_10", "vrs_4")
OF_A_HEADACHE = ("duration_h", "peak_severity", "severity_scale", "features")
ENTER_WITHIN = timedelta(hours=48)


def with_headache(record: Record, out: Out) -> None:
    """A day with headache says how long and how bad; one without says neither."""
    if record.get("headache"):
        for name in OF_A_HEADACHE[:2]:
            need(record, out, name, record, when="headache is true")
    elif record.get("headache") is False:
        forbid(record, out, "", OF_A_HEADACHE, "headache", "only when headache is true")


def severity(record: Record, out: Out) -> None:
    """V1: a severity says its scale, and lies on it."""
    if ("peak_severity" in record) != ("severity_scale" in record):
        missing = "severity_scale" if "peak_severity" in record else "peak_severity"
        out.add(missing, "scale", "peak_severity and severity_scale together")
    elif "peak_severity" in record:
        tool = lists.instruments()[record["severity_scale"]]
        if tool.max is not None and record["peak_severity"] > tool.max:
            out.add("peak_severity", "V1.range", f"{tool.min}..{tool.max}")


def medication(record: Record, out: Out) -> None:
    """`other` among the drugs is said in words, as far as the source has them."""
    if "other" in record.get("acute_meds", ()):
        need(record, out, "acute_meds_text", record, when="acute_meds has other")


def entered(record: Record, out: Out) -> None:
    """A day is entered on that day or later, by the calendar of the site."""
    if "entered_at" in record and record["entered_at"][:10] < record["diary_date"]:
        out.add("entered_at", "order", "not before diary_date")


def late_entry(record: Record, out: Out) -> None:
    """Warning: entered more than 48 hours after the day was over."""
    if "entered_at" in record:
        over = datetime.fromisoformat(record["diary_date"]) + timedelta(days=1)
        if datetime.fromisoformat(record["entered_at"]).replace(tzinfo=None) - over > ENTER_WITHIN:
            out.add("entered_at", "W.late", "48 h after diary_date")


class HeadacheDay(RecordSchema):
    """A day of a headache diary."""

    kind = Constant("headache_day", KEY, "Record kind")
    subject_id = SubjectKey(KEY, "Study pseudonym")
    study_id = Key(O, "Key of the study; absent in registry use")
    diary_date = Day(KEY, "The day, by the calendar of the site; one record a subject and day")
    entered_at = Instant(R, "When it was entered")
    headache = Bool(R, "Whether there was a headache")
    duration_h = Dec("0", "24", C("headache is true"), "How long it lasted on this day", unit="h")
    peak_severity = Int(0, 10, C("headache is true"), "How bad it was at its worst, on severity_scale", unit="{score}")
    severity_scale = Code(
        "instrument", C("peak_severity is given", excusable=False), "Scale of the severity", only=SCALES
    )
    attack_id = Key(O, "Key of the attack, which joins its days")
    features = Codes("headache-feature", O, "How it felt")
    symptoms = Codes("headache-symptom", O, "What went with it")
    aura_min = Int(5, 60, O, "How long an aura lasted", unit="min")
    acute_meds = Codes("acute-medication", O, "Classes of drugs taken against it")
    acute_meds_text = Text(C("acute_meds has other"), "The drug in the source's words", longest=200)
    is_migraine_day = Derived("Whether it was a migraine day")

    rules = (with_headache, severity, medication, entered, recorded_after("entered_at"))
    warnings = (late_entry,)

    @classmethod
    def business(cls, record: Record) -> str:
        """subject/day/date: one record a subject and day."""
        return f"{record['subject_id']}/day/{record['diary_date']}"
