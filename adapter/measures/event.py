"""How long after the procedure an adverse event began (onset_interval).

Minutes by UTC where both times are known to the minute, else days of the calendar; it counts from the end of the
procedure, or from its start where the end is not known. An event before it has a negative interval.
"""

from __future__ import annotations

from fractions import Fraction

from . import times
from .chart import RETRACTED, Chart, Record
from .model import Derived, Undefined, derived


def interval(start: str, onset: str) -> tuple[Fraction, str]:
    """Time from one to the other, and its unit. Undefined where a day is not known."""
    if times.is_instant(start) and times.is_instant(onset):
        return times.minutes(start, onset), "min"
    days = times.days(start, onset)
    if days is None:
        raise Undefined("time_unknown")
    return Fraction(days), "d"


def events(chart: Chart) -> list[Derived]:
    """The interval of every adverse event that names a procedure, retracted ones among them."""
    found = []
    kept = [*chart.live, *chart.withdrawn]
    for event in sorted(kept, key=lambda one: one["record_id"]):
        if event["kind"] == "adverse_event" and "procedure_id" in event:
            found.append(_of_event(chart, event))
    return found


def _of_event(chart: Chart, event: Record) -> Derived:
    value: Fraction | Undefined
    unit, labels = None, {}
    procedure = chart.performed(event["procedure_id"])
    try:
        if event["record_status"] == RETRACTED or event["procedure_id"] in chart.void_procedures:
            raise Undefined("input_retracted")
        if procedure is None:
            raise Undefined("anchor_missing")
        counted = "procedure_end" if "ended_at" in procedure else "procedure_start"
        start = procedure.get("ended_at", procedure.get("started_at"))
        if start is None or "onset_at" not in event:
            raise Undefined("time_unknown")
        value, unit = interval(start, event["onset_at"])
        labels = {"counted_from": counted}
    except Undefined as none:
        value = none
    return derived(
        "onset_interval", (event["record_id"],), value, [event],
        anchor=procedure, unit=unit, labels=labels, subject_id=event["subject_id"], study_id=event.get("study_id"),
        procedure_id=event["procedure_id"], at=event.get("onset_at"),
    )  # fmt: skip
