"""Planned time points: what a score counts from, how long after it was taken, and whether inside the window.

A study's own time points come first; else the record's offset with the default window (`windows` in
mappings/measures.yaml). A procedure whose end is not recorded is counted from its start, and the value says so.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from . import times
from .chart import BEFORE, Chart, Record, Score
from .model import Derived, Undefined, derived

DAY = 1440  # minutes
MONTH = Fraction(1461, 48)  # days on average: for the order of time points, never for a value


@dataclass(frozen=True, slots=True)
class Point:
    """A planned time point; `early` and `late` None: no window is known."""

    code: str
    event: str
    offset: times.Length
    early: times.Length | None
    late: times.Length | None

    @property
    def order(self) -> Fraction:
        """Where it stands among others: days, a month taken as its mean length."""
        return times_of(self.offset) + self.offset.months * MONTH

    def nominal(self, start: str) -> Fraction:
        """Days from `start`, months on the calendar (decisions 6b). Undefined where the calendar is needed and `start`
        is not known to the day."""
        if not self.offset.months:
            return times_of(self.offset)
        day = times.day_of(start)
        if day is None:
            raise Undefined("time_unknown")
        try:
            return Fraction(self.offset.days_from(day))
        except (ValueError, OverflowError):  # beyond the calendar
            raise Undefined("time_unknown") from None


def times_of(offset: times.Length) -> Fraction:
    """Days of an offset without its months."""
    return offset.days + Fraction(offset.time // times.SECOND, 86400)


def point(chart: Chart, study_id: str | None, code: str, offset: str | None = None) -> Point:
    """The planned time point of a code. Undefined where neither study, record nor default says its offset."""
    study = chart.studies.get(study_id or "", {})
    for row in study.get("timepoints", ()):
        if row["code"] == code and "offset" in row:
            return Point(
                code, row.get("anchor_event", "procedure_end"), times.length(row["offset"]),
                _maybe(row.get("window_before")), _maybe(row.get("window_after")),
            )  # fmt: skip
    usual = chart.catalog.measures.windows.get(code)
    if usual is None and offset is None:
        raise Undefined("time_unknown")
    event = usual.anchor if usual else "procedure_end"
    early, late = (_maybe(usual.before), _maybe(usual.after)) if usual else (None, None)
    aim = times.length(offset or (usual.offset if usual else ""))
    return Point(code, event, aim, early, late)


def _maybe(duration: str | None) -> times.Length | None:
    return None if duration is None else times.length(duration)


def aim(chart: Chart, score: Score) -> Point:
    """The planned time point of a score."""
    if score.code is None:
        raise Undefined("timepoint_missing")
    return point(chart, score.record.get("study_id"), score.code, score.record.get("nominal_offset"))


def moment(chart: Chart, score: Score, event: str) -> tuple[str, str, Record]:
    """The time that a score counts from, which event that is, and the record that says so."""
    if event in ("randomisation", "enrolment"):
        entered = [one for one in chart.of_kind("enrolment") if one["study_id"] == score.record.get("study_id")]
        if len(entered) != 1:  # none, or one a limb: which of them is not said
            raise Undefined("anchor_missing")
        return _entry(entered[0], event), event, entered[0]
    procedure = chart.performed(score.procedure_id)
    if procedure is None:
        raise Undefined("input_retracted" if score.procedure_id in chart.void_procedures else "anchor_missing")
    if event == "procedure_end" and "ended_at" in procedure:
        return procedure["ended_at"], event, procedure
    if "started_at" in procedure:
        return procedure["started_at"], "procedure_start", procedure
    raise Undefined("time_unknown")


def _entry(enrolment: Record, event: str) -> str:
    """When a subject was randomised, or came on study."""
    if event == "randomisation" and "randomised_at" in enrolment:
        return str(enrolment["randomised_at"])
    for state in enrolment.get("status_history", ()):
        if event == "enrolment" and state["status"] == "on_study" and "at" in state:
            return str(state["at"])
    raise Undefined("time_unknown")


def gap(start: str, end: str, offset: times.Length) -> tuple[Fraction, str]:
    """Time elapsed at a planned offset, and its unit: minutes by UTC for the hour scale, else calendar days (V3)."""
    if offset.by_clock and times.is_instant(start) and times.is_instant(end):
        return times.minutes(start, end), "min"
    count = None if offset.time else times.days(start, end)
    if count is None:
        raise Undefined("time_unknown")
    return Fraction(count), "d"


def actual_days(start: str, score: Score, offset: times.Length) -> Fraction:
    """Days from `start` to a score, on the scale of its planned offset."""
    if score.time is None:
        raise Undefined("time_unknown")
    value, unit = gap(start, score.time, offset)
    return value / DAY if unit == "min" else value


def window(chart: Chart, score: Score) -> str:
    """Whether a score was taken inside its window: inside, outside or unknown."""
    try:
        planned = aim(chart, score)
        start, _, _ = moment(chart, score, planned.event)
    except Undefined:
        return "unknown"
    if score.time is None or planned.early is None or planned.late is None:
        return "unknown"
    return times.place(start, score.time, planned.offset, planned.early, planned.late)


def planned(chart: Chart, group: list[Score]) -> list[Point]:
    """The follow-up time points planned for a group of scores, in their order.

    What the procedure plans; else what the study plans after a procedure; else what was recorded, collected or not.
    """
    first = group[0]
    study_id = first.record.get("study_id")
    procedure = chart.procedures.get(first.procedure_id or "", {})
    study = chart.studies.get(study_id or "", {})
    after = [row["code"] for row in study.get("timepoints", ()) if row.get("anchor_event", "").startswith("procedure")]
    codes = procedure.get("planned_follow_up") or after or [one.code for one in group]
    offsets = {one.code: one.record.get("nominal_offset") for one in group}
    points = [point(chart, study_id, code, offsets.get(code)) for code in sorted(set(codes) - set(BEFORE))]
    return sorted(points, key=lambda one: (one.order, one.code))


def elapsed(chart: Chart) -> list[Derived]:
    """How long after its anchor each score was taken (actual_offset), with its window."""
    found = []
    for score in chart.scores:
        if score.record["score_status"] != "collected":
            continue
        value: Fraction | Undefined
        unit, anchor, labels = None, None, score.about()
        try:
            if score.retracted:
                raise Undefined("input_retracted")
            if score.time is None:
                raise Undefined("time_unknown")
            point_ = aim(chart, score)
            start, event, anchor = moment(chart, score, point_.event)
            labels |= {"counted_from": event, "window": window(chart, score)}
            value, unit = gap(start, score.time, point_.offset)
        except Undefined as none:
            value = none
        found.append(derived(
            "elapsed", (score.record["record_id"],), value, [score.record],
            anchor=anchor, unit=unit, labels=labels, **of(score),
        ))  # fmt: skip
    return found


def of(score: Score) -> dict[str, Any]:
    """What a value about one score says of it."""
    return {
        "subject_id": score.record["subject_id"],
        "study_id": score.record.get("study_id"),
        "procedure_id": score.procedure_id,
        "timepoint": score.code,
        "at": score.time,
    }
