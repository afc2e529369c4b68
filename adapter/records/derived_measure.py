"""Derived measure: a value calculated from other records, or why there is none. Made by this project only.

It travels like any other record and is never input: what a source says of the kind is refused (decisions 2), since it
can be calculated again. Times are copied from the records it rests on, each in the time zone of its own site. It must
not know how a value is calculated.
"""

from __future__ import annotations

from .base import KEY, C, Item, O
from .fields import Bool, Code, Constant, Key, Pattern, SubjectKey, Unit, Uuid
from .meta import RecordSchema
from .nested import Codes, Items
from .number_fields import Dec, Int
from .rules import Out, Record, not_after
from .time_fields import DateTimeOrPartial

OBSERVED = ("pain_outcome", "function_outcome", "headache_day", "headache_period")
OTHERS = ("subject", "enrolment", "procedure", "adverse_event")
VALUES = ("value_number", "value_flag", "value_time", "undefined")
VERSION = (1, 10000)
BIG = ("-1000000000000", "1000000000000")


class Observed(Item):
    """A record of something observed that the value was calculated from."""

    kind = Code("record-kind", KEY, "Its kind", only=OBSERVED)
    record_id = Uuid(KEY, "Its id")
    version = Int(*VERSION, KEY, "Its version")


class Other(Item):
    """Any other record that the value depends on, beside the procedure it is counted from."""

    kind = Code("record-kind", KEY, "Its kind", only=OTHERS)
    record_id = Uuid(KEY, "Its id")
    version = Int(*VERSION, KEY, "Its version")
    key = Key(O, "Its key within the subject, of a procedure or an adverse event")


def one_value(record: Record, out: Out) -> None:
    """There is one value, or a reason why there is none; a number has a unit, and nothing else has one."""
    if sum(name in record for name in VALUES) != 1:
        out.add("undefined", "one_value", "one value, or why it is undefined")
    if ("value_number" in record) != ("value_unit" in record):
        out.add("value_unit", "one_value", "with value_number, and only with it")


def voided(record: Record, out: Out) -> None:
    """What is entered in error has no value any more (V14)."""
    if record["record_status"] == "entered_in_error" and "undefined" not in record:
        out.add("undefined", "V14", "no value when record_status is entered_in_error")


def in_order(record: Record, out: Out) -> None:
    """What it is about ends after it began."""
    not_after(record, out, "at", "until")


def cited(record: Record, out: Out) -> None:
    """A version is that of a record which is named."""
    if "procedure_version" in record and "procedure_id" not in record:
        out.add("procedure_id", "reference", "needed with procedure_version")


class DerivedMeasure(RecordSchema):
    """A value that follows from other records."""

    kind = Constant("derived_measure", KEY, "Record kind")
    subject_id = SubjectKey(KEY, "Study pseudonym")
    study_id = Key(O, "Key of the study; absent in registry use")
    formula = Code("measure", KEY, "What it is a value of; the sign and the rounding are in the list")
    formula_version = Pattern("[1-9][0-9]{0,3}", KEY, "Version of the formula", limit="1 to 9999")
    value_number = Dec(*BIG, C("a number", excusable=False), "The value, rounded half to even to 6 places at most")
    value_unit = Unit(C("a number", excusable=False), "Its unit, in UCUM")
    value_flag = Bool(C("yes or no", excusable=False), "The answer")
    value_time = DateTimeOrPartial(C("a time", excusable=False), "The time, as in the record it is from", copied=True)
    undefined = Code("undefined-reason", C("there is no value", excusable=False), "Why there is no value")
    procedure_id = Key(O, "Which procedure it is counted from")
    procedure_version = Int(*VERSION, O, "Version of that procedure, where the value depends on its record")
    timepoint_code = Code("timepoint", O, "Planned time point")
    scope = Code("baseline-scope", O, "What the baseline comes before")
    at = DateTimeOrPartial(O, "The time it is about, or its begin", copied=True)
    until = DateTimeOrPartial(O, "The end of the time it is about", copied=True)
    missing_timepoints = Codes("timepoint", O, "Planned time points without a score")
    inputs = Items(Observed, O, "Scores, diary days and periods it was calculated from, in order", most=1000)
    basis = Items(Other, O, "Other records that it depends on", most=20)
    instrument = Code("instrument", O, "What the scores were taken with")
    pain_context = Code("pain-context", O, "Pain in which situation")
    domain = Code("function-domain", O, "Domain of function")
    subscale = Code("subscale", O, "Part of the instrument")
    body_site = Code("body-site", O, "Where")
    laterality = Code("laterality", O, "Side")
    target_no = Int(1, 50, O, "Target of the procedure")
    counted_from = Code("anchor-event", O, "Event that times are counted from")
    window = Code("window-place", O, "Where the score lies in the window of its time point")
    baseline_timepoint = Code("timepoint", O, "Planned time point of the baseline")
    baseline_procedure_id = Key(O, "Procedure that the baseline was taken for")
    administration = Code("administration-purpose", O, "What the component was given for")
    component_no = Int(1, 200, O, "Number of the component of the injectate")
    agent = Code("agent", O, "Agent")
    agent_class = Code("agent-class", O, "Class of the agent")
    days_recorded = Int(0, 366, O, "Days of which it is known whether there was a headache", unit="d")
    days_planned = Int(1, 366, O, "Days of the period", unit="d")
    condition_id = Key(O, "Key of the condition within the subject")
    condition_code = Code("condition", O, "Condition")

    rules = (one_value, voided, in_order, cited)

    @classmethod
    def business(cls, record: Record) -> str:
        """subject/formula/record id."""
        return f"{record['subject_id']}/{record['formula']}/{record['record_id']}"
